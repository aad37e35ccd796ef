"""StarGAN: one generator for both directions, told the domain that it is to produce.

Choi et al. 2018, "StarGAN: Unified Generative Adversarial Networks for Multi-Domain Image-to-Image
Translation", equations 1 to 8. x is an image of domain c, c' the target, D_src and D_cls the heads
of the discriminator, xh a random point between a real and a generated image:

    L_D = E[D_src(G(x, c'))] - E[D_src(x)] + lambda_cls CE(D_cls(x), c)
        + lambda_gp E[(||grad D_src(xh)||_2 - 1)^2]
    L_G = -E[D_src(G(x, c'))] + lambda_cls CE(D_cls(G(x, c')), c')
        + lambda_rec ||x - G(G(x, c'), c)||_1

The generator moves once in `n_critic` steps. What goes beyond the paper, and is off as published,
stands in multi_domain.py.

Three controls are known to go wrong, and show what a failure looks like:

    one_label           every image is of domain 0 and is to stay there, as with photographs in the
                        wrong folders: to copy is right
    reflection_padding  instance normalization then erases the planes that tell the target
    unused_labels       three domains more that no image is of: the published code's default is five
"""

from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from colorize.base import distributed
from colorize.color import in_full_precision
from colorize.methods.shared import multi_domain
from colorize.methods.shared.adversarial import mean, wgan_gradient_penalty
from colorize.methods.shared.base import Computed, Losses, Weight, Width, check_halvings
from colorize.networks import stargan

UNUSED = 3  # labels of the control of that name: with two domains, five in all


class Parameters(multi_domain.RGBParameters):
    method: Literal["stargan"]
    control: Literal["none", "one_label", "reflection_padding", "unused_labels"]
    discriminator_width: Width
    discriminator_layers: Annotated[int, Field(ge=1, le=8)]
    classification_weight: Weight
    gradient_penalty_weight: Weight

    def check(self, image_size: int) -> None:
        super().check(image_size)
        check_halvings("discriminator_layers", self.discriminator_layers, image_size)
        if self.control == "reflection_padding" and self.network != "stargan":
            raise ValueError("control: reflection_padding is of the network stargan alone")


class Method(multi_domain.RGBMethod):
    def __init__(self, p: Parameters, image_size: int):
        unused = UNUSED if p.control == "unused_labels" else 0
        padding = {"padding": "reflect"} if p.control == "reflection_padding" else {}
        super().__init__(p, image_size, unused, **padding)
        self.D = stargan.Discriminator(
            self.labels, image_size, p.discriminator_width, p.discriminator_layers
        )
        self.add_update("discriminator", self._discriminator_loss, "D")
        self.add_update("generator", self._generator_loss, "G")

    def step(self, batch: dict[str, Tensor], number: int, rng: torch.Generator) -> Losses:
        x, domain, target = self.inputs(batch, rng)
        if self.p.control == "one_label":
            domain = target = torch.zeros_like(domain)
        mix = torch.rand((distributed.world_size() * len(x), 1, 1, 1), generator=rng)
        mix = self.shard(mix).to(x, non_blocking=True)
        losses, _ = self.update("discriminator", x, domain, target, mix)
        if number % self.p.n_critic == 0:
            losses = self.update("generator", x, domain, target)[0] | losses
        return losses

    def generate(self, x: Tensor, domain: Tensor) -> Tensor:
        if self.p.control == "one_label":
            domain = torch.zeros_like(domain)
        return super().generate(x, domain)

    def classify(self, image: Tensor) -> Tensor:
        return self.D(image * 2 - 1)[1].argmax(1)

    def _discriminator_loss(
        self, x: Tensor, domain: Tensor, target: Tensor, mix: Tensor
    ) -> Computed:
        with torch.no_grad():
            fake = self.generate(x, target)
        sources, domains = self.D(torch.cat((x, fake)))
        real_source, fake_source = sources.chunk(2)
        real_domain, _ = domains.chunk(2)
        losses = {
            "wasserstein": mean(fake_source) - mean(real_source),
            "classification_real": cross_entropy(real_domain, domain),
            # On the source head alone
            "gradient_penalty": wgan_gradient_penalty(
                mix * x + (1 - mix) * fake, lambda image: self.D(image)[0]
            ),
        }
        loss = losses["wasserstein"]
        loss = loss + self.p.classification_weight * losses["classification_real"]
        loss = loss + self.p.gradient_penalty_weight * losses["gradient_penalty"]
        return loss, {"discriminator": loss} | losses, ()

    def _generator_loss(self, x: Tensor, domain: Tensor, target: Tensor) -> Computed:
        fake = self.generate(x, target)
        source, predicted = self.D(fake)
        losses = {
            "adversarial": -mean(source),
            "classification_fake": cross_entropy(predicted, target),
        }
        content_loss, content_losses = self.content_loss(x, domain, target, fake)
        loss = losses["adversarial"]
        loss = loss + self.p.classification_weight * losses["classification_fake"]
        loss = loss + content_loss
        return loss, {"loss": loss} | losses | content_losses, ()


@in_full_precision
def cross_entropy(logits: Tensor, domain: Tensor) -> Tensor:
    """-log of the probability of the right domain; logits (n, domains), domain (n,)."""
    return functional.cross_entropy(logits, domain)
