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
from torch.nn import functional as F

from colorize.data import Domains
from colorize.methods import common
from colorize.methods.common import signed
from colorize.networks import stargan

DOMAINS = 2  # 0 is gray, 1 is colour
COLOR = 1


class Parameters(common.ModelParameters):
    method: Literal["stargan"]
    network: Literal["stargan"]
    discriminator_width: common.Count
    discriminator_layers: Annotated[int, Field(ge=1, le=8)]
    classification_weight: common.Weight
    reconstruction_weight: common.Weight
    gradient_penalty_weight: common.Weight
    n_critic: common.Count

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


class Method(common.Method):
    supervision = "unpaired"
    output = "rgb"
    draws = Domains

    def __init__(self, p: Parameters, image_size: int):
        super().__init__()
        self.p = p
        self.generator = stargan.Generator(DOMAINS, p.width, p.depth)
        self.discriminator = stargan.Discriminator(
            DOMAINS, image_size, p.discriminator_width, p.discriminator_layers
        )
        self.optimizers = {
            name: torch.optim.Adam(getattr(self, name).parameters(), p.learning_rate, (0.5, 0.999))
            for name in ("generator", "discriminator")
        }

    def step(
        self, batch: dict[str, Tensor], number: int, rng: torch.Generator
    ) -> dict[str, Tensor]:
        real, domain = signed(batch["image"]), batch["domain"]
        target = domain[torch.randperm(len(domain), generator=rng).to(domain.device)]
        losses = self._update_discriminator(real, domain, target, rng)
        if number % self.p.n_critic == 0:
            losses = self._update_generator(real, domain, target) | losses
        return {name: value.detach() for name, value in losses.items()}

    def colorize(self, gray: Tensor) -> Tensor:
        domain = torch.full((len(gray),), COLOR, device=gray.device)
        return (self.generator((gray * 2 - 1).expand(-1, 3, -1, -1), domain) + 1) / 2

    def _update_discriminator(
        self, real: Tensor, domain: Tensor, target: Tensor, rng: torch.Generator
    ) -> dict[str, Tensor]:
        self.discriminator.requires_grad_(True)
        with torch.no_grad():
            fake = self.generator(real, target)
        real_source, real_domain = self.discriminator(real)
        fake_source, _ = self.discriminator(fake)
        wasserstein = fake_source.mean() - real_source.mean()
        classification = F.cross_entropy(real_domain, domain)
        mix = torch.rand((len(real), 1, 1, 1), generator=rng).to(real)
        penalty = self._gradient_penalty(mix * real + (1 - mix) * fake)
        loss = (
            wasserstein
            + self.p.classification_weight * classification
            + self.p.gradient_penalty_weight * penalty
        )
        self.optimizers["discriminator"].zero_grad()
        loss.backward()
        self.optimizers["discriminator"].step()
        return {
            "discriminator": loss,
            "wasserstein": wasserstein,
            "classification_real": classification,
            "gradient_penalty": penalty,
        }

    def _gradient_penalty(self, between: Tensor) -> Tensor:
        """Two-sided, on the source head alone: E[(||grad D_src||_2 - 1)^2]."""
        between.requires_grad_(True)
        source, _ = self.discriminator(between)
        (gradient,) = torch.autograd.grad(source.sum(), between, create_graph=True)
        return (gradient.flatten(1).norm(2, dim=1) - 1).square().mean()

    def _update_generator(self, real: Tensor, domain: Tensor, target: Tensor) -> dict[str, Tensor]:
        self.discriminator.requires_grad_(False)
        fake = self.generator(real, target)
        source, predicted = self.discriminator(fake)
        adversarial = -source.mean()
        classification = F.cross_entropy(predicted, target)
        reconstruction = F.l1_loss(self.generator(fake, domain), real)
        loss = (
            adversarial
            + self.p.classification_weight * classification
            + self.p.reconstruction_weight * reconstruction
        )
        self.optimizers["generator"].zero_grad()
        loss.backward()
        self.optimizers["generator"].step()
        return {
            "loss": loss,
            "adversarial": adversarial,
            "classification_fake": classification,
            "reconstruction": reconstruction,
        }
