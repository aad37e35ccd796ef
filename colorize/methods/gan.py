"""The naive GAN: a generator from gray to color and a discriminator, nothing that ties them.

CycleGAN's generator and discriminator in one direction, without cycle and identity terms:

    L(G) = E[(D(G(x)) - 1)^2],   L(D) = 1/2 (E[(D(y) - 1)^2] + E[D(G(x))^2])

Nothing here makes the colors belong to the photograph: any colorful picture satisfies D. But a
convolutional network finds it easiest to keep the edges that it sees (see gan_bottleneck.py).
"""

from typing import Literal

from colorize.methods.shared import adversarial, base
from colorize.networks import resnet


class Parameters(base.UnpairedParameters, base.TranslationParameters, adversarial.Parameters):
    method: Literal["gan"]
    network: Literal["resnet"]


class Method(adversarial.PlainGAN):
    def __init__(self, p: Parameters, image_size: int):
        generator = resnet.Generator(p.width, p.depth, p.norm, p.upsampling)
        super().__init__(p, image_size, generator)
