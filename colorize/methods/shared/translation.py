"""What methods share whose generators translate RGB images, which they see in [-1, 1]."""

from torch import Tensor, nn

from colorize.methods.shared.parameters import ModelParameters
from colorize.networks.shared.layers import Norm, Upsampling


class Parameters(ModelParameters):
    """Keys of methods whose generator makes an image of the same size from an image."""

    norm: Norm
    upsampling: Upsampling


def signed(image: Tensor) -> Tensor:
    """uint8 image (n, 1 or 3, H, W) to (n, 3, H, W) in [-1, 1]."""
    return (image / 127.5 - 1).expand(-1, 3, -1, -1)


def translated(generator: nn.Module, image: Tensor, *domain: Tensor) -> Tensor:
    """(n, 3, H, W) to (n, 3, H, W), both sRGB in [0, 1]."""
    return (generator(image * 2 - 1, *domain) + 1) / 2
