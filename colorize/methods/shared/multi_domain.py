"""What methods share that have one generator for all domains, and tell it which one to make.

G sees the image and a plane for each domain, ones in that of the target and zeros in the others
(Choi et al. 2018). With x an image of domain c, c' the target and L lightness, G minimizes beside
its adversarial loss

    lambda_rec ||x - G(G(x, c'), c)||_1 + lambda_L ||L(x) - L(G(x, c'))||_1

From color to gray and back the first term asks for what cannot be: the true gray has lost the
colors, so G is rewarded for hiding them in its gray, and for changing little. On that way alone
lambda_rec is `lossy_reconstruction_weight`; 0 leaves the term to ways like that from gray to color
and back, which lose nothing. The second term, of RGB alone, holds what the photograph shows without
asking for its colors back, and needs no pair: both are of the same image. It says nothing of
domains that are darker than the photograph: how dark, the discriminator has to tell.

A discriminator per domain, as StarGAN v2's (Choi et al. 2020, "StarGAN v2: Diverse Image Synthesis
for Multiple Domains", equation 1, with R1 of Mescheder et al. 2018), scores patches of two sizes
for each domain; D_c is that of domain c, and f(t) = log(1 + e^t):

    L_D = E[f(-D_c(x))] + E[f(D_c'(G(x, c')))] + penalty_weight / 2 E[||grad D_c(x)||^2]
    L_G = E[f(-D_c'(G(x, c')))] + the terms above

E of scores is the sum of the means over either size; the penalty is of all patches alike.

Of more than two domains all that is made for c, whatever it is made of, is scored by the same D_c,
and it is enough that the mixture looks like photographs of c: ways that fall short may be made up
for by others that go too far. `discriminator_per: direction` has a D_s,c for what is made for c of
an image of s: D_c,c' in place of D_c' above. What it is to be like are photographs of c, so that x
goes to D_c',c, that of the way back, in place of D_c. Where domains are two, and the target is
never the source, it is the same.

A classifier learns what tells real gray from real color, and is content with a generated image as
soon as it is on the right side, however much color is left. D_gray has seen what is made for gray,
and knows it from gray photographs by any of that color.
"""

from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field, field_validator
from torch import Tensor
from torch.nn import functional as F

from colorize.color.domains import DARKER, LOSSY, Domain
from colorize.methods.shared import base, lab
from colorize.methods.shared.adversarial import gradient_penalty, logistic
from colorize.methods.shared.base import Computed, Count, Losses, Weight, Width, check_halvings, l1
from colorize.networks.shared.discriminators import MultiDomainDiscriminator

BETAS = (0.0, 0.99)  # Adam has no momentum, as in StarGAN v2


class Parameters(base.UnpairedParameters, base.TranslationParameters, base.EncoderParameters):
    """Keys of methods with one generator for all domains."""

    network: Literal["stargan", "unet"]
    domains: list[Domain]
    target_sampling: Literal["permuted", "other"]
    reconstruction_weight: Weight
    lossy_reconstruction_weight: Weight
    n_critic: Count

    @field_validator("domains")
    @classmethod
    def _distinct(cls, domains: list[Domain]) -> list[Domain]:
        if len(set(domains)) < len(domains) or not {"gray", "color"} <= set(domains):
            raise ValueError("gray, color and others are needed, each once")
        return domains

    def check(self, image_size: int) -> None:
        super().check(image_size)
        if self.network == "unet":
            check_halvings("depth", self.depth, image_size)
        if self.steps < self.n_critic:
            raise ValueError(
                f"steps: {self.steps} steps end before the generator moves, every "
                f"n_critic = {self.n_critic} steps"
            )


class Method(base.Method):
    """The discriminator's part is to be written, and what images are to the networks."""

    sampling = "domains"
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

    def preprocess(self, image: Tensor) -> Tensor:
        """sRGB bytes (n, 3, H, W) as the networks see them, about [-1, 1]."""
        raise NotImplementedError

    def generate(self, x: Tensor, domain: Tensor) -> Tensor:
        """G(x, c): images (n, 3, H, W) as the networks see them and (n,) domains to such images.

        Here as the network gives it, (n, outputs, H, W) in [-1, 1].
        """
        label = F.one_hot(domain, self.labels).to(x.dtype)[:, :, None, None]
        planes = label.expand(-1, -1, *x.shape[-2:])
        return self.G(torch.cat((x, planes), dim=1))

    def label(self, image: Tensor, target: Domain) -> Tensor:
        """(n,): the target's number, for each of the images."""
        return torch.full(image.shape[:1], self.domains.index(target), device=image.device)

    def inputs(self, batch: dict[str, Tensor], rng: torch.Generator) -> tuple[Tensor, ...]:
        """Images x, their domains c, and targets c'.

        permuted: the domains of the batch in random order, as published; of two in turn, half of
        the targets ask for no change. other: any but its own.
        """
        domain = self.gather(batch["domain"])
        if self.p.target_sampling == "permuted":
            order = torch.randperm(len(domain), generator=rng)
            target = domain[order.to(domain.device, non_blocking=True)]
        else:
            count = len(self.domains)
            further = torch.randint(1, count, domain.shape, generator=rng)
            target = (domain + further.to(domain.device, non_blocking=True)) % count
        return self.preprocess(batch["image"]), batch["domain"], self.shard(target)

    def content_loss(
        self, x: Tensor, domain: Tensor, target: Tensor, fake: Tensor
    ) -> tuple[Tensor | float, Losses]:
        """What G minimizes beside its adversarial loss, weighted, and the losses, which are not."""
        weight, lossy_weight = self.p.reconstruction_weight, self.p.lossy_reconstruction_weight
        if weight == lossy_weight == 0:
            return 0.0, {}
        back = self.generate(fake, domain)
        losses = {"reconstruction": l1(back, x)}
        loss = weight * losses["reconstruction"]
        if weight != lossy_weight:
            lossy = self.lossy[target] & ~self.lossy[domain]
            mask = lossy.to(x).view(-1, 1, 1, 1)
            loss = loss + (lossy_weight - weight) * l1(mask * back, mask * x)
        return loss, losses


