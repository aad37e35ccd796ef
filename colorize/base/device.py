"""The device that torch computes on; its memory: kept between steps, and one line where it ends."""

import contextlib
import ctypes
import os
import re
import sys
from collections.abc import Iterator

import torch

from colorize.base.errors import UserError


def choose_device(name: str, where: str) -> torch.device:
    """`auto` is a GPU where there is one, NVIDIA's, AMD's or Apple's.

    Raises UserError for a device that is not there; where: the key or option that names it.
    """
    if name == "auto":
        accelerator = torch.accelerator.current_accelerator(check_available=True)
        return accelerator or torch.device("cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError):
        raise UserError(f"{where}: {name} is not available on this machine") from None
    return device


def memory_of(device: torch.device) -> int:
    """Bytes that `device` has, in use or not."""
    if device.type == "cuda":
        return torch.cuda.get_device_properties(device).total_memory
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


M_TRIM_THRESHOLD, M_MMAP_MAX, M_ARENA_MAX = -1, -4, -8  # of mallopt(3)


def keep_freed() -> None:
    """Have the C library keep what is freed for what is allocated next.

    By default glibc returns large blocks to the system, which hands every page of the next one over
    anew and cleared: a third of the time of StarGAN's published networks on two cores.
    `python -m benchmarks.training` has it in ours and not in the plain step. And one arena for all
    threads: in its own each would keep what the others could use.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(M_MMAP_MAX, 0)
        mallopt(M_TRIM_THRESHOLD, 2**31 - 1)
        mallopt(M_ARENA_MAX, 1)


class OutOfMemory(UserError):
    """There is not as much memory as these parameters need."""


@contextlib.contextmanager
def explained(where: str, lower: str) -> Iterator[None]:
    """Turn what torch and numpy raise into OutOfMemory, which says how much was wanted.

    where: what was under way, named by its dotted key; lower: the parameters that save memory.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:  # on the CPU torch raises a plain RuntimeError
        wanted = re.search(r"(?:tried|unable) to allocate ([\d.]+ \w+)", str(error), re.IGNORECASE)
        if not wanted:
            raise
        raise OutOfMemory(
            f"{where}: out of memory when {_readable(wanted[1])} more were needed; lower {lower}"
        ) from None


def _readable(amount: str) -> str:
    number, unit = amount.split()
    return f"{int(number) / 2**30:.3g} GiB" if unit == "bytes" else amount
