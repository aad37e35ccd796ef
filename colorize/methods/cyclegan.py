"""CycleGAN: two generators, gray to color and back, tied by the cycle.

Zhu, Park, Isola and Efros 2017, "Unpaired Image-to-Image Translation using Cycle-Consistent
Adversarial Networks", equations 1 to 3 and section 5.2. G colors, F decolors, x is gray and y is
color:

    L(G, F) = L_GAN(G) + L_GAN(F)
            + lambda_cyc (||F(G(x)) - x||_1 + ||G(F(y)) - y||_1)
            + lambda_cyc lambda_id (||G(y) - y||_1 + ||F(x) - x||_1)

with the least-squares L_GAN, and each discriminator's loss halved.
"""

from typing import Literal

import torch
from torch import Tensor

from colorize.color.domains import Domain
from colorize.methods.shared import adversarial, base
from colorize.methods.shared.base import Computed, Losses, Weight, l1, signed, translated
from colorize.networks import resnet


class Parameters(base.UnpairedParameters, base.TranslationParameters, adversarial.Parameters):
    method: Literal["cyclegan"]
    network: Literal["resnet"]
    cycle_weight: Weight
    identity_weight: Weight


class Method(adversarial.Method):
    supervision = "unpaired"
    output = "rgb"
    sampling = "unpaired"
    targets = ("color", "gray")
    generators = ("G", "F")

    def __init__(self, p: Parameters, image_size: int):
        super().__init__(p, image_size)
        self.G = resnet.Generator(p.width, p.depth, p.norm, p.upsampling)
        self.F = resnet.Generator(p.width, p.depth, p.norm, p.upsampling)
        self.D_color = adversarial.discriminator(p)
        self.D_gray = adversarial.discriminator(p)
        self.add_update("generators", self._generators_loss, "G", "F")
        self.add_update("discriminators", self._discriminators_loss, "D_color", "D_gray")
        self.pools |= {name: adversarial.ImagePool(p.pool) for name in ("color", "gray")}

    def step(self, batch: dict[str, Tensor], number: int, rng: torch.Generator) -> Losses:
        x, y = signed(batch["gray"]), signed(batch["color"])
        losses, (fake_color, fake_gray) = self.update("generators", x, y)
        fake_color = self.query_pool("color", fake_color, rng)
        fake_gray = self.query_pool("gray", fake_gray, rng)
        return losses | self.update("discriminators", x, y, fake_gray, fake_color)[0]

    def translate(self, image: Tensor, target: Domain) -> Tensor:
        return translated(self.G if target == "color" else self.F, image)

    def _generators_loss(self, x: Tensor, y: Tensor) -> Computed:
        # What one network is to translate passes together: its normalization sees each image alone.
        identity = self.p.identity_weight > 0
        fake_color, *same_color = self.G(torch.cat((x, y)) if identity else x).split(len(x))
        fake_gray, *same_gray = self.F(torch.cat((y, x)) if identity else y).split(len(x))
        losses = {
            "adversarial_color": adversarial.generator_loss(self.p, self.D_color, y, fake_color),
            "adversarial_gray": adversarial.generator_loss(self.p, self.D_gray, x, fake_gray),
            "cycle_gray": l1(self.F(fake_color), x),
            "cycle_color": l1(self.G(fake_gray), y),
        }
        loss = losses["adversarial_color"] + losses["adversarial_gray"]
        loss = loss + self.p.cycle_weight * (losses["cycle_gray"] + losses["cycle_color"])
        if identity:
            losses["identity_color"] = l1(*same_color, y)
            losses["identity_gray"] = l1(*same_gray, x)
            unchanged = losses["identity_color"] + losses["identity_gray"]
            loss = loss + self.p.cycle_weight * self.p.identity_weight * unchanged
        return loss, {"loss": loss} | losses, (fake_color, fake_gray)

    def _discriminators_loss(
        self, x: Tensor, y: Tensor, fake_gray: Tensor, fake_color: Tensor
    ) -> Computed:
        p = self.p
        losses = {
            "discriminator_color": adversarial.discriminator_loss(p, self.D_color, y, fake_color),
            "discriminator_gray": adversarial.discriminator_loss(p, self.D_gray, x, fake_gray),
        }
        return losses["discriminator_color"] + losses["discriminator_gray"], losses, ()
