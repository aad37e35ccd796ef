"""Being asked to stop while a step is under way, which is to be finished and saved."""

import signal
from typing import Self

from colorize.base import lifetime


class Interruption:
    """Turns SIGINT, SIGTERM and the loss of the parent under DVC into `reason`, asked each step.

    The second signal is treated as before: it interrupts at once.
    """

    def __init__(self):
        self._signal: str | None = None
        self._previous = {}

    @property
    def reason(self) -> str | None:
        if lifetime.orphaned():
            return "the process that started this stage is gone"
        return self._signal

    def __enter__(self) -> Self:
        for number in lifetime.INTERRUPTS:
            self._previous[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *error) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _handle(self, number: int, frame: object) -> None:
        self._signal = signal.Signals(number).name
        signal.signal(number, self._previous[number])
