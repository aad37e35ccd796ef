"""Photographs in files: which are colored, what their results are called, and one on each core."""

import contextlib
import glob
import os
import re
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from colorize.base.errors import UserError
from colorize.base.files import remove_leftovers, shortened
from colorize.base.workers import cores, one_thread_each
from colorize.data import photo
from colorize.data.photo import Photo, Unreadable
from colorize.use import photos
from colorize.use.colorizer import Colorizer
from colorize.use.photos import FORMATS

SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".tif", ".tiff", ".webp", ".avif", ".heic")
SUFFIXES += (".heif", ".hif", ".gif", ".bmp", ".jp2", ".j2k", ".ppm", ".pgm", ".pbm", ".pnm")

MARK = "_colorized"  # in the names of results, which may lie beside their sources
COMPARED = "_compared"
RESULT = re.compile(rf"{MARK}(_\d+)?({COMPARED})?$")
FOLDER = Path("colorized")  # of results, where no other is named
PIPE = Path("-")  # standard input as a photograph, standard output as its result
SAME = "same"  # format: that of the photograph


class Job(NamedTuple):
    source: Path
    target: Path
    form: str = "png"  # one of FORMATS: of the result


class Failure(NamedTuple):
    """What is not colored, and why."""

    source: str
    reason: str


class Found(NamedTuple):
    """What files, folders and patterns name."""

    jobs: list[Job]
    failures: list[Failure]
    passed_over: Counter[str]  # other files in folders, by the ends of their names


def find(arguments: list[str], output: Path | None = None, form: str | None = None) -> Found:
    """The photographs that files, folders and patterns name, each once, in order of their names.

    Of folders, and of those inside them, what looks like a photograph and is no result; results
    keep their subfolders below `output`. No result takes the name of a source, nor of another. One
    file's result may be named by `output`, or after it, where there is no such file yet.
    form: of results, one of FORMATS or SAME; by default PNG, of a TIFF TIFF. Raises UserError for
    an `output` of another format.
    """
    if output is None:
        output = FOLDER
        if str(PIPE) in arguments:
            output = PIPE
        if len(arguments) == 2 and _is_new(arguments[1]):
            arguments, output = arguments[:1], Path(arguments[1])
    found = Found([], [], Counter())
    photographs: dict[Path, tuple[Path, Path]] = {}  # one path for each -> as named, where it goes
    for argument in arguments:
        sources = list(_named(argument, output, found))
        if not sources:
            found.failures.append(Failure(argument, _nothing(argument)))
        for source, folder in sources:
            # However its folder is named; a link beside a photograph has a result of its own.
            photographs.setdefault(source.parent.resolve() / source.name, (source, folder))
    if _is_file(output, form):
        if len(photographs) > 1 or Path(arguments[0]).is_dir():
            raise UserError(
                f"--output: {output} is one file; for several photographs name a folder"
            )
        for source, _ in photographs.values():
            if source != PIPE and _same(source) == _same(output):
                raise UserError(f"--output: {output} is the photograph; no source is touched")
            kind = form_of(output) if output != PIPE else _form(source, form)
            found.jobs.append(Job(source, output, kind))
        return found
    taken = {_same(source) for source, _ in photographs.values()}
    for source, folder in photographs.values():
        kind = _form(source, form)
        target = _free_name(output / folder, source, FORMATS[kind][0], taken)
        taken.add(_same(target))
        found.jobs.append(Job(source, target, kind))
    return found


def _is_new(argument: str) -> bool:
    """Whether it names a result: a second photograph would be there."""
    path = Path(argument)
    named = path.suffix.lower() in SUFFIXES and not glob.has_magic(argument)
    return path == PIPE or (named and not os.path.lexists(path))


def _is_file(output: Path, form: str | None) -> bool:
    """Whether `output` is meant to be an image."""
    if output == PIPE:
        return True
    if output.is_dir() or output.suffix.lower() not in SUFFIXES:
        return False
    kinds = list(FORMATS) if form in (None, SAME) else [form]
    if form_of(output) not in kinds:
        raise UserError(f"--output: {output}: results are {' or '.join(kinds)}")
    return True


