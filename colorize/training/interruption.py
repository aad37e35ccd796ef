"""Being asked to stop: by Ctrl-C, by a signal, or by the loss of the process that started us."""

import os
import signal
from typing import Self


class Interruption:
    """Turns SIGINT, SIGTERM and the loss of the parent under DVC into `reason`, asked each step.

    The second Ctrl-C ends the process at once. A trainer whose `dvc` was killed must not go on
    writing beside the one that the next `dvc repro` starts.
    """

    def __init__(self):
        self._signal: str | None = None
        self._parent = os.getppid() if "DVC_STAGE" in os.environ else None
        self._previous = {}

    @property
    def reason(self) -> str | None:
        if self._signal is None and self._parent not in (None, os.getppid()):
            return "the process that started this stage is gone"
        return self._signal

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._previous[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *error) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _handle(self, number: int, frame: object) -> None:
        self._signal = signal.Signals(number).name
        signal.signal(number, self._previous[number])
