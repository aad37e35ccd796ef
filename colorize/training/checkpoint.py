"""The checkpoint of unfinished training, outside the pipeline's outputs.

DVC deletes a stage's outputs before it runs, so what makes training resumable cannot be one of
them. Each run has a folder of its own, named by a fingerprint of everything that decides its
result: the same command finds it again, a changed parameter does not.
"""

import hashlib
import json
import shutil
import sys
from pathlib import Path

import torch

from colorize.base.errors import one_line
from colorize.base.files import replaced_file

KEYS = {"step", "log", "pictures", "model"}  # what training/loop.py saves


def fingerprint(facts: dict) -> str:
    """16 hexadecimal digits of `facts` and torch's version."""
    facts = facts | {"torch": torch.__version__}
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]


class Checkpoint:
    """What was last saved of one training run, in a folder that no other process uses."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.path = folder / "checkpoint.pt"

    def save(self, state: dict) -> None:
        with replaced_file(self.path) as partial, open(partial, "wb") as file:
            torch.save(state, file)

    def load(self, device: torch.device) -> dict | None:
        """The state last saved; None where there is none, and, with a line, where it is broken."""
        try:
            state = torch.load(self.path, map_location=device, weights_only=True)
        except FileNotFoundError:
            return None
        except (OSError, MemoryError, torch.OutOfMemoryError):  # it may be whole all the same
            raise
        except Exception as error:  # spoiled bytes raise all sorts
            reason = one_line(error)[:200]
        else:
            if isinstance(state, dict) and state.keys() == KEYS:
                return state
            reason = "it holds something else"
        print(f"{self.path}: not a checkpoint ({reason}); starting afresh", file=sys.stderr)
        return None

    def remove(self) -> None:
        shutil.rmtree(self.folder)
