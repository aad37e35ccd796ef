"""How stages end early: by a signal, with the process that started them, one writer at a time."""

import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from colorize.base import files
from colorize.methods.shared import model, start
from tests.conftest import MODELS, ROOT, Project
from tests.processes import imports_torch, members, runs, wait_for, wait_for_checkpoint

STAGES = YAML(typ="safe").load(ROOT / "dvc.yaml")["stages"]

# What each writes
FOLDERS = {
    "download": "data/raw",
    "union": "data/union",
    "grayscale": "data/gray",
    "train@gan": "models/gan",
    "baselines": "metrics/results/grayscale.json",
}


def start_as_dvc_does(project: Project, stage: str) -> tuple[subprocess.Popen, int]:
    """A process that stands for dvc, of several threads too, and the number of its stage."""
    definition = STAGES[stage.split("@")[0]]
    command = definition.get("do", definition)["cmd"]
    starter = (
        "import os, subprocess, sys, threading, time;"
        "[threading.Thread(target=time.sleep, args=(99,), daemon=True).start() for _ in range(3)];"
        f"os.environ['DVC_STAGE'] = {stage!r};"
        f"child = subprocess.Popen(['/bin/sh', '-c', {command!r}]);"
        "print(child.pid, file=sys.stderr, flush=True); child.wait()"
    )
    process = project.start(sys.executable, "-c", starter)
    return process, int(process.stderr.readline())


@pytest.mark.parametrize(
    ("stage", "moment"),
    [
        ("union", "at once"),
        ("train@gan", "while it imports"),
        ("union", "at work"),
        ("train@gan", "at work"),
        pytest.param("download", "at once", marks=pytest.mark.soak),
        pytest.param("union", "while it imports", marks=pytest.mark.soak),
        pytest.param("download", "at work", marks=pytest.mark.soak),
        pytest.param("grayscale", "at work", marks=pytest.mark.soak),
        pytest.param("baselines", "at work", marks=pytest.mark.soak),
    ],
)
def test_a_stage_whose_dvc_is_gone_ends_and_writes_nothing(project, stage, moment):
    """kill -9 of dvc alone leaves its child running."""
    folder = project.path(FOLDERS[stage])
    if folder.exists():
        folder.rename(project.path("aside"))  # as dvc removes it
    project.params(models__gan__steps=100_000)
    process, child = start_as_dvc_does(project, stage)
    if moment == "while it imports":
        wait_for(lambda: imports_torch(child))
    elif moment == "at work":
        wait_for(lambda: project.path(f".scratch/locks/{stage}").exists())
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    wait_for(lambda: not runs(child), seconds=5)
    assert not folder.exists()


@pytest.mark.soak
@pytest.mark.parametrize("told_early", [False, True])
def test_a_trainer_whose_dvc_is_gone_saves(project, told_early):
    project.params(models__gan__steps=100_000, runtime__save_interval=10, runtime__workers=1)
    process, trainer = start_as_dvc_does(project, "train@gan")
    wait_for_checkpoint(project, process)
    if told_early:  # as the kernel may: while threads of dvc are ending, it is the parent still
        os.kill(trainer, signal.SIGUSR1)
    else:
        os.kill(process.pid, signal.SIGKILL)
    process.wait()
    wait_for(lambda: not runs(trainer), seconds=5)
    assert "the process that started this stage is gone" in process.stderr.read()  # all have ended


def test_what_is_started_by_hand_outlives_its_shell(project):
    shell = project.start("/bin/sh", "-c", "python -m stages.union & echo $! >&2; wait")
    stage = int(shell.stderr.readline())
    shutil.rmtree(project.path("data/union"))
    wait_for(lambda: imports_torch(stage))
    os.kill(shell.pid, signal.SIGKILL)
    shell.wait()
    wait_for(lambda: not runs(stage))
    assert project.path("data/union/index.csv").exists()


@pytest.mark.parametrize(
    ("number", "moment"),
    [
        (signal.SIGTERM, "while it imports"),
        (signal.SIGINT, "at work"),
        pytest.param(signal.SIGINT, "while it imports", marks=pytest.mark.soak),
        pytest.param(signal.SIGTERM, "at work", marks=pytest.mark.soak),
    ],
)
def test_interrupted_a_stage_says_so_in_one_line(project, number, moment):
    before = project.contents_of("data/union")
    process = project.start("python", "-m", "stages.union")
    if moment == "while it imports":
        wait_for(lambda: imports_torch(process.pid))
    else:
        wait_for(lambda: list(project.path("data").glob(".union.*.partial/*.png")))
    os.killpg(process.pid, number)  # as a terminal does: the whole group, workers too
    error = process.communicate(timeout=30)[1]
    assert process.returncode == 130
    assert error.strip().splitlines()[-1] == "interrupted; nothing half-written is left"
    assert "Traceback" not in error
    assert project.contents_of("data/union") == before
    assert not list(project.path("data").glob(".*"))