class RGBParameters(Parameters):
    """Keys where G makes the whole image."""

    residual: bool
    lightness_weight: Weight


class RGBMethod(Method):
    """Networks see sRGB in [-1, 1].

    residual: G gives x + network(x, c'), so that what is to stay need not be learned.
    """

    supervision = "unpaired"
    output = "rgb"
    outputs = 3

    def preprocess(self, image: Tensor) -> Tensor:
        return base.signed(image)

    def generate(self, x: Tensor, domain: Tensor) -> Tensor:
        output = super().generate(x, domain)
        return x + output if self.p.residual else output

    def translate(self, image: Tensor, target: Domain) -> Tensor:
        return base.translated(self.generate, image, self.label(image, target))

    def content_loss(
        self, x: Tensor, domain: Tensor, target: Tensor, fake: Tensor
    ) -> tuple[Tensor | float, Losses]:
        loss, losses = super().content_loss(x, domain, target, fake)
        if self.p.lightness_weight:
            same_lightness = ~(self.darker[domain] | self.darker[target])
            mask = same_lightness.to(x).view(-1, 1, 1, 1)
            lightness, fake_lightness = (
                lab.normalized_lightness((image + 1) / 2) for image in (x, fake)
            )
            losses["lightness"] = l1(mask * fake_lightness, mask * lightness)
            loss = loss + self.p.lightness_weight * losses["lightness"]
        return loss, losses


class PerDomainParameters(Parameters):
    """Keys of methods with a discriminator per domain."""

    discriminator_width: Width
    discriminator_layers: Annotated[int, Field(ge=2, le=8)]
    penalty_weight: Weight
    discriminator_per: Literal["domain", "direction"]

    def check(self, image_size: int) -> None:
        super().check(image_size)
        check_halvings("discriminator_layers", self.discriminator_layers, image_size)


class PerDomainMethod(Method):
    def __init__(self, p: PerDomainParameters, image_size: int):
        super().__init__(p, image_size)
        count = len(self.domains)
        if p.discriminator_per == "direction":
            count **= 2  # also from a domain to itself, which `permuted` targets ask for
        self.D = MultiDomainDiscriminator(count, p.discriminator_width, p.discriminator_layers)
        self.add_update("discriminator", self._discriminator_loss, "D", betas=BETAS)
        self.add_update("generator", self._generator_loss, "G", betas=BETAS)

    def step(self, batch: dict[str, Tensor], number: int, rng: torch.Generator) -> Losses:
        x, domain, target = self.inputs(batch, rng)
        losses, _ = self.update("discriminator", x, domain, target)
        if number % self.p.n_critic == 0:
            losses = self.update("generator", x, domain, target)[0] | losses
        return losses

    def scores(self, image: Tensor, source: Tensor, domain: Tensor) -> tuple[Tensor, ...]:
        """D_c or D_s,c: images (n, 3, H, W), (n,) domains s that they are, or might be, made of and
        (n,) domains c that they are to be of, to maps of scores, each (n, h, w).
        """
        discriminator = domain
        if self.p.discriminator_per == "direction":
            discriminator = len(self.domains) * source + domain
        images = torch.arange(len(image), device=image.device)
        return tuple(maps[images, discriminator] for maps in self.D(image))

    def _discriminator_loss(self, x: Tensor, domain: Tensor, target: Tensor) -> Computed:
        with torch.no_grad():
            fake = self.generate(x, target)
        sources, domains = torch.cat((target, domain)), torch.cat((domain, target))
        both = self.scores(torch.cat((x, fake)), sources, domains)
        real_scores, fake_scores = zip(*(scores.chunk(2) for scores in both), strict=True)
        losses = {
            "real": sum(logistic(scores) for scores in real_scores),
            "fake": sum(logistic(-scores) for scores in fake_scores),
        }
        loss = losses["real"] + losses["fake"]
        if self.p.penalty_weight:

            def critic(image: Tensor) -> Tensor:
                scores = self.scores(image, target, domain)
                return torch.cat([each.flatten(1) for each in scores], dim=1)

            losses["r1"] = gradient_penalty(x, critic)
            loss = loss + self.p.penalty_weight / 2 * losses["r1"]
        return loss, {"discriminator": loss} | losses, ()

    def _generator_loss(self, x: Tensor, domain: Tensor, target: Tensor) -> Computed:
        fake = self.generate(x, target)
        scores = self.scores(fake, domain, target)
        losses = {"adversarial": sum(logistic(each) for each in scores)}
        content_loss, content_losses = self.content_loss(x, domain, target, fake)
        loss = losses["adversarial"] + content_loss
        return loss, {"loss": loss} | losses | content_losses, ()
