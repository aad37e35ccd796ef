"""The packages of the library: what they may import."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

# What each package may import besides itself and `base`, as colorize/__init__.py draws it
MAY_IMPORT = {
    "base": set(),
    "color": set(),
    "quality": {"color"},
    "data": {"color"},
    "networks": {"color"},
    "methods": {"networks", "color"},
    "training": {"data", "methods", "quality", "color"},
    "evaluation": {"data", "methods", "quality", "color"},
    "comparison": {"evaluation"},
    "report": {"data", "methods", "evaluation", "comparison", "color"},
    "use": {"data", "methods", "color"},
    "__main__": {"use", "data"},
    "export": {"use", "methods"},
    "demo": {"use"},
}

FILES = sorted((ROOT / "colorize").rglob("*.py"))


def package_of(path: Path) -> str:
    return path.relative_to(ROOT / "colorize").parts[0].removesuffix(".py")


def imported_packages(path: Path) -> set[str]:
    modules = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            modules += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            modules += [f"{node.module}.{alias.name}" for alias in node.names]
    assert not [module for module in modules if module.split(".")[0] in ("stages", "studies")], path
    return {module.split(".")[1] for module in modules if module.split(".")[0] == "colorize"}


def test_every_package_is_known():
    packages = {package_of(path) for path in FILES} - {"__init__"}  # which names what users import
    assert packages == set(MAY_IMPORT)


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_imports_point_one_way(package):
    allowed = MAY_IMPORT[package] | {package, "base"}
    for path in FILES:
        if package_of(path) == package:
            assert imported_packages(path) <= allowed, path


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