def _named(argument: str, output: Path, found: Found) -> Iterator[tuple[Path, Path]]:
    path = Path(argument)
    if path == PIPE:
        yield path, Path()
    elif argument and path.is_dir():
        yield from _inside(path, output, found)
    elif argument and os.path.lexists(path):
        yield path, Path()
    elif argument:
        for match in sorted(map(Path, glob.iglob(argument, recursive=True))):  # noqa: PTH207  absolute ones too
            if match.is_file() and not RESULT.search(match.stem):
                yield match, Path()


def _inside(root: Path, output: Path, found: Found) -> Iterator[tuple[Path, Path]]:
    """Of a folder and those below; hidden ones and results are left alone."""

    def unreadable(error: OSError) -> None:
        found.failures.append(Failure(error.filename, error.strerror))

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
            if name.startswith(".") or RESULT.search(path.stem):
                continue
            if path.suffix.lower() in SUFFIXES:
                yield path, here.relative_to(root)
            else:
                found.passed_over[path.suffix.lower() or path.name] += 1


def _nothing(argument: str) -> str:
    if argument and Path(argument).is_dir():
        return "no photographs in it"
    return "no such file or folder"


def _free_name(folder: Path, source: Path, suffix: str, taken: set[str]) -> Path:
    number = 1
    while True:
        ending = MARK if number == 1 else f"{MARK}_{number}"
        stem = shortened(source.stem, f"{ending}{COMPARED}{suffix}")
        target = folder / f"{stem}{ending}{suffix}"
        if _same(target) not in taken:
            return target
        number += 1


def form_of(path: Path) -> str | None:
    """Which of FORMATS a name stands for."""
    suffix = path.suffix.lower()
    return next((form for form, suffixes in FORMATS.items() if suffix in suffixes), None)


def _form(source: Path, wanted: str | None) -> str:
    """Of a photograph's result, which has lost nothing by it where nothing else is wanted."""
    own = form_of(source)
    if wanted is None:
        return "tiff" if own == "tiff" else "png"
    return (own or "png") if wanted == SAME else wanted


def _same(path: Path) -> str:
    """Equal for paths to one file, also where case makes no difference."""
    return os.path.realpath(path).casefold()  # Path.resolve raises for a link to itself


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
    jobs: Sequence[Job],
    colorizer: Colorizer,
    *,
    quality: int = photos.QUALITY,
    compare: bool = False,
    at_once: int | None = None,
    **how,
) -> Iterator[str | None]:
    """Color files in their order: of each None, or the reason why there is no result.

    quality: of JPEG and WebP. compare: write a picture of before and after too. at_once: how many
    photographs are under way, by default one on each core. how: what `colorizer` is told. Raises
    UserError where the model fails.
    """
    budget = Budget(PIXELS)

    def color(job: Job) -> str | None:
        try:
            remove_leftovers(job.target)  # of a run that was killed
            opened = photo.open_(_read(job.source))
            with budget.taken(opened.pixels):
                photograph = opened.read()
                colored = colorizer(photograph.pixels, **how)
                _write(job, colored, photograph, quality)
                if compare:
                    target = job.target.with_name(f"{job.target.stem}{COMPARED}.png")
                    photos.write_comparison(target, photograph.pixels, colored)
        except Unreadable as error:
            return str(error)
        except OSError as error:  # a full disk, a folder of that name
            return f"{error.filename or job.target}: {error.strerror}"
        return None

    if len(jobs) < 2 or at_once == 1:
        yield from map(color, jobs)  # each on all cores
    else:
        with one_thread_each(min(at_once or cores(), len(jobs))) as pool:
            yield from pool.map(color, jobs)


def _read(source: Path) -> bytes:
    return sys.stdin.buffer.read() if source == PIPE else photo.bytes_of(source)


def _write(job: Job, colored: np.ndarray, photograph: Photo, quality: int) -> None:
    if job.target != PIPE:
        photos.write(job.target, colored, photograph, job.form, quality)
        return
    with tempfile.TemporaryDirectory() as folder:  # not all formats can be written in one go
        path = Path(folder, "result")
        photos.write(path, colored, photograph, job.form, quality)
        sys.stdout.buffer.write(path.read_bytes())
        sys.stdout.buffer.flush()
