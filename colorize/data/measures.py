"""What is known of each photograph while a union is made, in files: 6 KB of each would add up."""

import contextlib
import functools
import math
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Self

import numpy as np

from colorize.base.workers import spread
from colorize.data import duplicates
from colorize.data.duplicates import PRINTS
from colorize.data.members import Seen
from colorize.data.palette import Palette


class Measures:
    """Fingerprints and luma by number, in the order of `add`, and palettes by name."""

    def __init__(self, folder: Path):
        self.files = contextlib.ExitStack()
        names = (".prints", ".luma", ".palettes")
        self.prints_file, self.luma_file, self.palette_file = (
            self.files.enter_context((folder / name).open("w+b")) for name in names
        )
        self.places: dict[str, int] = {}  # of the palettes in their file

    def add(self, name: str, seen: Seen) -> None:
        self.prints_file.write(seen.prints.tobytes())
        self.luma_file.write(seen.luma.tobytes())
        self.places[name] = self.palette_file.seek(0, 2)
        pickle.dump(seen.palette, self.palette_file)

    def alike(self, workers: int) -> Iterator[tuple[int, int, float]]:
        """Numbers i < j and similarity of near-duplicates."""
        self.prints_file.flush()
        self.luma_file.flush()
        look = functools.partial(_alike, Path(self.prints_file.name), Path(self.luma_file.name))
        for found in spread(look, duplicates.tiles(len(self.places)), workers):
            yield from found

    def palette(self, name: str) -> Palette:
        self.palette_file.seek(self.places[name])
        return pickle.load(self.palette_file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.files.close()


def _alike(
    prints_file: Path, luma_file: Path, tile: tuple[int, int]
) -> list[tuple[int, int, float]]:
    """Those of one tile."""
    top, left = tile
    found = []
    for row, column in duplicates.candidates(prints(prints_file, top), prints(prints_file, left)):
        i, j = top + row, left + column
        if i < j:  # a tile on the diagonal has each pair twice
            similarity = duplicates.similarity(luma(luma_file, i), luma(luma_file, j))
            if similarity >= duplicates.SAME:
                found.append((i, j, similarity))
    return found


def prints(path: Path, first: int) -> np.ndarray:
    """(n, 6, 64) int8, of a tile's worth of photographs at most."""
    read = _read(path, first * math.prod(PRINTS), duplicates.BLOCK * math.prod(PRINTS))
    return np.frombuffer(read, np.int8).reshape(-1, *PRINTS)


def luma(path: Path, number: int) -> np.ndarray:
    """(64, 64) uint8"""
    area = duplicates.SIDE**2
    return np.frombuffer(_read(path, number * area, area), np.uint8).reshape(-1, duplicates.SIDE)


def _read(path: Path, start: int, count: int) -> bytes:
    """Not mapped: pages that were looked at would stay in memory."""
    file = _opened(path)
    file.seek(start)
    return file.read(count)


@functools.cache
def _opened(path: Path) -> BinaryIO:
    return open(path, "rb", buffering=0)
