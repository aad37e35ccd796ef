"""Whatever is killed at whatever moment: run again it ends with the same bytes."""

import contextlib
import os
import random
import shutil
import signal
import time

import pytest
from ruamel.yaml import YAML

from tests.conftest import METHODS, Project, ran, undo
from tests.processes import members, wait_for_checkpoint

# For each stage a parameter that it reads
CHANGES = {
    "download": {"data__mirror": "nowhere"},
    "union": {"data__image_size": 64},
    "grayscale": {"data__gray": "rec601"},
    **{f"train@{name}": {f"models__{name}__learning_rate": 0.02} for name in METHODS},
    "evaluate@gan": {"evaluate__resamples": 200},
    "baselines": {"evaluate__resamples": 200},
    "report": {"models__gan__steps": 61},
}


def kill_and_repeat(
    pipeline: Project, stage: str, how: signal.Signals, moment: float, changed: bool
) -> None:
    """Kill dvc after so many seconds of a stage, and run it again at once.

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
    # As `git restore dvc.lock`: dvc writes it in place, and may have been killed meanwhile.
    pipeline.path("dvc.lock").write_bytes(lock)
    again = pipeline.start("dvc", "repro", "--single-item", "--force", stage)
    while members(process.pid):
        assert time.monotonic() < end, f"{stage} outlived its dvc"
        time.sleep(0.05)
    said = again.communicate()[1]
    assert again.returncode == 0, said
    after = outputs_of(pipeline, stage)
    assert after.keys() == before.keys()
    assert [name for name in before if after[name] != before[name]] == []


def outputs_of(pipeline: Project, stage: str) -> dict[str, bytes]:
    lock = YAML(typ="safe").load(pipeline.path("dvc.lock"))
    found = {}
    for out in lock["stages"][stage]["outs"]:
        found |= pipeline.bytes_of(out["path"])
    assert found
    return found


KILLS = (signal.SIGTERM, signal.SIGKILL, signal.SIGINT)


@pytest.mark.parametrize(
    ("stage", "how", "moment"),
    [
        ("union", signal.SIGINT, 3.0),
        ("train@gan", signal.SIGTERM, 4.5),
        ("evaluate@gan", signal.SIGKILL, 2.5),
    ],
)
def test_killed_and_repeated_a_stage_ends_with_the_same_bytes(pipeline, stage, how, moment):
    kill_and_repeat(pipeline, stage, how, moment, changed=True)


@pytest.mark.soak
@pytest.mark.parametrize("stage", CHANGES)
def test_killed_forty_times_at_random_moments(pipeline, stage):
    rng = random.Random(stage)
    start = time.monotonic()
    pipeline.run("dvc", "repro", "--single-item", "--force", stage)
    longest = time.monotonic() - start
    for number in range(40):
        moment = rng.uniform(0.5, longest)
        kill_and_repeat(pipeline, stage, KILLS[number % 3], moment, changed=number % 2 == 0)
    assert not list(pipeline.path(".").rglob(".*.partial"))


def test_repro_killed_in_the_middle_resumes_and_ends_with_the_same_bytes(pipeline, tmp_path):
    pipeline.params(models__gan__learning_rate=0.01)
    disturbed = Project(pipeline.root, threads="2")
    undisturbed = Project(shutil.copytree(pipeline.root, tmp_path / "undisturbed"), threads="2")
    undisturbed.stage("train", "gan")
    shutil.rmtree(pipeline.path(".scratch/training"))  # of trainers that other tests have killed
    process = disturbed.start("dvc", "repro", "train@gan")
    wait_for_checkpoint(pipeline, process)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    done = disturbed.run("dvc", "repro", "train@gan")
    assert ran(done.stdout) == ["train@gan"]
    assert "resuming after step" in done.stderr
    for output in ("models/gan", "metrics/training/gan.csv", "reports/training/gan.png"):
        assert pipeline.bytes_of(output) == undisturbed.bytes_of(output)
    undo(pipeline)
    pipeline.run("dvc", "checkout")
