"""CycleGAN where lightness is kept: from gray only ab is to be found, and back nothing at all.

G gives the ab of a lightness L, D sees (L, ab), x is gray and (L, ab) is another photograph:

    L(G) = L_GAN(G, D) + lambda_cyc E[||ab - G(L)||_1],   ab in units of 110

Of CycleGAN's terms (see cyclegan.py) few are left. The way back takes L, so the gray cycle is 0
whatever G does. The colour cycle, from colour to L and to colour again, compares G(L) with the true
ab of that L: it is pix2pix's supervised L1. So the method is unpaired where lambda_cyc is 0, and
paired in effect where it is not, though gray and colour come from different photographs.
"""

from typing import Literal

from torch import Tensor

from colorize.methods import adversarial, one_sided, parameters, translation
from colorize.methods.base import Computed, Supervision
from colorize.methods.losses import l1
from colorize.networks import unet


class Parameters(parameters.UnpairedParameters, translation.UNetParameters, adversarial.Parameters):
    method: Literal["cyclegan_lab"]
    cycle_weight: parameters.Weight


class Method(one_sided.Lab):
    draws = "unpaired"

    def __init__(self, p: Parameters, image_size: int):
        generator = unet.Generator(1, 2, p.width, p.depth, p.norm, p.upsampling, p.dropout)
        super().__init__(p, image_size, generator)

    @property
    def supervision(self) -> Supervision:
        return "paired in effect" if self.p.cycle_weight > 0 else "unpaired"

    def _generator_loss(self, x: Tensor, real: Tensor) -> Computed:
        fake = self.colored(x)
        loss = adversarial.generator_loss(self.p, self.D, real, fake)
        losses = {"adversarial": loss}
        if self.p.cycle_weight > 0:
            losses["cycle_color"] = l1(self.colored(real[:, :1])[:, 1:], real[:, 1:])
            loss = loss + self.p.cycle_weight * losses["cycle_color"]
        return loss, {"loss": loss} | losses, (fake,)
