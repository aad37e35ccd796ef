"""CycleGAN: two generators, gray to colour and back, tied by the cycle.

Zhu, Park, Isola and Efros 2017, "Unpaired Image-to-Image Translation using Cycle-Consistent
Adversarial Networks", equations 1 to 3 and section 5.2. G colours, F decolours, x is gray and y is
colour:

    L(G, F) = L_GAN(G) + L_GAN(F)
            + lambda_cyc (||F(G(x)) - x||_1 + ||G(F(y)) - y||_1)
            + lambda_cyc lambda_id (||G(y) - y||_1 + ||F(x) - x||_1)

with the least-squares L_GAN, and each discriminator's loss halved.
"""

import itertools
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from colorize.data import Unpaired
from colorize.methods import common
from colorize.methods.common import lsgan, signed
from colorize.networks import cyclegan


class Parameters(common.ModelParameters):
    method: Literal["cyclegan"]
    network: Literal["cyclegan"]
    discriminator_width: common.Count
    discriminator_layers: Annotated[int, Field(ge=1, le=5)]
    cycle_weight: common.Weight
    identity_weight: common.Weight
    pool: Annotated[int, Field(ge=0)]

    def check(self, image_size: int) -> None:
        common.check_patches(self.discriminator_layers, image_size)


class Method(common.Method):
    supervision = "unpaired"
    output = "rgb"
    draws = Unpaired

    def __init__(self, p: Parameters, image_size: int):
        super().__init__()
        self.cycle_weight = p.cycle_weight
        self.identity_weight = p.identity_weight
        self.to_color = cyclegan.Generator(p.width, p.depth)
        self.to_gray = cyclegan.Generator(p.width, p.depth)
        self.judge_color = cyclegan.Discriminator(p.discriminator_width, p.discriminator_layers)
        self.judge_gray = cyclegan.Discriminator(p.discriminator_width, p.discriminator_layers)
        self.optimizers = {
            "generators": self._adam(p, self.to_color, self.to_gray),
            "discriminators": self._adam(p, self.judge_color, self.judge_gray),
        }
        self.color_pool = common.ImagePool(p.pool)
        self.gray_pool = common.ImagePool(p.pool)

    def step(
        self, batch: dict[str, Tensor], number: int, rng: torch.Generator
    ) -> dict[str, Tensor]:
        gray, real = signed(batch["gray"]), signed(batch["color"])

        # Generators
        self.judge_color.requires_grad_(False)
        self.judge_gray.requires_grad_(False)
        fake_color, fake_gray = self.to_color(gray), self.to_gray(real)
        adversarial_color = lsgan(self.judge_color(fake_color), real=True)
        adversarial_gray = lsgan(self.judge_gray(fake_gray), real=True)
        cycle_gray = F.l1_loss(self.to_gray(fake_color), gray)
        cycle_color = F.l1_loss(self.to_color(fake_gray), real)
        loss = adversarial_color + adversarial_gray + self.cycle_weight * (cycle_gray + cycle_color)
        losses = {
            "adversarial_color": adversarial_color,
            "adversarial_gray": adversarial_gray,
            "cycle_gray": cycle_gray,
            "cycle_color": cycle_color,
        }
        if self.identity_weight > 0:
            losses["identity_color"] = F.l1_loss(self.to_color(real), real)
            losses["identity_gray"] = F.l1_loss(self.to_gray(gray), gray)
            identity = losses["identity_color"] + losses["identity_gray"]
            loss = loss + self.cycle_weight * self.identity_weight * identity
        self.optimizers["generators"].zero_grad()
        loss.backward()
        self.optimizers["generators"].step()

        # Discriminators
        self.judge_color.requires_grad_(True)
        self.judge_gray.requires_grad_(True)
        losses["discriminator_color"] = self._judge(
            self.judge_color, real, self.color_pool.exchange(fake_color, rng)
        )
        losses["discriminator_gray"] = self._judge(
            self.judge_gray, gray, self.gray_pool.exchange(fake_gray, rng)
        )
        self.optimizers["discriminators"].zero_grad()
        (losses["discriminator_color"] + losses["discriminator_gray"]).backward()
        self.optimizers["discriminators"].step()
        return {"loss": loss.detach()} | {name: value.detach() for name, value in losses.items()}

    def colorize(self, gray: Tensor) -> Tensor:
        return (self.to_color((gray * 2 - 1).expand(-1, 3, -1, -1)) + 1) / 2

    def training_state(self) -> dict:
        pools = {"color_pool": self.color_pool.images, "gray_pool": self.gray_pool.images}
        return super().training_state() | pools

    def load_training_state(self, state: dict) -> None:
        super().load_training_state(state)
        self.color_pool.images = state["color_pool"]
        self.gray_pool.images = state["gray_pool"]

    @staticmethod
    def _adam(p: Parameters, *networks: torch.nn.Module) -> torch.optim.Adam:
        weights = itertools.chain.from_iterable(network.parameters() for network in networks)
        return torch.optim.Adam(weights, p.learning_rate, (0.5, 0.999))

    @staticmethod
    def _judge(discriminator: torch.nn.Module, real: Tensor, fake: Tensor) -> Tensor:
        """Halved, which slows the discriminator down against the generator."""
        return 0.5 * (
            lsgan(discriminator(real), real=True) + lsgan(discriminator(fake), real=False)
        )
