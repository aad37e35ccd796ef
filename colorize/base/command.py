"""How a command begins, and ends: its exit code, and one line where something is wrong."""

import sys
from collections.abc import Callable
from typing import NoReturn

from colorize.base import lifetime
from colorize.base.errors import UserError
from colorize.base.threads import wait_briefly

FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130  # exit codes


def begin() -> None:
    """To be called first thing: before imports that take seconds, torch's above all."""
    wait_briefly()
    lifetime.begin()


def run(main: Callable[[], None]) -> NoReturn:
    """Run a command and exit: 0 done, 2 bad input, 1 the system failed, 130 Ctrl-C."""
    code = 0
    lifetime.raise_interrupts()
    try:
        main()
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        code = BAD_INPUT
    except OSError as error:  # disk full, no permission
        print(f"error: {error}", file=sys.stderr)
        code = FAILED
    except KeyboardInterrupt:
        print("interrupted; nothing half-written is left", file=sys.stderr)
        code = INTERRUPTED
    lifetime.leave_at_once()
    # Only here is the error forgotten, and with it what it held: the loader's worker processes.
    sys.exit(code)
