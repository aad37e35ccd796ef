"""Work on several cores at a time, each of torch's operations on one of them."""

import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import torch


@contextlib.contextmanager
def one_thread_each(threads: int) -> Iterator[ThreadPoolExecutor]:
    """A pool of threads in which torch starts no others; what still waits at an error is left."""
    own = torch.get_num_threads()
    pool = ThreadPoolExecutor(threads, "one core", torch.set_num_threads, (1,))
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(own)  # the default of threads to come
