"""Colours of many photographs at once: what statistics.json and the data sheet hold."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from colorize.base.errors import UserError
from colorize.data.palette import AB_BINS, AB_RANGE, AB_STEP, Palette


def training_statistics(
    index: pd.DataFrame, palettes: Mapping[str, Palette], image_size: int
) -> dict:
    """Mean a and b, and the ab histogram, of the photographs to train on; counts of all images."""
    kept = index[index["kept"]]
    counts = kept.groupby("split").size()
    train = kept[(kept["split"] == "train") & (kept["side"] == "photograph")]
    if train.empty:
        raise UserError("data.datasets: no photograph is left for training")
    colors = pool(map(palettes.__getitem__, sorted(train["name"])))
    return {
        "image_size": image_size,
        "images": {split: int(counts[split]) for split in ("train", "val", "test")},
        "mean_ab": [round(float(x), 6) for x in colors.ab_sum / colors.pixels],
        "ab_histogram": histogram(colors),
    }


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
        "centres": list(range(-AB_RANGE, AB_RANGE + 1, AB_STEP)),
        "share": [[round(float(x), 9) for x in row] for row in share],
    }
