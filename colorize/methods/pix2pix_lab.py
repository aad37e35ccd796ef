"""pix2pix in Lab: pairs, L1 and a GAN; what an unpaired method could reach at best.

Isola, Zhu, Zhou and Efros 2017, "Image-to-Image Translation with Conditional Adversarial Networks",
equations 1 to 4, as their release colours: L is given, ab is made, and D sees both, so that it
judges whether these colours suit this photograph:

    L(G) = L_GAN(G, D) + lambda_L1 E[||ab - G(L)||_1],   ab in units of 110
"""

from typing import Literal

from torch import Tensor

from colorize.methods import adversarial, one_sided, parameters, translation
from colorize.methods.base import Computed
from colorize.methods.losses import l1
from colorize.networks import unet


class Parameters(translation.UNetParameters, adversarial.Parameters):
    method: Literal["pix2pix_lab"]
    l1_weight: parameters.Weight


class Method(one_sided.Lab):
    supervision = "paired"
    draws = "pairs"

    def __init__(self, p: Parameters, image_size: int):
        generator = unet.Generator(1, 2, p.width, p.depth, p.norm, p.upsampling, p.dropout)
        super().__init__(p, image_size, generator)

    def _generator_loss(self, x: Tensor, real: Tensor) -> Computed:
        fake = self.colored(x)
        losses = {
            "adversarial": adversarial.generator_loss(self.p, self.D, real, fake),
            "l1": l1(fake[:, 1:], real[:, 1:]),
        }
        loss = losses["adversarial"] + self.p.l1_weight * losses["l1"]
        return loss, {"loss": loss} | losses, (fake,)
