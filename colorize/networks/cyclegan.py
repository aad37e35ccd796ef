"""CycleGAN's networks (Zhu, Park, Isola and Efros 2017): ResNet generator, PatchGAN discriminator.

Images are (n, 3, H, W) in [-1, 1]. Convolutions keep their biases although instance normalisation
removes them, and weights start from N(0, 0.02), both as published.
"""

from torch import Tensor, nn


class Generator(nn.Sequential):
    """(n, 3, H, W) to (n, 3, H, W), both in [-1, 1]; H and W are multiples of 4.

    width: channels after the first convolution, 64 as published.
    depth: residual blocks, 6 at 128 px and 9 at 256 px as published.
    """

    def __init__(self, width: int = 64, depth: int = 9):
        w = width
        super().__init__(
            nn.ReflectionPad2d(3),
            *_convolution(3, w, kernel=7),
            *_convolution(w, 2 * w, kernel=3, stride=2, padding=1),
            *_convolution(2 * w, 4 * w, kernel=3, stride=2, padding=1),
            *(_Residual(4 * w) for _ in range(depth)),
            *_upsampling(4 * w, 2 * w),
            *_upsampling(2 * w, w),
            nn.ReflectionPad2d(3),
            nn.Conv2d(w, 3, 7),
            nn.Tanh(),
        )
        self.apply(_initialise)


class Discriminator(nn.Sequential):
    """PatchGAN: (n, 3, H, W) to a map (n, 1, h, w) of scores, one for each overlapping patch.

    width: channels of the first convolution, 64 as published.
    layers: convolutions of stride 2; 3 judge patches of 70 x 70 pixels as published, 2 of 34 x 34.
    """

    def __init__(self, width: int = 64, layers: int = 3):
        channels = [min(width * 2**i, width * 8) for i in range(layers + 1)]
        modules = [nn.Conv2d(3, channels[0], 4, stride=2, padding=1), nn.LeakyReLU(0.2, True)]
        for i in range(layers):
            stride = 2 if i < layers - 1 else 1
            modules += [
                nn.Conv2d(channels[i], channels[i + 1], 4, stride=stride, padding=1),
                nn.InstanceNorm2d(channels[i + 1]),
                nn.LeakyReLU(0.2, True),
            ]
        super().__init__(*modules, nn.Conv2d(channels[-1], 1, 4, padding=1))
        self.apply(_initialise)


class _Residual(nn.Module):
    def __init__(self, channels: int):
        super().__init__()
        self.body = nn.Sequential(
            nn.ReflectionPad2d(1),
            *_convolution(channels, channels, kernel=3),
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3),
            nn.InstanceNorm2d(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


def _convolution(inputs: int, outputs: int, *, kernel: int, stride=1, padding=0) -> list:
    return [
        nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=padding),
        nn.InstanceNorm2d(outputs),
        nn.ReLU(inplace=True),
    ]


def _upsampling(inputs: int, outputs: int) -> list:
    return [
        nn.ConvTranspose2d(inputs, outputs, 3, stride=2, padding=1, output_padding=1),
        nn.InstanceNorm2d(outputs),
        nn.ReLU(inplace=True),
    ]


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, std=0.02)
        nn.init.zeros_(module.bias)
