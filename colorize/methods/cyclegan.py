"""CycleGAN: two generators, gray to colour and back, tied by the cycle.

Zhu, Park, Isola and Efros 2017, "Unpaired Image-to-Image Translation using Cycle-Consistent
Adversarial Networks", equations 1 to 3 and section 5.2. G colours, F decolours, x is gray and y is
colour:

    L(G, F) = L_GAN(G) + L_GAN(F)
            + lambda_cyc (||F(G(x)) - x||_1 + ||G(F(y)) - y||_1)
            + lambda_cyc lambda_id (||G(y) - y||_1 + ||F(x) - x||_1)

with the least-squares L_GAN, and each discriminator's loss halved.
"""

from typing import Literal

import torch
from torch import Tensor

from colorize.methods import base
from colorize.methods.base import signed
from colorize.methods.losses import l1, lsgan, lsgan_discriminator
from colorize.methods.pool import ImagePool
from colorize.networks import patchgan, resnet


class Parameters(base.UnpairedParameters, base.PatchGANParameters):
    method: Literal["cyclegan"]
    network: Literal["resnet"]
    cycle_weight: base.Weight
    identity_weight: base.Weight


class Method(base.Method):
    supervision = "unpaired"
    output = "rgb"
    draws = "unpaired"
    targets = ("color", "gray")
    generators = ("G", "F")

    def __init__(self, p: Parameters, image_size: int):
        super().__init__()
        self.cycle_weight = p.cycle_weight
        self.identity_weight = p.identity_weight
        self.G = resnet.Generator(p.width, p.depth)
        self.F = resnet.Generator(p.width, p.depth)
        self.D_color = patchgan.Discriminator(p.discriminator_width, p.discriminator_layers)
        self.D_gray = patchgan.Discriminator(p.discriminator_width, p.discriminator_layers)
        self.add_optimizer("generators", [self.G, self.F], p.learning_rate)
        self.add_optimizer("discriminators", [self.D_color, self.D_gray], p.learning_rate)
        self.pools |= {"color": ImagePool(p.pool), "gray": ImagePool(p.pool)}

    def step(
        self, batch: dict[str, Tensor], number: int, rng: torch.Generator
    ) -> dict[str, Tensor]:
        x, y = signed(batch["gray"]), signed(batch["color"])

        # Generators
        fake_color, fake_gray = self.G(x), self.F(y)
        losses = {
            "adversarial_color": lsgan(self.D_color(fake_color), real=True),
            "adversarial_gray": lsgan(self.D_gray(fake_gray), real=True),
            "cycle_gray": l1(self.F(fake_color), x),
            "cycle_color": l1(self.G(fake_gray), y),
        }
        adversarial = losses["adversarial_color"] + losses["adversarial_gray"]
        cycle = losses["cycle_gray"] + losses["cycle_color"]
        loss = adversarial + self.cycle_weight * cycle
        if self.identity_weight > 0:
            losses["identity_color"] = l1(self.G(y), y)
            losses["identity_gray"] = l1(self.F(x), x)
            identity = losses["identity_color"] + losses["identity_gray"]
            loss = loss + self.cycle_weight * self.identity_weight * identity
        self.update("generators", loss)

        # Discriminators
        shown_color = self.pools["color"].exchange(fake_color, rng)
        shown_gray = self.pools["gray"].exchange(fake_gray, rng)
        discriminator_color = lsgan_discriminator(self.D_color(y), self.D_color(shown_color))
        discriminator_gray = lsgan_discriminator(self.D_gray(x), self.D_gray(shown_gray))
        self.update("discriminators", discriminator_color + discriminator_gray)
        losses["discriminator_color"] = discriminator_color
        losses["discriminator_gray"] = discriminator_gray
        return {"loss": loss} | losses

    def translate(self, image: Tensor, target: base.Domain) -> Tensor:
        generator = self.G if target == "color" else self.F
        return (generator(image * 2 - 1) + 1) / 2
