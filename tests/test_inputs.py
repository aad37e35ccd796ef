"""What is edited while a stage runs is never recorded as what was used."""

import json
import os
import random
import shutil
import time

import psutil
import pytest

from colorize.base import lifetime
from colorize.base.errors import UserError
from stages import common
from tests.conftest import Project
from tests.processes import wait_for_checkpoint


def edit(project: Project, kind: str) -> None:
    method = project.path("colorize/methods/zhang_l2.py")
    photograph = next(project.path("data/union").glob("*.png"))
    match kind:
        case "parameter":
            project.params(models__zhang_l2__learning_rate=1e-4)
        case "default":
            project.params(defaults__flip=False)
        case "size":
            project.params(data__image_size=8)
        case "removed model":
            project.edit_params(lambda values: values["models"].pop("zhang_l2"))
        case "method":
            method.write_text(method.read_text() + "# edited\n")
        case "removed code":
            project.path("colorize/training/loop.py").unlink()
        case "photograph":
            photograph.write_bytes(photograph.read_bytes() + b"\0")
        case "added photograph":
            shutil.copy(photograph, photograph.with_stem("added"))
        case "no photographs":
            shutil.rmtree(project.path("data/gray"))
        case "half a line":
            project.path("params.yaml").write_text("models: [")


@pytest.mark.parametrize(
    ("stage", "kind", "told"),
    [
        ("train@zhang_l2", "parameter", "models.zhang_l2.learning_rate (0.003, now 0.0001)"),
        ("train@zhang_l2", "default", "defaults.flip (True, now False)"),
        ("train@zhang_l2", "size", "data.image_size (32, now 8)"),
        ("train@zhang_l2", "removed model", "have no stage train@zhang_l2"),
        ("train@zhang_l2", "method", "colorize/methods/zhang_l2.py"),
        ("train@zhang_l2", "removed code", "colorize/training/loop.py"),
        ("train@zhang_l2", "photograph", "data/union"),
        ("train@zhang_l2", "half a line", "params.yaml: not YAML"),
        ("evaluate@zhang_l2", "method", "colorize/methods/zhang_l2.py"),
        ("evaluate@zhang_l2", "no photographs", "data/gray"),
        ("baselines", "added photograph", "data/union"),
        ("grayscale", "photograph", "data/union"),
        ("compare", "parameter", "models.zhang_l2.learning_rate (0.003, now 0.0001)"),
    ],
)
def test_what_changes_while_a_stage_runs_is_named(project, monkeypatch, stage, kind, told):
    project.params(defaults__flip=True)
    monkeypatch.chdir(project.root)
    with pytest.raises(UserError) as raised, common.only_writer(stage):
        edit(project, kind)
    assert told in str(raised.value)


@pytest.mark.parametrize(
    ("stage", "kind"),
    [
        ("train@gan", "parameter"),
        ("train@gan", "method"),
        ("evaluate@zhang_l2", "parameter"),
        ("download", "size"),
        ("union", "no photographs"),
    ],
)
def test_what_a_stage_does_not_use_may_change(project, monkeypatch, stage, kind):
    monkeypatch.chdir(project.root)
    with common.only_writer(stage):
        edit(project, kind)


def test_what_changes_while_a_stage_starts_is_named(project, monkeypatch):
    """Its code is read before it can say what it was."""
    monkeypatch.chdir(project.root)
    monkeypatch.setattr(lifetime, "began", time.time() - 1)
    edit(project, "method")
    with (
        pytest.raises(UserError, match=r"zhang_l2\.py\. So its"),
        common.only_writer("train@zhang_l2"),
    ):
        pass
    os.utime(project.path("colorize/methods/zhang_l2.py"), (0, 2**32))  # a clock that was wrong
    with common.only_writer("train@zhang_l2"):
        pass


def test_an_edit_costs_no_training(project):
    """Undone, the training goes on from where it was."""
    project.params(models__zhang_l2__steps=60, runtime__save_interval=1)
    before = project.path("params.yaml").read_bytes()
    training = project.start("python", "-m", "stages.train", "zhang_l2")
    wait_for_checkpoint(project, training)
    edit(project, "parameter")
    assert training.wait() == 2
    said = training.stderr.read()
    assert "error: train@zhang_l2: changed while it ran: models.zhang_l2.learning_rate (" in said
    assert "Undo the change to go on from its last checkpoint, or run `dvc repro` again." in said
    project.path("params.yaml").write_bytes(before)
    assert "resuming after step 60 of 60" in project.stage("train", "zhang_l2").stderr
    assert project.path("models/zhang_l2/config.json").exists()


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(20))
def test_what_is_edited_during_a_repro_is_not_up_to_date(pipeline, tmp_path, seed):
    project = Project(shutil.copytree(pipeline.root, tmp_path / "copy"))
    for kept in (".dvc/cache/runs", ".scratch"):
        shutil.rmtree(project.path(kept), ignore_errors=True)
    chance = random.Random(seed)
    name = chance.choice(["train@stargan", "evaluate@stargan"])
    repro = project.start("dvc", "repro", "-f", "-s", name)
    time.sleep(chance.uniform(0, 8))
    kind = chance.choice(["parameter", "code", "data"])
    if kind == "parameter":
        project.params(data__image_size=8)
    elif kind == "code":
        method = project.path("colorize/methods/stargan.py")
        method.write_text(method.read_text() + "raise SystemExit('the edited code was used')\n")
    else:
        for photograph in project.path("data/gray").glob("*.png"):
            photograph.unlink()
    time.sleep(0.3)  # nobody sees an edit between the stage's last look and DVC's
    stage_runs = any(
        "stages." in str(child.cmdline()) for child in psutil.Process(repro.pid).children()
    )
    code, said = repro.wait(), repro.stderr.read()
    changed = json.loads(project.run("dvc", "status", "--json", name).stdout)
    assert changed or not stage_runs, (name, kind, code, said)
