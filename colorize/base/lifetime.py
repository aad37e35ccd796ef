"""How a command ends early: asked to by a signal, or left behind by the process that started it.

A stage whose `dvc` was killed must not go on writing beside the one that the next `dvc repro`
starts. The kernel tells it, where it is Linux; elsewhere it looks for itself.
"""

import contextlib
import ctypes
import math
import os
import signal
import sys
import threading
import time
from typing import NoReturn

INTERRUPTS = (signal.SIGINT, signal.SIGTERM)

GRACE = 4  # seconds from the parent's end to ours, whatever is under way: checkpoints are whole
LOOK = 0.2  # seconds

PR_SET_PDEATHSIG = 1  # of prctl(2)

began = math.inf  # when `begin` was called, in seconds since 1970
_parent: int | None = None  # the process that must live for us to go on
_gone = False  # so the kernel has told us, before it has given us another parent


def begin() -> None:
    """To be called first thing: before imports that take seconds.

    SIGINT and SIGTERM end the process in one line until `raise_interrupts` is called. Under DVC
    and torchrun the end of the process that started this one is a SIGTERM, and, `GRACE` later, the
    end.
    """
    global began
    began = time.time()
    leave_at_once()
    # Who is started by hand, with nohup perhaps, may outlive the shell.
    if "DVC_STAGE" in os.environ or under_torchrun():
        _follow_parent()


def under_torchrun() -> bool:
    """Has torchrun started this process, in a session of its own, to train beside others?"""
    return "TORCHELASTIC_RUN_ID" in os.environ


def leave_at_once() -> None:
    """SIGINT and SIGTERM end the process: nothing is under way that would need care."""
    for number in INTERRUPTS:
        signal.signal(number, _leave)


def raise_interrupts() -> None:
    """SIGINT and SIGTERM raise KeyboardInterrupt: what is half-written is cleared away."""
    for number in INTERRUPTS:
        signal.signal(number, signal.default_int_handler)


def end(code: int) -> NoReturn:
    """Exit, and leave what is in memory to the kernel: Python takes a second to take it apart.

    Only for who has nothing left that is to be ended: no files, threads or processes.
    """
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):  # whoever read it has gone
            stream.flush()
    os._exit(code)


def orphaned() -> bool:
    """Is the process gone that started this stage?"""
    return _gone or (_parent is not None and os.getppid() != _parent)


def end_with_parent(number: signal.Signals) -> bool:
    """Have the kernel send us a signal when the parent ends; False where it cannot.

    Strictly, when that thread of the parent ends which started us, where dvc waits for us; and
    again for every other thread that ends after it.
    """
    return sys.platform == "linux" and not ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(number))


def _follow_parent() -> None:
    global _parent
    _parent = os.getppid()
    signal.signal(signal.SIGUSR1, _told)
    told = end_with_parent(signal.SIGUSR1)
    # It may have ended before we could ask. Whoever adopted us then is of another session.
    if orphaned() or (os.getsid(_parent) != os.getsid(0) and not under_torchrun()):
        os._exit(1)
    threading.Thread(target=_watch, args=(told,), name="parent", daemon=True).start()


def _told(number: int, frame: object) -> None:
    """Pass it on once: a second SIGTERM would interrupt what the first has a trainer save."""
    global _gone
    _gone = True
    signal.signal(number, signal.SIG_IGN)
    signal.raise_signal(signal.SIGTERM)


def _watch(told: bool) -> None:
    while not orphaned():
        time.sleep(LOOK)
    if not told:
        os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE)  # for a training step to end, and its result to be saved
    os._exit(1)


def _leave(number: int, frame: object) -> None:
    os.write(2, b"interrupted; nothing half-written is left\n")  # print may be what is interrupted
    os._exit(130)
