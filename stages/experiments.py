"""DVC experiments that run beside the workspace, which stays as it is, and what they left.

Not by DVC's queue: its workers end with a JSONDecodeError, or wait for ever, once two processes are
at its messages at the same moment (treeverse/dvc, issues 10398 and 10428).
"""

import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from colorize.base.errors import UserError
from stages import common

LOGS = common.SCRATCH / "experiments"

DVC = [sys.executable, "-m", "dvc", "--wait-for-lock"]  # another may hold it for some seconds


class Experiment(NamedTuple):
    """An entry of `models`, to train and evaluate with a seed and some of its keys changed.

    seed None: the entry's own; what the workspace has of it comes from DVC's cache.
    """

    name: str
    model: str
    seed: int | None
    changes: Mapping[str, Any] = {}


def run(experiment: Experiment) -> None:
    """Run it in place of the experiment of that name, if there is one.

    What has run already comes from DVC's run cache. Raises UserError where it fails.
    """
    _remove(experiment)
    dvc(*_arguments(experiment))


def run_all(asked: Sequence[Experiment], jobs: int, keep: Callable[[Experiment], None]) -> None:
    """The same of many, `jobs` at a time; what each of them prints goes to a file in LOGS.

    Each that has a result is given to `keep` at once. One that fails stops no other: raises
    UserError, after all of them, that names those without a result.
    """
    waiting, running, failed = list(asked), [], []
    LOGS.mkdir(parents=True, exist_ok=True)
    try:
        while waiting or running:
            if waiting and len(running) < jobs:
                experiment = waiting.pop(0)
                running.append((experiment, _start(experiment)))
            time.sleep(0.2)
            for each in [each for each in running if each[1].poll() is not None]:
                running.remove(each)
                experiment, process = each
                if process.returncode:
                    failed.append(experiment.name)
                else:
                    keep(experiment)
                ended = "failed" if process.returncode else "done"
                print(
                    f"{experiment.name}: {ended}; {len(waiting) + len(running)} to go", flush=True
                )
    finally:
        for _, process in running:
            process.terminate()
    if failed:
        raise UserError(f"no result: {', '.join(failed)}; see NAME.log in {LOGS}, and run it again")


def fetch(path: Path, experiment: str, copy: Path) -> None:
    """Get a file as an experiment left it."""
    copy.parent.mkdir(parents=True, exist_ok=True)
    dvc("get", "--quiet", ".", str(path), "--rev", experiment, "--out", str(copy))


def dvc(*arguments: str) -> None:
    """Run a command of DVC. Raises UserError where it fails."""
    if subprocess.run([*DVC, *arguments], check=False).returncode:
        raise UserError(f"`dvc {' '.join(arguments)}` failed, as it says above; mend it and repeat")


def _start(experiment: Experiment) -> subprocess.Popen:
    _remove(experiment)
    log = LOGS / f"{experiment.name}.log"
    print(f"{experiment.name}: begun, see {log}", flush=True)
    with open(log, "wb") as file:
        return subprocess.Popen(
            [*DVC, *_arguments(experiment)],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
        )


def _remove(experiment: Experiment) -> None:
    """Or its name were taken; with --force all stages would run again."""
    remove = [*DVC, "exp", "remove", "--quiet", experiment.name]
    subprocess.run(remove, stderr=subprocess.DEVNULL, check=False)


def _arguments(experiment: Experiment) -> list[str]:
    changed = f"models.{experiment.model}"
    settings = [f"{changed}.{key}={value}" for key, value in experiment.changes.items()]
    if experiment.seed is not None:
        settings.append(f"++{changed}.seed={experiment.seed}")  # ++: whether it has one or not
    flags = [part for setting in settings for part in ("-S", setting)]
    target = f"evaluate@{experiment.model}"
    return ["exp", "run", "--temp", "--name", experiment.name, *flags, target]
