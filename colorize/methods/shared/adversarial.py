"""What methods with a PatchGAN share: keys, adversarial losses, gradient penalties, the image pool.

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

from collections.abc import Callable, Mapping
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from colorize.color import in_full_precision
from colorize.color.domains import Domain
from colorize.methods.shared import base
from colorize.methods.shared.base import Computed, Losses, ModelParameters, Weight, Width
from colorize.networks.shared import discriminators
from colorize.networks.shared.layers import Norm


class Parameters(ModelParameters):
    """Keys of methods whose discriminator is a PatchGAN."""

    gan_loss: Literal["vanilla", "lsgan", "hinge", "relativistic"]
    penalty_weight: Weight
    discriminator_width: Width
    discriminator_layers: Annotated[int, Field(ge=1, le=5)]
    discriminator_norm: Norm
    pool: Annotated[int, Field(ge=0, le=10_000)]

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
    fake_scores = critic(fake)
    if p.gan_loss == "relativistic":
        with torch.no_grad():
            real_scores = critic(real)
        return relativistic(fake_scores, real_scores)
    if p.gan_loss == "vanilla":
        return logistic(fake_scores)
    return least_squares(fake_scores, 1) if p.gan_loss == "lsgan" else -mean(fake_scores)


def discriminator_loss(p: Parameters, critic: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
    """L_D; images (n, 3, H, W)."""
    real_scores, fake_scores = critic(torch.cat((real, fake))).chunk(2)
    if p.gan_loss == "vanilla":
        loss = 0.5 * (logistic(real_scores) + logistic(-fake_scores))
    elif p.gan_loss == "lsgan":
        loss = 0.5 * (least_squares(real_scores, 1) + least_squares(fake_scores, 0))
    elif p.gan_loss == "hinge":
        loss = hinge(real_scores) + hinge(-fake_scores)
    else:
        loss = relativistic(real_scores, fake_scores)
    if p.penalty_weight:
        penalty = gradient_penalty(real, critic) + gradient_penalty(fake, critic)
        loss = loss + p.penalty_weight / 2 * penalty
    return loss


# Losses of scores; all are means over the batch, in float32


@in_full_precision
def mean(scores: Tensor) -> Tensor:
    """E[D(x)]."""
    return scores.mean()


@in_full_precision
def least_squares(scores: Tensor, target: float) -> Tensor:
    """E[(D(x) - target)^2]."""
    return functional.mse_loss(scores, torch.full_like(scores, target))


@in_full_precision
def logistic(scores: Tensor) -> Tensor:
    """E[log(1 + exp(-D(x)))], which is E[-log sigmoid(D(x))]."""
    return functional.softplus(-scores).mean()


@in_full_precision
def hinge(scores: Tensor) -> Tensor:
    """E[max(0, 1 - D(x))]."""
    return functional.relu(1 - scores).mean()


@in_full_precision
def relativistic(higher: Tensor, lower: Tensor) -> Tensor:
    """E[log(1 + exp(D(lower) - D(higher)))], patch by patch: how far `higher` is from above."""
    return functional.softplus(lower - higher).mean()


# What is compiled cannot be differentiated twice. `torch.compiler.disable` does the same, but
# imports the compiler here, which takes every stage a second.
@torch._disable_dynamo
@in_full_precision
def gradient_penalty(images: Tensor, critic: Callable[[Tensor], Tensor]) -> Tensor:
    """E[||grad D(x)||^2] for images (n, 3, H, W): R1 of real ones, R2 of generated ones.

    Of a map of scores one pass gives the gradient of their sum. Its squared norm, divided by their
    number, is the mean over patches where patches do not overlap, and the published penalty where
    there is one patch.
    """
    images = images.detach().requires_grad_(True)
    scores = critic(images)
    (gradient,) = torch.autograd.grad(scores.sum(), images, create_graph=True)
    return gradient.square().sum() / scores.numel()


@torch._disable_dynamo
@in_full_precision
def wgan_gradient_penalty(between: Tensor, critic: Callable[[Tensor], Tensor]) -> Tensor:
    """E[(||grad critic(xh)||_2 - 1)^2], two-sided (WGAN-GP, Gulrajani et al. 2017).

    between: xh, (n, 3, H, W), points between real and generated images. Its gradient is part of
    the discriminator's loss, so it is itself differentiable.
    """
    between.requires_grad_(True)
    (gradient,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    return (gradient.flatten(1).norm(2, dim=1) - 1).square().mean()


class ImagePool:
    """History of generated images that a discriminator is shown (Shrivastava et al. 2017).

    Until `capacity` images are stored, each image is stored and returned. From then on each is,
    with probability 1/2, returned as it is, or exchanged for a stored one, which is returned.
    """

    def __init__(self, capacity: int):
        self.capacity = capacity
        self.images: list[Tensor] = []

    def query(self, images: Tensor, rng: torch.Generator) -> Tensor:
        """(n, 3, H, W) just generated to as many for the discriminator to see."""
        if self.capacity == 0:
            return images.detach()
        returned = []
        for image in images.detach():
            if len(self.images) < self.capacity:
                self.images.append(image.clone())  # a view would keep its whole batch alive
                returned.append(image)
            elif torch.rand((), generator=rng) < 0.5:
                place = int(torch.randint(self.capacity, (), generator=rng))
                returned.append(self.images[place])
                self.images[place] = image.clone()
            else:
                returned.append(image)
        return torch.stack(returned)


class Method(base.Method):
    """A method whose discriminators see generated images of now and of before, from pools."""

    def __init__(self, p: Parameters, image_size: int):
        super().__init__(p, image_size)
        self.pools: dict[str, ImagePool] = {}

    def query_pool(self, pool: str, fake: Tensor, rng: torch.Generator) -> Tensor:
        """Of the whole batch's images, just generated, and of the pool's: this process's shard."""
        return self.shard(self.pools[pool].query(self.gather(fake), rng))

    def training_state(self) -> dict[str, Tensor]:
        filled = {name: pool.images for name, pool in self.pools.items() if pool.images}
        pools = {f"pools.{name}": torch.stack(images) for name, images in filled.items()}
        return super().training_state() | pools

    def load_training_state(self, state: Mapping[str, Tensor]) -> None:
        super().load_training_state(state)
        for name, images in base.within(state, "pools").items():
            if images.shape[-1] == self.image_size:  # continued at another size, it fills anew
                capacity = self.pools[name].capacity
                self.pools[name].images = [image.clone() for image in images[:capacity]]


