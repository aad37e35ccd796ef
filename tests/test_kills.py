"""Whatever is killed at whatever moment: run again it ends with the same bytes."""

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.conftest import METHODS, MODELS, Project, ran, small, undo
from tests.processes import members, wait_for_checkpoint

# For each stage a parameter that it reads
CHANGES = {
    "download": {"data__mirror": "nowhere"},
    "union": {"data__image_size": 64},
    "grayscale": {"data__gray": "rec601"},
    **{f"train@{name}": {f"models__{name}__learning_rate": 0.02} for name in MODELS},
    "evaluate@stargan": {"evaluate__resamples": 200},
    "baselines": {"evaluate__resamples": 200},
    "compare": {"compare__comparisons": []},
    "report": {"models__stargan__steps": 61},
}


def kill_and_repeat(
    pipeline: Project, stage: str, how: signal.Signals, moment: float, changed: bool
) -> str:
    """Kill dvc after so many seconds of a stage, and run it again at once: what that one says.

    The killed one has other parameters where `changed`. SIGINT reaches all processes, as Ctrl-C.
    """
    before = outputs_of(pipeline, stage)
    params, lock = (pipeline.path(name).read_bytes() for name in ("params.yaml", "dvc.lock"))
    if changed:
        pipeline.params(**CHANGES[stage])
    process = pipeline.start("dvc", "repro", "--single-item", "--force", stage)
    time.sleep(moment)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, how) if how == signal.SIGINT else os.kill(process.pid, how)
    end = time.monotonic() + 5
    process.wait()
    pipeline.path("params.yaml").write_bytes(params)
    # As the README says: dvc writes both in place, and may have been killed meanwhile.
    pipeline.path("dvc.lock").write_bytes(lock)
    locks = pipeline.path(".dvc/tmp/rwlock")
    with contextlib.suppress(FileNotFoundError):
        if not is_json(locks):
            locks.unlink()
    again = pipeline.start("dvc", "repro", "--single-item", "--force", stage)
    while members(process.pid):
        assert time.monotonic() < end, f"{stage} outlived its dvc"
        time.sleep(0.05)
    said = again.communicate()[1]
    assert again.returncode == 0, said
    after = outputs_of(pipeline, stage)
    assert after.keys() == before.keys()
    assert [name for name in before if after[name] != before[name]] == []
    return said


def seconds_of(project: Project, *command: str) -> float:
    start = time.monotonic()
    project.run(*command)
    return time.monotonic() - start


def is_json(path: Path) -> bool:
    try:
        json.loads(path.read_text())
    except ValueError:
        return False
    return True


def outputs_of(pipeline: Project, stage: str) -> dict[str, str]:
    lock = YAML(typ="safe").load(pipeline.path("dvc.lock"))
    found = {}
    for out in lock["stages"][stage]["outs"]:
        found |= pipeline.contents_of(out["path"])
    assert found
    return found


@pytest.mark.soak
@pytest.mark.parametrize(
    ("stage", "how", "moment"),
    [
        ("union", signal.SIGINT, 3.0),
        ("train@stargan", signal.SIGTERM, 4.5),
        ("evaluate@stargan", signal.SIGKILL, 2.5),
    ],
)
def test_killed_and_repeated_a_stage_ends_with_the_same_bytes(pipeline, stage, how, moment):
    kill_and_repeat(pipeline, stage, how, moment, changed=True)


KILLS = (signal.SIGKILL, signal.SIGTERM, signal.SIGKILL, signal.SIGINT)


@pytest.mark.soak
@pytest.mark.parametrize("stage", CHANGES)
def test_killed_forty_times_at_random_moments(pipeline, stage):
    rng = random.Random(stage)
    if stage.startswith("train@"):
        name = stage.removeprefix("train@")
        entry = small()[name] | {"steps": 300}
        pipeline.edit_params(lambda values: values["models"].update({name: entry}))
        pipeline.run("python", "-m", "stages.check", "--fix")
    longest = seconds_of(pipeline, "dvc", "repro", "--single-item", "--force", stage)
    resumed = 0
    for number in range(40):
        moment = rng.uniform(0.5, longest)
        changed = rng.random() < 0.5
        said = kill_and_repeat(pipeline, stage, KILLS[number % 4], moment, changed)
        resumed += "resuming after step" in said
    assert not list(pipeline.path(".").rglob(".*.partial"))
    undo(pipeline)
    pipeline.run("dvc", "checkout")
    print(f"{stage}: killed 40 times within {longest:.1f} s, resumed {resumed} times")


@pytest.mark.soak
@pytest.mark.parametrize("name", METHODS)
def test_a_trainer_killed_twenty_times_at_random_moments(project, tmp_path, name):
    """Started again each time; what comes to its end has the bytes of an undisturbed run."""
    project.params(**{f"models__{name}__steps": 300})
    undisturbed = Project(shutil.copytree(project.root, tmp_path / "undisturbed"))
    longest = seconds_of(undisturbed, "python", "-m", "stages.train", name)
    expected = undisturbed.trained(name)

    rng = random.Random(name)
    killed = {"before its steps": 0, "while it trained": 0, "when it had written": 0}
    ended = resumed = 0
    while not ended or sum(killed.values()) < 20:
        shutil.rmtree(project.path(f"models/{name}"), ignore_errors=True)  # as dvc does
        process = project.start("python", "-m", "stages.train", name)
        try:
            said = process.communicate(timeout=rng.uniform(0.3, longest))[1]
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            said = process.communicate()[1]
            if project.path(f"models/{name}").exists():
                killed["when it had written"] += 1
            else:
                killed["while it trained" if "to watch" in said else "before its steps"] += 1
        else:
            assert process.returncode == 0, said
            assert project.trained(name) == expected
            ended += 1
        resumed += "resuming after step" in said
    print(f"{name}: killed {killed} within {longest:.1f} s, resumed {resumed}, ended {ended} times")


@pytest.mark.soak
def test_repro_killed_in_the_middle_resumes_and_ends_with_the_same_bytes(pipeline, tmp_path):
    pipeline.params(models__stargan__learning_rate=0.01)
    disturbed = Project(pipeline.root, threads="2")
    undisturbed = Project(shutil.copytree(pipeline.root, tmp_path / "undisturbed"), threads="2")
    undisturbed.stage("train", "stargan")
    shutil.rmtree(pipeline.path(".scratch/training"))  # of trainers that other tests have killed
    process = disturbed.start("dvc", "repro", "train@stargan")
    wait_for_checkpoint(pipeline, process)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    done = disturbed.run("dvc", "repro", "train@stargan")
    assert ran(done.stdout) == ["train@stargan"]
    assert "resuming after step" in done.stderr
    assert pipeline.trained("stargan") == undisturbed.trained("stargan")
    undo(pipeline)
    pipeline.run("dvc", "checkout")
