"""PatchGAN, the discriminator of CycleGAN (Isola et al. 2017, Zhu et al. 2017).

It scores overlapping patches, and so attends to texture and colour more than to composition.
Images are (n, 3, H, W) in [-1, 1]. Convolutions keep their biases, as published.
"""

from torch import nn

from colorize.networks.shared.layers import Norm, normal, normalization


class Discriminator(nn.Sequential):
    """(n, 3, H, W) to a map (n, 1, h, w) of scores, one for each overlapping patch.

    width: channels of the first convolution, 64 as published.
    layers: convolutions of stride 2; 3 see patches of 70 x 70 pixels as published, 2 of 34 x 34.
    norm: instance normalisation as published.
    """

    def __init__(self, width: int = 64, layers: int = 3, norm: Norm = "instance"):
        channels = [min(width * 2**i, width * 8) for i in range(layers + 1)]
        modules = [nn.Conv2d(3, channels[0], 4, stride=2, padding=1), nn.LeakyReLU(0.2, True)]
        for i in range(layers):
            stride = 2 if i < layers - 1 else 1
            modules += [
                nn.Conv2d(channels[i], channels[i + 1], 4, stride=stride, padding=1),
                normalization(norm, channels[i + 1]),
                nn.LeakyReLU(0.2, True),
            ]
        super().__init__(*modules, nn.Conv2d(channels[-1], 1, 4, padding=1))
        self.apply(normal)
