"""What is known of each photograph while a union is made, in files: 6 KB of each would add up."""

import contextlib
import functools
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Self

import numpy as np

from colorize.base.workers import spread
from colorize.data import duplicates
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

    def prints(self) -> np.ndarray:
        """(n, 6, 64) int8"""
        self.prints_file.seek(0)
        return np.fromfile(self.prints_file, np.int8).reshape(-1, *duplicates.PRINTS)

    def alike(self, workers: int) -> Iterator[tuple[int, int, float]]:
        """Numbers i < j and similarity of near-duplicates."""
        self.luma_file.flush()
        compare = functools.partial(_compare, Path(self.luma_file.name))
        for i, j, similarity in spread(compare, duplicates.candidates(self.prints()), workers):
            if similarity >= duplicates.SAME:
                yield i, j, similarity

    def palette(self, name: str) -> Palette:
        self.palette_file.seek(self.places[name])
        return pickle.load(self.palette_file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.files.close()


def _compare(path: Path, pair: tuple[int, int]) -> tuple[int, int, float]:
    return *pair, duplicates.similarity(luma(path, pair[0]), luma(path, pair[1]))


def luma(path: Path, number: int) -> np.ndarray:
    """(64, 64) uint8. Read, not mapped: pages that were looked at would stay in memory."""
    file, side = _opened(path), duplicates.SIDE
    file.seek(number * side * side)
    return np.frombuffer(file.read(side * side), np.uint8).reshape(side, side)


@functools.lru_cache(1)
def _opened(path: Path) -> BinaryIO:
    return open(path, "rb", buffering=0)
