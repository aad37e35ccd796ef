"""dvc.yaml against params.yaml and the code, and the pipeline as users run it."""

import ast
import json
import os
import re
import shutil
import signal
import time
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from colorize.rows import CONTROLS
from tests import imports
from tests.conftest import ROOT, Project, checkout
from tests.test_params import committed

DVC = YAML(typ="safe").load(ROOT / "dvc.yaml")
STAGES = DVC["stages"]
MODELS = committed()["models"]


def definition(stage: str) -> dict:
    return STAGES[stage].get("do", STAGES[stage])


def code_of(stage: str, model: dict | None = None) -> set[str]:
    """Code files among a stage's deps, with the templates filled in for an entry of `models`."""
    listed = {d for d in definition(stage)["deps"] if d.startswith(("colorize/", "stages/"))}
    if model is not None:
        filled = {d.replace("${item.method}", model["method"]) for d in listed}
        listed = {d.replace("${item.network}", model["network"]) for d in filled}
    return listed


@pytest.mark.parametrize("stage", ["download", "union", "grayscale", "controls", "report"])
def test_code_dependencies_are_what_is_imported(stage):
    assert code_of(stage) == imports.files_of(f"stages.{stage}")


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("stage", ["train", "evaluate"])
def test_code_dependencies_of_a_model_are_its_own_methods(stage, name):
    module = f"colorize.methods.{MODELS[name]['method']}"
    imported = imports.files_of(f"stages.{stage}", module)
    assert code_of(stage, MODELS[name]) == imported
    others = {p.stem for p in (ROOT / "colorize/methods").glob("*.py")} - {"__init__", "common"}
    own = {Path(f).stem for f in imported if f.startswith("colorize/methods/")} - {"common"}
    assert own == {MODELS[name]["method"]} <= others


def test_packages_hold_no_code():
    for package in ("colorize", "colorize/methods", "colorize/networks", "stages"):
        tree = ast.parse((ROOT / package / "__init__.py").read_text(encoding="utf-8"))
        assert len(tree.body) == 1, f"{package}/__init__.py is a dependency of no stage"


def test_every_model_is_reported():
    """The report cannot unroll `models`: this says which lines are missing or too many."""
    forms = ("metrics/{}.json", "metrics/training/{}.csv", "reports/samples/{}.png")
    expected = {form.format(name) for name in MODELS for form in forms}
    expected |= {f"metrics/{name}.json" for name in CONTROLS}
    listed = {d for d in STAGES["report"]["deps"] if d.startswith(("metrics/", "reports/"))}
    assert not expected - listed, f"missing in report's deps: {sorted(expected - listed)}"
    assert not listed - expected, f"of no model in report's deps: {sorted(listed - expected)}"
    (curves,) = (plot["losses"] for plot in DVC["plots"])
    missing = {f"metrics/training/{name}.csv" for name in MODELS} ^ set(curves["y"])
    assert not missing, f"in the top-level plots or models, not in both: {sorted(missing)}"


def test_stages_describe_themselves_and_own_their_outputs():
    outputs = []
    for name in STAGES:
        stage = definition(name)
        assert stage["desc"], name
        assert not stage.keys() & {"always_changed", "frozen"}
        assert stage["cmd"].removeprefix("exec ").startswith("python -m stages.")
        for kind in ("outs", "metrics", "plots"):
            for out in stage.get(kind, []):
                path, options = next(iter(out.items())) if isinstance(out, dict) else (out, {})
                outputs.append(path)
                assert "persist" not in options
                # Under `outs`, cache: false would switch the run cache off.
                assert kind != "outs" or options.get("cache", True)
                # Only what shows no photograph is in git.
                assert options.get("cache", True) or path.endswith((".csv", "summary.json"))
    assert len(outputs) == len(set(outputs))