class OneWayMethod(Method):
    """One generator, from gray to color, and one discriminator: nothing leads back.

    The generator moves first, then the discriminator. What minimizes G's loss is each method's own.
    """

    generators = ("G",)

    def __init__(self, p: Parameters, image_size: int, generator: nn.Module):
        super().__init__(p, image_size)
        self.G = generator
        self.D = discriminator(p)
        self.add_update("generator", self._generator_loss, "G")
        self.add_update("discriminator", self._discriminator_loss, "D")
        self.pools["color"] = ImagePool(p.pool)

    def step(self, batch: dict[str, Tensor], number: int, rng: torch.Generator) -> Losses:
        x, real = self.inputs(batch)
        losses, (fake,) = self.update("generator", x, real)
        fake = self.query_pool("color", fake, rng)
        return losses | self.update("discriminator", real, fake)[0]

    def inputs(self, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """What G is given, and real images (n, 3, H, W) as D sees them."""
        raise NotImplementedError

    def _generator_loss(self, x: Tensor, real: Tensor) -> Computed:
        """Its outputs: the generated images (n, 3, H, W) as D sees them."""
        raise NotImplementedError

    def _discriminator_loss(self, real: Tensor, fake: Tensor) -> Computed:
        loss = discriminator_loss(self.p, self.D, real, fake)
        return loss, {"discriminator": loss}, ()


class PlainGAN(OneWayMethod):
    """From gray to RGB, and nothing but D's scores to learn from."""

    supervision = "unpaired"
    output = "rgb"
    sampling = "unpaired"
    targets = ("color",)

    def inputs(self, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        return base.signed(batch["gray"]), base.signed(batch["color"])

    def translate(self, image: Tensor, target: Domain) -> Tensor:
        return base.translated(self.G, image)

    def _generator_loss(self, x: Tensor, real: Tensor) -> Computed:
        fake = self.G(x)
        loss = generator_loss(self.p, self.D, real, fake)
        return loss, {"loss": loss}, (fake,)
