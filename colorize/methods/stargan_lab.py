"""StarGAN in Lab, a discriminator per domain: it makes ab, and photographs keep their lightness.

G sees (L, ab), of gray images with ab = 0, and gives the ab of the domain that is asked for; D_c
sees (L, ab) of generated and of real images. No ab is what gray is, and G has to learn that too.

From color to gray and back, reconstruction would compare the ab that G gives L with the true ab of
that L, as the color cycle of cyclegan_lab.py does. So the method is unpaired where that way has no
weight, and paired in effect where it has.
"""

from typing import Literal

import torch
from torch import Tensor

from colorize import color
from colorize.color.domains import DARKER, Domain
from colorize.methods.shared import lab, multi_domain
from colorize.methods.shared.base import Supervision


class Parameters(multi_domain.PerDomainParameters):
    method: Literal["stargan_lab"]
    network: Literal["stargan", "unet", "efficientnet_lite"]

    def check(self, image_size: int) -> None:
        super().check(image_size)
        for domain in set(self.domains) & set(DARKER):
            raise ValueError(f"domains: {domain} is darker, and stargan_lab keeps lightness")


class Method(multi_domain.PerDomainMethod):
    output = "ab"
    outputs = 2

    @property
    def supervision(self) -> Supervision:
        return "paired in effect" if self.p.lossy_reconstruction_weight > 0 else "unpaired"

    def preprocess(self, image: Tensor) -> Tensor:
        return lab.normalized(image)

    def generate(self, x: Tensor, domain: Tensor) -> Tensor:
        ab = lab.at_full_size(super().generate(x, domain), x)
        return torch.cat((x[:, :1], ab), dim=1)

    def translate(self, image: Tensor, target: Domain) -> Tensor:
        return color.join(color.lightness_of(image), self._ab(image, target))

    def predict_ab(self, gray: Tensor) -> Tensor:
        return self._ab(gray.expand(-1, 3, -1, -1), "color")

    def _ab(self, image: Tensor, target: Domain) -> Tensor:
        """(n, 3, H, W) sRGB in [0, 1] to the chroma (n, 2, H, W) that it has in `target`."""
        x = self.generate(self.preprocess(image), self.label(image, target))
        return x[:, 1:] * lab.AB_SCALE
