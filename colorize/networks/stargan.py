"""StarGAN's networks (Choi et al. 2018): one generator and one discriminator for all domains.

Images are (n, 3, H, W) in [-1, 1]; which domain is asked for, constant planes beside them tell the
generator. Zero padding as published: after reflection padding, instance normalization erases a
constant plane, and the generator cannot see it.

Instance normalization uses the image's own statistics in training and in use alike. The published
code keeps running statistics too, which it would use in eval mode and never does.
"""

import functools
import itertools
from typing import Literal

from torch import Tensor, nn

from colorize.networks.shared.layers import Norm, Upsampling, normalization

Padding = Literal["zeros", "reflect"]


class Generator(nn.Module):
    """(n, inputs, H, W) to (n, outputs, H, W) in [-1, 1]; H and W are multiples of 4.

    width: channels after the first convolution, 64 as published.
    depth: residual blocks, 6 as published.
    norm: instance normalization with learned scales and offsets as published.
    upsampling: transposed convolutions as published, or nearest neighbors and a convolution.
    padding: of the convolutions, zeros as published.
    """

    def __init__(
        self,
        inputs: int = 5,
        outputs: int = 3,
        width: int = 64,
        depth: int = 6,
        norm: Norm = "instance",
        upsampling: Upsampling = "transposed",
        padding: Padding = "zeros",
    ):
        super().__init__()
        w = width
        convolution = functools.partial(_convolution, norm=norm, padding_mode=padding)
        self.layers = nn.Sequential(
            *convolution(inputs, w, kernel=7, padding=3),
            *convolution(w, 2 * w, kernel=4, stride=2, padding=1),
            *convolution(2 * w, 4 * w, kernel=4, stride=2, padding=1),
            *(_Residual(4 * w, norm, padding) for _ in range(depth)),
            *_upsampling(4 * w, 2 * w, norm, upsampling),
            *_upsampling(2 * w, w, norm, upsampling),
            nn.Conv2d(w, outputs, 7, padding=3, padding_mode=padding, bias=False),
            nn.Tanh(),
        )

    def forward(self, image: Tensor) -> Tensor:
        return self.layers(image)


class Discriminator(nn.Module):
    """Is it real, and of which domain? (n, 3, S, S) to a map of scores and (n, domains) logits.

    width: channels of the first convolution, 64 as published; each layer doubles them.
    layers: convolutions of stride 2, 6 as published; S is a multiple of 2**layers.
    """

    def __init__(self, domains: int, image_size: int, width: int = 64, layers: int = 6):
        super().__init__()
        channels = [3, *(width * 2**i for i in range(layers))]
        self.trunk = nn.Sequential()
        for inputs, outputs in itertools.pairwise(channels):
            self.trunk.append(nn.Conv2d(inputs, outputs, 4, stride=2, padding=1))
            self.trunk.append(nn.LeakyReLU(0.01))
        self.source = nn.Conv2d(channels[-1], 1, 3, padding=1, bias=False)
        self.domain = nn.Conv2d(channels[-1], domains, image_size // 2**layers, bias=False)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        features = self.trunk(image)
        return self.source(features), self.domain(features).flatten(1)


class _Residual(nn.Module):
    def __init__(self, channels: int, norm: Norm, padding: Padding):
        super().__init__()
        self.body = nn.Sequential(
            *_convolution(channels, channels, norm, kernel=3, padding=1, padding_mode=padding),
            nn.Conv2d(channels, channels, 3, padding=1, padding_mode=padding, bias=False),
            normalization(norm, channels, affine=True),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


def _convolution(inputs: int, outputs: int, norm: Norm, *, kernel: int, **how) -> list:
    return [
        nn.Conv2d(inputs, outputs, kernel, bias=False, **how),
        normalization(norm, outputs, affine=True),
        nn.ReLU(inplace=True),
    ]


def _upsampling(inputs: int, outputs: int, norm: Norm, upsampling: Upsampling) -> list:
    if upsampling == "resize":
        return [
            nn.Upsample(scale_factor=2),
            *_convolution(inputs, outputs, norm, kernel=3, padding=1),
        ]
    return [
        nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1, bias=False),
        normalization(norm, outputs, affine=True),
        nn.ReLU(inplace=True),
    ]
