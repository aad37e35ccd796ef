"""What docs/experiments.md does: a grid queued, stopped, gone on with and compared; one is kept."""

import csv
import io
import json
import shutil
import subprocess

import pytest

from tests.conftest import Project, ran
from tests.processes import has_checkpoint, runs, wait_for

WEIGHTS = (1, 3, 30)
STEPS = 400  # enough to be killed in between
METRIC = "metrics/val/stargan.json:ciede2000"
WEIGHT = "models.stargan.reconstruction_weight"


@pytest.fixture
def mine(pipeline, tmp_path) -> Project:
    return Project(shutil.copytree(pipeline.root, tmp_path / "mine"))


def queue(project: Project, weight: int) -> None:
    flags = (f"models.stargan.reconstruction_weight={weight}", f"models.stargan.steps={STEPS}")
    flags = [word for flag in flags for word in ("-S", flag)]
    project.run("dvc", "exp", "run", "--queue", "-n", f"weight-{weight}", *flags, "compare")


def start(project: Project) -> None:
    # Its worker goes on, and would hold a pipe open.
    subprocess.run(
        ["dvc", "queue", "start"],
        cwd=project.root,
        env=project.environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    wait_for(lambda: has_worker(project))


def has_worker(project: Project) -> bool:
    file = project.path(".dvc/tmp/exps/celery/dvc-exp-worker-1.json")
    return file.exists() and runs(json.loads(file.read_text())["pid"])


def status(project: Project) -> dict[str, str]:
    """What has become of each experiment that was queued."""
    lines = project.run("dvc", "queue", "status").stdout.splitlines()
    words = [line.split() for line in lines if "weight-" in line]
    return {next(w for w in line if w.startswith("weight-")): line[-1] for line in words}


def queue_again(project: Project, name: str) -> None:
    project.run("dvc", "queue", "remove", name)
    queue(project, int(name.removeprefix("weight-")))


def experiments(project: Project) -> dict[str, dict[str, str]]:
    """`dvc exp show`: what stands in the line of each experiment."""
    said = project.run("dvc", "exp", "show", "--csv").stdout
    return {row["Experiment"]: row for row in csv.DictReader(io.StringIO(said))}


@pytest.mark.soak
def test_from_a_question_to_an_answer(mine):
    kept = {
        name: mine.contents_of(name) for name in ("models", "metrics", "reports", "params.yaml")
    }
    for weight in WEIGHTS:
        queue(mine, weight)
    assert status(mine) == {f"weight-{weight}": "Queued" for weight in WEIGHTS}

    start(mine)
    wait_for(lambda: has_checkpoint(mine))
    (killed,) = [name for name, is_now in status(mine).items() if is_now == "Running"]
    mine.run("dvc", "queue", "kill", killed)
    wait_for(lambda: status(mine)[killed] == "Failed")
    said = mine.run("dvc", "queue", "logs", killed).stdout
    assert "saved. Run the same command to go on." in said
    queue_again(mine, killed)
    start(mine)

    lost = set()

    def is_done() -> bool:
        has_ended = not has_worker(mine)
        found = status(mine)
        if set(found.values()) == {"Success"}:
            return True
        if has_ended:  # DVC's workers may do so by themselves; the README says what to do then
            for name, is_now in found.items():
                if is_now == "Running":
                    lost.add(name)
                    mine.run("dvc", "queue", "kill", name)
                    queue_again(mine, name)
            start(mine)
        return False

    wait_for(is_done, seconds=300)

    for name in status(mine):
        said = mine.run("dvc", "queue", "logs", name).stdout
        assert ran(said) == ["train@stargan", "evaluate@stargan", "compare"]
        if name not in lost:
            assert ("resuming after step " in said) == (name == killed)
    # The workspace could have been used meanwhile.
    assert {name: mine.contents_of(name) for name in kept} == kept

    found = experiments(mine)
    del found[""]  # the workspace, and what it was made from
    assert {name: float(row[WEIGHT]) for name, row in found.items()} == {
        f"weight-{weight}": weight for weight in WEIGHTS
    }
    assert len({row[METRIC] for row in found.values()}) == len(WEIGHTS)
    best = min(found, key=lambda name: float(found[name][METRIC]))

    mine.run("dvc", "exp", "apply", best)
    assert ran(mine.run("dvc", "repro").stdout) == ["report"]
    diff = mine.run("dvc", "metrics", "diff", "HEAD", "--md").stdout
    assert "metrics/val/stargan.json" in diff
    assert "metrics/val/zhang_l2.json" not in diff
