"""Layers for which an image is not alone: what they do depends on the whole batch.

Where several processes share it (see colorize/base/processes.py), they do what one process would.
"""

import torch
from torch import Tensor, nn

from colorize.base import processes


class BatchNorm(nn.BatchNorm2d):
    """By mean and variance of all images; torch.nn.SyncBatchNorm runs on GPUs alone."""

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or processes.count() == 1:
            return super().forward(x)
        count = processes.count() * x.numel() // x.shape[1]
        mean = processes.total(x.sum((0, 2, 3))) / count
        centred = x - mean.view(1, -1, 1, 1)
        variance = processes.total(centred.square().sum((0, 2, 3))) / count
        with torch.no_grad():
            self.num_batches_tracked += 1
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * count / (count - 1), self.momentum)
        scale = self.weight * (variance + self.eps).rsqrt()
        return centred * scale.view(1, -1, 1, 1) + self.bias.view(1, -1, 1, 1)


class Dropout(nn.Dropout):
    """Zeroes at random, of each image the same however many processes there are."""

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or not self.p or processes.count() == 1:
            return super().forward(x)
        # As torch draws for the whole of it, which all processes do alike.
        whole = x.new_empty((processes.count() * len(x), *x.shape[1:])).bernoulli_(1 - self.p)
        return x * processes.share(whole) / (1 - self.p)
