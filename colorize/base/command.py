"""How a command begins and ends: threads, signals, exit codes, one line for each error."""

import os
import sys
from collections.abc import Callable
from typing import NoReturn

from colorize.base import lifetime
from colorize.base.errors import UserError, printable

FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130  # exit codes

# How often a thread of OpenMP looks for work before it sleeps. libgomp's default is 300,000 times,
# some milliseconds: what else runs on the machine starves meanwhile, even the threads that are
# waited for. Never to look costs small networks half of their speed, because to be woken takes
# longer than their operations. This is between the two: alone a sixth is lost at most, beside
# others much is kept. How long one look takes depends on the processor, so that 700 were as good as
# this on another. `python -m benchmarks.threads` measures all three.
SPINS = 6000


def wait_briefly() -> None:
    """Let waiting threads sleep soon, unless the user has said how they wait.

    To be called before torch is imported, which reads this once. Child processes inherit it.
    """
    if "OMP_WAIT_POLICY" not in os.environ and "GOMP_SPINCOUNT" not in os.environ:
        os.environ["OMP_WAIT_POLICY"] = "passive"  # for every OpenMP; it means 0 to libgomp, so
        os.environ["GOMP_SPINCOUNT"] = str(SPINS)


def begin() -> None:
    """To be called first thing: before imports that take seconds, torch's above all."""
    wait_briefly()
    lifetime.begin()


def run(main: Callable[[], None]) -> NoReturn:
    """Run a command and exit: 0 done, 2 bad input, 1 the system failed, 130 Ctrl-C."""
    code = 0
    sys.stdout.reconfigure(errors="backslashreplace")  # as stderr is: names hold all sorts
    lifetime.raise_interrupts()
    try:
        main()
    except UserError as error:
        _say(error)
        code = BAD_INPUT
    except BrokenPipeError:  # whoever read this has seen enough
        code = FAILED
    except OSError as error:  # disk full, no permission
        _say(error)
        code = FAILED
    except KeyboardInterrupt:
        print("interrupted; nothing half-written is left", file=sys.stderr)
        code = INTERRUPTED
    lifetime.leave_at_once()
    # Only here is the error forgotten, and with it what it held: the loader's worker processes.
    lifetime.end(code)


def _say(error: Exception) -> None:
    for number, line in enumerate(str(error).split("\n")):
        print(f"{'' if number else 'error: '}{printable(line)}", file=sys.stderr)
