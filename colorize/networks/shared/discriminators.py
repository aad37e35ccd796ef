"""The discriminators of several methods. Images are (n, 3, H, W) about [-1, 1].

Both score overlapping patches (Isola et al. 2017), and so attend to texture and color more than to
composition.
"""

import itertools

from torch import Tensor, nn

from colorize.networks.shared.layers import Norm, normal, normalization

MOST = 16  # times `width`, the channels of a layer of `MultiDomainDiscriminator`


class PatchGAN(nn.Sequential):
    """(n, 3, H, W) to a map (n, 1, h, w) of scores, one for each overlapping patch.

    That of CycleGAN (Zhu et al. 2017). Convolutions keep their biases, as published.

    width: channels of the first convolution, 64 as published.
    layers: convolutions of stride 2; 3 see patches of 70 x 70 pixels as published, 2 of 34 x 34.
    norm: instance normalization as published.
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


class MultiDomainDiscriminator(nn.Module):
    """(n, 3, H, W) to two maps of scores (n, domains, h, w): of smaller and of larger patches.

    StarGAN v2 (Choi et al. 2020) has one score for each domain and image; here maps leave
    composition to the photograph. No normalization, so that scores may depend on how bright and how
    colorful an image is.

    width: channels of the first convolution; each layer doubles them.
    layers: convolutions of stride 2, 2 or more. Scores after all of them are of patches of
        5 * 2**layers - 2 pixels, those before the last two of about a quarter of that.
    """

    def __init__(self, domains: int, width: int = 64, layers: int = 4):
        super().__init__()
        channels = [3, *(width * min(2**i, MOST) for i in range(layers))]
        blocks = [
            nn.Sequential(nn.Conv2d(*pair, 4, stride=2, padding=1), nn.LeakyReLU(0.2, True))
            for pair in itertools.pairwise(channels)
        ]
        self.near, self.far = nn.Sequential(*blocks[:-2]), nn.Sequential(*blocks[-2:])
        self.of_near, self.of_far = (
            nn.Conv2d(inputs, domains, 3, padding=1) for inputs in (channels[-3], channels[-1])
        )

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        near = self.near(image)
        return self.of_near(near), self.of_far(self.far(near))
