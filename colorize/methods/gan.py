"""The naive GAN: a generator from gray to colour and a discriminator, nothing that ties them.

CycleGAN's generator and discriminator in one direction, without cycle and identity terms:

    L(G) = E[(D(G(x)) - 1)^2],   L(D) = 1/2 (E[(D(y) - 1)^2] + E[D(G(x))^2])

Nothing here makes the colours belong to the photograph: any colourful picture satisfies D.
"""

from typing import Literal

import torch
from torch import Tensor

from colorize.methods import adversarial, base, parameters, translation
from colorize.methods.base import Computed, Losses
from colorize.methods.pool import ImagePool
from colorize.methods.translation import signed, translated
from colorize.networks import resnet


class Parameters(parameters.UnpairedParameters, translation.Parameters, adversarial.Parameters):
    method: Literal["gan"]
    network: Literal["resnet"]


class Method(base.Method):
    supervision = "unpaired"
    output = "rgb"
    draws = "unpaired"
    targets = ("color",)
    generators = ("G",)

    def __init__(self, p: Parameters, image_size: int):
        super().__init__(p, image_size)
        self.G = resnet.Generator(p.width, p.depth, p.norm, p.upsampling)
        self.D = adversarial.discriminator(p)
        self.add_update("generator", self._generator_loss, "G")
        self.add_update("discriminator", self._discriminator_loss, "D")
        self.pools["color"] = ImagePool(p.pool)

    def step(self, batch: dict[str, Tensor], number: int, rng: torch.Generator) -> Losses:
        gray, real = signed(batch["gray"]), signed(batch["color"])
        losses, (fake,) = self.update("generator", gray, real)
        shown = self.pools["color"].exchange(fake, rng)
        return losses | self.update("discriminator", real, shown)[0]

    def translate(self, image: Tensor, target: base.Domain) -> Tensor:
        return translated(self.G, image)

    def _generator_loss(self, gray: Tensor, real: Tensor) -> Computed:
        fake = self.G(gray)
        loss = adversarial.generator_loss(self.p, self.D, real, fake)
        return loss, {"loss": loss}, (fake,)

    def _discriminator_loss(self, real: Tensor, shown: Tensor) -> Computed:
        loss = adversarial.discriminator_loss(self.p, self.D, real, shown)
        return loss, {"discriminator": loss}, ()
