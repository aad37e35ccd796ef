"""The baseline: Zhang's convolutional trunk trained with L2 on ab, which drives colours to gray.

Zhang, Isola and Efros 2016, "Colorful Image Colorization", the variant that the paper compares
with (equation 1): the loss is 1/2 ||Y - Yhat||^2 over the ab of every pixel, at a quarter of the
size, and is least at the mean of all plausible colours.
"""

from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor

from colorize import color
from colorize.data import Pairs
from colorize.methods import common
from colorize.networks import zhang

AB_SCALE = 110  # the network predicts ab / 110, about [-1, 1]


class Parameters(common.ModelParameters):
    method: Literal["zhang_l2"]
    network: Literal["zhang"]
    weight_decay: Annotated[float, Field(ge=0, lt=1)]


class Method(common.Method):
    supervision = "paired"
    output = "ab"
    draws = Pairs

    def __init__(self, p: Parameters, image_size: int):
        super().__init__()
        self.trunk = zhang.Trunk(2, p.width, p.depth)
        self.optimizers = {
            "trunk": torch.optim.Adam(
                self.trunk.parameters(), p.learning_rate, (0.9, 0.99), weight_decay=p.weight_decay
            )
        }

    def step(
        self, batch: dict[str, Tensor], number: int, rng: torch.Generator
    ) -> dict[str, Tensor]:
        ab = color.rgb_to_lab(color.to_float(batch["color"]))[:, 1:]
        target = color.quarter(ab)  # (n, 2, H/4, W/4)
        predicted = self._quarter(color.to_float(batch["gray"]))
        # In units of ab: scaled down, the loss would be less than the weight decay.
        loss = (predicted - target).square().sum(1).mean() / 2
        self.optimizers["trunk"].zero_grad()
        loss.backward()
        self.optimizers["trunk"].step()
        return {"loss": loss.detach()}

    def colorize(self, gray: Tensor) -> Tensor:
        return color.join(color.lightness_of(gray), self.predict_ab(gray))

    def predict_ab(self, gray: Tensor) -> Tensor:
        return color.enlarge(self._quarter(gray))

    def _quarter(self, gray: Tensor) -> Tensor:
        """(n, 1, H, W) gray in [0, 1] to ab at a quarter of the size."""
        return self.trunk((color.lightness_of(gray) - 50) / 100) * AB_SCALE
