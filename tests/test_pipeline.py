"""dvc.yaml against params.yaml and the code."""

import ast
import os
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from colorize.rows import CONTROLS
from tests import imports
from tests.conftest import ROOT
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
        _, *code = ast.parse((ROOT / package / "__init__.py").read_text(encoding="utf-8")).body
        allowed = ["from colorize.threads import wait_briefly", "wait_briefly()"]  # no results
        assert [ast.unparse(node) for node in code] == (allowed if package == "stages" else []), (
            f"{package}/__init__.py is a dependency of no stage"
        )


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
