"""What is known of each photograph while a union is made; 4 KB of each would add up in memory."""

import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import numpy as np

from colorize.base.workers import spread
from colorize.data import duplicates
from colorize.data.duplicates import BLOCK, PRINTS, SIDE
from colorize.data.members import Seen
from colorize.data.palette import Palette

PRINTS_FILE, LUMA_FILE = ".prints", ".luma"


class Measures:
    """Fingerprints and luma by number, in the order of `add`, in files of `folder`; palettes by
    name.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.prints, self.luma = ((folder / f).open("wb") for f in (PRINTS_FILE, LUMA_FILE))
        self.palettes: dict[str, Palette] = {}

    def add(self, name: str, seen: Seen) -> None:
        self.prints.write(seen.prints.tobytes())
        self.luma.write(seen.luma.tobytes())
        self.palettes[name] = seen.palette

    def alike(self, workers: int) -> Iterator[tuple[int, int, float]]:
        """Numbers i < j and similarity of near-duplicates."""
        self.prints.flush()
        self.luma.flush()
        look = functools.partial(_alike, self.folder)
        for found in spread(look, duplicates.tiles(len(self.palettes)), workers):
            yield from found

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.prints.close()
        self.luma.close()


def _alike(folder: Path, tile: tuple[int, int]) -> list[tuple[int, int, float]]:
    """Those of one tile."""
    prints = np.memmap(folder / PRINTS_FILE, np.int8, "r").reshape(-1, *PRINTS)
    luma = np.memmap(folder / LUMA_FILE, np.uint8, "r").reshape(-1, SIDE, SIDE)
    top, left = tile
    found = []
    for row, column in duplicates.candidates(
        prints[top : top + BLOCK], prints[left : left + BLOCK]
    ):
        i, j = top + row, left + column
        if i < j:  # a tile on the diagonal has each pair twice
            similarity = duplicates.similarity(luma[i], luma[j])
            if similarity >= duplicates.SAME:
                found.append((i, j, similarity))
    return found
