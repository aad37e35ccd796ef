"""What a stage uses, as dvc.yaml lists it, and whether that changed while the stage ran.

DVC records parameters, code and data as they are when a stage has ended. What is edited meanwhile
would be recorded as if it had been used. Nobody sees an edit in the tenths of a second between the
stage's last look and DVC's.
"""

import contextlib
import functools
import hashlib
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from colorize.base import lifetime
from colorize.base.errors import UserError, change
from colorize.base.files import read_text, sha256_of

PARAMS = Path("params.yaml")
PIPELINE = Path("dvc.yaml")
CODE = ("colorize/", "stages/")


class Inputs:
    """Parameters, code and data of `stage`, or of `stage@NAME`, as they were at its start.

    Raises UserError where params.yaml or dvc.yaml cannot be read.
    """

    def __init__(self, stage: str):
        self.stage = stage
        self.state, self.code = _state(stage)
        # The stage read these before we did.
        now, read = time.time(), [PARAMS, *self.code]
        self.edited = [str(f) for f in read if lifetime.began <= f.stat().st_mtime <= now]

    def check_unchanged(self, advice: str = "Run") -> None:
        """Raise UserError, which names what has changed, unless all is as it was."""
        now, _ = _state(self.stage)
        changed = self.edited + [
            change(key, self.state.get(key), now.get(key))
            for key in sorted(self.state.keys() | now.keys())
            if self.state.get(key) != now.get(key)
        ]
        if changed:
            raise UserError(
                f"{self.stage}: changed while it ran: {', '.join(changed)}. So its result is not "
                f"recorded. {advice} `dvc repro` again."
            )


def _state(stage: str) -> tuple[dict[str, Any], list[Path]]:
    """Whatever tells that something has changed, by the names that users know; files of code."""
    used, paths = _dependencies(stage)
    data = {path: _stamp(path) for path in paths if not path.startswith(CODE)}
    code = []
    for path in (Path(path) for path in paths if path.startswith(CODE)):
        code += sorted(path.rglob("*.py")) if path.is_dir() else [path]
    code = [file for file in code if file.exists()]
    return used | data | {str(file): sha256_of(file) for file in code}, code


def _dependencies(stage: str) -> tuple[dict[str, Any], list[str]]:
    """Values of parameters by their dotted keys, and paths."""
    values, pipeline = (_parsed(path, read_text(path)) for path in (PARAMS, PIPELINE))
    family, _, name = stage.partition("@")
    filled = {}
    try:
        definition = pipeline["stages"][family]
        if name:
            definition, entry = definition["do"], values["models"][name]
            filled = {"${key}": name} | {f"${{item.{key}}}": str(entry[key]) for key in entry}
    except (LookupError, TypeError):
        raise UserError(f"{PIPELINE} and {PARAMS} have no stage {stage}") from None

    def fill(text: str) -> str:
        for template, value in filled.items():
            text = text.replace(template, value)
        return text

    used = {}
    for key in map(fill, definition["params"]):
        value = values
        for part in key.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        used |= dict(_leaves(key, value))
    return used, [fill(path) for path in definition["deps"]]


@functools.lru_cache
def _parsed(path: Path, text: str) -> Any:
    """Once for a text: at the end of a stage it mostly is as it was."""
    from colorize.base.parameters import from_yaml  # only here: pydantic takes a while

    return from_yaml(text, str(path))


def _leaves(key: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for inner in value:
            yield from _leaves(f"{key}.{inner}", value[inner])
    else:
        yield key, value


def _stamp(path: str) -> str:
    """Of sizes and times of all files there: to read gigabytes of photographs takes too long."""
    stamps = hashlib.sha256()
    root = Path(path)
    for file in sorted(root.rglob("*")) if root.is_dir() else [root]:
        with contextlib.suppress(FileNotFoundError):
            about = file.stat()
            if not stat.S_ISDIR(about.st_mode):
                stamps.update(os.fsencode(file))
                stamps.update(f"\0{about.st_size} {about.st_mtime_ns}\0".encode())
    return stamps.hexdigest()
