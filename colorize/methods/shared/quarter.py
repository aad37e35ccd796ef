"""What methods share that learn from pairs to predict a map of a quarter of the size."""

from typing import Annotated, Literal

from pydantic import Field
from torch import Tensor

from colorize.methods.shared import base, lab, parameters
from colorize.methods.shared.base import Computed


class Parameters(parameters.EncoderParameters):
    network: Literal["zhang", "efficientnet_lite"]
    weight_decay: Annotated[float, Field(ge=0, lt=1)]


class Method(lab.Method):
    """What the channels of the map mean, and so the loss, is each method's own."""

    supervision = "paired"
    draws = "pairs"
    generators = ("G",)

    def __init__(self, p: Parameters, image_size: int, outputs: int):
        super().__init__(p, image_size)
        self.G = base.generator(p, 1, outputs)
        self.add_update(
            "generator", self._loss, "G", betas=(0.9, 0.99), weight_decay=p.weight_decay
        )

    def mapped(self, lightness: Tensor) -> Tensor:
        """L (n, 1, H, W) to (n, outputs, H/4, W/4)."""
        return self.G((lightness - 50) / 50)

    def _loss(self, lightness: Tensor, *wanted: Tensor) -> Computed:
        raise NotImplementedError
