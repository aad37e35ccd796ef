"""StarGAN: one generator for both directions, told the domain that it is to produce.

Choi et al. 2018, "StarGAN: Unified Generative Adversarial Networks for Multi-Domain Image-to-Image
Translation", equations 1 to 8. x is an image of domain c, c' the target, D_src and D_cls the heads
of the discriminator, xh a random point between a real and a generated image:

    L_D = E[D_src(G(x, c'))] - E[D_src(x)] + lambda_cls CE(D_cls(x), c)
        + lambda_gp E[(||grad D_src(xh)||_2 - 1)^2]
    L_G = -E[D_src(G(x, c'))] + lambda_cls CE(D_cls(G(x, c')), c')
        + lambda_rec ||x - G(G(x, c'), c)||_1

Targets are the batch's own domains in random order, so about half of them ask for no change. The
generator moves once in `n_critic` steps.
"""

from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor

from colorize.methods import base, parameters, translation
from colorize.methods.base import Computed, Losses
from colorize.methods.losses import cross_entropy, gradient_penalty, l1, mean
from colorize.methods.translation import signed, translated
from colorize.networks import stargan

DOMAINS: tuple[base.Domain, ...] = ("gray", "color")  # by their numbers


class Parameters(parameters.UnpairedParameters, translation.Parameters):
    method: Literal["stargan"]
    network: Literal["stargan"]
    discriminator_width: parameters.Count
    discriminator_layers: Annotated[int, Field(ge=1, le=8)]
    classification_weight: parameters.Weight
    reconstruction_weight: parameters.Weight
    gradient_penalty_weight: parameters.Weight
    n_critic: parameters.Count

    def check(self, image_size: int) -> None:
        super().check(image_size)
        if self.steps < self.n_critic:
            raise ValueError(
                f"steps: {self.steps} steps end before the generator moves, every "
                f"n_critic = {self.n_critic} steps"
            )
        parameters.check_halvings("discriminator_layers", self.discriminator_layers, image_size)


class Method(base.Method):
    supervision = "unpaired"
    output = "rgb"
    draws = "domains"
    targets = DOMAINS
    generators = ("G",)

    def __init__(self, p: Parameters, image_size: int):
        super().__init__(p, image_size)
        self.G = stargan.Generator(len(DOMAINS), p.width, p.depth, p.norm, p.upsampling)
        self.D = stargan.Discriminator(
            len(DOMAINS), image_size, p.discriminator_width, p.discriminator_layers
        )
        self.add_update("discriminator", self._discriminator_loss, "D")
        self.add_update("generator", self._generator_loss, "G")

    def step(self, batch: dict[str, Tensor], number: int, rng: torch.Generator) -> Losses:
        x, domain = signed(batch["image"]), batch["domain"]
        order = torch.randperm(len(domain), generator=rng)
        target = domain[order.to(domain.device, non_blocking=True)]
        mix = torch.rand((len(x), 1, 1, 1), generator=rng).to(x, non_blocking=True)
        losses, _ = self.update("discriminator", x, domain, target, mix)
        if number % self.p.n_critic == 0:
            losses = self.update("generator", x, domain, target)[0] | losses
        return losses

    def translate(self, image: Tensor, target: base.Domain) -> Tensor:
        domain = torch.full(image.shape[:1], DOMAINS.index(target), device=image.device)
        return translated(self.G, image, domain)

    def _discriminator_loss(
        self, x: Tensor, domain: Tensor, target: Tensor, mix: Tensor
    ) -> Computed:
        with torch.no_grad():
            fake = self.G(x, target)
        sources, domains = self.D(torch.cat((x, fake)))
        real_source, fake_source = sources.chunk(2)
        real_domain, _ = domains.chunk(2)
        losses = {
            "wasserstein": mean(fake_source) - mean(real_source),
            "classification_real": cross_entropy(real_domain, domain),
            # On the source head alone
            "gradient_penalty": gradient_penalty(
                mix * x + (1 - mix) * fake, lambda image: self.D(image)[0]
            ),
        }
        loss = losses["wasserstein"]
        loss = loss + self.p.classification_weight * losses["classification_real"]
        loss = loss + self.p.gradient_penalty_weight * losses["gradient_penalty"]
        return loss, {"discriminator": loss} | losses, ()

    def _generator_loss(self, x: Tensor, domain: Tensor, target: Tensor) -> Computed:
        fake = self.G(x, target)
        source, predicted = self.D(fake)
        losses = {
            "adversarial": -mean(source),
            "classification_fake": cross_entropy(predicted, target),
            "reconstruction": l1(self.G(fake, domain), x),
        }
        loss = losses["adversarial"]
        loss = loss + self.p.classification_weight * losses["classification_fake"]
        loss = loss + self.p.reconstruction_weight * losses["reconstruction"]
        return loss, {"loss": loss} | losses, ()
