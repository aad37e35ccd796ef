"""CycleGAN's generator trained as the baseline is: with L2 on ab, from pairs, at full size.

What zhang_l2 and cyclegan differ by is both the network and the loss; this is between the two.
"""

from typing import Literal

import torch
from torch import Tensor

from colorize import color
from colorize.methods.shared import base, lab
from colorize.methods.shared.base import Computed, Losses, half_squared_distance
from colorize.networks import resnet


class Parameters(base.TranslationParameters):
    method: Literal["resnet_l2"]
    network: Literal["resnet"]


class Method(lab.Method):
    supervision = "paired"
    sampling = "paired"
    generators = ("G",)

    def __init__(self, p: Parameters, image_size: int):
        super().__init__(p, image_size)
        self.G = resnet.Generator(p.width, p.depth, p.norm, p.upsampling, inputs=1, outputs=2)
        self.add_update("generator", self._loss, "G", betas=(0.9, 0.999))

    def step(self, batch: dict[str, Tensor], number: int, rng: torch.Generator) -> Losses:
        ab = color.rgb_to_lab(batch["color"])[:, 1:]
        return self.update("generator", lab.normalized_lightness(batch["gray"]), ab)[0]

    def predict_ab(self, gray: Tensor) -> Tensor:
        return self._predict(lab.normalized_lightness(gray))

    def _loss(self, x: Tensor, ab: Tensor) -> Computed:
        loss = half_squared_distance(self._predict(x), ab)
        return loss, {"loss": loss}, ()

    def _predict(self, x: Tensor) -> Tensor:
        return color.widened(self.G(x)) * lab.AB_SCALE
