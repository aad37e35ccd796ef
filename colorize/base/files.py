"""Files: written whole or not at all, read with one clear error, and locks between processes."""

import contextlib
import errno
import glob
import hashlib
import json
import os
import secrets
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from colorize.base.errors import UserError

if TYPE_CHECKING:  # worker processes of the data stages need neither pandas nor its start-up time
    import pandas as pd

PARTIAL, OLD = "partial", "old"  # what hidden names beside a target end with
HEX = "[0-9a-f]" * 8
NAME_BYTES = 255  # of a file, on most disks
WINDOWS = os.name == "nt"

LOCK_SECONDS = 30  # a stage that lost its parent has ended well within


def shortened(name: str, ending: str) -> str:
    """As much of a name as fits before `ending`."""
    room = NAME_BYTES - len(os.fsencode(ending))
    while len(os.fsencode(name)) > room:
        name = name[:-1]
    return name


def _hidden(path: Path) -> str:
    """How the hidden names beside `path` begin."""
    return shortened(f".{path.name}", f".{'0' * 8}.{PARTIAL}")


def _beside(path: Path, kind: str) -> Path:
    """A hidden name beside `path` that nobody else uses: two writers never share one."""
    return path.parent / f"{_hidden(path)}.{secrets.token_hex(4)}.{kind}"


def remove_leftovers(path: Path) -> None:
    """Remove what writers of `path` that were killed have left beside it.

    Only for who knows that no other writer is at work.
    """
    for kind in (PARTIAL, OLD):
        for leftover in path.parent.glob(f"{glob.escape(_hidden(path))}.{HEX}.{kind}"):
            if leftover.is_dir():
                # Its worker processes may just be ending: what they add now, the next run removes.
                shutil.rmtree(leftover, ignore_errors=True)
            else:
                leftover.unlink()


@contextlib.contextmanager
def replaced_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success it takes `path`'s place in one move."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = _beside(path, PARTIAL)
    try:
        with named(partial, path):
            yield partial
            give_name(partial, path)
    finally:
        partial.unlink(missing_ok=True)


@contextlib.contextmanager
def named(partial: Path, path: Path) -> Iterator[None]:
    """Errors name `path`, not where it is made; a full disk names nothing."""
    try:
        yield
    except OSError as error:
        name = str(error.filename or partial)
        if error.errno is None or not name.startswith(str(partial)):
            raise
        name = name.replace(str(partial), str(path))
        raise OSError(error.errno, os.strerror(error.errno), name) from None


def give_name(partial: Path, path: Path) -> None:
    """Move a finished file to its final name, which never outlives the bytes."""
    _flush(partial)
    os.replace(partial, path)
    _flush(path.parent)


@contextlib.contextmanager
def replaced_folder(path: Path) -> Iterator[Path]:
    """Yield an empty temporary folder beside `path`; on success it replaces `path` as a whole.

    Of two writers at the same time the last one wins, with all of its files.
    """
    partial, old = _beside(path, PARTIAL), _beside(path, OLD)
    partial.mkdir(parents=True)
    try:
        with named(partial, path):
            yield partial
            _exchange(partial, path, old)
            _flush(path.parent)
    finally:
        for leftover in (partial, old):
            shutil.rmtree(leftover, ignore_errors=True)


def _exchange(partial: Path, path: Path, old: Path) -> None:
    """Move `path`, where there is one, to `old`, and `partial` to `path`."""
    while True:
        try:
            with contextlib.suppress(FileNotFoundError):
                os.replace(path, old)
            os.replace(partial, path)
            return
        except BaseException as error:
            # Between the two moves another writer has put its folder there: the next old one.
            if isinstance(error, OSError) and error.errno in (errno.ENOTEMPTY, errno.EEXIST):
                shutil.rmtree(old, ignore_errors=True)
                continue
            if old.exists():
                os.replace(old, path)
            raise


def _flush(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    if WINDOWS and path.is_dir():  # which cannot be asked there
        return
    number = os.open(path, os.O_RDWR if WINDOWS else os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def write_bytes(path: Path, data: bytes | memoryview) -> None:
    with replaced_file(path) as partial:
        partial.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    write_bytes(path, text.encode("utf-8"))


def write_json(path: Path, value: object) -> None:
    """Write `value` as indented JSON; NaN and Infinity raise ValueError, for JSON has neither."""
    write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


def write_parquet(path: Path, frame: "pd.DataFrame") -> None:
    """Write a table with its types, without its index; equal tables give equal bytes."""
    with replaced_file(path) as partial:
        frame.to_parquet(partial, index=False)


def read_bytes(path: Path) -> bytes:
    """Read what an earlier stage wrote. Raises UserError where it is missing or unreadable."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise UserError(f"{path}: missing; run `dvc repro` to make it again") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None


def read_text(path: Path) -> str:
    """Read a file of the project itself. Raises UserError where it is missing or no UTF-8."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(f"{path}: missing; run this from the project's root") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not UTF-8, from byte {error.start} on") from None


def read_json(path: Path, kind: type = object) -> Any:
    """The same of JSON. Raises UserError where it is missing, broken or not of the `kind`."""
    try:
        value = json.loads(read_bytes(path))
    except ValueError as error:
        raise UserError(f"{path}: not JSON ({error})") from None
    if not isinstance(value, kind):
        raise UserError(f"{path}: not what its stage wrote; run `dvc repro` to make it again")
    return value


def check_room(needed: int, folder: Path, what: str) -> None:
    """Raise UserError unless `needed` bytes are free on the disk of `folder`."""
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise UserError(
            f"{what} needs {needed / 1e9:.2f} GB, {free / 1e9:.2f} GB are free in {folder}"
        )


def sha256_of(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def expanded(path: str) -> Path:
    """`path`, with the home folder for its ~. Raises UserError where there is no such user."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise UserError(f"{path}: there is no such user") from None


@contextlib.contextmanager
def only_one(lock: Path, doing: str, seconds: float = LOCK_SECONDS) -> Iterator[None]:
    """Hold the file `lock`; the process that holds it is said to be `doing` something.

    The file stays: to remove it under those who wait for it would let two in. Raises UserError
    where another process holds it for longer than `seconds` (-1: for ever).
    """
    import filelock  # only here: worker processes of the data stages need none

    lock.parent.mkdir(parents=True, exist_ok=True)
    held = filelock.FileLock(lock)
    try:
        held.acquire(blocking=False)
    except filelock.Timeout:
        print(f"{lock}: another process is {doing}; waiting for its end", file=sys.stderr)
        try:
            held.acquire(timeout=seconds)
        except filelock.Timeout:
            raise UserError(f"{lock}: another process is {doing}; wait for it or stop it") from None
    try:
        yield
    finally:
        held.release()
