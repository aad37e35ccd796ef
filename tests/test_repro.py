"""The pipeline as users run it, with DVC."""

import contextlib
import json
import os
import random
import re
import shutil
import signal
import time

import pandas as pd
import pytest
from ruamel.yaml import YAML

from colorize.evaluation.baselines import TRIVIAL
from tests import zips
from tests.conftest import Project, checkout
from tests.processes import members, wait_for_checkpoint
from tests.test_params import committed

MODELS = committed()["models"]
STAGES = ["download", "union", "grayscale", *(f"train@{m}" for m in MODELS)]
STAGES += [*(f"evaluate@{m}" for m in MODELS), "baselines", "report"]


def commit(project: Project) -> None:
    project.run("git", "add", "-A")
    project.run("git", "-c", "user.name=a", "-c", "user.email=b", "commit", "-qm", "c")


def undo(pipeline: Project) -> None:
    """To what was committed; dvc stages dvc.lock, so not to what the index holds."""
    pipeline.run("git", "checkout", "-q", "HEAD", "--", ".")


def ran(said: str) -> list[str]:
    """The stages that dvc ran, in order."""
    return re.findall(r"Running stage '([^']+)'", said)


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory) -> Project:
    """A repository in which `dvc repro` has run. Tests leave it as they found it."""
    project = checkout(tmp_path_factory.mktemp("pipeline"))
    project.params(models__gan__steps=60, runtime__save_interval=5)
    project.run("git", "init", "-q")
    commit(project)
    assert sorted(ran(project.run("dvc", "repro").stdout)) == sorted(STAGES)
    commit(project)
    return project


def test_a_second_repro_runs_nothing(pipeline):
    said = pipeline.run("dvc", "repro").stdout
    assert not ran(said)
    assert "Data and pipelines are up to date." in said
    assert pipeline.run("git", "status", "--porcelain").stdout == ""


def test_what_the_pipeline_leaves(pipeline):
    summary = json.loads(pipeline.path("metrics/summary.json").read_text())
    assert set(summary) == {*MODELS, "zhang_l2_scaled", *TRIVIAL}
    assert summary["gray_copy"]["projection"] == 0
    for name in (*MODELS, *TRIVIAL):
        result = json.loads(pipeline.path(f"metrics/{name}.json").read_text())
        assert {"val", "test", "by_dataset", "diagnostics", "images"} <= set(result)
        assert result["images"] == 27
        assert set(result["val"]) == set(result["test"])
        for entry in result["test"].values():
            assert set(entry) == {"mean", "low", "high"}
            assert entry["mean"] is None or entry["low"] <= entry["mean"] <= entry["high"]
    html = pipeline.path("reports/report.html").read_text(encoding="utf-8")
    assert "This run proves little" in html
    assert all(name in html for name in summary)
    assert not re.search(r'(src|href)="(?!data:|#)', html)  # one file, no network
    tracked = pipeline.run("git", "ls-files").stdout
    assert "metrics/training/gan.csv" in tracked
    shown = [
        f for f in tracked.split("\n") if f.endswith((".png", ".html", ".zip", ".safetensors"))
    ]
    assert not shown
    assert not pipeline.path("reports/.gitignore").exists()


def test_an_experiment_reruns_what_its_parameter_touches(pipeline):
    done = pipeline.run("dvc", "exp", "run", "-n", "few", "-S", "models.stargan.steps=4")
    assert ran(done.stdout) == ["train@stargan", "evaluate@stargan", "report"]
    changed = pipeline.run("dvc", "metrics", "diff").stdout.strip().splitlines()
    assert 2 < len(changed) <= 9
    assert all("stargan" in line for line in changed[2:] if "metrics" in line)
    said = pipeline.run("dvc", "plots", "diff", "HEAD", "few", "-o", "plots").stdout
    html = pipeline.path("plots/index.html").read_text(encoding="utf-8")
    tiles = re.findall(r'src="([^"]*samples_stargan\.png)"', html)
    assert len(set(tiles)) == 2, said  # one of each run, side by side
    assert all(pipeline.path(f"plots/{tile}").is_file() for tile in tiles)
    undo(pipeline)
    assert not ran(pipeline.run("dvc", "repro").stdout)  # all of it comes from the run cache


def test_editing_a_method_retrains_its_models_alone(pipeline):
    path = pipeline.path("colorize/methods/gan.py")
    text = path.read_text(encoding="utf-8")
    path.write_text(f"{text}\n# edited\n", encoding="utf-8")
    would = ran(pipeline.run("dvc", "repro", "--dry").stdout)
    path.write_text(text, encoding="utf-8")
    assert would == ["train@gan", "evaluate@gan"]  # the report, if what it reads then changes


def test_the_image_size_changes_the_images_and_back(pipeline):
    before = pipeline.bytes_of("data/union")
    pipeline.params(data__image_size=64)
    assert ran(pipeline.run("dvc", "repro", "grayscale").stdout) == ["union", "grayscale"]
    after = pipeline.bytes_of("data/union")
    shared = before.keys() & after.keys()
    assert len(shared) > 200
    assert all(before[name] != after[name] for name in shared if name.endswith(".png"))
    pipeline.params(data__image_size=32)
    assert not ran(pipeline.run("dvc", "repro", "grayscale").stdout)
    assert pipeline.bytes_of("data/union") == before
    undo(pipeline)


