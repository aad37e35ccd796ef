"""What methods share whose generators translate RGB images, which they see in [-1, 1]."""

from typing import Annotated, Literal

from pydantic import Field
from torch import Tensor, nn

from colorize.methods.parameters import ModelParameters, check_halvings
from colorize.networks.layers import Norm, Upsampling


class Parameters(ModelParameters):
    """Keys of methods whose generator makes an image of the same size from an image."""

    norm: Norm
    upsampling: Upsampling


class UNetParameters(Parameters):
    """Keys of methods whose generator is pix2pix's."""

    network: Literal["unet"]
    dropout: Annotated[float, Field(ge=0, lt=1)]

    def check(self, image_size: int) -> None:
        super().check(image_size)
        check_halvings("depth", self.depth, image_size)


def signed(image: Tensor) -> Tensor:
    """uint8 image (n, 1 or 3, H, W) to (n, 3, H, W) in [-1, 1]."""
    return (image / 127.5 - 1).expand(-1, 3, -1, -1)


def translated(generator: nn.Module, image: Tensor, *domain: Tensor) -> Tensor:
    """(n, 3, H, W) to (n, 3, H, W), both sRGB in [0, 1]."""
    return (generator(image * 2 - 1, *domain) + 1) / 2
