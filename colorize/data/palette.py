"""The colors of a photograph: how many, which, and whether they are its true ones; and of many.

A gray photograph in a color dataset teaches that the answer is gray, and as a test photograph it
has no true colors to compare with. The same goes for a toned one (sepia, cyanotype): gray with one
hue laid over it.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from colorize.data import pixels
from colorize.data.reading.photographs import colorfulness

# The ab plane in squares of 10 x 10, centered on the multiples of 10 from -110 to 110.
AB_STEP, AB_RANGE = 10, 110
AB_BINS = 2 * AB_RANGE // AB_STEP + 1

STEP = 4  # pixels; what lies between says little more, and takes sixteen times as long

# A toned photograph keeps this close to one hue (in units of Lab) and has no more chroma than this.
# Both were set by eye on 6,357 photographs: of the 41 below data.min_chroma = 4, 36 were gray or
# gray but for one object, of the 19 found by hue, 14 toned; the others were fog, night and snow.
HUE_SPREAD = 1.5
TONED_CHROMA = 15


class Palette(NamedTuple):
    """Measures of a photograph's colors, in units of CIE Lab."""

    squares: np.ndarray  # uint16: the squares of the ab plane that have pixels, a * AB_BINS + b
    counts: np.ndarray  # uint32: how many each has
    ab_sum: tuple[float, float]
    pixels: int
    chroma: float  # 95th percentile
    hue_spread: float  # 95th percentile of the distance in ab to the line through the mean hue
    colorfulness: float


def palette(rgb: np.ndarray) -> Palette:
    """Measure (H, W, 3) uint8 sRGB, by every fourth pixel of every fourth row."""
    rgb = rgb[::STEP, ::STEP]
    a, b = pixels.ab_of(rgb)
    bins = [np.rint(x / AB_STEP).astype(np.int64) + AB_BINS // 2 for x in (a, b)]
    counts = np.bincount((bins[0] * AB_BINS + bins[1]).ravel(), minlength=AB_BINS**2)
    squares = np.flatnonzero(counts)
    return Palette(
        squares.astype(np.uint16),
        counts[squares].astype(np.uint32),
        (float(a.sum(dtype=np.float64)), float(b.sum(dtype=np.float64))),
        a.size,
        _percentile(np.hypot(a, b)),
        _hue_spread(a, b),
        _colorfulness(rgb),
    )


def is_gray(palette: Palette, min_chroma: float) -> bool:
    """Whether the true colors are unknown: too little chroma, or one hue alone.

    min_chroma: of the 95th percentile; 0 takes every photograph.
    """
    toned = palette.hue_spread < HUE_SPREAD and palette.chroma < TONED_CHROMA
    return palette.chroma < min_chroma or (min_chroma > 0 and toned)


def _percentile(values: np.ndarray) -> float:
    """The 95th, as the value of that rank: no interpolation."""
    values = values.ravel()
    rank = int(0.95 * (values.size - 1))
    return float(np.partition(values, rank)[rank])


def _hue_spread(a: np.ndarray, b: np.ndarray) -> float:
    mean_a, mean_b = float(a.mean()), float(b.mean())
    length = max(np.hypot(mean_a, mean_b), 1e-6)
    return _percentile(np.abs(a * (mean_b / length) - b * (mean_a / length)))


def _colorfulness(rgb: np.ndarray) -> float:
    r, g, b = rgb.astype(np.float64).transpose(2, 0, 1)
    rg, yb = r - g, (r + g) / 2 - b
    return float(colorfulness(rg.mean(), yb.mean(), (rg * rg).mean(), (yb * yb).mean()))


class Pool(NamedTuple):
    """Sums over the pixels of many photographs; of `colorfulness` over the photographs."""

    counts: np.ndarray  # (AB_BINS ** 2,) int64
    ab_sum: np.ndarray  # (2,) float64
    pixels: int
    colorfulness: float


def pool(palettes: Iterable[Palette]) -> Pool:
    """Add up palettes, one at a time: all those of a large union need not fit in memory."""
    counts, ab_sum, pixels, colorfulness = np.zeros(AB_BINS**2, np.int64), np.zeros(2), 0, 0.0
    for palette in palettes:
        counts[palette.squares] += palette.counts
        ab_sum += palette.ab_sum
        pixels += palette.pixels
        colorfulness += palette.colorfulness
    return Pool(counts, ab_sum, pixels, colorfulness)


def histogram(colors: Pool) -> dict:
    """The share of all pixels in each square of the ab plane; rows: a, columns: b."""
    share = (colors.counts / colors.pixels).reshape(AB_BINS, AB_BINS)
    return {
        "centers": list(range(-AB_RANGE, AB_RANGE + 1, AB_STEP)),
        "share": [[round(float(x), 9) for x in row] for row in share],
    }
