"""DVC experiments that run beside the workspace, which stays as it is, and what they left.

Not by DVC's queue: its workers end with a JSONDecodeError, or wait for ever, once two processes are
at its messages at the same moment (treeverse/dvc, issues 10398 and 10428).
"""

import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from colorize.base.errors import UserError
from stages import common

LOGS = common.SCRATCH / "experiments"

_DVC = [sys.executable, "-m", "dvc", "--wait-for-lock"]  # another may hold it for some seconds


class Experiment(NamedTuple):
    """An entry of `models`, to train and evaluate with a seed and some of its keys changed."""

    name: str
    model: str
    seed: int
    changes: Mapping[str, Any] = {}


def run(experiment: Experiment) -> None:
    """Run it in place of the experiment of that name, if there is one.

    What has run already comes from DVC's run cache. Raises UserError where it fails.
    """
    _remove(experiment)
    dvc(*_arguments(experiment))


def run_all(asked: Sequence[Experiment], jobs: int) -> None:
    """The same of many, `jobs` at a time; what each of them prints goes to a file in LOGS.

    One that fails stops no other. Raises UserError, after all of them, that names those without
    a result.
    """
    waiting, running = list(asked), {}
    LOGS.mkdir(parents=True, exist_ok=True)
    try:
        while waiting or running:
            if waiting and len(running) < jobs:
                experiment = waiting.pop(0)
                running[experiment.name] = _start(experiment)
            time.sleep(0.2)
            for name in [name for name, process in running.items() if process.poll() is not None]:
                code = running.pop(name).returncode
                left = len(waiting) + len(running)
                print(f"{name}: {'failed' if code else 'done'}; {left} to go", flush=True)
    finally:
        for process in running.values():
            process.terminate()
    done = finished()
    if lacking := [experiment.name for experiment in asked if experiment.name not in done]:
        raise UserError(
            f"no result: {', '.join(lacking)}; see NAME.log in {LOGS}, and run it again"
        )


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


def _start(experiment: Experiment) -> subprocess.Popen:
    _remove(experiment)
    log = LOGS / f"{experiment.name}.log"
    print(f"{experiment.name}: begun, see {log}", flush=True)
    with open(log, "wb") as file:
        return subprocess.Popen(
            [*_DVC, *_arguments(experiment)],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
        )


def _remove(experiment: Experiment) -> None:
    """Or its name were taken; with --force all stages would run again."""
    remove = [*_DVC, "exp", "remove", "--quiet", experiment.name]
    subprocess.run(remove, stderr=subprocess.DEVNULL, check=False)


def _arguments(experiment: Experiment) -> list[str]:
    changed = f"models.{experiment.model}"
    settings = [f"{changed}.{key}={value}" for key, value in experiment.changes.items()]
    settings.append(f"++{changed}.seed={experiment.seed}")  # ++: whether the entry has one or not
    flags = [part for setting in settings for part in ("-S", setting)]
    target = f"evaluate@{experiment.model}"
    return ["exp", "run", "--temp", "--name", experiment.name, *flags, target]
