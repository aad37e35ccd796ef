"""What methods share that play the game on ab: a network from L, and D on (L, ab).

L(G) = L_GAN(G, D) + what else ties the colors to the photograph
"""

from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor

from colorize.methods.shared import adversarial, base, lab, one_sided
from colorize.methods.shared.base import Computed, Losses
from colorize.methods.shared.parameters import EncoderParameters, check_halvings


class Parameters(base.TranslationParameters, adversarial.Parameters, EncoderParameters):
    network: Literal["unet", "efficientnet_lite"]
    dropout: Annotated[float, Field(ge=0, lt=1)]

    def check(self, image_size: int) -> None:
        super().check(image_size)
        if self.network == "unet":
            check_halvings("depth", self.depth, image_size)


class Method(one_sided.Method, lab.Method):
    """What ties its colors to the photograph, `content`, is to be written."""

    def __init__(self, p: Parameters, image_size: int):
        of_unet = {"norm": p.norm, "upsampling": p.upsampling, "dropout": p.dropout}
        super().__init__(p, image_size, base.generator(p, 1, 2, **of_unet))

    def content(self, fake: Tensor, real: Tensor) -> tuple[Tensor | float, Losses]:
        """What G minimizes beside L_GAN, weighted, and the losses to log, which are not.

        fake: generated images; real: images in color, of the same photographs where `draws` says
        pairs. Both (n, 3, H, W) as D sees them.
        """
        raise NotImplementedError

    def seen(self, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        return lab.seen(batch["gray"]), lab.scaled(batch["color"])

    def colored(self, lightness: Tensor) -> Tensor:
        """(n, 1, H, W) to the generated image (n, 3, H, W), both as the networks see them."""
        return torch.cat((lightness, lab.at_full_size(self.G(lightness), lightness)), dim=1)

    def predict_ab(self, gray: Tensor) -> Tensor:
        return self.colored(lab.seen(gray))[:, 1:] * lab.AB_SCALE

    def _generator_loss(self, x: Tensor, real: Tensor) -> Computed:
        fake = self.colored(x)
        of_game = adversarial.generator_loss(self.p, self.D, real, fake)
        of_content, losses = self.content(fake, real)
        loss = of_game + of_content
        return loss, {"loss": loss, "adversarial": of_game} | losses, (fake,)
