"""How often a progress bar is drawn: live on a terminal, now and then in a file or a pipe."""

import sys
from collections.abc import Iterable
from typing import TypeVar

from tqdm import tqdm

INTERVAL = 0.5 if sys.stderr.isatty() else 10  # seconds

Item = TypeVar("Item")


def progress(items: Iterable[Item], title: str, total: int | None = None) -> Iterable[Item]:
    """Pass `items` on, with a bar on standard error; total: how many, where they have no length."""
    return tqdm(items, title, total, leave=False, mininterval=INTERVAL)
