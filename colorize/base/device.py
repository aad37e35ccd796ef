"""Which device torch computes on."""

import torch

from colorize.base.errors import UserError


def choose_device(name: str, where: str) -> torch.device:
    """`auto` is a GPU where there is one, NVIDIA's, AMD's or Apple's.

    Raises UserError for a device that is not there; where: the key or option that names it.
    """
    if name == "auto":
        accelerator = torch.accelerator.current_accelerator(check_available=True)
        return accelerator or torch.device("cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError):
        raise UserError(f"{where}: {name} is not available on this machine") from None
    return device
