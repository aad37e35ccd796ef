"""The naive GAN: a generator from gray to colour and a discriminator, nothing that ties them.

CycleGAN's generator and discriminator in one direction, without cycle and identity terms. Nothing
in its loss makes the colours belong to the photograph: any colourful picture satisfies D.
"""

from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor

from colorize.data import Unpaired
from colorize.methods import common
from colorize.methods.common import lsgan, signed
from colorize.networks import cyclegan


class Parameters(common.ModelParameters):
    method: Literal["gan"]
    network: Literal["cyclegan"]
    discriminator_width: common.Count
    discriminator_layers: Annotated[int, Field(ge=1, le=5)]
    pool: Annotated[int, Field(ge=0)]

    def check(self, image_size: int) -> None:
        common.check_patches(self.discriminator_layers, image_size)


class Method(common.Method):
    supervision = "unpaired"
    output = "rgb"
    draws = Unpaired

    def __init__(self, p: Parameters, image_size: int):
        super().__init__()
        self.generator = cyclegan.Generator(p.width, p.depth)
        self.discriminator = cyclegan.Discriminator(p.discriminator_width, p.discriminator_layers)
        self.optimizers = {
            name: torch.optim.Adam(getattr(self, name).parameters(), p.learning_rate, (0.5, 0.999))
            for name in ("generator", "discriminator")
        }
        self.pool = common.ImagePool(p.pool)

    def step(
        self, batch: dict[str, Tensor], number: int, rng: torch.Generator
    ) -> dict[str, Tensor]:
        gray, real = signed(batch["gray"]), signed(batch["color"])

        # Generator: min E[(D(G(x)) - 1)^2]
        self.discriminator.requires_grad_(False)
        fake = self.generator(gray)
        adversarial = lsgan(self.discriminator(fake), real=True)
        self.optimizers["generator"].zero_grad()
        adversarial.backward()
        self.optimizers["generator"].step()

        # Discriminator: min 1/2 (E[(D(y) - 1)^2] + E[D(G(x))^2])
        self.discriminator.requires_grad_(True)
        shown = self.pool.exchange(fake, rng)
        discriminator = 0.5 * (
            lsgan(self.discriminator(real), real=True)
            + lsgan(self.discriminator(shown), real=False)
        )
        self.optimizers["discriminator"].zero_grad()
        discriminator.backward()
        self.optimizers["discriminator"].step()
        return {"loss": adversarial.detach(), "discriminator": discriminator.detach()}

    def colorize(self, gray: Tensor) -> Tensor:
        return (self.generator((gray * 2 - 1).expand(-1, 3, -1, -1)) + 1) / 2

    def training_state(self) -> dict:
        return super().training_state() | {"pool": self.pool.images}

    def load_training_state(self, state: dict) -> None:
        super().load_training_state(state)
        self.pool.images = state["pool"]
