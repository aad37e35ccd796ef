"""Coloring black-and-white photographs with GANs, a package for each part of the pipeline.

    report -> comparison -> evaluation -> quality -> color
    evaluation, training, use -> methods -> networks -> color
    evaluation, training, use -> data -> color
    training -> quality         everything -> base

An arrow says what may import what; each package's docstring says what it owns. The library knows
nothing of DVC and never reads params.yaml: the scripts in `stages/` hand it validated parameters
and paths.

`from colorize import Colorizer` colors images with a trained model.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from colorize.use.colorizer import Colorizer

__all__ = ["Colorizer", "__version__"]

__version__ = "0.2.0"


def __getattr__(name: str) -> "type[Colorizer]":
    # Not before it is asked for: worker processes import this too, and need no torch.
    if name == "Colorizer":
        from colorize.use.colorizer import Colorizer

        return Colorizer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
