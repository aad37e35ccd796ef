"""DeOldify's recipe, NoGAN: learn from pairs first, then train adversarially for a short while.

Antic 2018 (DeOldify) trains the generator without a critic, then the critic alone on what it makes,
then both together for a few percent of the time: pairs teach where colors go, the discriminator
how strong they are in photographs. Of `steps`,

    the share l2_share      L(G) = E[1/2 ||ab - G(L)||^2]
    then critic_share       L(D), G rests
    then all that is left   L(G) = L_GAN(G, D) + lambda_L2 E[1/2 ||ab - G(L)||^2],   and L(D)

with ab in units of 110 and D on (L, ab). Here the first loss is the baseline's, on ab, where
DeOldify compares features of a VGG: what sets this apart from resnet_l2 and pix2pix_lab is the
order alone.
"""

from typing import Literal

import torch
from torch import Tensor

from colorize.methods.shared import lab
from colorize.methods.shared.base import Computed, Losses, Share, Weight, half_squared_distance


class Parameters(lab.AdversarialParameters):
    method: Literal["nogan_lab"]
    l2_share: Share
    critic_share: Share
    l2_weight: Weight

    def check(self, image_size: int) -> None:
        super().check(image_size)
        if self.l2_share + self.critic_share > 1:
            raise ValueError(
                f"l2_share: {self.l2_share} and critic_share, {self.critic_share}, are more than 1"
            )


class Method(lab.AdversarialMethod):
    supervision = "paired"
    sampling = "paired"

    def __init__(self, p: Parameters, image_size: int):
        super().__init__(p, image_size)
        # Adam starts anew with the adversarial loss, whose gradients are others.
        self.add_update("l2", self._l2_loss, "G", betas=(0.9, 0.999))
        self.add_update("critic", self._critic_loss, "D")

    def step(self, batch: dict[str, Tensor], number: int, rng: torch.Generator) -> Losses:
        p = self.p
        if number > (p.l2_share + p.critic_share) * p.steps:
            return super().step(batch, number, rng)
        phase = "l2" if number <= p.l2_share * p.steps else "critic"
        return self.update(phase, *self.inputs(batch))[0]

    def _l2_loss(self, x: Tensor, real: Tensor) -> Computed:
        loss = half_squared_distance(self.generate(x)[:, 1:], real[:, 1:])
        return loss, {"loss": loss, "l2": loss}, ()

    def _critic_loss(self, x: Tensor, real: Tensor) -> Computed:
        with torch.no_grad():
            fake = self.generate(x)
        return self._discriminator_loss(real, fake)

    def content_loss(self, fake: Tensor, real: Tensor) -> tuple[Tensor, Losses]:
        distance = half_squared_distance(fake[:, 1:], real[:, 1:])
        return self.p.l2_weight * distance, {"l2": distance}
