"""Watching processes that tests have started, until what they are waited for happens."""

import contextlib
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from tests.conftest import Project


def wait_for(condition: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"did not happen in {seconds} s"
        time.sleep(0.01)


def has_checkpoint(project: Project) -> bool:
    """Has a trainer saved that has not ended yet?"""
    return any(project.path(".scratch").glob("training/*/[0-9]*.pt"))


def wait_for_checkpoint(project: Project, process: subprocess.Popen) -> None:
    """Wait until a trainer has saved; fail if it ends before."""

    def is_there() -> bool:
        found = has_checkpoint(project)
        assert found or process.poll() is None, f"ended before it saved: {process.stderr.read()}"
        return found

    wait_for(is_there)


def runs(pid: int) -> bool:
    return _group_of(pid) is not None


def members(group: int) -> list[int]:
    """The processes of a group that still run."""
    numbers = (int(folder.name) for folder in Path("/proc").glob("[0-9]*"))
    return [pid for pid in numbers if _group_of(pid) == group]


def imports_torch(pid: int) -> bool:
    with contextlib.suppress(FileNotFoundError):
        return "libtorch" in Path(f"/proc/{pid}/maps").read_text()
    return False


def _group_of(pid: int) -> int | None:
    """The group of a process; None where it has ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, _parent, group, *_ = stat.rsplit(")", 1)[1].split()  # the name may hold anything
    return None if state == "Z" else int(group)
