"""The files of the datasets' zips, one at a time, on any process: bytes, hash, what each shows.

What is known of all waits on disk: 4 KB of each would add up in memory.
"""

import functools
import hashlib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
from PIL.Image import Resampling

from colorize.base.errors import one_line
from colorize.base.workers import spread
from colorize.data import archive, duplicates, palette, photo
from colorize.data.duplicates import BLOCK, PRINTS, SIDE
from colorize.data.images import jpeg, png
from colorize.data.palette import Palette
from colorize.data.photo import Unreadable
from colorize.data.reading import photographs

Member = tuple[Path, str]  # a zip, and a name in it

PIXELS = 100_000_000  # more are refused before they are decoded: each process has a photograph

PRINTS_FILE, LUMA_FILE = ".prints", ".luma"


class Seen(NamedTuple):
    """What a worker found out about one image file, whose resized copy it has written."""

    pixels: str  # SHA-256 of the decoded pixels and their shape; "" for a file that is not taken
    rejected: str  # why it is not taken, or ""
    width: int = 0
    height: int = 0
    palette: Palette | None = None  # of the resized copy; None for one that is too small
    luma: np.ndarray | None = None  # (64, 64) uint8
    prints: np.ndarray | None = None  # fingerprints, (6, 64) int8


def hash_of(member: Member) -> tuple[str, str]:
    """(SHA-256, "") of a file in a zip, or ("", why it cannot be read)."""
    try:
        return hashlib.sha256(_bytes(*member)).hexdigest(), ""
    except Exception as error:  # damaged members raise what their compression raises
        return "", one_line(error)


def _bytes(path: Path, source: str) -> bytes:
    return _opened(path).read(source)


@functools.lru_cache(2)  # a worker reads thousands of members of a zip, and then of the next
def _opened(path: Path) -> zipfile.ZipFile:
    return archive.open_zip(path)


def look(folder: Path, image_size: int, suffix: str, member: Member) -> Seen:
    """Decode one image, measure it, and write its resized copy to `folder` under its hash."""
    try:
        image = photo.read(_bytes(*member), PIXELS).rgb()
    except Unreadable as error:
        return Seen("", str(error))
    rgb = np.asarray(image)
    digest = hashlib.sha256(repr(image.size).encode())
    digest.update(rgb)
    sha256 = digest.hexdigest()
    if min(image.size) < image_size:
        return Seen(sha256, "", *image.size)
    resized = photographs.resize(image, image_size, Resampling.LANCZOS)
    rgb = rgb if resized is image else np.asarray(resized)
    data = jpeg(resized) if suffix == ".jpg" else png(rgb)
    (folder / name_of(sha256, suffix)).write_bytes(data)
    luma = duplicates.luma(resized)
    colors = palette.palette(rgb)
    return Seen(sha256, "", *image.size, colors, luma, duplicates.fingerprints(luma))


def name_of(sha256: str, suffix: str) -> str:
    return f"{sha256[:16]}{suffix}"


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
        for pairs in spread(look, duplicates.tiles(len(self.palettes)), workers):
            yield from pairs

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
    pairs = []
    for row, column in duplicates.candidates(
        prints[top : top + BLOCK], prints[left : left + BLOCK]
    ):
        i, j = top + row, left + column
        if i < j:  # a tile on the diagonal has each pair twice
            similarity = duplicates.similarity(luma[i], luma[j])
            if similarity >= duplicates.SAME:
                pairs.append((i, j, similarity))
    return pairs
