"""DVC experiments that run beside the workspace, which stays as it is, and what they left."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from colorize.base.errors import UserError

_DVC = [sys.executable, "-m", "dvc"]


def run(name: str, model: str, seed: int) -> None:
    """Train and evaluate an entry of `models` with a seed; an experiment of that name goes first.

    What has run already comes from DVC's run cache. Raises UserError where it fails.
    """
    _start("--temp", name, model, seed, {})


def queue(name: str, model: str, seed: int, changes: Mapping[str, Any]) -> None:
    """The same with some of its keys changed, but only queued."""
    _start("--queue", name, model, seed, changes)


def run_queued(jobs: int) -> None:
    """Run all that is queued, `jobs` at a time, and wait for it."""
    dvc("exp", "run", "--run-all", "--jobs", str(jobs))


def finished() -> set[str]:
    """Names of the experiments with the current commit."""
    return set(dvc("exp", "list", "--name-only", read=True).split())


def fetch(path: Path, experiment: str, copy: Path) -> None:
    """Get a file as an experiment left it."""
    copy.parent.mkdir(parents=True, exist_ok=True)
    dvc("get", "--quiet", ".", str(path), "--rev", experiment, "--out", str(copy))


def dvc(*arguments: str, read: bool = False) -> str:
    """Run a command of DVC; read: give back what it prints. Raises UserError where it fails."""
    done = subprocess.run(
        [*_DVC, *arguments],
        stdout=subprocess.PIPE if read else None,
        text=True,
        check=False,
    )
    if done.returncode:
        raise UserError(f"`dvc {' '.join(arguments)}` failed, as it says above; mend it and repeat")
    return done.stdout or ""


def _start(how: str, name: str, model: str, seed: int, changes: Mapping[str, Any]) -> None:
    # Names are taken by whatever has run before; --force would run all stages again.
    remove = [*_DVC, "exp", "remove", "--quiet", name]
    subprocess.run(remove, stderr=subprocess.DEVNULL, check=False)
    settings = [f"models.{model}.{key}={value}" for key, value in changes.items()]
    settings.append(f"++models.{model}.seed={seed}")  # ++: whether the entry has one or not
    flags = [part for setting in settings for part in ("-S", setting)]
    dvc("exp", "run", how, "--name", name, *flags, f"evaluate@{model}")