def test_an_experiment_changes_the_set_of_datasets(pipeline, tmp_path):
    entries = {}
    for name, start in (("first", 0), ("second", 100)):
        files = {f"trainA/{i}.png": zips.encoded(zips.image(start + i)) for i in range(30)}
        files["testA/t.png"] = zips.encoded(zips.image(start + 99))
        entries[name] = zips.dataset(tmp_path, name, files)
    catalog = zips.catalog(tmp_path, entries)
    definition = pipeline.path("dvc.yaml").read_bytes()

    def datasets_after(names: str) -> dict[str, int]:
        settings = (
            f"data.datasets=[{names}]",
            f"data.catalog={catalog}",
            f"data.mirror={tmp_path}",
            "data.validation=0.3",  # of 30: some for sure
        )
        flags = [flag for setting in settings for flag in ("-S", setting)]
        done = pipeline.run("dvc", "exp", "run", *flags, "grayscale")
        assert ran(done.stdout) == ["download", "union", "grayscale"]
        rows = pd.read_csv(pipeline.path("data/union/index.csv"))
        zipped = {path.stem for path in pipeline.path("data/raw").glob("*.zip")}
        assert zipped == set(rows["dataset"])
        return rows["dataset"].value_counts().to_dict()

    assert datasets_after("first") == {"first": 31}
    (tmp_path / "first.zip").unlink()  # whoever wants it from the mirror again fails
    assert datasets_after("first,second") == {"first": 31, "second": 31}
    assert datasets_after("second") == {"second": 31}
    assert pipeline.path("dvc.yaml").read_bytes() == definition
    undo(pipeline)
    pipeline.run("dvc", "checkout")


def test_what_changes_no_result_reruns_nothing(pipeline):
    pipeline.params(runtime__workers=2, runtime__log_interval=1, train__snapshots=1)
    for inert in ("colorize/base/errors.py", "colorize/base/__init__.py", "stages/common.py"):
        with open(pipeline.path(inert), "a") as file:
            file.write("# A comment\n")
    assert not ran(pipeline.run("dvc", "repro", "--dry").stdout)
    undo(pipeline)


@pytest.mark.parametrize(
    ("edited", "reruns"),
    [
        ("colorize/report/grids.py", ["report"]),
        ("colorize/report/page.html.jinja", ["report"]),
        ("colorize/networks/resnet.py", ["gan", "cyclegan"]),
        ("colorize/evaluation/colors.py", ["evaluate", "report"]),
        ("colorize/data/sheet.py", ["download", "union", "grayscale", "report"]),
    ],
)
def test_an_edit_reruns_what_it_may_change(pipeline, edited, reruns):
    with open(pipeline.path(edited), "a") as file:
        file.write("\n")
    would = ran(pipeline.run("dvc", "repro", "--dry").stdout)
    undo(pipeline)
    expected = {
        stage for stage in STAGES if stage.split("@")[0] in reruns or stage.split("@")[-1] in reruns
    }
    assert set(would) == expected


@pytest.mark.parametrize(
    ("parameter", "value", "reruns"),
    [
        ("evaluate__grid", 3, [f"evaluate@{name}" for name in MODELS]),
        ("models__gan__unpaired", "shared", ["train@gan"]),
        ("data__gray", "rec601", ["grayscale"]),
    ],
)
def test_a_parameter_reruns_what_it_may_change(pipeline, parameter, value, reruns):
    pipeline.params(**{parameter: value})
    would = ran(pipeline.run("dvc", "repro", "--dry").stdout)
    undo(pipeline)
    assert {*would} - {"report"} == {*reruns}


def test_a_mistake_anywhere_stops_the_first_stage_that_runs(pipeline):
    """What dvc itself starts, without `make`, is checked as a whole too."""
    flags = ("-S", "models.stargan.steps=6", "-S", "evaluate.grid=51")
    done = pipeline.run("dvc", "exp", "run", *flags, expect=255)
    assert ran(done.stdout) == ["train@stargan"]
    assert "error: evaluate.grid: input should be less than or equal to 50" in done.stderr
    undo(pipeline)
    pipeline.run("dvc", "checkout")


def test_a_removed_model_is_no_row_of_old_results(pipeline):
    pipeline.edit_params(lambda values: values["models"].pop("stargan"))
    done = pipeline.run("dvc", "repro", expect=255)
    assert "error: dvc.yaml: it should not have metrics/stargan.json, " in done.stderr
    undo(pipeline)
    pipeline.run("dvc", "checkout")


def test_the_name_of_a_model_reaches_no_shell(pipeline):
    name = "$(touch harmed)'; touch harmed; '"
    pipeline.edit_params(lambda values: values["models"].update({name: values["models"]["gan"]}))
    done = pipeline.run("dvc", "repro", expect=255)
    assert "not a name for a model" in done.stderr
    assert not pipeline.path("harmed").exists()
    undo(pipeline)
    pipeline.run("dvc", "checkout")


# For each stage a parameter that it reads
CHANGES = {
    "download": {"data__mirror": "nowhere"},
    "union": {"data__image_size": 64},
    "grayscale": {"data__gray": "rec601"},
    "train@gan": {"models__gan__learning_rate": 0.02},
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
        ("union", signal.SIGKILL, 3.5),
        ("grayscale", signal.SIGINT, 3.0),
        ("train@gan", signal.SIGTERM, 4.5),
        ("evaluate@gan", signal.SIGKILL, 2.5),
        ("baselines", signal.SIGTERM, 3.5),
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
    pipeline.run("dvc", "repro", "train@gan")
