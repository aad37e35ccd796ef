"""Photographs in files: which are colored, what their results are called, and one on each core."""

import contextlib
import glob
import os
import re
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from colorize.base.workers import cores, one_thread_each
from colorize.data.images import Unreadable
from colorize.use import photos
from colorize.use.colorizer import Colorizer

SUFFIXES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp")
TIFF = (".tif", ".tiff")

MARK = "_colorized"  # in the names of results, which may lie beside their sources
COMPARED = "_compared"
RESULT = re.compile(rf"{MARK}(_\d+)?({COMPARED})?$")


class Job(NamedTuple):
    source: Path
    target: Path


class Failure(NamedTuple):
    """What is not colored, and why."""

    source: str
    reason: str


def find(arguments: list[str], output: Path) -> tuple[list[Job], list[Failure]]:
    """The photographs that files, folders and patterns name, each once, in order of their names.

    Of folders, and of those inside them, what looks like a photograph and is no result; results
    keep their subfolders below `output`. No result takes the name of a source, nor of another.
    """
    # One path for each -> as it was named, and the folder of its result
    photographs: dict[Path, tuple[Path, Path]] = {}
    failures = []
    for argument in arguments:
        sources = list(_named(argument, output, failures))
        if not sources:
            failures.append(Failure(argument, _nothing(argument)))
        for source, folder in sources:
            # However its folder is named; a link beside a photograph has a result of its own.
            photographs.setdefault(source.parent.resolve() / source.name, (source, folder))
    taken = {_same(source) for source, _ in photographs.values()}
    jobs = []
    for source, folder in photographs.values():
        target = _free_name(output / folder, source, taken)
        taken.add(_same(target))
        jobs.append(Job(source, target))
    return jobs, failures


def _named(argument: str, output: Path, failures: list[Failure]) -> Iterator[tuple[Path, Path]]:
    path = Path(argument)
    if path.is_dir():
        yield from _inside(path, output, failures)
    elif os.path.lexists(path):
        yield path, Path()
    else:
        for match in sorted(map(Path, glob.iglob(argument, recursive=True))):  # noqa: PTH207  absolute ones too
            if match.is_file() and not RESULT.search(match.stem):
                yield match, Path()


def _inside(root: Path, output: Path, failures: list[Failure]) -> Iterator[tuple[Path, Path]]:
    """Of a folder and those below; hidden ones and results are left alone."""

    def unreadable(error: OSError) -> None:
        failures.append(Failure(error.filename, error.strerror))

    results = output.resolve()
    for folder, below, names in os.walk(root, onerror=unreadable):
        here = Path(folder)
        below[:] = sorted(
            name
            for name in below
            if not name.startswith(".") and (here / name).resolve() != results
        )
        for name in sorted(names):
            path = here / name
            looks_like_one = path.suffix.lower() in SUFFIXES and not name.startswith(".")
            if looks_like_one and not RESULT.search(path.stem):
                yield path, here.relative_to(root)


def _nothing(argument: str) -> str:
    if Path(argument).is_dir():
        return f"no photographs in it ({', '.join(SUFFIXES)})"
    return "no such file or folder"


def _free_name(folder: Path, source: Path, taken: set[str]) -> Path:
    suffix = ".tif" if source.suffix.lower() in TIFF else ".png"
    number = 1
    while True:
        ending = "" if number == 1 else f"_{number}"
        target = folder / f"{source.stem}{MARK}{ending}{suffix}"
        if _same(target) not in taken:
            return target
        number += 1


def _same(path: Path) -> str:
    """Equal for paths to one file, also where case makes no difference."""
    return str(path.resolve()).casefold()


# Coloring them, one on each core

PIXELS = 150_000_000  # under way at a time, in less than 2 GB; one photograph may have more


class Budget:
    """So much may be under way at a time; one alone always may."""

    def __init__(self, total: int):
        self.total, self.used = total, 0
        self.changed = threading.Condition()

    @contextlib.contextmanager
    def taken(self, amount: int) -> Iterator[None]:
        """Wait until there is room for `amount`, and hold it."""
        with self.changed:
            self.changed.wait_for(lambda: not self.used or self.used + amount <= self.total)
            self.used += amount
        try:
            yield
        finally:
            with self.changed:
                self.used -= amount
                self.changed.notify_all()


def color_all(
    jobs: Sequence[Job], colorizer: Colorizer, *, compare: bool = False, **how
) -> Iterator[str | None]:
    """Color files in their order: of each None, or the reason why it cannot be read.

    compare: write a picture of before and after too. how: what `colorizer` is told. Raises OSError
    where a result cannot be written, and UserError where the model fails.
    """
    budget = Budget(PIXELS)

    def color(job: Job) -> str | None:
        try:
            with budget.taken(photos.size(job.source)):
                photo = photos.read(job.source)
                colored = colorizer(photo.pixels, **how)
                photos.write(job.target, colored, photo)
                if compare:
                    target = job.target.with_name(f"{job.target.stem}{COMPARED}.png")
                    photos.write_comparison(target, photo.pixels, colored)
        except Unreadable as error:
            return str(error)
        return None

    if len(jobs) < 2:
        yield from map(color, jobs)  # on all cores
    else:
        with one_thread_each(min(cores(), len(jobs))) as pool:
            yield from pool.map(color, jobs)
