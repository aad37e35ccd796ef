"""The naive GAN: a generator from gray to colour and a discriminator, nothing that ties them.

CycleGAN's generator and discriminator in one direction, without cycle and identity terms:

    L(G) = E[(D(G(x)) - 1)^2],   L(D) = 1/2 (E[(D(y) - 1)^2] + E[D(G(x))^2])

Nothing here makes the colours belong to the photograph: any colourful picture satisfies D.
"""

from typing import Literal

import torch
from torch import Tensor

from colorize.methods import base
from colorize.methods.base import signed
from colorize.methods.losses import lsgan, lsgan_discriminator
from colorize.methods.pool import ImagePool
from colorize.networks import patchgan, resnet


class Parameters(base.UnpairedParameters, base.PatchGANParameters):
    method: Literal["gan"]
    network: Literal["resnet"]


class Method(base.Method):
    supervision = "unpaired"
    output = "rgb"
    draws = "unpaired"
    targets = ("color",)
    generators = ("G",)

    def __init__(self, p: Parameters, image_size: int):
        super().__init__()
        self.G = resnet.Generator(p.width, p.depth)
        self.D = patchgan.Discriminator(p.discriminator_width, p.discriminator_layers)
        self.add_optimizer("generator", [self.G], p.learning_rate)
        self.add_optimizer("discriminator", [self.D], p.learning_rate)
        self.pools["color"] = ImagePool(p.pool)

    def step(
        self, batch: dict[str, Tensor], number: int, rng: torch.Generator
    ) -> dict[str, Tensor]:
        gray, real = signed(batch["gray"]), signed(batch["color"])

        fake = self.G(gray)
        loss = lsgan(self.D(fake), real=True)
        self.update("generator", loss)

        shown = self.pools["color"].exchange(fake, rng)
        discriminator = lsgan_discriminator(self.D(real), self.D(shown))
        self.update("discriminator", discriminator)
        return {"loss": loss, "discriminator": discriminator}

    def translate(self, image: Tensor, target: base.Domain) -> Tensor:
        return (self.G(image * 2 - 1) + 1) / 2
