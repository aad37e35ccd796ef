"""Colours of many photographs at once: what statistics.json and the data sheet hold."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from colorize.base.errors import UserError
from colorize.data.palette import AB_BINS, AB_RANGE, AB_STEP, Palette


def training_statistics(index: pd.DataFrame, palettes: dict[str, Palette], image_size: int) -> dict:
    """Mean a and b, and the ab histogram, of the photographs to train on; counts of all images."""
    kept = index[index["kept"]]
    counts = kept.groupby("split").size()
    train = kept[(kept["split"] == "train") & (kept["side"] == "photograph")]
    if train.empty:
        raise UserError("data.datasets: no photograph is left for training")
    colours = [palettes[name] for name in sorted(train["name"])]
    pixels = sum(entry.pixels for entry in colours)
    mean = np.sum([entry.ab_sum for entry in colours], axis=0) / pixels
    return {
        "image_size": image_size,
        "images": {split: int(counts[split]) for split in ("train", "val", "test")},
        "mean_ab": [round(float(x), 6) for x in mean],
        "ab_histogram": histogram(colours),
    }


def histogram(palettes: Iterable[Palette]) -> dict:
    """The share of all pixels in each square of the ab plane; rows: a, columns: b."""
    counts, pixels = np.zeros(AB_BINS**2, np.int64), 0
    for entry in palettes:
        counts[entry.squares] += entry.counts
        pixels += entry.pixels
    share = (counts / pixels).reshape(AB_BINS, AB_BINS)
    return {
        "centres": list(range(-AB_RANGE, AB_RANGE + 1, AB_STEP)),
        "share": [[round(float(x), 9) for x in row] for row in share],
    }
