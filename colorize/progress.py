"""How often a progress bar is drawn: live on a terminal, now and then in a file or a pipe."""

import sys
from collections.abc import Iterable
from typing import TypeVar

from tqdm import tqdm

INTERVAL = 0.5 if sys.stderr.isatty() else 10  # seconds

Item = TypeVar("Item")


def progress(items: Iterable[Item], title: str) -> Iterable[Item]:
    """Pass `items` on, with a bar on standard error."""
    return tqdm(items, title, leave=False, mininterval=INTERVAL)
