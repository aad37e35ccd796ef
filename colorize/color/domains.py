"""Domains: the kinds of picture that one generator for all may make of a photograph.

`gray` is its gray copy and `color` the photograph itself. The others are made of it by fixed rules,
pixel by pixel, so that the true picture is known in each:

    sepia   its lightness, in one tone
    warm    under light with more red and less blue, of the photograph's own lightness
    cool    the other way round
    night   half as light, paler and bluish

All of them are far from the photograph, so that nothing passes by being left as it is. Over 315
photographs of horses, Monet's landscapes, facades and maps at 64 pixels, CIEDE2000 of doing nothing
is from color to gray 11.6, sepia 15.8, warm 9.4, cool 8.8 and night 22.6.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from colorize import color

if TYPE_CHECKING:
    from torch import Tensor

Domain = Literal["gray", "color", "sepia", "warm", "cool", "night"]

LOSSY: tuple[Domain, ...] = ("gray", "sepia")  # from these colors are to be guessed
WAY = "_"  # stands between a domain and the one that is made from it, in the name of a picture
DARKER: tuple[Domain, ...] = ("night",)  # the others keep the photograph's lightness

SEPIA = (6.0, 18.0)  # a and b, where sRGB has them at that lightness
WARM, COOL = (1.4, 1.0, 0.6), (0.6, 1.0, 1.4)  # gains of red, green and blue in linear light
NIGHT_LIGHTNESS, NIGHT_CHROMA, NIGHT_TINT = 0.5, 0.6, (0.0, -14.0)  # of L, of ab, and added to ab


def picture(domain: Domain, rgb: "Tensor", gray: "Tensor") -> "Tensor":
    """A photograph as it is in `domain`: (n, 3, H, W) from it in color, (n, 3, H, W), and in gray,
    (n, 1, H, W); all uint8.
    """
    return gray.expand(-1, 3, -1, -1) if domain == "gray" else made(domain, rgb)


def made(domain: Domain, rgb: "Tensor") -> "Tensor":
    """Of a photograph in color any domain but gray: uint8 (..., 3, H, W) to the same."""
    return rgb if domain == "color" else color.to_uint8(_RULES[domain](rgb))


def _sepia(rgb: color.Image) -> color.Image:
    lightness = color.lightness_of(rgb)
    return color.join(lightness, _ab(SEPIA, lightness))


def _warm(rgb: color.Image) -> color.Image:
    return color.repaint(rgb, color.balanced(rgb, WARM))


def _cool(rgb: color.Image) -> color.Image:
    return color.repaint(rgb, color.balanced(rgb, COOL))


def _night(rgb: color.Image) -> color.Image:
    lab = color.rgb_to_lab(rgb)
    lightness, ab = lab[..., :1, :, :], lab[..., 1:, :, :]
    tint = _ab(NIGHT_TINT, lightness)
    return color.join(NIGHT_LIGHTNESS * lightness, NIGHT_CHROMA * ab + tint)


def _ab(values: tuple[float, float], like: color.Image) -> color.Image:
    """The same a and b everywhere: (..., 2, H, W) for (..., 1, H, W)."""
    xp = color.array_namespace(like)
    return xp.concat([xp.full_like(like, value) for value in values], -3)


_RULES: dict[Domain, Callable[[color.Image], color.Image]] = {
    "sepia": _sepia,
    "warm": _warm,
    "cool": _cool,
    "night": _night,
}
