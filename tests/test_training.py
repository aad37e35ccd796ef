"""The training stage as users run it: exact, resumable, and stopped without loss."""

import os
import random
import re
import shutil
import signal
import subprocess

import pytest
import torch

from colorize.data import index
from colorize.training import checkpoint, loop
from colorize.training.log import Log
from tests.conftest import METHODS, Project
from tests.processes import wait_for_checkpoint

OUTPUTS = ("models/{0}", "metrics/training/{0}.csv", "reports/training/{0}.png")


def outputs(project: Project, name: str) -> dict[str, bytes]:
    return {
        path: data for form in OUTPUTS for path, data in project.bytes_of(form.format(name)).items()
    }


def train_and_kill(project: Project, name: str) -> None:
    """Kill a trainer outright, soon after its first checkpoint."""
    process = project.start("python", "-m", "stages.train", name)
    wait_for_checkpoint(project, process)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def longer(project: Project, name: str) -> None:
    """Enough steps to be interrupted in, a checkpoint every few."""
    project.params(**{f"models__{name}__steps": 200})


@pytest.mark.parametrize("name", METHODS)
def test_killed_and_resumed_ends_with_the_bytes_of_an_undisturbed_run(project, tmp_path, name):
    longer(project, name)
    undisturbed = Project(shutil.copytree(project.root, tmp_path / "undisturbed"))
    undisturbed.stage("train", name)

    train_and_kill(project, name)
    assert not project.path(f"models/{name}").exists()
    said = project.stage("train", name).stderr
    assert 0 < int(re.search(r"resuming after step (\d+) of 200", said)[1]) < 200

    assert outputs(project, name) == outputs(undisturbed, name)
    assert len(outputs(project, name)) == (4 if name == "zhang_l2" else 5)  # no discriminator
    assert not list(project.path(".scratch/training").iterdir())  # nothing is left behind


@pytest.mark.soak
@pytest.mark.parametrize("name", METHODS)
def test_killed_again_and_again_it_ends_with_the_same_bytes(project, tmp_path, name):
    """At random moments: while loading, within a step, while saving."""
    project.params(**{f"models__{name}__steps": 600})
    undisturbed = Project(shutil.copytree(project.root, tmp_path / "undisturbed"))
    undisturbed.stage("train", name)
    rng = random.Random(name)
    kills = 0
    while True:
        process = project.start("python", "-m", "stages.train", name)
        try:
            process.communicate(timeout=rng.uniform(4, 9))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            kills += 1
        else:
            assert process.returncode == 0
            break
    assert kills
    assert outputs(project, name) == outputs(undisturbed, name)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_it_says_what_was_saved_and_how_to_go_on(project, number):
    project.params(models__gan__steps=100_000, runtime__save_interval=10, runtime__workers=1)
    process = project.start("python", "-m", "stages.train", "gan")
    wait_for_checkpoint(project, process)
    os.killpg(process.pid, number)  # as a terminal does: the whole group, workers too
    error = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert "Traceback" not in error
    line = error.strip().splitlines()[-1]
    stopped = re.fullmatch(
        rf"gan: {signal.Signals(number).name}: stopped after step (\d+) of 100000; saved\. "
        r"Run the same command to go on\.",
        line,
    )
    assert stopped, error
    assert not project.path("models/gan").exists()
    process = project.start("python", "-m", "stages.train", "gan")
    line = process.stderr.readline()
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert line == f"resuming after step {stopped[1]} of 100000\n"


def test_stopped_while_outputs_are_written_no_step_is_lost(project):
    project.path("metrics/training").rename(project.path("aside"))
    project.path("metrics/training").touch()  # a file where the folder of curves should be
    assert project.stage("train", "gan", expect=1).stderr.splitlines()[-1].startswith("error: ")
    project.path("metrics/training").unlink()
    assert "resuming after step 8 of 8" in project.stage("train", "gan").stderr


DIVERGING = """

_step = Method.step


def _diverging(self, batch, number, rng):
    losses = _step(self, batch, number, rng)
    if number == 5:
        {spoil}
    return losses


Method.step = _diverging
"""


SPOIL_BOTH = """losses |= {"loss": losses["loss"] / 0}
        next(self.G.parameters()).data.fill_(float("nan"))"""


@pytest.mark.parametrize(
    ("steps", "spoil", "message"),
    [
        (8, SPOIL_BOTH, r"step 5: .*diverged \(.*loss inf.*\)"),
        (8, 'losses |= {"loss": losses["loss"] / 0}', r"step 5: .*diverged \(.*loss inf.*\)"),
        (
            5,
            'next(self.G.parameters()).data.fill_(float("nan"))',
            r"step 5: .*diverged \(G\..*finite\)",
        ),
    ],
)
def test_training_that_diverges_stops_and_says_where(project, steps, spoil, message):
    with open(project.path("colorize/methods/gan.py"), "a") as file:
        file.write(DIVERGING.format(spoil=spoil))
    project.params(models__gan__steps=steps, runtime__log_interval=100)  # saved before a row ends
    before = project.bytes_of("metrics/training/gan.csv")
    said = project.stage("train", "gan", expect=2).stderr
    assert re.fullmatch(rf"error: models\.gan: {message}", said.splitlines()[-1])
    assert "Traceback" not in said
    assert not project.path("models/gan").exists()
    assert project.bytes_of("metrics/training/gan.csv") == before
    # What was saved is from before.
    assert "resuming after step 3 of" in project.stage("train", "gan", expect=2).stderr


