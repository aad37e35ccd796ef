"""Layers that several networks choose from, and how the networks of CycleGAN start.

`normalization` is of each image alone, so images may pass a network together or one by one. What
`BatchNorm` and `Dropout` do depends on the whole batch: where several processes share it (see
colorize/base/distributed.py), they do what one process would.
"""

from typing import Literal

import torch
from torch import Tensor, nn

from colorize.base import distributed

Norm = Literal["instance", "group", "none"]
Upsampling = Literal["transposed", "resize"]

GROUP = 16  # channels, as good as the 32 groups of Wu and He 2018 and possible in small networks


def normalization(kind: Norm, channels: int, *, affine: bool = False) -> nn.Module:
    """Normalization of (n, channels, H, W).

    `instance` sets mean and variance of every channel, and so erases how bright and how colorful
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


class Pretrained(nn.Module):
    """A part of a network whose weights, where `pretrained`, are published ones to begin with."""

    pretrained: bool
    learning_rate_share = 0.2  # of the model's rate where it is pretrained, so that little is lost

    def load_pretrained(self) -> None:
        raise NotImplementedError


def pretrained_parts(network: nn.Module) -> list[Pretrained]:
    """Those of a network, or of a whole method, that published weights begin."""
    return [m for m in network.modules() if isinstance(m, Pretrained) and m.pretrained]


class BatchNorm(nn.BatchNorm2d):
    """By mean and variance of all images; torch.nn.SyncBatchNorm runs on GPUs alone."""

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or distributed.world_size() == 1:
            return super().forward(x)
        count = distributed.world_size() * x.numel() // x.shape[1]
        mean = distributed.all_sum(x.sum((0, 2, 3))) / count
        centered = x - mean.view(1, -1, 1, 1)
        variance = distributed.all_sum(centered.square().sum((0, 2, 3))) / count
        with torch.no_grad():
            self.num_batches_tracked += 1
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * count / (count - 1), self.momentum)
        scale = self.weight * (variance + self.eps).rsqrt()
        return centered * scale.view(1, -1, 1, 1) + self.bias.view(1, -1, 1, 1)


class Dropout(nn.Dropout):
    """Zeroes at random, of each image the same however many processes there are."""

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or not self.p or distributed.world_size() == 1:
            return super().forward(x)
        # As torch draws for the whole of it, which all processes do alike.
        whole = x.new_empty((distributed.world_size() * len(x), *x.shape[1:]))
        return x * distributed.shard(whole.bernoulli_(1 - self.p)) / (1 - self.p)
