"""The naive GAN in its pure form: all that it knows of the photograph is one vector.

Losses are those of gan.py. No path leads from a place in the photograph to the same place in the
picture, so nothing but D's scores could make the picture follow the photograph, and they do not ask
for it: a plain GAN "ignores its input", as the paper says.
"""

from typing import Literal

from colorize.methods.shared import adversarial, base
from colorize.networks import bottleneck
from colorize.networks.shared.layers import Norm


class Parameters(base.UnpairedParameters, adversarial.Parameters):
    method: Literal["gan_bottleneck"]
    network: Literal["bottleneck"]
    norm: Norm

    def check(self, image_size: int) -> None:
        super().check(image_size)
        base.check_halvings("depth", self.depth, image_size)


class Method(adversarial.PlainGAN):
    def __init__(self, p: Parameters, image_size: int):
        generator = bottleneck.Generator(image_size, p.width, p.depth, p.norm)
        super().__init__(p, image_size, generator)
