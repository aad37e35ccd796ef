"""pix2pix's generator (Isola et al. 2017): a U-Net down to few pixels and back.

Convolutions keep their biases although normalization removes most of them, as in CycleGAN's
networks. Published with batch normalization: here each image is normalized alone, as in those.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from colorize.networks.shared.layers import Dropout, Norm, Upsampling, normal, normalization

DROPPED = 3  # layers with dropout, from the innermost but one on, as published


class Generator(nn.Module):
    """(n, inputs, H, W) to (n, outputs, H, W), both about [-1, 1], of any size.

    width: channels of the first convolution, 64 as published, then twice as many up to 8 times.
    depth: halvings of the size, 8 at 256 px as published: down to one pixel.
    norm: none in the outermost and innermost layers, as published.
    upsampling: transposed convolutions as published, or nearest neighbors and a convolution.
    dropout: share of values set to 0 in training; published: 0.5.
    """

    def __init__(
        self,
        inputs: int = 3,
        outputs: int = 3,
        width: int = 64,
        depth: int = 8,
        norm: Norm = "instance",
        upsampling: Upsampling = "transposed",
        dropout: float = 0.0,
    ):
        super().__init__()
        self.multiple = 2**depth
        channels = [width * min(2**i, 8) for i in range(depth)]
        self.down = nn.ModuleList([nn.Conv2d(inputs, width, 4, stride=2, padding=1)])
        for i in range(1, depth):
            convolution = nn.Conv2d(channels[i - 1], channels[i], 4, stride=2, padding=1)
            layers = [nn.LeakyReLU(0.2), convolution]
            if i < depth - 1:
                layers.append(normalization(norm, channels[i]))
            self.down.append(nn.Sequential(*layers))
        self.up = nn.ModuleList()
        for i in range(depth - 1, 0, -1):
            joined = 1 if i == depth - 1 else 2  # with what comes from the other side
            layers = [*_enlarge(joined * channels[i], channels[i - 1], upsampling)]
            layers.append(normalization(norm, channels[i - 1]))
            if depth - 1 - DROPPED <= i < depth - 1:
                layers.append(Dropout(dropout))
            self.up.append(nn.Sequential(nn.ReLU(), *layers))
        last = _enlarge((1 if depth == 1 else 2) * width, outputs, upsampling)
        self.up.append(nn.Sequential(nn.ReLU(), *last, nn.Tanh()))
        self.apply(normal)

    def forward(self, image: Tensor) -> Tensor:
        height, width = image.shape[-2:]
        missing = (0, -width % self.multiple, 0, -height % self.multiple)
        x = F.pad(image, missing, "replicate") if any(missing) else image
        across = []
        for layer in self.down:
            x = layer(x)
            across.append(x)
        for i, layer in enumerate(self.up):
            same_size = across.pop()
            x = layer(torch.cat((x, same_size), dim=1) if i else x)
        return x[..., :height, :width]


def _enlarge(inputs: int, outputs: int, upsampling: Upsampling) -> list[nn.Module]:
    if upsampling == "resize":
        return [nn.Upsample(scale_factor=2), nn.Conv2d(inputs, outputs, 3, padding=1)]
    return [nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1)]
