"""Having to stop while a step is under way, which is to be finished and saved."""

import math
import signal
import time
from typing import Self

from colorize.base import distributed, lifetime
from colorize.base.command import INTERRUPTED

OUT_OF_TIME = 75  # exit code


class Stopped(Exception):
    """Training had to stop, and did so with everything saved; `code` is the exit code."""

    def __init__(self, message: str, code: int):
        super().__init__(message)
        self.code = code


class Interruption:
    """Turns SIGINT, SIGTERM, the loss of the parent under DVC, and the end of the minutes that
    there were (0: no limit) into `reason`, asked each step.

    The second signal is treated as before: it interrupts at once. Processes that train together
    stop together, also where one alone has a reason.
    """

    def __init__(self, max_minutes: float):
        self._end = time.monotonic() + 60 * max_minutes if max_minutes else math.inf
        self._signal: str | None = None
        self._previous = {}

    @property
    def reason(self) -> tuple[str, int] | None:
        """Why to stop now, and the exit code that says so; None where there is no reason."""
        here = self._own_reason()
        code = distributed.all_max(here[1] if here else 0)
        return here or (("another process has to stop", code) if code else None)

    def _own_reason(self) -> tuple[str, int] | None:
        if lifetime.orphaned():
            return "the process that started this stage is gone", INTERRUPTED
        if self._signal is not None:
            return self._signal, INTERRUPTED
        if time.monotonic() >= self._end:
            return "runtime.max_minutes have passed", OUT_OF_TIME
        return None

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
