"""What methods share that predict chroma alone, and so keep the photograph's own lightness.

Networks see lightness as L / 50 - 1 and give a and b in units of 110: all about [-1, 1], as in
pix2pix's colorization (Isola et al. 2017).
"""

from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor

from colorize import color
from colorize.color.domains import Domain
from colorize.methods.shared import adversarial, base
from colorize.methods.shared.base import Computed, EncoderParameters, Losses, check_halvings

AB_SCALE = 110


def normalized_lightness(image: Tensor) -> Tensor:
    """Gray (n, 1, H, W) or sRGB (n, 3, H, W), bytes or in [0, 1], to lightness in [-1, 1]."""
    return color.lightness_of(image) / 50 - 1


def normalized(rgb: Tensor) -> Tensor:
    """sRGB (n, 3, H, W), bytes or in [0, 1], to Lab with all channels about [-1, 1]."""
    lightness, ab = color.rgb_to_lab(rgb).split((1, 2), dim=1)
    return torch.cat((lightness / 50 - 1, ab / AB_SCALE), dim=1)


def at_full_size(ab: Tensor, image: Tensor) -> Tensor:
    """ab (n, 2, h, w) that a network gives to (n, 2, H, W) as `image`; some give a quarter."""
    ab = color.widened(ab)
    return ab if ab.shape[-2:] == image.shape[-2:] else color.enlarge(ab)


class Method(base.Method):
    """Its networks give ab; `predict_ab` is to be written."""

    output = "ab"
    targets = ("color",)

    def translate(self, image: Tensor, target: Domain) -> Tensor:
        gray = image[:, :1]  # all three are alike
        return color.join(color.lightness_of(gray), self.predict_ab(gray))

    def predict_ab(self, gray: Tensor) -> Tensor:
        raise NotImplementedError


# From pairs, to a map of a quarter of the size, as Zhang's CNN


class QuarterParameters(EncoderParameters):
    network: Literal["zhang", "efficientnet_lite"]
    weight_decay: Annotated[float, Field(ge=0, lt=1)]


class QuarterMethod(Method):
    """What the channels of the map mean, and so the loss, is each method's own."""

    supervision = "paired"
    sampling = "paired"
    generators = ("G",)

    def __init__(self, p: QuarterParameters, image_size: int, outputs: int):
        super().__init__(p, image_size)
        self.G = base.generator(p, 1, outputs)
        self.add_update(
            "generator", self._loss, "G", betas=(0.9, 0.99), weight_decay=p.weight_decay
        )

    def predict_map(self, lightness: Tensor) -> Tensor:
        """L (n, 1, H, W) to (n, outputs, H/4, W/4)."""
        return self.G((lightness - 50) / 50)

    def _loss(self, lightness: Tensor, *target: Tensor) -> Computed:
        raise NotImplementedError


# Adversarial: a generator from L to ab, and a discriminator on (L, ab)


class AdversarialParameters(base.TranslationParameters, adversarial.Parameters, EncoderParameters):
    network: Literal["unet", "efficientnet_lite"]
    dropout: Annotated[float, Field(ge=0, lt=1)]

    def check(self, image_size: int) -> None:
        super().check(image_size)
        if self.network == "unet":
            check_halvings("depth", self.depth, image_size)


class AdversarialMethod(adversarial.OneWayMethod, Method):
    """L(G) = L_GAN(G, D) + `content_loss`, which ties the colors to the photograph."""

    def __init__(self, p: AdversarialParameters, image_size: int):
        unet_options = {"norm": p.norm, "upsampling": p.upsampling, "dropout": p.dropout}
        super().__init__(p, image_size, base.generator(p, 1, 2, **unet_options))

    def content_loss(self, fake: Tensor, real: Tensor) -> tuple[Tensor | float, Losses]:
        """What G minimizes beside L_GAN, weighted, and the losses to log, which are not.

        fake: generated images; real: images in color, of the same photographs where `sampling` is
        paired. Both (n, 3, H, W) as D sees them.
        """
        raise NotImplementedError

    def inputs(self, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        return normalized_lightness(batch["gray"]), normalized(batch["color"])

    def generate(self, lightness: Tensor) -> Tensor:
        """(n, 1, H, W) to the generated image (n, 3, H, W), both as the networks see them."""
        return torch.cat((lightness, at_full_size(self.G(lightness), lightness)), dim=1)

    def predict_ab(self, gray: Tensor) -> Tensor:
        return self.generate(normalized_lightness(gray))[:, 1:] * AB_SCALE

    def _generator_loss(self, x: Tensor, real: Tensor) -> Computed:
        fake = self.generate(x)
        gan_loss = adversarial.generator_loss(self.p, self.D, real, fake)
        content_loss, losses = self.content_loss(fake, real)
        loss = gan_loss + content_loss
        return loss, {"loss": loss, "adversarial": gan_loss} | losses, (fake,)
