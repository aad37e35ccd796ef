"""How a run is carried out: the section `runtime`, and the device it names."""

import sys
from typing import Annotated

import torch
from pydantic import Field

from colorize.base.device import choose_device
from colorize.base.errors import UserError, one_line
from colorize.base.parameters import Parameters
from colorize.methods.shared.base import ModelParameters


class RuntimeParameters(Parameters):
    """Tracked by no stage: results differ by rounding at most."""

    device: Annotated[str, Field(pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$")]
    compile: bool
    processes: Annotated[int, Field(ge=1, le=1024)]
    workers: Annotated[int, Field(ge=0, le=64)]
    log_interval: Annotated[int, Field(ge=1, le=10**9)]
    save_interval: Annotated[int, Field(ge=1, le=10**9)]
    max_minutes: Annotated[float, Field(ge=0, le=10**9)]


def can_compile(device: torch.device) -> bool:
    """Try it on one addition; says in one line why not. CPUs need a C++ compiler, GPUs Triton."""
    try:
        torch.compile(lambda x: x + 1)(torch.zeros(2, device=device))
    except Exception as error:  # what is missing differs between machines, and with it what raises
        reason = one_line(error)[:200]
        print(f"runtime.compile: not possible here, going on without ({reason})", file=sys.stderr)
        return False
    return True


def processes_for(name: str, p: ModelParameters, runtime: RuntimeParameters) -> int:
    """How many processes train a model: as many of `runtime.processes` as can share its batch.

    Raises UserError where there are not as many GPUs.
    """
    images = p.batch_size // p.accumulation
    count = max(n for n in range(1, runtime.processes + 1) if images % n == 0)
    if count < runtime.processes:
        parts = f"in {p.accumulation} parts " if p.accumulation > 1 else ""
        print(
            f"models.{name}: {count} of runtime.processes, {runtime.processes}, can share "
            f"batch_size, {p.batch_size}, {parts}equally",
            file=sys.stderr,
        )
    if count > 1:
        check_device(choose_device(runtime.device, "runtime.device"), count)
    return count


def check_device(device: torch.device, count: int) -> None:
    if device.type == "cpu":
        return
    if device.type != "cuda" or device.index is not None:
        raise UserError(f"runtime.device: {device} is one, and runtime.processes asks for {count}")
    if count > torch.cuda.device_count():
        there = torch.cuda.device_count()
        raise UserError(f"runtime.processes: {count}, each needs a GPU, and there are {there}")
