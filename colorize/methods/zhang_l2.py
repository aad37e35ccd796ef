"""The baseline: Zhang's convolutional trunk trained with L2 on ab, which drives colors to gray.

Zhang, Isola and Efros 2016, "Colorful Image Colorization", the variant that the paper compares
with (equation 1): the loss is 1/2 ||Y - Yhat||^2 over the ab of every pixel, at a quarter of the
size, and is least at the mean of all plausible colors.
"""

from typing import Literal

import torch
from torch import Tensor

from colorize import color
from colorize.methods.shared import lab
from colorize.methods.shared.base import Computed, Losses, half_squared_distance


class Parameters(lab.QuarterParameters):
    method: Literal["zhang_l2"]


class Method(lab.QuarterMethod):
    def __init__(self, p: Parameters, image_size: int):
        super().__init__(p, image_size, outputs=2)

    def step(self, batch: dict[str, Tensor], number: int, rng: torch.Generator) -> Losses:
        ab = color.rgb_to_lab(batch["color"])[:, 1:]
        return self.update("generator", color.lightness_of(batch["gray"]), color.quarter(ab))[0]

    def predict_ab(self, gray: Tensor) -> Tensor:
        return color.enlarge(self._quarter(color.lightness_of(gray)))

    def _loss(self, lightness: Tensor, target: Tensor) -> Computed:
        # In units of ab: scaled down, the loss would be less than the weight decay.
        loss = half_squared_distance(self._quarter(lightness), target)
        return loss, {"loss": loss}, ()

    def _quarter(self, lightness: Tensor) -> Tensor:
        """L (n, 1, H, W) to ab (n, 2, H/4, W/4)."""
        return color.widened(self.predict_map(lightness)) * lab.AB_SCALE
