"""dvc.yaml against params.yaml and the code."""

import ast
import functools
import os
import re
import subprocess

import pytest
from ruamel.yaml import YAML

from tests.conftest import MODELS, ROOT, checkout, commit, committed, only_models
from tests.zips import catalog

DVC = YAML(typ="safe").load(ROOT / "dvc.yaml")
STAGES = DVC["stages"]

# Code that changes no result: what all share, what reads and checks, and what draws training.
INERT = ("colorize/base/", "colorize/report/grids.py", "stages/common.py", "stages/parameters.py")
INERT += ("stages/check.py", "stages/git.py", "stages/inputs.py")


def definition(stage: str) -> dict:
    return STAGES[stage].get("do", STAGES[stage])


def code_of(stage: str, model: dict | None = None) -> set[str]:
    """The files of code that a stage depends on, folders unrolled."""
    found = set()
    for path in definition(stage)["deps"]:
        for key in ("method", "network") if model else ():
            path = path.replace(f"${{item.{key}}}", model[key])
        if path.startswith(("colorize/", "stages/")):
            files = (ROOT / path).rglob("*.py") if (ROOT / path).is_dir() else [ROOT / path]
            found |= {str(file.relative_to(ROOT)) for file in files}
    return found


def imported(*modules: str) -> set[str]:
    """Files of `modules` and of all that they import, but for inert ones and empty packages."""
    found, todo = set(), [path for module in modules for path in file_of(module)]
    while todo:
        path = todo.pop()
        if path not in found:
            found.add(path)
            todo += imported_by(path)
    return found


def file_of(module: str) -> list[str]:
    path = module.replace(".", "/")
    # Of packages one alone has code; the others say what is in them.
    path += "/__init__.py" if path == "colorize/color" else ".py"
    return [path] if (ROOT / path).is_file() and not path.startswith(INERT) else []


@functools.cache
def imported_by(path: str) -> list[str]:
    modules = []
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    for_types = [
        n for n in tree.body if isinstance(n, ast.If) and "TYPE_CHECKING" in ast.dump(n.test)
    ]
    never_run = {id(each) for block in for_types for each in ast.walk(block)}
    for node in ast.walk(tree):
        if id(node) in never_run:
            continue
        if isinstance(node, ast.Import):
            modules += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            # `from package import module` and `from module import name` look the same.
            modules += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return [file for module in modules for file in file_of(module)]


def needed(stage: str, model: dict | None = None) -> set[str]:
    own = [f"colorize.{kind}s.{model[kind]}" for kind in ("method", "network")] if model else []
    return imported(f"stages.{stage}", *own)


RUNS = [
    (stage, name) for stage in STAGES for name in (MODELS if "foreach" in STAGES[stage] else [None])
]


@pytest.mark.parametrize(("stage", "name"), RUNS)
def test_a_stage_depends_on_all_code_that_it_imports(stage, name):
    model = MODELS[name] if name else None
    assert needed(stage, model) <= code_of(stage, model)


def test_training_depends_on_nothing_that_no_training_imports():
    """A folder is the exact dependency: what lies there is used. Color is one subject for all."""
    listed = set().union(*(code_of("train", model) for model in MODELS.values()))
    used = set().union(*(needed("train", model) for model in MODELS.values()))
    rest = {path for path in listed - used if not path.endswith("__init__.py")}
    assert {path for path in rest if not path.startswith("colorize/color/")} == set()


def test_a_model_depends_on_its_own_method_and_network_alone():
    own = re.compile(r"colorize/(method|network)s/\w+\.py")
    for stage in ("train", "evaluate"):
        for model in MODELS.values():
            listed = {path for path in code_of(stage, model) if own.fullmatch(path)}
            assert listed == {
                f"colorize/methods/{model['method']}.py",
                f"colorize/networks/{model['network']}.py",
            }


def test_what_changes_no_result_is_no_dependency():
    for stage, name in RUNS:
        if stage != "report":  # it draws
            listed = code_of(stage, MODELS[name] if name else None)
            assert not [path for path in listed if path.startswith(INERT)], stage


def test_an_added_model_needs_no_other_line(tmp_path):
    project = checkout(tmp_path)
    before = project.path("dvc.yaml").read_text()
    project.params(models__second_gan=dict(MODELS["gan"]))
    project.stage("check", "--fix")
    assert project.path("dvc.yaml").read_text() == before


def test_a_broken_method_stops_no_other(tmp_path):
    project = checkout(tmp_path)
    only_models(project, "zhang_l2", "gan")
    project.path("colorize/methods/pix2pix_lab.py").write_text("half a line(")
    assert "2 models (zhang_l2, gan)" in project.run("python", "-m", "stages.check").stdout


