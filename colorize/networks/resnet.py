"""CycleGAN's generator (Zhu, Park, Isola and Efros 2017): residual blocks at a quarter of the size.

Convolutions keep their biases although instance normalization removes them, as published.
"""

from torch import Tensor, nn

from colorize.networks.shared.layers import Norm, Upsampling, normal, normalization


class Generator(nn.Sequential):
    """(n, inputs, H, W) to (n, outputs, H, W), both in [-1, 1]; H and W are multiples of 4.

    width: channels after the first convolution, 64 as published.
    depth: residual blocks, 6 at 128 px and 9 at 256 px as published.
    norm: instance normalization as published.
    upsampling: transposed convolutions as published, whose kernels of 3 overlap unevenly at stride
        2 and may leave a checkerboard; or nearest neighbors and a convolution (Odena et al. 2016).
    """

    def __init__(
        self,
        width: int = 64,
        depth: int = 9,
        norm: Norm = "instance",
        upsampling: Upsampling = "transposed",
        *,
        inputs: int = 3,
        outputs: int = 3,
    ):
        w = width
        super().__init__(
            nn.ReflectionPad2d(3),
            *_convolution(inputs, w, norm, kernel=7),
            *_convolution(w, 2 * w, norm, kernel=3, stride=2, padding=1),
            *_convolution(2 * w, 4 * w, norm, kernel=3, stride=2, padding=1),
            *(_Residual(4 * w, norm) for _ in range(depth)),
            *_upsampling(4 * w, 2 * w, norm, upsampling),
            *_upsampling(2 * w, w, norm, upsampling),
            nn.ReflectionPad2d(3),
            nn.Conv2d(w, outputs, 7),
            nn.Tanh(),
        )
        self.apply(normal)


class _Residual(nn.Module):
    def __init__(self, channels: int, norm: Norm):
        super().__init__()
        self.body = nn.Sequential(
            nn.ReflectionPad2d(1),
            *_convolution(channels, channels, norm, kernel=3),
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3),
            normalization(norm, channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


def _convolution(
    inputs: int, outputs: int, norm: Norm, *, kernel: int, stride=1, padding=0
) -> list:
    return [
        nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=padding),
        normalization(norm, outputs),
        nn.ReLU(inplace=True),
    ]


def _upsampling(inputs: int, outputs: int, norm: Norm, upsampling: Upsampling) -> list:
    if upsampling == "resize":
        enlarge = [nn.Upsample(scale_factor=2), nn.ReflectionPad2d(1)]
        return [*enlarge, *_convolution(inputs, outputs, norm, kernel=3)]
    return [
        nn.ConvTranspose2d(inputs, outputs, 3, stride=2, padding=1, output_padding=1),
        normalization(norm, outputs),
        nn.ReLU(inplace=True),
    ]
