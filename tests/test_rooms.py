"""The rooms of the library: what they may import, and that none of their files grows too long."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from colorize.methods.model import method_names
from tests.conftest import ROOT

# What each room may import besides itself and `base`, as colorize/__init__.py draws it
MAY_IMPORT = {
    "base": set(),
    "color": set(),
    "bins": set(),
    "domains": {"color"},
    "bands": {"color"},
    "data": {"color"},
    "networks": {"color"},
    "methods": {"networks", "color", "bins", "domains"},
    "training": {"data", "methods", "color", "domains"},
    "evaluation": {"data", "methods", "color", "bins", "bands", "domains"},
    "report": {"data", "evaluation", "color"},
    "use": {"data", "methods", "color", "bands", "domains"},
    "__main__": {"use"},
    "export": {"use", "methods"},
    "demo": {"use"},
}

FILES = sorted((ROOT / "colorize").rglob("*.py"))


def room_of(path: Path) -> str:
    return path.relative_to(ROOT / "colorize").parts[0].removesuffix(".py")


def imported_rooms(path: Path) -> set[str]:
    modules = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            modules += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            modules += [f"{node.module}.{alias.name}" for alias in node.names]
    assert not [module for module in modules if module.split(".")[0] in ("stages", "studies")], path
    return {module.split(".")[1] for module in modules if module.split(".")[0] == "colorize"}


def test_every_room_is_known():
    rooms = {room_of(path) for path in FILES} - {"__init__"}  # which names what users import
    assert rooms == set(MAY_IMPORT)


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_imports_point_one_way(room):
    allowed = MAY_IMPORT[room] | {room, "base"}
    for path in FILES:
        if room_of(path) == room:
            assert imported_rooms(path) <= allowed, path


def test_worker_processes_of_the_data_stages_do_without_torch():
    for stage in ("download", "union", "grayscale"):
        code = f"import sys, stages.{stage}; sys.exit('torch' in sys.modules)"
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_no_stage_imports_the_compiler_before_it_trains():
    """It would take each of them more than a second."""
    stages = ", ".join(f"stages.{path.stem}" for path in (ROOT / "stages").glob("[a-z]*.py"))
    code = f"import sys, {stages}; stages.common.read_params()"  # which imports the methods
    code += "; sys.exit('torch._dynamo' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_files_are_short():
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in FILES}
    assert {path: length for path, length in lengths.items() if length > 250} == {}
    methods = {f"colorize/methods/{name}.py" for name in method_names()}
    of_methods = {path: n for path, n in lengths.items() if str(path.relative_to(ROOT)) in methods}
    assert len(of_methods) == len(methods)
    assert max(of_methods.values()) <= 150
