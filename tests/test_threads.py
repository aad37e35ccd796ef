"""How threads wait, as libgomp itself says it."""

import importlib.util
import os
import re
import subprocess
import sys

import pytest

from colorize.base.command import SPINS
from tests.conftest import ROOT

# What torch loads when it is imported, which takes ten times as long
(PACKAGE,) = importlib.util.find_spec("torch").submodule_search_locations
LOAD = f"import ctypes; ctypes.CDLL('{PACKAGE}/lib/libgomp.so.1')"


def settings(*command: str, **environment: str) -> dict[str, str]:
    """What libgomp prints when it is loaded, by the name of the variable."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("OMP_", "GOMP_"))}
    done = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=kept | environment | {"OMP_DISPLAY_ENV": "verbose"},
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(re.findall(r"(\w+) = '(\w+)'", done.stderr))


@pytest.mark.parametrize("package", ["stages", "benchmarks", "studies", "colorize.__main__"])
def test_whoever_imports_torch_after_it_waits_briefly(package):
    found = settings("-c", f"import {package}; {LOAD}")
    assert (found["OMP_WAIT_POLICY"], found["GOMP_SPINCOUNT"]) == ("PASSIVE", str(SPINS))


@pytest.mark.parametrize("module", ["stages.train", "colorize.export"])
def test_a_command_sets_it_before_it_imports_torch(module):
    assert settings("-m", module, "--help")["GOMP_SPINCOUNT"] == str(SPINS)


def test_the_users_own_setting_wins():
    found = settings("-c", f"import stages; {LOAD}", OMP_WAIT_POLICY="active")
    assert found["OMP_WAIT_POLICY"] == "ACTIVE"
    assert int(found["GOMP_SPINCOUNT"]) > SPINS
    found = settings("-c", f"import stages; {LOAD}", GOMP_SPINCOUNT="7")
    assert found["GOMP_SPINCOUNT"] == "7"
