"""Writing whole or not at all: nothing half-written ever stands under its final name."""

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from colorize.base.errors import UserError

if TYPE_CHECKING:  # worker processes of the data stages need neither pandas nor its start-up time
    import pandas as pd


def _partial(path: Path) -> Path:
    return path.parent / f".{path.name}.partial"


@contextlib.contextmanager
def replaced_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success it takes `path`'s place in one move.

    The temporary name is constant, because some formats write it into the file, and outputs must
    not differ from run to run.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = _partial(path)
    try:
        yield partial
        give_name(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def give_name(partial: Path, path: Path) -> None:
    """Move a finished file to its final name, which never outlives the bytes."""
    with open(partial, "rb") as file:
        os.fsync(file.fileno())
    os.replace(partial, path)


@contextlib.contextmanager
def replaced_folder(path: Path) -> Iterator[Path]:
    """Yield an empty temporary folder beside `path`; on success it replaces `path` as a whole."""
    partial, old = _partial(path), path.parent / f".{path.name}.old"
    for leftover in (partial, old):
        shutil.rmtree(leftover, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        yield partial
        # Deleting takes long, moving does not: what an earlier run left goes as a whole.
        if path.exists():
            os.replace(path, old)
        os.replace(partial, path)
    finally:
        for leftover in (partial, old):
            shutil.rmtree(leftover, ignore_errors=True)


def write_text(path: Path, text: str) -> None:
    with replaced_file(path) as partial:
        partial.write_text(text, encoding="utf-8")


def write_json(path: Path, value: object) -> None:
    """Write `value` as indented JSON; NaN and Infinity raise ValueError, for JSON has neither."""
    write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


def write_parquet(path: Path, frame: "pd.DataFrame") -> None:
    """Write a table with its types, without its index; equal tables give equal bytes."""
    with replaced_file(path) as partial:
        frame.to_parquet(partial, index=False)


def read_json(path: Path) -> Any:
    """Read what an earlier stage wrote. Raises UserError where it is missing or broken."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path}: missing; run `dvc repro` to make it") from None
    except ValueError as error:
        raise UserError(f"{path}: not JSON ({error})") from None


def sha256_of(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
