"""The checkpoints of unfinished training, outside the pipeline's outputs.

DVC deletes a stage's outputs before it runs, so what makes training resumable cannot be one of
them. Each run has a folder of its own, named by a fingerprint of the facts that decide its result:
the same command finds it again, a changed parameter does not.
"""

import contextlib
import hashlib
import io
import json
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import torch

from colorize.base import distributed
from colorize.base.command import FAILED
from colorize.base.errors import UserError, change
from colorize.base.files import only_one, sha256_of, write_bytes, write_json
from colorize.methods.shared.base import ModelParameters
from colorize.training.interruption import Stopped
from colorize.training.runtime import RuntimeParameters
from colorize.training.watch import Diverged

KEPT = 2  # the last one, and the one before for the case that the last is corrupt
FACTS = "facts.json"
DIGITS = 16  # hexadecimal, of a SHA-256
GO_ON = "Run the same command to go on."


class Checkpoints:
    """What was saved of one training run, in a folder that no other process uses.

    facts: what decides the result, by the names that users know: numbers and words as they are, of
    files their SHA-256. A file is called after its step and its own bytes, so corrupt ones tell.
    """

    def __init__(self, root: Path, name: str, facts: Mapping[str, object]):
        self.name = name
        self.facts = {"torch": torch.__version__} | dict(facts)
        self.folder = root / f"{name}-{_digest(json.dumps(self.facts, sort_keys=True).encode())}"

    def alone(self) -> contextlib.AbstractContextManager[None]:
        """Let nobody else train this run; it has a lock, which ends with who holds it.

        Experiments in copies of a repository share their checkpoints. Raises UserError where
        another process trains this very run.
        """
        lock = self.folder.parent.parent / "locks" / self.folder.name
        return only_one(lock, "training this very run")

    def save(self, step: int, state: dict) -> None:
        """Save `state` after `step`; raises OSError where the disk is full, and loses nothing."""
        data = io.BytesIO()  # torch reports a full disk as an error of its own format
        torch.save(state, data)
        if not (self.folder / FACTS).exists():
            write_json(self.folder / FACTS, self.facts)
        content = data.getbuffer()
        write_bytes(self.folder / f"{step:09}-{_digest(content)}.pt", content)
        for old in self._files()[:-KEPT]:
            old.unlink()

    def load(self, device: torch.device) -> dict | None:
        """The state last saved, or the one before where that is corrupt; None where there is none.

        A line says which file was corrupt, or why the checkpoints of an earlier run do not fit.
        """
        for path in reversed(self._files()):
            content = path.read_bytes()
            if path.stem.endswith(f"-{_digest(content)}"):
                return torch.load(io.BytesIO(content), map_location=device, weights_only=True)
            print(f"{path}: corrupt, these are not the bytes that were saved", file=sys.stderr)
            path.unlink()
        if not self.folder.exists():
            self._say_what_changed()
        return None

    def last_step(self) -> int | None:
        """After how many steps was last saved? None where nothing is."""
        files = self._files()
        return int(files[-1].stem.split("-")[0]) if files else None

    @contextlib.contextmanager
    def telling_what_is_left(self) -> Iterator[None]:
        """Where training stops or diverges, say of which model, and what was saved.

        Exits with the code of Stopped, and as failed for Lost; raises UserError for Diverged.
        """
        try:
            yield
        except Stopped as stopped:
            if distributed.rank() == 0:
                print(f"{self.name}: {stopped}; saved. {GO_ON}", file=sys.stderr)
            sys.exit(stopped.code)
        except distributed.PeerLost:
            lost = "another process of this training is gone"
            print(f"{self.name}: {lost}; {self._left()}. {GO_ON}", file=sys.stderr)
            sys.exit(FAILED)
        except Diverged as error:
            raise UserError(f"models.{self.name}: {error}; {self._left()}") from None

    def _left(self) -> str:
        step = self.last_step()
        return "nothing was saved before" if step is None else f"saved after step {step}"

    def remove(self) -> None:
        shutil.rmtree(self.folder)

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("[0-9]*.pt"))

    def _say_what_changed(self) -> None:
        """Of the latest unfinished run of this name, which is not to be resumed."""
        name = self.folder.name.rpartition("-")[0]
        others = list(self.folder.parent.glob(f"{name}-{'[0-9a-f]' * DIGITS}/{FACTS}"))
        if not others:
            return
        latest = max(others, key=lambda path: path.stat().st_mtime)
        try:
            before = dict(json.loads(latest.read_text(encoding="utf-8")))
        except (ValueError, TypeError):
            return
        changes = [
            change(key, before.get(key), self.facts.get(key))
            for key in sorted(before.keys() | self.facts.keys())
            if before.get(key) != self.facts.get(key)
        ]
        print(f"{latest.parent}: not resumed; changed: {', '.join(changes)}", file=sys.stderr)


def facts(
    name: str,
    p: ModelParameters,
    seed: int,
    device: torch.device,
    runtime: RuntimeParameters,
    files: Iterable[Path],  # code and data
) -> dict[str, object]:
    """All that decides what the training of `name` comes to, by the names that users know."""
    values = {f"models.{name}.{key}": value for key, value in p.model_dump(mode="json").items()}
    hashes = {str(path): sha256_of(path) for path in files}
    # Which of several devices, and with how many threads, is rounding.
    machine = {"device": device.type, "runtime.compile": runtime.compile}
    return values | {"seed": seed} | hashes | machine


def _digest(content: bytes | memoryview) -> str:
    return hashlib.sha256(content).hexdigest()[:DIGITS]
