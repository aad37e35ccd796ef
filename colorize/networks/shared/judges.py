"""A discriminator with a judge for each domain, who looks at patches of two sizes.

StarGAN v2 (Choi et al. 2020) has one score for each domain and image; maps of scores, as PatchGAN's
(Isola et al. 2017), leave composition to the photograph. Images are (n, 3, H, W) about [-1, 1]. No
normalisation, so that scores may depend on how bright and how colourful an image is.
"""

import itertools

from torch import Tensor, nn

MOST = 16  # times `width`, the channels of a layer


class Discriminator(nn.Module):
    """(n, 3, H, W) to two maps of scores (n, domains, h, w): of smaller and of larger patches.

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
