"""StarGAN in RGB with a judge for each domain, and lightness held by L1: it makes both directions.

One generator with one output for all, and nothing that keeps lightness but a loss: whether one
network can learn to color and to make gray is asked of it alone.
"""

from typing import Literal

from colorize.methods.shared import judges, multi_domain


class Parameters(judges.Parameters, multi_domain.RGBParameters):
    method: Literal["stargan_rgb"]


class Method(judges.Method, multi_domain.RGBMethod):
    pass
