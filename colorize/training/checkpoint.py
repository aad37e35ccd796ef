"""Checkpoints of unfinished training, outside the pipeline's outputs.

DVC deletes a stage's outputs before it runs, so what makes training resumable cannot be one of
them. Each run has a folder of its own, named by a fingerprint of everything that decides its
result: the same command finds it again, a changed parameter does not.
"""

import hashlib
import json
import shutil
import sys
from pathlib import Path
from typing import Self

import filelock
import torch

from colorize.base.errors import UserError
from colorize.base.files import replaced_file, sha256_of

# Code that changes no result: what all rooms share, and what draws pictures.
INERT = ("colorize/base/", "colorize/report/grids.py", "stages/common.py")

LOCK_SECONDS = 30  # a trainer that lost its parent saves and ends well within


def fingerprint(facts: dict) -> str:
    """16 hexadecimal digits of `facts`, torch's version and the code that is loaded by now."""
    facts = facts | {"torch": torch.__version__, "code": _loaded_code()}
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]


def _loaded_code() -> dict[str, str]:
    """SHA-256 of every loaded file of this project that may change what the run's result is."""
    root = Path(__file__).parent.parent.parent
    loaded = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
    files = {Path(file) for file in loaded if file is not None}
    ours = {
        file.relative_to(root).as_posix(): file
        for file in files
        if file.is_relative_to(root / "colorize") or file.is_relative_to(root / "stages")
    }
    deciding = (n for n in ours if not n.startswith(INERT) and not n.endswith("__init__.py"))
    return {name: sha256_of(ours[name]) for name in sorted(deciding)}


class Checkpoint:
    """The checkpoint of one training run, in a folder of its own that one process holds.

    Used as a context manager; raises UserError where another process holds it for longer than a
    trainer needs to save and end.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.path = folder / "checkpoint.pt"
        self._lock = filelock.FileLock(folder / "lock", timeout=LOCK_SECONDS)

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            self._lock.acquire()
        except filelock.Timeout:
            raise UserError(
                f"{self.folder}: another process is training this very run; wait for it or stop it"
            ) from None
        return self

    def __exit__(self, *error) -> None:
        self._lock.release()

    def save(self, state: dict) -> None:
        with replaced_file(self.path) as partial:
            torch.save(state, partial)

    def load(self, device: torch.device) -> dict | None:
        """The state last saved, or None where there is none."""
        if not self.path.exists():
            return None
        return torch.load(self.path, map_location=device, weights_only=True)

    def remove(self) -> None:
        shutil.rmtree(self.folder)
