"""What methods with a PatchGAN share: its keys, the losses of the game with it, its image pool.

x is a real image and G a generated one, D a map of scores:

    vanilla       L_G = E[f(-D(G))],               L_D = 1/2 (E[f(-D(x))] + E[f(D(G))])
    lsgan         L_G = E[(D(G) - 1)^2],           L_D = 1/2 (E[(D(x) - 1)^2] + E[D(G)^2])
    hinge         L_G = -E[D(G)],                  L_D = E[max(0, 1 - D(x))] + E[max(0, 1 + D(G))]
    relativistic  L_G = E[f(D(x) - D(G))],         L_D = E[f(D(G) - D(x))]

    f(t) = log(1 + e^t) = -log sigmoid(-t)
    penalty_weight / 2 (R1 + R2) joins any L_D, R1 = E[||grad D(x)||^2], R2 = E[||grad D(G)||^2]

Vanilla, Goodfellow et al. 2014, does not saturate in L_G, and is halved in L_D as in pix2pix; least
squares by Mao et al. 2017, halved as CycleGAN slows its discriminators down; hinge by Lim and
Ye 2017; relativistic pairing by Jolicoeur-Martineau 2018, with R1 and R2 as in R3GAN (Huang et al.
2024), which converges with the penalties and does not without them.
"""

from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from colorize.methods.shared.losses import (
    hinge,
    least_squares,
    logistic,
    mean,
    relativistic,
    squared_slope,
)
from colorize.methods.shared.parameters import Count, ModelParameters, Weight
from colorize.networks.shared import discriminators
from colorize.networks.shared.layers import Norm


class Parameters(ModelParameters):
    """Keys of methods whose discriminator is a PatchGAN."""

    gan_loss: Literal["vanilla", "lsgan", "hinge", "relativistic"]
    penalty_weight: Weight
    discriminator_width: Count
    discriminator_layers: Annotated[int, Field(ge=1, le=5)]
    discriminator_norm: Norm
    pool: Annotated[int, Field(ge=0)]

    def check(self, image_size: int) -> None:
        super().check(image_size)
        layers = self.discriminator_layers
        if image_size < 3 * 2**layers:  # not one patch would be left
            raise ValueError(
                f"discriminator_layers: {layers} layers need images of {3 * 2**layers} pixels, "
                f"data.image_size is {image_size}"
            )


def discriminator(p: Parameters) -> nn.Module:
    return discriminators.PatchGAN(
        p.discriminator_width, p.discriminator_layers, p.discriminator_norm
    )


def generator_loss(p: Parameters, critic: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
    """L_G; images (n, 3, H, W), `real` of use to relativistic scores alone."""
    of_fake = critic(fake)
    if p.gan_loss == "relativistic":
        with torch.no_grad():
            of_real = critic(real)
        return relativistic(of_fake, of_real)
    if p.gan_loss == "vanilla":
        return logistic(of_fake)
    return least_squares(of_fake, 1) if p.gan_loss == "lsgan" else -mean(of_fake)


def discriminator_loss(p: Parameters, critic: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
    """L_D; images (n, 3, H, W)."""
    of_real, of_fake = critic(torch.cat((real, fake))).chunk(2)
    if p.gan_loss == "vanilla":
        loss = 0.5 * (logistic(of_real) + logistic(-of_fake))
    elif p.gan_loss == "lsgan":
        loss = 0.5 * (least_squares(of_real, 1) + least_squares(of_fake, 0))
    elif p.gan_loss == "hinge":
        loss = hinge(of_real) + hinge(-of_fake)
    else:
        loss = relativistic(of_real, of_fake)
    if p.penalty_weight:
        slopes = squared_slope(real, critic) + squared_slope(fake, critic)
        loss = loss + p.penalty_weight / 2 * slopes
    return loss


class ImagePool:
    """History of generated images that a discriminator is shown (Shrivastava et al. 2017).

    Until `capacity` images are stored, each image is stored and shown. From then on each is, with
    probability 1/2, shown as it is, or exchanged for a stored one, which is shown instead.
    """

    def __init__(self, capacity: int):
        self.capacity = capacity
        self.images: list[Tensor] = []

    def exchange(self, images: Tensor, rng: torch.Generator) -> Tensor:
        """(n, 3, H, W) just generated to as many that the discriminator is to see."""
        if self.capacity == 0:
            return images.detach()
        shown = []
        for image in images.detach():
            if len(self.images) < self.capacity:
                self.images.append(image.clone())  # a view would keep its whole batch alive
                shown.append(image)
            elif torch.rand((), generator=rng) < 0.5:
                place = int(torch.randint(self.capacity, (), generator=rng))
                shown.append(self.images[place])
                self.images[place] = image.clone()
            else:
                shown.append(image)
        return torch.stack(shown)
