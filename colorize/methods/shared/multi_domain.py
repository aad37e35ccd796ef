"""What methods share that have one generator for all domains, and tell it which one to make.

G sees the image and a plane for each domain, ones in that of the target and zeros in the others
(Choi et al. 2018). With x an image of domain c, c' the target and L lightness, G minimizes beside
what its game with D asks for

    lambda_rec ||x - G(G(x, c'), c)||_1 + lambda_L ||L(x) - L(G(x, c'))||_1

From color to gray and back the first term asks for what cannot be: the true gray has lost the
colors, so G is paid for hiding them in its gray, and for changing little. On that way alone
lambda_rec is `lossy_reconstruction_weight`; 0 leaves the term to ways like that from gray to color
and back, which lose nothing. The second term, of RGB alone, holds what the photograph shows without
asking for its colors back, and needs no pair: both are of the same image. It says nothing of
domains that are darker than the photograph: how dark, the discriminator has to tell.
"""

from typing import ClassVar, Literal

import torch
from pydantic import field_validator
from torch import Tensor
from torch.nn import functional as F

from colorize.color.domains import DARKER, LOSSY, Domain
from colorize.methods.shared import base, lab, parameters
from colorize.methods.shared.base import Losses, signed, translated
from colorize.methods.shared.losses import l1


class Parameters(
    parameters.UnpairedParameters, base.TranslationParameters, parameters.EncoderParameters
):
    """Keys of methods with one generator for all domains."""

    network: Literal["stargan", "unet"]
    domains: list[Domain]
    target_sampling: Literal["permuted", "other"]
    reconstruction_weight: parameters.Weight
    lossy_reconstruction_weight: parameters.Weight
    n_critic: parameters.Count

    @field_validator("domains")
    @classmethod
    def _distinct(cls, domains: list[Domain]) -> list[Domain]:
        if len(set(domains)) < len(domains) or not {"gray", "color"} <= set(domains):
            raise ValueError("gray, color and others are needed, each once")
        return domains

    def check(self, image_size: int) -> None:
        super().check(image_size)
        if self.network == "unet":
            parameters.check_halvings("depth", self.depth, image_size)
        if self.steps < self.n_critic:
            raise ValueError(
                f"steps: {self.steps} steps end before the generator moves, every "
                f"n_critic = {self.n_critic} steps"
            )


class Method(base.Method):
    """The game with the discriminator is to be written, and what images are to the networks."""

    draws = "domains"
    generators = ("G",)
    outputs: ClassVar[int]  # channels that G makes

    def __init__(self, p: Parameters, image_size: int, unused: int = 0, **options: str):
        """unused: labels of no domain; options: of the network."""
        super().__init__(p, image_size)
        self.domains = self.targets = tuple(p.domains)
        self.labels = len(self.domains) + unused  # planes that G sees
        for name, members in (("lossy", LOSSY), ("darker", DARKER)):
            flags = torch.tensor([domain in members for domain in self.domains])
            self.register_buffer(name, flags, persistent=False)
        options |= {"norm": p.norm, "upsampling": p.upsampling}
        self.G = base.generator(p, 3 + self.labels, self.outputs, **options)

    def seen(self, image: Tensor) -> Tensor:
        """sRGB bytes (n, 3, H, W) as the networks see them, about [-1, 1]."""
        raise NotImplementedError

    def generated(self, x: Tensor, domain: Tensor) -> Tensor:
        """G(x, c): images (n, 3, H, W) as the networks see them and (n,) domains to such images.

        Here as the network gives it, (n, outputs, H, W) in [-1, 1].
        """
        label = F.one_hot(domain, self.labels).to(x.dtype)[:, :, None, None]
        planes = label.expand(-1, -1, *x.shape[-2:])
        return self.G(torch.cat((x, planes), dim=1))

    def numbered(self, image: Tensor, target: Domain) -> Tensor:
        """(n,): the target's number, for each of the images."""
        return torch.full(image.shape[:1], self.domains.index(target), device=image.device)

    def drawn(self, batch: dict[str, Tensor], rng: torch.Generator) -> tuple[Tensor, ...]:
        """Images x, their domains c, and targets c'.

        permuted: the domains of the batch in random order, as published; of two in turn, half of
        the targets ask for no change. other: any but its own.
        """
        domain = self.whole(batch["domain"])
        if self.p.target_sampling == "permuted":
            order = torch.randperm(len(domain), generator=rng)
            target = domain[order.to(domain.device, non_blocking=True)]
        else:
            count = len(self.domains)
            further = torch.randint(1, count, domain.shape, generator=rng)
            target = (domain + further.to(domain.device, non_blocking=True)) % count
        return self.seen(batch["image"]), batch["domain"], self.share(target)

    def content(
        self, x: Tensor, domain: Tensor, target: Tensor, fake: Tensor
    ) -> tuple[Tensor | float, Losses]:
        """What G minimizes beside its part in the game, weighted, and the losses, which are not."""
        weight, of_lossy = self.p.reconstruction_weight, self.p.lossy_reconstruction_weight
        if weight == of_lossy == 0:
            return 0.0, {}
        back = self.generated(fake, domain)
        losses = {"reconstruction": l1(back, x)}
        content = weight * losses["reconstruction"]
        if weight != of_lossy:
            lossy = self.lossy[target] & ~self.lossy[domain]
            mask = lossy.to(x).view(-1, 1, 1, 1)
            content = content + (of_lossy - weight) * l1(mask * back, mask * x)
        return content, losses


class RGBParameters(Parameters):
    """Keys where G makes the whole image."""

    residual: bool
    lightness_weight: parameters.Weight


class RGBMethod(Method):
    """Networks see sRGB in [-1, 1].

    residual: G gives x + network(x, c'), so that what is to stay need not be learned.
    """

    supervision = "unpaired"
    output = "rgb"
    outputs = 3

    def seen(self, image: Tensor) -> Tensor:
        return signed(image)

    def generated(self, x: Tensor, domain: Tensor) -> Tensor:
        made = super().generated(x, domain)
        return x + made if self.p.residual else made

    def translate(self, image: Tensor, target: Domain) -> Tensor:
        return translated(self.generated, image, self.numbered(image, target))

    def content(
        self, x: Tensor, domain: Tensor, target: Tensor, fake: Tensor
    ) -> tuple[Tensor | float, Losses]:
        content, losses = super().content(x, domain, target, fake)
        if self.p.lightness_weight:
            kept = ~(self.darker[domain] | self.darker[target])
            mask = kept.to(x).view(-1, 1, 1, 1)
            made, own = (lab.seen((image + 1) / 2) for image in (fake, x))
            losses["lightness"] = l1(mask * made, mask * own)
            content = content + self.p.lightness_weight * losses["lightness"]
        return content, losses
