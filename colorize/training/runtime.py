"""How a run is carried out: the section `runtime`, and the device it names."""

import sys
from typing import Annotated

import torch
from pydantic import Field

from colorize.base.errors import one_line
from colorize.base.parameters import Parameters


class RuntimeParameters(Parameters):
    """Tracked by no stage: results differ by rounding at most."""

    device: Annotated[str, Field(pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$")]
    compile: bool
    processes: Annotated[int, Field(ge=1, le=1024)]
    workers: Annotated[int, Field(ge=0, le=64)]
    log_interval: Annotated[int, Field(ge=1)]
    save_interval: Annotated[int, Field(ge=1)]
    max_minutes: Annotated[float, Field(ge=0)]


def can_compile(device: torch.device) -> bool:
    """Try it on one addition; says in one line why not. CPUs need a C++ compiler, GPUs Triton."""
    try:
        torch.compile(lambda x: x + 1)(torch.zeros(2, device=device))
    except Exception as error:  # what is missing differs between machines, and with it what raises
        reason = one_line(error)[:200]
        print(f"runtime.compile: not possible here, going on without ({reason})", file=sys.stderr)
        return False
    return True
