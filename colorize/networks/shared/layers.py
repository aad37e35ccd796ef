"""Layers that several networks choose from, and how the networks of CycleGAN start.

All normalise each image alone, so images may pass a network together or one by one.
"""

from typing import Literal

from torch import nn

Norm = Literal["instance", "group", "none"]
Upsampling = Literal["transposed", "resize"]

GROUP = 16  # channels, as good as the 32 groups of Wu and He 2018 and possible in small networks


def normalization(kind: Norm, channels: int, *, affine: bool = False) -> nn.Module:
    """Normalisation of (n, channels, H, W).

    `instance` sets mean and variance of every channel, and so erases how bright and how colourful
    the whole image is; `group` those of 16 channels together (of all, where 16 do not divide
    them), which keeps how channels differ. affine: learn a scale and an offset for each channel.
    """
    if kind == "instance":
        return nn.InstanceNorm2d(channels, affine=affine)
    if kind == "group":
        groups = channels // GROUP if channels % GROUP == 0 else 1
        return nn.GroupNorm(groups, channels, affine=affine)
    return nn.Identity()


def normal(module: nn.Module) -> None:
    """For nn.Module.apply: weights of convolutions from N(0, 0.02), biases 0, as published."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, std=0.02)
        nn.init.zeros_(module.bias)
