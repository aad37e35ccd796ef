"""What methods share whose discriminator judges each domain by itself, as StarGAN v2's does.

Choi et al. 2020, "StarGAN v2: Diverse Image Synthesis for Multiple Domains", equation 1, with R1 of
Mescheder et al. 2018. D scores patches of two sizes for each domain; D_c is that of domain c, x is
an image of it, c' the target, and f(t) = log(1 + e^t):

    L_D = E[f(-D_c(x))] + E[f(D_c'(G(x, c')))] + penalty_weight / 2 E[||grad D_c(x)||^2]
    L_G = E[f(-D_c'(G(x, c')))] + what multi_domain.py asks for

E of scores is the sum of the means over either size; the penalty is of all patches alike.

Of more than two domains all that is made for c, whatever it is made of, is judged by the same D_c,
and it is enough that the mixture looks like photographs of c: ways that fall short may be made up
for by others that go too far. `judge_per: direction` has a judge D_s,c of what is made for c of an
image of s: D_c,c' in place of D_c' above. What it is to be like are photographs of c, so that x
goes to D_c',c, the judge of the way back, in place of D_c. Where domains are two, and the target is
never the source, it is the same.

A classifier learns what tells real gray from real color, and is content with a generated image as
soon as it is on the right side, however much color is left. D_gray has seen what is made for gray,
and knows it from gray photographs by any of that color.

Adam has no momentum, as there.
"""

from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor

from colorize.methods.shared import multi_domain, parameters
from colorize.methods.shared.base import Computed, Losses
from colorize.methods.shared.losses import logistic, squared_slope
from colorize.networks.shared import discriminators

BETAS = (0.0, 0.99)


class Parameters(multi_domain.Parameters):
    """Keys of methods with a judge for each domain."""

    discriminator_width: parameters.Count
    discriminator_layers: Annotated[int, Field(ge=2, le=8)]
    penalty_weight: parameters.Weight
    judge_per: Literal["domain", "direction"]

    def check(self, image_size: int) -> None:
        super().check(image_size)
        parameters.check_halvings("discriminator_layers", self.discriminator_layers, image_size)


class Method(multi_domain.Method):
    def __init__(self, p: Parameters, image_size: int):
        super().__init__(p, image_size)
        count = len(self.domains)
        if p.judge_per == "direction":
            count **= 2  # also from a domain to itself, which `permuted` targets ask for
        self.D = discriminators.OfDomains(count, p.discriminator_width, p.discriminator_layers)
        self.add_update("discriminator", self._discriminator_loss, "D", betas=BETAS)
        self.add_update("generator", self._generator_loss, "G", betas=BETAS)

    def step(self, batch: dict[str, Tensor], number: int, rng: torch.Generator) -> Losses:
        x, domain, target = self.drawn(batch, rng)
        losses, _ = self.update("discriminator", x, domain, target)
        if number % self.p.n_critic == 0:
            losses = self.update("generator", x, domain, target)[0] | losses
        return losses

    def scores(self, image: Tensor, source: Tensor, domain: Tensor) -> tuple[Tensor, ...]:
        """D_c or D_s,c: images (n, 3, H, W), (n,) domains s that they are, or might be, made of and
        (n,) domains c that they are to be of, to maps of scores, each (n, h, w).
        """
        judge = domain
        if self.p.judge_per == "direction":
            judge = len(self.domains) * source + domain
        images = torch.arange(len(image), device=image.device)
        return tuple(maps[images, judge] for maps in self.D(image))

    def _discriminator_loss(self, x: Tensor, domain: Tensor, target: Tensor) -> Computed:
        with torch.no_grad():
            fake = self.generated(x, target)
        sources, domains = torch.cat((target, domain)), torch.cat((domain, target))
        both = self.scores(torch.cat((x, fake)), sources, domains)
        of_real, of_fake = zip(*(scores.chunk(2) for scores in both), strict=True)
        losses = {
            "real": sum(logistic(scores) for scores in of_real),
            "fake": sum(logistic(-scores) for scores in of_fake),
        }
        loss = losses["real"] + losses["fake"]
        if self.p.penalty_weight:

            def critic(image: Tensor) -> Tensor:
                scores = self.scores(image, target, domain)
                return torch.cat([each.flatten(1) for each in scores], dim=1)

            losses["slope"] = squared_slope(x, critic)
            loss = loss + self.p.penalty_weight / 2 * losses["slope"]
        return loss, {"discriminator": loss} | losses, ()

    def _generator_loss(self, x: Tensor, domain: Tensor, target: Tensor) -> Computed:
        fake = self.generated(x, target)
        scores = self.scores(fake, domain, target)
        losses = {"adversarial": sum(logistic(each) for each in scores)}
        of_content, others = self.content(x, domain, target, fake)
        loss = losses["adversarial"] + of_content
        return loss, {"loss": loss} | losses | others, ()
