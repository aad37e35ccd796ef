"""StarGAN in RGB, a discriminator per domain, lightness held by L1: it makes both directions.

One generator with one output for all, and nothing that keeps lightness but a loss: whether one
network can learn to color and to make gray is asked of it alone.
"""

from typing import Literal

from colorize.methods.shared import multi_domain


class Parameters(multi_domain.PerDomainParameters, multi_domain.RGBParameters):
    method: Literal["stargan_rgb"]


class Method(multi_domain.PerDomainMethod, multi_domain.RGBMethod):
    pass
