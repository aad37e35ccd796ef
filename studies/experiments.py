"""DVC experiments that run beside the workspace, which stays as it is, and what they left.

Not by DVC's queue: its workers end with a JSONDecodeError, or wait for ever, once two processes are
at its messages at the same moment (treeverse/dvc, issues 10398 and 10428).
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from colorize.base.errors import UserError
from stages import check, common

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


def add_jobs(parser: argparse.ArgumentParser) -> None:
    """--jobs, of `run_all`."""
    parser.add_argument(
        "--jobs", type=int, default=1, metavar="N", help="experiments at a time; 1 by default"
    )


def run_all(asked: Sequence[Experiment], jobs: int, keep: Callable[[Experiment], None]) -> None:
    """Run each in place of the experiment of its name, if there is one, `jobs` at a time.

    What has run already comes from DVC's run cache. What each prints goes to a file in LOGS; each
    that has a result is given to `keep` at once. One that fails, or whose result cannot be kept,
    stops no other: raises UserError, after all of them, that names those without a result.
    """
    if jobs < 1:
        raise UserError(f"--jobs: at least 1 is needed, not {jobs}")
    if reason := check.no_experiments():
        raise UserError(reason)
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
                done = process.returncode == 0 and _kept(experiment, keep)
                if not done:
                    failed.append(experiment.name)
                ended = "done" if done else "failed"
                print(
                    f"{experiment.name}: {ended}; {len(waiting) + len(running)} to go", flush=True
                )
    finally:
        for _, process in running:
            process.terminate()
    if failed:
        raise UserError(f"no result: {', '.join(failed)}; see NAME.log in {LOGS}, and run it again")


def fetch(path: Path, experiment: str, copy: Path) -> None:
    """Get a file as an experiment left it. Raises UserError where DVC cannot."""
    copy.parent.mkdir(parents=True, exist_ok=True)
    get = ["get", "--quiet", ".", str(path), "--rev", experiment, "--out", str(copy)]
    if subprocess.run([*DVC, *get], check=False).returncode:
        raise UserError(f"`dvc {' '.join(get)}` failed, as it says above")


def _kept(experiment: Experiment, keep: Callable[[Experiment], None]) -> bool:
    try:
        keep(experiment)
    except UserError as error:
        print(f"{experiment.name}: {error}", file=sys.stderr)
        return False
    return True


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
    changes = dict(experiment.changes)
    if experiment.seed is not None:
        changes["seed"] = experiment.seed
    flags = []
    for key, value in changes.items():  # ++: whether the entry names it or not
        flags += ["-S", f"++models.{experiment.model}.{key}={value}"]
    target = f"evaluate@{experiment.model}"
    return ["exp", "run", "--temp", "--name", experiment.name, *flags, target]
