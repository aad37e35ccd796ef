"""One process at a time."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

import filelock

from colorize.base.errors import UserError

SECONDS = 30  # a stage that lost its parent has ended well within


@contextlib.contextmanager
def only_one(lock: Path, doing: str, seconds: float = SECONDS) -> Iterator[None]:
    """Hold the file `lock`; the process that holds it is said to be `doing` something.

    The file stays: to remove it under those who wait for it would let two in. Raises UserError
    where another process holds it for longer than `seconds` (-1: for ever).
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    held = filelock.FileLock(lock)
    try:
        held.acquire(blocking=False)
    except filelock.Timeout:
        print(f"{lock}: another process is {doing}; waiting for its end", file=sys.stderr)
        try:
            held.acquire(timeout=seconds)
        except filelock.Timeout:
            raise UserError(f"{lock}: another process is {doing}; wait for it or stop it") from None
    try:
        yield
    finally:
        held.release()
