"""What methods share that predict chroma alone, and so keep the photograph's own lightness.

Networks see lightness as L / 50 - 1 and give a and b in units of 110: all about [-1, 1], as in
pix2pix's colorization (Isola et al. 2017).
"""

import torch
from torch import Tensor

from colorize import color
from colorize.color.domains import Domain
from colorize.methods.shared import base

AB_SCALE = 110


class Method(base.Method):
    """Its networks give ab; `predict_ab` is to be written."""

    output = "ab"
    targets = ("color",)

    def translate(self, image: Tensor, target: Domain) -> Tensor:
        gray = image[:, :1]  # all three are alike
        return color.join(color.lightness_of(gray), self.predict_ab(gray))

    def predict_ab(self, gray: Tensor) -> Tensor:
        raise NotImplementedError


def at_full_size(ab: Tensor, image: Tensor) -> Tensor:
    """ab (n, 2, h, w) that a network gives to (n, 2, H, W) as `image`; some give a quarter."""
    ab = color.widened(ab)
    return ab if ab.shape[-2:] == image.shape[-2:] else color.enlarge(ab)


def seen(image: Tensor) -> Tensor:
    """Gray (n, 1, H, W) or sRGB (n, 3, H, W), bytes or in [0, 1], to lightness in [-1, 1]."""
    return color.lightness_of(image) / 50 - 1


def scaled(rgb: Tensor) -> Tensor:
    """sRGB (n, 3, H, W), bytes or in [0, 1], to Lab with all channels about [-1, 1]."""
    lightness, ab = color.rgb_to_lab(rgb).split((1, 2), dim=1)
    return torch.cat((lightness / 50 - 1, ab / AB_SCALE), dim=1)
