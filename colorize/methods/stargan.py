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
from torch.nn.functional import cross_entropy

from colorize.methods import base
from colorize.methods.base import signed
from colorize.methods.losses import gradient_penalty, l1
from colorize.networks import stargan

DOMAINS: tuple[base.Domain, ...] = ("gray", "color")  # by their numbers


class Parameters(base.UnpairedParameters):
    method: Literal["stargan"]
    network: Literal["stargan"]
    discriminator_width: base.Count
    discriminator_layers: Annotated[int, Field(ge=1, le=8)]
    classification_weight: base.Weight
    reconstruction_weight: base.Weight
    gradient_penalty_weight: base.Weight
    n_critic: base.Count

    def check(self, image_size: int) -> None:
        if self.steps < self.n_critic:
            raise ValueError(
                f"steps: {self.steps} steps end before the generator moves, every "
                f"n_critic = {self.n_critic} steps"
            )
        if image_size % 2**self.discriminator_layers:
            raise ValueError(
                f"discriminator_layers: {self.discriminator_layers} layers need a multiple of "
                f"{2**self.discriminator_layers} pixels, data.image_size is {image_size}"
            )


class Method(base.Method):
    supervision = "unpaired"
    output = "rgb"
    draws = "domains"
    targets = DOMAINS
    generators = ("G",)

    def __init__(self, p: Parameters, image_size: int):
        super().__init__()
        self.p = p
        self.G = stargan.Generator(len(DOMAINS), p.width, p.depth)
        self.D = stargan.Discriminator(
            len(DOMAINS), image_size, p.discriminator_width, p.discriminator_layers
        )
        self.add_optimizer("generator", [self.G], p.learning_rate)
        self.add_optimizer("discriminator", [self.D], p.learning_rate)

    def step(
        self, batch: dict[str, Tensor], number: int, rng: torch.Generator
    ) -> dict[str, Tensor]:
        x, domain = signed(batch["image"]), batch["domain"]
        target = domain[torch.randperm(len(domain), generator=rng).to(domain.device)]
        mix = torch.rand((len(x), 1, 1, 1), generator=rng).to(x)

        losses = self._discriminator_losses(x, domain, target, mix)
        self.update("discriminator", losses["discriminator"])
        if number % self.p.n_critic == 0:
            losses = self._generator_losses(x, domain, target) | losses
            self.update("generator", losses["loss"])
        return losses

    def translate(self, image: Tensor, target: base.Domain) -> Tensor:
        domain = torch.full((len(image),), DOMAINS.index(target), device=image.device)
        return (self.G(image * 2 - 1, domain) + 1) / 2

    def _discriminator_losses(
        self, x: Tensor, domain: Tensor, target: Tensor, mix: Tensor
    ) -> dict[str, Tensor]:
        with torch.no_grad():
            fake = self.G(x, target)
        real_source, real_domain = self.D(x)
        fake_source, _ = self.D(fake)
        wasserstein = fake_source.float().mean() - real_source.float().mean()
        classification = cross_entropy(real_domain.float(), domain)
        # On the source head alone
        penalty = gradient_penalty(lambda image: self.D(image)[0], mix * x + (1 - mix) * fake)
        return {
            "discriminator": wasserstein
            + self.p.classification_weight * classification
            + self.p.gradient_penalty_weight * penalty,
            "wasserstein": wasserstein,
            "classification_real": classification,
            "gradient_penalty": penalty,
        }

    def _generator_losses(self, x: Tensor, domain: Tensor, target: Tensor) -> dict[str, Tensor]:
        fake = self.G(x, target)
        source, predicted = self.D(fake)
        adversarial = -source.float().mean()
        classification = cross_entropy(predicted.float(), target)
        reconstruction = l1(self.G(fake, domain), x)
        return {
            "loss": adversarial
            + self.p.classification_weight * classification
            + self.p.reconstruction_weight * reconstruction,
            "adversarial": adversarial,
            "classification_fake": classification,
            "reconstruction": reconstruction,
        }
