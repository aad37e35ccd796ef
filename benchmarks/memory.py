"""Peak memory of a process and all its children."""

import threading
import time
from collections.abc import Callable
from multiprocessing import get_context
from typing import Any, NamedTuple

import psutil


class Measured(NamedTuple):
    seconds: float
    megabytes: float  # peak of the sum of resident memory, pages that are shared counted once


def measured(function: Callable[..., None], *arguments: object) -> Measured:
    """Run `function` in a process of its own, whose start and imports are not counted.

    Raises RuntimeError where it fails.
    """
    context = get_context("spawn")
    seconds = context.Value("d", 0)
    process = context.Process(target=_timed, args=(seconds, function, *arguments))
    process.start()
    peak, stop = [0], threading.Event()
    watcher = threading.Thread(target=_watch, args=(process.pid, peak, stop))
    watcher.start()
    process.join()
    stop.set()
    watcher.join()
    if process.exitcode != 0:
        raise RuntimeError(f"{function.__name__} failed with exit code {process.exitcode}")
    return Measured(seconds.value, peak[0] / 1e6)


def _timed(seconds: Any, function: Callable[..., None], *arguments: object) -> None:
    start = time.perf_counter()
    function(*arguments)
    seconds.value = time.perf_counter() - start


def _watch(pid: int, peak: list[int], stop: threading.Event) -> None:
    while not stop.wait(0.1):
        try:
            root = psutil.Process(pid)
            family = [root, *root.children(recursive=True)]
        except psutil.Error:
            return
        total = 0
        for member in family:
            try:
                total += member.memory_full_info().pss
            except psutil.Error:  # ended meanwhile
                continue
        peak[0] = max(peak[0], total)
