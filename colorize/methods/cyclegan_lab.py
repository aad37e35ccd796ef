"""CycleGAN where lightness is kept: from gray only ab is to be found, and back nothing at all.

G gives the ab of a lightness L, D sees (L, ab), x is gray and (L, ab) is another photograph:

    L(G) = L_GAN(G, D) + lambda_cyc E[||ab - G(L)||_1],   ab in units of 110

Of CycleGAN's terms (see cyclegan.py) few are left. The way back takes L, so the gray cycle is 0
whatever G does. The color cycle, from color to L and to color again, compares G(L) with the true
ab of that L: it is pix2pix's supervised L1. So the method is unpaired where lambda_cyc is 0, and
paired in effect where it is not, though gray and color come from different photographs.
"""

from typing import Literal

from torch import Tensor

from colorize.methods.shared import base, lab
from colorize.methods.shared.base import Losses, Supervision, Weight, l1


class Parameters(base.UnpairedParameters, lab.AdversarialParameters):
    method: Literal["cyclegan_lab"]
    cycle_weight: Weight


class Method(lab.AdversarialMethod):
    sampling = "unpaired"

    @property
    def supervision(self) -> Supervision:
        return "paired in effect" if self.p.cycle_weight > 0 else "unpaired"

    def content_loss(self, fake: Tensor, real: Tensor) -> tuple[Tensor | float, Losses]:
        if self.p.cycle_weight == 0:
            return 0.0, {}
        cycle = l1(self.generate(real[:, :1])[:, 1:], real[:, 1:])
        return self.p.cycle_weight * cycle, {"cycle_color": cycle}