def test_every_parameter_belongs_to_a_stage_or_to_none_on_purpose():
    tracked = {key for name in STAGES for key in definition(name)["params"]}
    assert not any(key.startswith("runtime") for key in tracked)
    for section, values in committed().items():
        if section in ("seed", "train", "evaluate"):
            assert section in tracked
        elif section == "data":
            assert {f"data.{key}" for key in values} <= tracked
        else:
            assert section in ("models", "runtime")
    assert "models.${key}" in definition("train")["params"]
    assert STAGES["train"]["foreach"] == STAGES["evaluate"]["foreach"] == "${models}"


def test_no_key_that_dvcs_run_cache_ignores():
    def keys(values):
        for key, value in values.items():
            yield key
            if isinstance(value, dict):
                yield from keys(value)

    assert not {"size", "nfiles"} & set(keys(committed()))


def test_git_holds_no_photograph():
    listed = os.popen(f"git -C '{ROOT}' ls-files").read().split("\n")
    pictures = [f for f in listed if f.endswith((".png", ".jpg", ".jpeg", ".zip", ".html"))]
    assert all(f.startswith("docs/") for f in pictures), pictures


def commit(project: Project) -> None:
    project.run("git", "add", "-A")
    project.run("git", "-c", "user.name=a", "-c", "user.email=b", "commit", "-qm", "c")


def ran(said: str) -> list[str]:
    """The stages that dvc ran, in order."""
    return re.findall(r"Running stage '([^']+)'", said)


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory) -> Project:
    """A repository in which `dvc repro` has run. Tests leave it as they found it."""
    project = checkout(tmp_path_factory.mktemp("pipeline"), threads=2)
    project.params(models__gan__steps=200, runtime__save_interval=5)
    project.run("git", "init", "-q")
    commit(project)
    names = ["download", "union", "grayscale", *(f"train@{m}" for m in MODELS)]
    names += [*(f"evaluate@{m}" for m in MODELS), "controls", "report"]
    assert sorted(ran(project.run("dvc", "repro").stdout)) == sorted(names)
    commit(project)
    return project


def test_a_second_repro_runs_nothing(pipeline):
    said = pipeline.run("dvc", "repro").stdout
    assert not ran(said)
    assert "Data and pipelines are up to date." in said
    assert pipeline.run("git", "status", "--porcelain").stdout == ""


def test_what_the_pipeline_leaves(pipeline):
    summary = json.loads(pipeline.path("metrics/summary.json").read_text())
    assert set(summary) == {*MODELS, "zhang_l2_scaled", *CONTROLS}
    assert summary["gray_copy"]["projection"] == 0
    for name in (*MODELS, *CONTROLS):
        result = json.loads(pipeline.path(f"metrics/{name}.json").read_text())
        assert {"val", "test", "by_dataset", "diagnostics", "images"} <= set(result)
        assert result["images"] == 33
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
    pipeline.run("git", "checkout", "-q", ".")
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
    pipeline.run("git", "checkout", "-q", ".")


def test_runtime_parameters_rerun_nothing(pipeline):
    pipeline.params(runtime__workers=2, runtime__log_interval=1)
    assert not ran(pipeline.run("dvc", "repro", "--dry").stdout)
    pipeline.run("git", "checkout", "-q", ".")


def test_repro_killed_in_the_middle_resumes_and_ends_with_the_same_bytes(pipeline, tmp_path):
    pipeline.params(models__gan__learning_rate=0.01)
    undisturbed = Project(shutil.copytree(pipeline.root, tmp_path / "undisturbed"), threads=2)
    undisturbed.stage("train", "gan")
    process = pipeline.start("dvc", "repro", "train@gan")
    deadline = time.monotonic() + 60
    while not list(pipeline.path(".scratch").glob("training/*/checkpoint.pt")):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    done = pipeline.run("dvc", "repro", "train@gan")
    assert ran(done.stdout) == ["train@gan"]
    assert "resuming after step" in done.stderr
    for output in ("models/gan", "metrics/training/gan.csv", "reports/training/gan.png"):
        assert pipeline.bytes_of(output) == undisturbed.bytes_of(output)
    pipeline.run("git", "checkout", "-q", ".")
    pipeline.run("dvc", "repro", "train@gan")
