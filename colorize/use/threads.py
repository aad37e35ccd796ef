"""Work on several cores at a time, each of torch's operations on one of them."""

import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import torch


@contextlib.contextmanager
def one_thread_each(threads: int) -> Iterator[ThreadPoolExecutor]:
    """A pool of threads in which torch starts no others; what still waits at an error is left."""
    own = torch.get_num_threads()
    pool = ThreadPoolExecutor(threads, "colorize", torch.set_num_threads, (1,))
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(own)  # the default of threads to come


class Budget:
    """So much may be under way at a time; one alone always may."""

    def __init__(self, total: int):
        self.total, self.used = total, 0
        self.changed = threading.Condition()

    @contextlib.contextmanager
    def taken(self, amount: int) -> Iterator[None]:
        """Wait until there is room for `amount`, and hold it."""
        with self.changed:
            self.changed.wait_for(lambda: not self.used or self.used + amount <= self.total)
            self.used += amount
        try:
            yield
        finally:
            with self.changed:
                self.used -= amount
                self.changed.notify_all()
