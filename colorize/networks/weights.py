"""How the networks of CycleGAN start."""

from torch import nn


def normal(module: nn.Module) -> None:
    """For nn.Module.apply: weights of convolutions from N(0, 0.02), biases 0, as published."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, std=0.02)
        nn.init.zeros_(module.bias)
