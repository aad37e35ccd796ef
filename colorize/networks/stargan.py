"""StarGAN's networks (Choi et al. 2018): one generator and one discriminator for all domains.

Images are (n, 3, H, W) in [-1, 1]; a domain is an integer, given to the generator as `domains`
constant planes. Zero padding throughout: with reflection padding, instance normalisation would
erase a constant plane, and the generator could not see which domain is asked for.

Instance normalisation uses the image's own statistics in training and in use alike. The published
code keeps running statistics too, which it would use in eval mode and never does.
"""

import itertools

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from colorize.networks.layers import Norm, Upsampling, normalization


class Generator(nn.Module):
    """Image and target domain to the image in that domain; H and W are multiples of 4.

    width: channels after the first convolution, 64 as published.
    depth: residual blocks, 6 as published.
    norm: instance normalisation with learned scales and offsets as published.
    upsampling: transposed convolutions as published, or nearest neighbours and a convolution.
    """

    def __init__(
        self,
        domains: int,
        width: int = 64,
        depth: int = 6,
        norm: Norm = "instance",
        upsampling: Upsampling = "transposed",
    ):
        super().__init__()
        self.domains = domains
        w = width
        self.layers = nn.Sequential(
            *_convolution(3 + domains, w, norm, kernel=7, padding=3),
            *_convolution(w, 2 * w, norm, kernel=4, stride=2, padding=1),
            *_convolution(2 * w, 4 * w, norm, kernel=4, stride=2, padding=1),
            *(_Residual(4 * w, norm) for _ in range(depth)),
            *_upsampling(4 * w, 2 * w, norm, upsampling),
            *_upsampling(2 * w, w, norm, upsampling),
            nn.Conv2d(w, 3, 7, padding=3, bias=False),
            nn.Tanh(),
        )

    def forward(self, image: Tensor, domain: Tensor) -> Tensor:
        """image (n, 3, H, W), domain (n,) of integers; returns (n, 3, H, W) in [-1, 1]."""
        label = F.one_hot(domain, self.domains).to(image.dtype)[:, :, None, None]
        planes = label.expand(-1, -1, *image.shape[-2:])
        return self.layers(torch.cat((image, planes), dim=1))


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
    def __init__(self, channels: int, norm: Norm):
        super().__init__()
        self.body = nn.Sequential(
            *_convolution(channels, channels, norm, kernel=3, padding=1),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            normalization(norm, channels, affine=True),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


def _convolution(
    inputs: int, outputs: int, norm: Norm, *, kernel: int, stride=1, padding: int
) -> list:
    return [
        nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=padding, bias=False),
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
