"""Running out of memory, in one line."""

import contextlib
import re
from collections.abc import Iterator

from colorize.base.errors import UserError


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
