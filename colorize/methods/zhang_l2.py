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
from colorize.methods import base
from colorize.networks import zhang

AB_SCALE = 110  # the network predicts ab / 110, about [-1, 1]


class Parameters(base.ModelParameters):
    method: Literal["zhang_l2"]
    network: Literal["zhang"]
    weight_decay: Annotated[float, Field(ge=0, lt=1)]


class Method(base.Method):
    supervision = "paired"
    output = "ab"
    draws = "pairs"
    targets = ("color",)
    generators = ("trunk",)

    def __init__(self, p: Parameters, image_size: int):
        super().__init__()
        self.trunk = zhang.Trunk(2, p.width, p.depth)
        self.add_optimizer("trunk", [self.trunk], p.learning_rate, (0.9, 0.99), p.weight_decay)

    def step(
        self, batch: dict[str, Tensor], number: int, rng: torch.Generator
    ) -> dict[str, Tensor]:
        ab = color.rgb_to_lab(batch["color"])[:, 1:]
        target = color.quarter(ab)  # (n, 2, H/4, W/4)
        predicted = self._quarter(batch["gray"])
        # In units of ab: scaled down, the loss would be less than the weight decay.
        loss = (predicted - target).square().sum(1).mean() / 2
        self.update("trunk", loss)
        return {"loss": loss}

    def translate(self, image: Tensor, target: base.Domain) -> Tensor:
        gray = image[:, :1]  # all three are alike
        return color.join(color.lightness_of(gray), self.predict_ab(gray))

    def predict_ab(self, gray: Tensor) -> Tensor:
        return color.enlarge(self._quarter(gray))

    def _quarter(self, gray: Tensor) -> Tensor:
        """(n, 1, H, W) gray to ab (n, 2, H/4, W/4), float32."""
        return self.trunk((color.lightness_of(gray) - 50) / 100).float() * AB_SCALE
