"""Spreading work on images over the machine's cores, in processes and in threads."""

import contextlib
import functools
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing import get_context, parent_process
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

BATCH = 16  # items sent at once: an image takes milliseconds, a message a tenth of one
AHEAD = 4  # batches under way for each worker; more would only wait in memory


def cores() -> int:
    """Those that this process may use, where the system says which."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def spread(
    function: Callable[[Item], Result], items: Iterable[Item], workers: int
) -> Iterator[Result]:
    """`map(function, items)` on so many processes: in the items' order, whoever ends first.

    `function` and items travel to the processes, so both must be picklable. Few batches are under
    way at a time: memory does not grow with the number of items. Raises OSError where a worker is
    killed (most likely for want of memory), and whatever `function` raises.
    """
    # From a server that has imported what is needed once, not forked from here: threads and open
    # zips stay with their owner. Each has a core: NumPy's products of matrices must not ask for
    # all of them, which makes them six times as slow.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    context = get_context("forkserver")
    context.set_forkserver_preload([_module(function)])
    pool = ProcessPoolExecutor(workers, context, initializer=_leave_signals_to_the_parent)
    waiting, items = deque(), iter(items)
    try:
        while batch := list(islice(items, BATCH)):
            waiting.append(pool.submit(_each, function, batch))
            if len(waiting) >= AHEAD * workers:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
    except BrokenProcessPool:
        raise OSError("a worker process was killed, out of memory perhaps") from None
    finally:
        pool.shutdown(cancel_futures=True)


def _module(function: Callable) -> str:
    while isinstance(function, functools.partial):
        function = function.func
    return function.__module__


def _each(function: Callable[[Item], Result], batch: list[Item]) -> list[Result]:
    return [function(item) for item in batch]


def _leave_signals_to_the_parent() -> None:
    """Ctrl-C reaches the whole process group; the parent alone says so, and ends its workers.

    A parent that is killed outright cannot: each worker waits for that itself.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # how the pool ends the others when one breaks

    def wait() -> None:
        parent_process().join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


_this = threading.local()


def threads() -> int:
    """How many threads work may be shared by: one for each core, or as torch was told.

    In a thread of `one_thread_each`, one.
    """
    if getattr(_this, "has_one_core", False):
        return 1
    torch = sys.modules.get("torch")
    return torch.get_num_threads() if torch else cores()


@contextlib.contextmanager
def one_thread_each(count: int) -> Iterator[ThreadPoolExecutor]:
    """A pool of threads that start no others; what still waits at an error is left."""
    torch = sys.modules.get("torch")
    before = torch and torch.get_num_threads()

    def begin() -> None:
        _this.has_one_core = True
        if torch:
            torch.set_num_threads(1)

    pool = ThreadPoolExecutor(count, "one core", begin)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)
        if torch:
            torch.set_num_threads(before)  # the default of threads to come