def test_check_writes_the_catalog_and_folders_of_ones_own(tmp_path):
    project = checkout(tmp_path / "project")
    before = project.path("dvc.yaml").read_text()
    photos = tmp_path / 'my "photos"'
    photos.mkdir()
    described = catalog(tmp_path, {"mine": {"folder": str(photos)}})
    project.params(data__catalog=str(described), data__datasets=["mine"])
    said = project.stage("check", expect=2).stderr
    assert said.startswith(f"error: dvc.yaml: it lacks {described}, {photos}; run `python -m ")
    assert project.path("dvc.yaml").read_text() == before
    project.stage("check", "--fix")
    assert project.stage("check").stdout.startswith("params.yaml: ")
    deps = YAML(typ="safe").load(project.path("dvc.yaml"))["stages"]["download"]["deps"]
    assert deps == [*definition("download")["deps"], str(described), str(photos)]
    project.params(data__catalog="colorize/catalog.yaml", data__datasets=["sample"])
    assert "watches nothing of your own" in project.stage("check", "--fix").stdout
    assert project.path("dvc.yaml").read_text() == before


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda f: (f / "a.jpg").symlink_to("/nowhere"), "a.jpg: a link to nothing"),
        (lambda f: os.mkfifo(f / "pipe"), "pipe: a device, for which DVC would wait"),
        (lambda f: (f / os.fsdecode(b"M\xfc.jpg")).touch(), r"M\udcfc.jpg: its name is no UTF-8"),
    ],
)
def test_check_names_the_file_over_which_dvc_would_stumble(tmp_path, make, told):
    project = checkout(tmp_path / "project")
    photos = tmp_path / "photos"
    (photos / "2019").mkdir(parents=True)
    described = catalog(tmp_path, {"mine": {"folder": str(photos)}})
    project.params(data__catalog=str(described), data__datasets=["mine"])
    project.stage("check", "--fix")
    make(photos / "2019")
    for arguments in ((), ("--fix",)):
        said = project.stage("check", *arguments, expect=2).stderr
        assert said.startswith(f"error: {photos}/2019/{told}")


def test_a_folder_in_which_dvc_runs_no_experiments_is_named(tmp_path):
    project = checkout(tmp_path / "Fotos für mich")
    assert "für mich: its path has letters beyond" in project.stage("check").stderr
    said = project.module("studies.seeds", "gan", expect=2).stderr
    assert said.startswith(f"error: {tmp_path}/Fotos für mich: its path has letters beyond ASCII")


def test_packages_hold_no_code():
    for path in [*(ROOT / "colorize").rglob("__init__.py"), *ROOT.glob("st*/__init__.py")]:
        if path.parent.name in ("color", "quality"):  # one subject
            continue
        docstring, *code = ast.parse(path.read_text(encoding="utf-8")).body
        is_room = path.parent.parent == ROOT / "colorize"
        assert ast.unparse(docstring).count("May import") == is_room, path
        # Of no stage a dependency: what it does changes no result.
        allowed = ("import sys", "from colorize.base", "from stages.git", "wait_briefly()")
        allowed += ("if sys.argv[0] == '-m':",)
        if path.parent.name == "colorize":  # names what users import, and loads it when they do
            allowed = ("from typing import TYPE_CHECKING", "if TYPE_CHECKING:", "__all__ =")
            allowed += ("__version__ =", "def __getattr__(")
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
        if section in ("seed", "evaluate", "compare", "defaults"):
            assert section in tracked
        elif section == "data":
            assert {f"data.{key}" for key in values} <= tracked
        else:
            assert section in ("models", "runtime", "train")
    assert {"models.${key}", "defaults"} <= {*definition("train")["params"]}
    assert STAGES["train"]["foreach"] == STAGES["evaluate"]["foreach"] == "${models}"


def test_no_key_that_dvcs_run_cache_ignores():
    def keys(values):
        for key, value in values.items():
            yield key
            if isinstance(value, dict):
                yield from keys(value)

    assert not {"size", "nfiles"} & set(keys(committed()))


def test_git_holds_no_photograph():
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert "README.md" in listed
    pictures = [f for f in listed if f.endswith((".png", ".jpg", ".jpeg", ".zip", ".html"))]
    allowed = re.compile(r"docs/|reports/published/[^/]+/colored\.jpg$")  # of scikit-image's
    assert all(map(allowed.match, pictures)), pictures


def test_git_sees_what_an_experiment_hides_from_it(tmp_path):
    """DVC leaves the time and size of a changed file beside what the commit has of it."""
    project = checkout(tmp_path)
    project.run("git", "init", "-q")
    project.run("git", "config", "core.trustctime", "false")
    metrics = project.path("metrics/val/grayscale.json")
    text = metrics.read_text()
    when = (1_600_000_000, 1_600_000_000)
    os.utime(metrics, when)
    commit(project)
    metrics.write_text(text.replace("1", "2"))
    os.utime(metrics, when)
    assert project.run("git", "status", "--porcelain").stdout == ""
    project.run("bash", "-c", "DVC_EXP_NAME=a DVC_ROOT=$PWD exec python -m stages.check")
    assert project.run("git", "status", "--porcelain").stdout == " M metrics/val/grayscale.json\n"
