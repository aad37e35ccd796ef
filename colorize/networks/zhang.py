"""The convolutional trunk of Zhang, Isola and Efros 2016, "Colorful Image Colorization".

Eight blocks of 3x3 convolutions, the third stride of 2 undone by a transposed convolution in the
eighth, dilation 2 in the fifth and sixth: lightness at H x W to `outputs` maps at H/4 x W/4.
"""

from torch import Tensor, nn

from colorize.networks.shared.layers import BatchNorm


class Generator(nn.Sequential):
    """(n, inputs, H, W) lightness in [-1, 1] to (n, outputs, H/4, W/4); H and W are multiples of 8.

    width: channels of the first block, 64 as published; later blocks have 2, 4 and 8 times that.
    depth: convolutions in each block from the third on, 3 as published.
    """

    def __init__(self, inputs: int, outputs: int, width: int = 64, depth: int = 3):
        w = width
        super().__init__(
            *_block(inputs, w, 2, last_stride=2),
            *_block(w, 2 * w, 2, last_stride=2),
            *_block(2 * w, 4 * w, depth, last_stride=2),
            *_block(4 * w, 8 * w, depth),
            *_block(8 * w, 8 * w, depth, dilation=2),
            *_block(8 * w, 8 * w, depth, dilation=2),
            *_block(8 * w, 8 * w, depth),
            nn.ConvTranspose2d(8 * w, 4 * w, 4, stride=2, padding=1),
            nn.ReLU(inplace=True),
            *_convolutions(4 * w, 4 * w, depth - 1),
            nn.Conv2d(4 * w, outputs, 1),
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                nn.init.zeros_(module.bias)
        # The head starts near zero: the first guess is gray, not noise.
        nn.init.normal_(self[-1].weight, std=1e-3)

    def forward(self, lightness: Tensor) -> Tensor:
        return super().forward(lightness / 2)  # published: (L - 50) / 100


def _convolutions(inputs: int, outputs: int, count: int, *, last_stride=1, dilation=1) -> list:
    layers = []
    for i in range(count):
        stride = last_stride if i == count - 1 else 1
        layers += [
            nn.Conv2d(inputs, outputs, 3, stride=stride, padding=dilation, dilation=dilation),
            nn.ReLU(inplace=True),
        ]
        inputs = outputs
    return layers


def _block(inputs: int, outputs: int, count: int, *, last_stride=1, dilation=1) -> list:
    """`count` convolutions, each with ReLU, and one batch normalization at the end."""
    layers = _convolutions(inputs, outputs, count, last_stride=last_stride, dilation=dilation)
    return [*layers, BatchNorm(outputs)]