def test_a_stage_waits_for_another_run_of_itself(project):
    """An orphan that still saves, or a run by hand: never two writers of one output."""
    project.params(models__gan__steps=100_000)
    first = project.start("python", "-m", "stages.train", "gan")
    wait_for_checkpoint(project, first)
    project.params(models__gan__steps=6)
    second = project.start("python", "-m", "stages.train", "gan")
    assert "another process is running the stage train@gan; waiting" in second.stderr.readline()
    assert first.poll() is None
    first.terminate()
    first.communicate()
    assert second.wait() == 0
    rows = project.path("metrics/training/gan.csv").read_text().splitlines()
    assert rows[-1].startswith("6,")


@pytest.mark.soak
def test_two_runs_of_the_same_training_follow_each_other(project, tmp_path):
    """Experiments in copies of the project share its checkpoints: one finds the other's held."""
    project.params(models__gan__steps=60)
    copy = Project(shutil.copytree(project.root, tmp_path / "copy"))
    command = ["/bin/sh", "-c", f"DVC_ROOT={project.root} exec python -m stages.train gan"]
    first = project.start(*command)
    wait_for_checkpoint(project, first)
    first.send_signal(signal.SIGSTOP)
    second = copy.start(*command)
    assert "another process is training this very run; waiting" in second.stderr.readline()
    first.send_signal(signal.SIGCONT)
    said = [run.communicate()[1] for run in (first, second)]
    assert (first.returncode, second.returncode) == (0, 0), said
    assert copy.trained("gan") == project.trained("gan")


def test_who_waits_too_long_is_told_so(tmp_path):
    with files.only_one(tmp_path / "lock", "counting"):
        code = (
            "from pathlib import Path; from colorize.base import files\n"
            f"with files.only_one(Path({str(tmp_path / 'lock')!r}), 'counting', 0.2): pass"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
        )
    assert done.returncode == 1
    assert f"UserError: {tmp_path}/lock: another process is counting; wait for it" in done.stderr
    with files.only_one(tmp_path / "lock", "counting", 0.2):
        pass


def test_of_two_writers_the_last_one_wins_whole(tmp_path):
    folder = tmp_path / "folder"
    with files.replaced_folder(folder) as first:
        (first / "a").write_text("first")
        with files.replaced_folder(folder) as second:
            (second / "b").write_text("second")
        (first / "c").write_text("first")
    assert {path.name: path.read_text() for path in folder.iterdir()} == {
        "a": "first",
        "c": "first",
    }
    with files.replaced_file(tmp_path / "file") as first:
        first.write_text("first")
        with files.replaced_file(tmp_path / "file") as second:
            second.write_text("second")
    assert (tmp_path / "file").read_text() == "first"
    assert {path.name for path in tmp_path.iterdir()} == {"folder", "file"}


def test_many_writers_at_once_leave_one_whole_folder(tmp_path):
    failed = []

    def write(number: int) -> None:
        for _ in range(50):
            try:
                with files.replaced_folder(tmp_path / "folder") as partial:
                    for name in "abc":
                        (partial / name).write_text(str(number))
            except OSError as error:
                failed.append(error)

    threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    written = {path.name: path.read_text() for path in (tmp_path / "folder").iterdir()}
    assert written.keys() == set("abc")
    assert len(set(written.values())) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_interrupted_between_the_two_moves_nothing_is_lost(tmp_path, monkeypatch):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "old").touch()
    move = os.replace

    def interrupted(source, target):
        if Path(target) == folder and ".partial" in str(source):
            raise KeyboardInterrupt
        move(source, target)

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt), files.replaced_folder(folder) as partial:
        (partial / "new").touch()
    assert [path.name for path in folder.iterdir()] == ["old"]
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_what_killed_writers_left_goes_with_the_next_run(project):
    process = project.start("python", "-m", "stages.union")
    wait_for(lambda: list(project.path("data").glob(".union.*.partial/*.png")))
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert list(project.path("data").glob(".union.*.partial"))
    project.path("data/.union.mine").mkdir()  # of somebody else
    project.stage("union")
    assert {path.name for path in project.path("data").iterdir()} == {
        *("raw", "union", "gray"),
        ".union.mine",
    }


def test_weights_are_on_the_disk_before_their_checkpoint_goes(tmp_path, monkeypatch):
    flushed = set()
    fsync = os.fsync

    def recorded(number: int) -> None:
        flushed.add(Path(f"/proc/self/fd/{number}").readlink())
        fsync(number)

    monkeypatch.setattr(os, "fsync", recorded)
    parameters = model.parse(MODELS["gan"] | {"width": 2, "depth": 1}, "models.gan")
    with files.replaced_folder(tmp_path / "gan") as partial:
        network = model.build(parameters, 32)
        network.prepare_training()
        start.save_training(network, model.save(network, partial), partial)
    for name in (model.WEIGHTS, start.TRAINING, model.CONFIG):
        assert [path for path in flushed if path.name.startswith(f".{name}.")], name
    assert tmp_path in flushed  # where the folder has got its name


def test_no_loader_process_outlives_a_trainer(project):
    project.params(models__gan__steps=100_000, runtime__workers=2, runtime__save_interval=10)
    process = project.start("python", "-m", "stages.train", "gan")
    wait_for_checkpoint(project, process)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    wait_for(lambda: not members(process.pid), seconds=5)
