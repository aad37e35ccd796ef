"""A command in several processes, as torchrun starts them and watches over them."""

import json
import logging
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch

from colorize.base.command import BAD_INPUT, FAILED, INTERRUPTED
from colorize.base.errors import UserError


def run(module: str, name: str, count: int) -> None:
    """Run `python -m MODULE NAME` in `count` processes that train together.

    Raises UserError, or OSError, where one of them did; exits as they did where they had to stop,
    which they have said themselves.
    """
    # Only here: it takes half a second.
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.run import parse_args
    from torch.distributed.run import run as torchrun

    logging.getLogger("torch.distributed").setLevel(logging.CRITICAL)
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, torch.get_num_threads() // count)))
    arguments = ["--standalone", f"--nproc-per-node={count}", "--module", module, name]
    try:
        torchrun(parse_args(arguments))
    except SignalException:
        sys.exit(INTERRUPTED)
    except ChildFailedError as error:
        failures = error.failures.values()
    else:
        return
    for failure in failures:
        if Path(failure.error_file).is_file():
            raise (UserError if failure.exitcode == BAD_INPUT else OSError)(failure.message)
    codes = [failure.exitcode for failure in failures]
    # Below 0 one was killed, and the others were told to stop for that.
    sys.exit(FAILED if min(codes) < 0 else max(codes))


def reporting(main: Callable[[], None]) -> None:
    """Do `main` in one of these processes; leave what it raises to the one that started them."""
    try:
        main()
    except (UserError, OSError) as error:
        # Its format is torch's own: without the file it would know of the exit code alone.
        told = {"message": str(error), "timestamp": int(time.time())}
        Path(os.environ["TORCHELASTIC_ERROR_FILE"]).write_text(json.dumps(told), encoding="utf-8")
        sys.exit(BAD_INPUT if isinstance(error, UserError) else FAILED)
