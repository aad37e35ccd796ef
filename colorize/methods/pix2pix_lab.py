"""pix2pix in Lab: pairs, L1 and a GAN; what an unpaired method could reach at best.

Isola, Zhu, Zhou and Efros 2017, "Image-to-Image Translation with Conditional Adversarial Networks",
equations 1 to 4, as their release colors: L is given, ab is made, and D sees both, so that it
scores whether these colors suit this photograph:

    L(G) = L_GAN(G, D) + lambda_L1 E[||ab - G(L)||_1],   ab in units of 110
"""

from typing import Literal

from torch import Tensor

from colorize.methods.shared import lab
from colorize.methods.shared.base import Losses, Weight, l1


class Parameters(lab.AdversarialParameters):
    method: Literal["pix2pix_lab"]
    l1_weight: Weight


class Method(lab.AdversarialMethod):
    supervision = "paired"
    sampling = "paired"

    def content_loss(self, fake: Tensor, real: Tensor) -> tuple[Tensor, Losses]:
        distance = l1(fake[:, 1:], real[:, 1:])
        return self.p.l1_weight * distance, {"l1": distance}
