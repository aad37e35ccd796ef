"""dvc.yaml against params.yaml and the code."""

import ast
import os
import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from colorize.methods.model import SHARED
from stages import dependencies
from stages.dependencies import INERT
from tests.conftest import ROOT, checkout, committed

DVC = YAML(typ="safe").load(ROOT / "dvc.yaml")
STAGES = DVC["stages"]
MODELS = committed()["models"]


def definition(stage: str) -> dict:
    return STAGES[stage].get("do", STAGES[stage])


def test_generated_lists_are_up_to_date():
    text = (ROOT / "dvc.yaml").read_text(encoding="utf-8")
    wanted = dependencies.generated(text, MODELS, root=ROOT)
    assert text == wanted, f"dvc.yaml {dependencies.difference(text, wanted)}: `check --fix`"


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("stage", ["train", "evaluate"])
def test_a_model_depends_on_its_own_method_and_network_alone(stage, name):
    model = MODELS[name]
    listed = {
        d.replace("${item.method}", model["method"]).replace("${item.network}", model["network"])
        for d in definition(stage)["deps"]
    }
    imported = dependencies.code_of_model(ROOT, stage, model)
    assert {f"colorize/{room}s/{model[room]}.py" for room in ("method", "network")} <= imported
    assert imported <= listed
    # DVC can leave nothing out of a list for one model: what others share stands there for all.
    networks = ("batches", "layers", "patchgan", "judges")
    shared = {f"colorize/networks/{name}.py" for name in networks}
    shared |= {f"colorize/methods/{name}.py" for name in SHARED} | {"colorize/bins.py"}
    code = {d for d in listed if d.startswith(("colorize/", "stages/"))}
    assert code - imported <= shared
    methods = {path.stem for path in (ROOT / "colorize/methods").glob("*.py")} - {*SHARED}
    assert {Path(d).stem for d in listed} & methods == {model["method"]}


def test_what_changes_no_result_is_no_dependency_of_training_and_evaluation():
    for stage in ("train", "evaluate", "baselines"):
        assert not [d for d in definition(stage)["deps"] if d.startswith(INERT)], stage


def test_check_writes_the_lists_for_an_added_model(tmp_path):
    project = checkout(tmp_path)
    project.stage("check")
    before = project.path("dvc.yaml").read_text()
    project.params(models__second_gan=dict(MODELS["gan"]))
    said = project.stage("check", expect=2).stderr
    assert re.fullmatch(r"error: dvc\.yaml: it lacks metrics/second_gan\.json, .*--fix`\n", said)
    assert project.path("dvc.yaml").read_text() == before
    project.stage("check", "--fix")
    added = set(project.path("dvc.yaml").read_text().splitlines()) - set(before.splitlines())
    assert {line.strip(" -") for line in added} == {
        "metrics/second_gan.json",
        "metrics/images/second_gan.parquet",
        "metrics/training/second_gan.csv",
        "metrics/validation/second_gan.csv",
        "reports/pictures/second_gan",
        "metrics/validation/second_gan.csv: color_projection",
        "second_gan: {path: models/second_gan, type: model}",
    }
    project.stage("check")


def test_check_writes_the_lists_for_changed_imports(tmp_path):
    project = checkout(tmp_path)
    before = project.path("dvc.yaml").read_text()
    with open(project.path("colorize/methods/pool.py"), "a") as file:
        file.write("\nfrom colorize.evaluation import metrics  # noqa\n")
    said = project.stage("check", expect=2).stderr
    assert "colorize/evaluation/metrics.py" in said
    project.stage("check", "--fix")
    train = YAML(typ="safe").load(project.path("dvc.yaml"))["stages"]["train"]
    assert "colorize/evaluation/metrics.py" in train["do"]["deps"]
    assert project.path("dvc.yaml").read_text() != before


def test_packages_hold_no_code():
    for path in [*(ROOT / "colorize").rglob("__init__.py"), *ROOT.glob("st*/__init__.py")]:
        docstring, *code = ast.parse(path.read_text(encoding="utf-8")).body
        is_room = path.parent.parent == ROOT / "colorize"
        assert ast.unparse(docstring).count("May import") == is_room, path
        # Of no stage a dependency: what it does changes no result.
        allowed = ("import sys", "from colorize.base", "wait_briefly()", "if sys.argv[0] == '-m':")
        if path.parent.name == "colorize":  # names what users import, and loads it when they do
            allowed = ("from typing import TYPE_CHECKING", "if TYPE_CHECKING:", "__all__ =")
            allowed += ("def __getattr__(",)
        assert not code or path.parent.name in ("stages", "studies", "colorize"), path
        assert all(ast.unparse(node).startswith(allowed) for node in code), path


def test_stages_describe_themselves_and_own_their_outputs():
    outputs = []
    for name in STAGES:
        stage = definition(name)
        assert stage["desc"], name
        assert not stage.keys() & {"always_changed", "frozen"}
        # No shell between dvc and the stage; no name of a model in a shell's command
        assert re.fullmatch(r'exec python -m stages\.\w+( "\$DVC_STAGE")?', stage["cmd"]), name
        for kind in ("outs", "metrics", "plots"):
            for out in stage.get(kind, []):
                path, options = next(iter(out.items())) if isinstance(out, dict) else (out, {})
                outputs.append(path)
                assert "persist" not in options
                # Under `outs`, cache: false would switch the run cache off.
                assert kind != "outs" or options.get("cache", True)
                # Only what shows no photograph is in git.
                assert options.get("cache", True) or path.endswith((".csv", "metrics/val"))
    assert len(outputs) == len(set(outputs))


def test_every_parameter_belongs_to_a_stage_or_to_none_on_purpose():
    tracked = {key for name in STAGES for key in definition(name)["params"]}
    assert not any(key.startswith(("runtime", "train")) for key in tracked)
    for section, values in committed().items():
        if section in ("seed", "evaluate", "compare"):
            assert section in tracked
        elif section == "data":
            assert {f"data.{key}" for key in values} <= tracked
        else:
            assert section in ("models", "runtime", "train")
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