def test_a_row_of_losses_is_their_mean_however_many_steps_it_spans():
    log = Log()
    for step in range(1, 251):
        few = {"discriminator": torch.tensor(float(step)).requires_grad_()}
        log.add(step, few | ({"loss": torch.tensor(2.0)} if step % 5 == 0 else {}))
    assert len(log.waiting) < 150  # tensors are not held until the row ends
    assert log.close_row(250, 500) == {"discriminator": 125.5, "loss": 2}


def test_a_broken_checkpoint_is_named_and_training_starts_afresh(project):
    train_and_kill(project, "gan")
    (path,) = project.path(".scratch").glob("training/*/checkpoint.pt")
    path.write_bytes(path.read_bytes()[:-1000])
    said = project.stage("train", "gan").stderr
    assert re.search(r"checkpoint\.pt: not a checkpoint \(.+\); starting afresh", said)
    assert "Traceback" not in said
    assert "resuming" not in said


@pytest.mark.parametrize("content", [b"", b"words", b"\x80\x02}q\x00.", {"step": 3}, [1, 2]])
def test_what_is_no_checkpoint_is_named(tmp_path, capsys, content):
    saved = checkpoint.Checkpoint(tmp_path)
    saved.save(content)
    if isinstance(content, bytes):
        saved.path.write_bytes(content)
    assert saved.load(torch.device("cpu")) is None
    assert "checkpoint.pt: not a checkpoint (" in capsys.readouterr().err
    whole = dict.fromkeys(checkpoint.KEYS, 0)
    saved.save(whole)
    assert saved.load(torch.device("cpu")) == whole


def test_a_changed_parameter_starts_afresh(project):
    longer(project, "gan")
    train_and_kill(project, "gan")
    for change in ({"models__gan__steps": 6}, {"seed": 1}, {"models__gan__unpaired": "shared"}):
        project.params(**change)
        assert "resuming" not in project.stage("train", "gan").stderr


def test_a_comment_costs_no_training_where_no_result_depends_on_it(project):
    """And starts it afresh where one does."""
    longer(project, "gan")
    train_and_kill(project, "gan")
    # Shared, drawing, or another method's
    for inert in ("base/files", "base/__init__", "report/grids", "methods/stargan"):
        with open(project.path(f"colorize/{inert}.py"), "a") as file:
            file.write("# A comment\n")
    interrupt = project.start("python", "-m", "stages.train", "gan")
    said = interrupt.stderr.readline()
    os.killpg(interrupt.pid, signal.SIGKILL)
    interrupt.wait()
    assert "resuming" in said
    with open(project.path("colorize/networks/patchgan.py"), "a") as file:
        file.write("# A comment\n")
    assert "resuming" not in project.stage("train", "gan").stderr


def test_a_steps_randomness_depends_on_seed_and_step_alone():
    """Torch's own generator included, which dropout draws from."""

    def numbers(seed: int, step: int) -> tuple[float, float]:
        rng = loop._randomness(seed, step)
        return float(torch.rand((), generator=rng)), float(torch.rand(()))

    known = {key: numbers(*key) for key in ((0, 1), (0, 2), (1, 1))}
    assert len({number for pair in known.values() for number in pair}) == 6
    assert all(numbers(*key) == pair for key, pair in reversed(known.items()))


def test_the_curves_and_the_grid(project):
    project.stage("train", "stargan")
    rows = project.path("metrics/training/stargan.csv").read_text().splitlines()
    assert rows[0].startswith("step,images,loss,")
    assert [row.split(",")[:2] for row in rows[1:]] == [["3", "6"], ["6", "12"], ["8", "16"]]
    assert project.path("reports/training/stargan.png").stat().st_size > 1000


def test_faults_in_the_data_are_named(project):
    project.params(data__image_size=64)
    project.params(models__stargan__discriminator_layers=4)
    said = project.stage("train", "gan", expect=2).stderr
    assert "data/union: made with data.image_size = 32, params.yaml says 64" in said
    project.params(data__image_size=32, runtime__device="cuda:7")
    assert (
        "runtime.device: cuda:7 is not available" in project.stage("train", "gan", expect=2).stderr
    )
    project.params(runtime__device="cpu")
    for path in project.path("data/gray").glob("*.png"):
        path.write_bytes(b"")
    said = project.stage("train", "gan", expect=2).stderr
    assert re.search(r"error: data/gray/\w+\.png: cannot be decoded as an image", said)
    assert "Traceback" not in said
    shutil.rmtree(project.path("data/union"))
    assert "run `dvc repro`" in project.stage("train", "gan", expect=2).stderr
    assert not project.path("models").exists()


def test_a_broken_image_found_by_a_worker_is_named_in_one_line(project):
    rows = index.Index.read(project.path("data/union"))
    for name in rows.split("train"):
        project.path(f"data/gray/{name}").write_bytes(b"")
    project.params(runtime__workers=1)
    said = project.stage("train", "gan", expect=2).stderr
    last = said.strip().splitlines()[-1]
    assert re.fullmatch(r"error: data/gray/\w+\.png: cannot be decoded as an image .*", last)
    assert "Traceback" not in said


def test_stale_folders_are_named(project):
    project.stage("train", "gan")
    project.params(data__image_size=64)
    project.stage("union")
    for command in (["train", "gan"], ["evaluate", "gan"], ["baselines"]):
        said = project.stage(*command, expect=2).stderr
        assert (
            said == "error: data/gray: made from another union; run `dvc repro` to make it again\n"
        )
    project.stage("grayscale")
    said = project.stage("evaluate", "gan", expect=2).stderr
    assert "models/gan: trained at data.image_size = 32, params.yaml says 64" in said


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("name", METHODS)
def test_every_method_trains_on_a_gpu(project, name):
    project.params(runtime__device="cuda")
    project.stage("train", name)
    project.stage("evaluate", name)
