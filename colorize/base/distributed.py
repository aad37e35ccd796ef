"""Several processes that train one model together, started by torchrun (data parallel).

Each has its shard of every batch. Where a batch passes in `parts`, one after the other, each
process has a shard of every part, so that N processes together see what one would see. Where there
is one process, nothing of this does anything.
"""

import contextlib
import json
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import torch
import torch.distributed as dist
from torch import Tensor

from colorize.base import lifetime
from colorize.base.command import BAD_INPUT, FAILED, INTERRUPTED
from colorize.base.errors import UserError


class PeerLost(Exception):
    """Another process is gone, so no collective operation is possible any more."""


def launch(module: str, argument: str, world_size: int) -> None:
    """Run `python -m MODULE ARGUMENT` in `world_size` processes.

    Raises UserError, or OSError, where one of them did; exits as they did where they had to stop,
    which they have said themselves.
    """
    # Only here: it takes half a second.
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.run import parse_args
    from torch.distributed.run import run as torchrun

    logging.getLogger("torch.distributed").setLevel(logging.CRITICAL)
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, torch.get_num_threads() // world_size)))
    arguments = ["--standalone", f"--nproc-per-node={world_size}", "--module", module, argument]
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
    """Run `main` in one of these processes; leave what it raises to the one that launched them."""
    try:
        main()
    except (UserError, OSError) as error:
        # Its format is torch's own: without the file the launcher would know the exit code alone.
        report = {"message": str(error), "timestamp": int(time.time())}
        path = Path(os.environ["TORCHELASTIC_ERROR_FILE"])
        path.write_text(json.dumps(report), encoding="utf-8")
        sys.exit(BAD_INPUT if isinstance(error, UserError) else FAILED)


@contextlib.contextmanager
def process_group() -> Iterator[None]:
    """Join the processes that torchrun has started; alone where it has not."""
    if not lifetime.under_torchrun():
        yield
        return
    dist.init_process_group()
    yield
    dist.destroy_process_group()  # unless something is wrong: this too needs all of them


def local_device(device: torch.device) -> torch.device:
    """Of several GPUs the one for this process; any other device is for all."""
    if lifetime.under_torchrun() and device.type == "cuda":
        return torch.device("cuda", int(os.environ["LOCAL_RANK"]))
    return device


def world_size() -> int:
    return dist.get_world_size() if dist.is_initialized() else 1


def rank() -> int:
    return dist.get_rank() if dist.is_initialized() else 0


@contextlib.contextmanager
def rank_zero_first() -> Iterator[None]:
    """Rank 0 does it, then the others."""
    if rank() > 0:
        dist.barrier()
    yield
    if rank() == 0 and world_size() > 1:
        dist.barrier()


def shard(batch: Tensor, parts: int = 1) -> Tensor:
    """This process's shard, (n / world_size, ...), of a whole batch, (n, ...)."""
    if world_size() == 1:
        return batch
    return batch.unflatten(0, (parts, world_size(), -1))[:, rank()].flatten(0, 1)


def gather(shard: Tensor, parts: int = 1) -> Tensor:
    """The whole batch, (n, ...), from every process's shard, (n / world_size, ...)."""
    if world_size() == 1:
        return shard
    shards = [torch.empty_like(shard) for _ in range(world_size())]
    with _noticing_lost_peers():
        dist.all_gather(shards, shard.contiguous())
    return torch.stack(shards, 1).unflatten(0, (parts, -1)).transpose(1, 2).flatten(0, 2)


@torch.no_grad()
def all_mean(tensors: Sequence[Tensor]) -> None:
    """Replace each by its mean over all processes, in one message. All are of one dtype."""
    if world_size() == 1:
        return
    message = torch.cat([tensor.flatten() for tensor in tensors])
    with _noticing_lost_peers():
        dist.all_reduce(message)
    means = (message / world_size()).split([tensor.numel() for tensor in tensors])
    for tensor, mean in zip(tensors, means, strict=True):
        tensor.copy_(mean.view_as(tensor))


def all_sum(value: Tensor) -> Tensor:
    """The sum over all processes, through which gradients pass."""
    return value if world_size() == 1 else _AllSum.apply(value)


class _AllSum(torch.autograd.Function):
    """What each process does with the sum is part of the loss, so the gradient is a sum as well."""

    @staticmethod
    def forward(ctx: object, value: Tensor) -> Tensor:
        return _reduced(value, dist.ReduceOp.SUM)

    @staticmethod
    def backward(ctx: object, gradient: Tensor) -> Tensor:
        return _reduced(gradient, dist.ReduceOp.SUM)


def all_max(value: int) -> int:
    """The largest over all processes. Not on the GPU: nothing waits for it."""
    return value if world_size() == 1 else int(_reduced(torch.tensor(value), dist.ReduceOp.MAX))


def _reduced(value: Tensor, operation: dist.ReduceOp) -> Tensor:
    result = value.clone(memory_format=torch.contiguous_format)
    with _noticing_lost_peers():
        dist.all_reduce(result, operation)
    return result


@contextlib.contextmanager
def _noticing_lost_peers() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:  # of gloo and of NCCL alike
        raise PeerLost(str(error)) from None
