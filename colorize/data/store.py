"""Where zips, photographs and gray copies lie that a disk does not hold: in a store.

A store (`data.store`) is a folder, or a bucket at any address that fsspec knows; simplecache::
before it keeps on this machine what has been read once. What lies there is named after what it was
made of, and is never deleted from here: unions on other machines may need it. data/ keeps the
indexes, by which DVC tells one union from another.
"""

import contextlib
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import fsspec
from upath import UPath

from colorize.base.errors import UserError, one_line

BLOCK = 1 << 20  # bytes that are asked for at once where a zip is read in pieces


class Places(NamedTuple):
    """The folders of a store."""

    zips: UPath
    photographs: UPath  # of one size and encoding: their names stand for the originals' pixels
    gray: UPath


def places(address: str, image_size: int, encoding: str, gray: str) -> Places:
    """The folders at `address`, there or not. Raises UserError where fsspec knows no such place."""
    size = f"{image_size}-{encoding}"
    with _told(f"data.store: {address} cannot be used"):
        root = UPath(address)
        zips = UPath(address.rpartition("::")[2]) / "zips"  # too large for a cache
        return Places(zips, root / f"union-{size}", root / f"gray-{size}-{gray}")


def made(folder: UPath) -> UPath:
    """The folder, to write to. Raises UserError where it is not there and cannot be made."""
    with _told(f"data.store: {folder} cannot be used"):
        system, inside = _system(folder)
        system.makedirs(inside, exist_ok=True)
    return folder


def read(path: Path | UPath) -> bytes:
    """A whole file of data/ or of a store. Raises UserError where it is missing or unreadable."""
    try:
        with _told(f"{path}: cannot be read"):
            if not isinstance(path, UPath):
                return path.read_bytes()
            system, inside = _system(path)
            return system.cat_file(inside, start=0)  # for the whole, s3fs asks for the size before
    except FileNotFoundError:
        again = " --force --single-item union grayscale" if isinstance(path, UPath) else ""
        raise UserError(f"{path}: missing; run `dvc repro{again}` to make it again") from None


def write(path: Path | UPath, data: bytes) -> None:
    """Raises UserError where a store does not take it; OSError where data/ does not."""
    if not isinstance(path, UPath):
        path.write_bytes(data)
        return
    with _told(f"{path}: cannot be written"):
        system, inside = _system(path)
        system.pipe_file(inside, data)


def has(path: UPath, size: int) -> bool:
    """Whether a file of `size` bytes is there. Raises UserError where nobody can say."""
    try:
        with _told(f"{path}: cannot be looked at"):
            system, inside = _system(path)
            return system.info(inside)["size"] == size
    except FileNotFoundError:
        return False


def put(source: Path, path: UPath) -> None:
    """Copy a file into a store. Raises UserError."""
    with _told(f"{path}: cannot be written"):
        system, inside = _system(path)
        system.put_file(str(source), inside)


def open_zip(path: Path | UPath) -> zipfile.ZipFile:
    """Raises what `zipfile` raises, and what the file system does."""
    if not isinstance(path, UPath):
        return zipfile.ZipFile(path)
    system, inside = _system(path)
    return zipfile.ZipFile(_Reading(system.open(inside, "rb", block_size=BLOCK), path))


class _Reading:
    """An open file of a store. That it cannot be read is UserError: the file is not damaged."""

    def __init__(self, file: io.IOBase, path: UPath):
        self.file, self.path = file, path

    def read(self, count: int = -1) -> bytes:
        with _told(f"{self.path}: cannot be read"):
            return self.file.read(count)

    def __getattr__(self, name: str) -> object:  # seek, tell, and the like
        return getattr(self.file, name)


@contextlib.contextmanager
def _told(what: str) -> Iterator[None]:
    """What goes wrong as UserError, since each file system raises its own; but that a file is
    missing as FileNotFoundError, which all of them do."""
    try:
        yield
    except FileNotFoundError:
        raise
    except Exception as error:
        raise UserError(f"{what}: {one_line(error)}") from None


def _system(path: UPath) -> tuple[fsspec.AbstractFileSystem, str]:
    """The file system, and the path in it. A path's own, `path.fs`, does not outlive a fork."""
    return fsspec.url_to_fs(str(path))
