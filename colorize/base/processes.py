"""The processes that train one model together, as torchrun starts them; everywhere else there is
one, and nothing of this does anything.

Each has a share of every batch. Where the batch passes in `parts`, one after the other, each
process has a share of every part, so that N processes see together what one would see.
"""

import contextlib
import os
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, distributed

from colorize.base import lifetime


class Lost(Exception):
    """Another process is gone, so nothing can be done together any more."""


@contextlib.contextmanager
def joined() -> Iterator[None]:
    """Be one of those that torchrun has started; alone where it has not."""
    if not lifetime.under_torchrun():
        yield
        return
    distributed.init_process_group()
    yield
    distributed.destroy_process_group()  # unless something is wrong: this too needs everybody


def own_device(device: torch.device) -> torch.device:
    """Of several GPUs the one for this process; any other device is for all."""
    if lifetime.under_torchrun() and device.type == "cuda":
        return torch.device("cuda", int(os.environ["LOCAL_RANK"]))
    return device


def count() -> int:
    return distributed.get_world_size() if distributed.is_initialized() else 1


def number() -> int:
    """Ours, from 0."""
    return distributed.get_rank() if distributed.is_initialized() else 0


@contextlib.contextmanager
def first_alone() -> Iterator[None]:
    """Number 0 does it, then the others."""
    if number() > 0:
        distributed.barrier()
    yield
    if number() == 0 and count() > 1:
        distributed.barrier()


def share(whole: Tensor, parts: int = 1) -> Tensor:
    """Of a whole batch, (n, ...), what is ours: (n / count, ...)."""
    if count() == 1:
        return whole
    return whole.unflatten(0, (parts, count(), -1))[:, number()].flatten(0, 1)


def whole(own: Tensor, parts: int = 1) -> Tensor:
    """The shares of all, (n / count, ...) each, as the batch that they are of: (n, ...)."""
    if count() == 1:
        return own
    shares = [torch.empty_like(own) for _ in range(count())]
    with _together():
        distributed.all_gather(shares, own.contiguous())
    return torch.stack(shares, 1).unflatten(0, (parts, -1)).transpose(1, 2).flatten(0, 2)


@torch.no_grad()
def average(tensors: Sequence[Tensor]) -> None:
    """Let each be its mean over all processes; in one message. All of one dtype."""
    if count() == 1:
        return
    message = torch.cat([tensor.flatten() for tensor in tensors])
    with _together():
        distributed.all_reduce(message)
    means = (message / count()).split([tensor.numel() for tensor in tensors])
    for tensor, mean in zip(tensors, means, strict=True):
        tensor.copy_(mean.view_as(tensor))


def total(own: Tensor) -> Tensor:
    """The sum over all processes, through which gradients pass."""
    return own if count() == 1 else _Total.apply(own)


class _Total(torch.autograd.Function):
    """What each process does with the sum is part of the loss, so the gradient is a sum as well."""

    @staticmethod
    def forward(ctx: object, own: Tensor) -> Tensor:
        return _summed(own)

    @staticmethod
    def backward(ctx: object, gradient: Tensor) -> Tensor:
        return _summed(gradient)


def _summed(own: Tensor) -> Tensor:
    found = own.clone(memory_format=torch.contiguous_format)
    with _together():
        distributed.all_reduce(found)
    return found


def most(own: int) -> int:
    """The largest of what each has. Not on the GPU: nothing waits for it."""
    if count() == 1:
        return own
    found = torch.tensor(own)
    with _together():
        distributed.all_reduce(found, distributed.ReduceOp.MAX)
    return int(found)


@contextlib.contextmanager
def _together() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:  # of gloo and of NCCL alike
        raise Lost(str(error)) from None
