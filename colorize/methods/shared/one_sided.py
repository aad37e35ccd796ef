"""What methods share that have one generator, one discriminator, and nothing that leads back.

The generator moves first, then the discriminator, which is shown generated images of now and of
before (see `adversarial.ImagePool`).
"""

import torch
from torch import Tensor, nn

from colorize.color.domains import Domain
from colorize.methods.shared import adversarial, base
from colorize.methods.shared.base import Computed, Losses


class Method(base.Method):
    """G makes images and D judges them; what minimizes G's loss is each method's own."""

    generators = ("G",)

    def __init__(self, p: adversarial.Parameters, image_size: int, generator: nn.Module):
        super().__init__(p, image_size)
        self.G = generator
        self.D = adversarial.discriminator(p)
        self.add_update("generator", self._generator_loss, "G")
        self.add_update("discriminator", self._discriminator_loss, "D")
        self.pools["color"] = adversarial.ImagePool(p.pool)

    def step(self, batch: dict[str, Tensor], number: int, rng: torch.Generator) -> Losses:
        x, real = self.seen(batch)
        losses, (fake,) = self.update("generator", x, real)
        shown = self.shown("color", fake, rng)
        return losses | self.update("discriminator", real, shown)[0]

    def seen(self, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """What G is given, and real images (n, 3, H, W) as D sees them."""
        raise NotImplementedError

    def _generator_loss(self, x: Tensor, real: Tensor) -> Computed:
        """Its outputs: the generated images (n, 3, H, W) as D sees them."""
        raise NotImplementedError

    def _discriminator_loss(self, real: Tensor, shown: Tensor) -> Computed:
        loss = adversarial.discriminator_loss(self.p, self.D, real, shown)
        return loss, {"discriminator": loss}, ()


class Plain(Method):
    """From gray to RGB, and nothing but D's scores to learn from."""

    supervision = "unpaired"
    output = "rgb"
    draws = "unpaired"
    targets = ("color",)

    def seen(self, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        return base.signed(batch["gray"]), base.signed(batch["color"])

    def translate(self, image: Tensor, target: Domain) -> Tensor:
        return base.translated(self.G, image)

    def _generator_loss(self, x: Tensor, real: Tensor) -> Computed:
        fake = self.G(x)
        loss = adversarial.generator_loss(self.p, self.D, real, fake)
        return loss, {"loss": loss}, (fake,)
