"""What methods share whose network is Zhang's: from lightness to a map of a quarter of the size."""

from typing import Annotated, Literal

from pydantic import Field
from torch import Tensor

from colorize.methods.shared import lab, parameters
from colorize.methods.shared.base import Computed
from colorize.networks import zhang


class Parameters(parameters.ModelParameters):
    network: Literal["zhang"]
    weight_decay: Annotated[float, Field(ge=0, lt=1)]


class Method(lab.Method):
    """What the channels of the map mean, and so the loss, is each method's own."""

    supervision = "paired"
    draws = "pairs"
    generators = ("trunk",)

    def __init__(self, p: Parameters, image_size: int, outputs: int):
        super().__init__(p, image_size)
        self.trunk = zhang.Trunk(outputs, p.width, p.depth)
        self.add_update(
            "trunk", self._loss, "trunk", betas=(0.9, 0.99), weight_decay=p.weight_decay
        )

    def mapped(self, lightness: Tensor) -> Tensor:
        """L (n, 1, H, W) to (n, outputs, H/4, W/4)."""
        return self.trunk((lightness - 50) / 100)

    def _loss(self, lightness: Tensor, *wanted: Tensor) -> Computed:
        raise NotImplementedError
