"""A generator that sees no place: the whole image becomes one vector, and an image is made of that.

What DCGAN's discriminator and generator (Radford et al. 2016) give when one follows the other.
"""

import itertools

from torch import Tensor, nn
from torch.nn import functional as F

from colorize.networks.shared.layers import Norm, normal, normalization


class Generator(nn.Sequential):
    """(n, 3, H, W) to (n, 3, H, W), both in [-1, 1], through 8 * width numbers.

    It works at `image_size` pixels, a multiple of 2**depth; other sizes are brought to it and back.
    width: channels of the first convolution, then twice as many up to 8 times.
    depth: halvings of the size before all places become one.
    """

    def __init__(self, image_size: int, width: int, depth: int, norm: Norm = "instance"):
        channels = [width * min(2**i, 8) for i in range(depth)]
        rest = image_size // 2**depth
        code = 8 * width
        layers = [nn.Conv2d(3, width, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
        for inputs, outputs in itertools.pairwise(channels):
            layers += [
                nn.Conv2d(inputs, outputs, 4, stride=2, padding=1),
                normalization(norm, outputs),
                nn.LeakyReLU(0.2),
            ]
        layers += [nn.Conv2d(channels[-1], code, rest), nn.LeakyReLU(0.2)]  # (n, code, 1, 1)
        layers += [nn.ConvTranspose2d(code, channels[-1], rest), nn.ReLU()]
        for inputs, outputs in itertools.pairwise(channels[::-1]):
            layers += [
                nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1),
                normalization(norm, outputs),
                nn.ReLU(),
            ]
        super().__init__(*layers, nn.ConvTranspose2d(width, 3, 4, stride=2, padding=1), nn.Tanh())
        self.image_size = image_size
        self.apply(normal)

    def forward(self, image: Tensor) -> Tensor:
        size, trained = image.shape[-2:], (self.image_size, self.image_size)
        if size == trained:
            return super().forward(image)
        output = super().forward(F.interpolate(image, trained, mode="bilinear", antialias=True))
        return F.interpolate(output, size, mode="bilinear")
