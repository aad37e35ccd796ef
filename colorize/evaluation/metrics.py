"""Metrics of a set of images: functions of the sums of its quantities; and what they say in words.

A mean over images, a ratio of sums over all pixels and a bootstrap of either take the same path.
"""

from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np

from colorize.evaluation import distributions
from colorize.evaluation.results import Metrics

Sums = Mapping[str, np.ndarray]  # of a quantity over r sets of images: (r,) or (r, k)
Formulas = dict[str, Callable[[Sums], np.ndarray]]  # of metrics


def mean_of(name: str) -> Callable[[Sums], np.ndarray]:
    return lambda sums: sums[name] / sums["images"]


def ratio_of(above: str, below: str) -> Callable[[Sums], np.ndarray]:
    """Ratio of sums over all pixels of all images; NaN where the truth has none of it."""

    def ratio(sums: Sums) -> np.ndarray:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(sums[below] > 0, sums[above] / sums[below], np.nan)

    return ratio


# How far it moves from the input, and how much of that is the right way (see colorize/quality)
MOVED: Formulas = {
    "change_ratio": ratio_of("change", "change_of_truth"),
    "projection": ratio_of("projection", "projection_of_truth"),
}

METRICS: Formulas = {
    # Distance to the one true photograph
    "psnr": mean_of("psnr"),
    "ssim": mean_of("ssim"),
    "ciede2000": mean_of("ciede2000"),
    "ab_rmse": mean_of("ab_rmse"),
    # The same with a tolerance of 0 to 150 units, in percent; rebalanced: rare colors count more
    "auc_raw": mean_of("auc_raw"),
    "auc_rebalanced": ratio_of("auc_rebalanced", "weight_of_truth"),
    "auc_rebalanced_zhang": ratio_of("auc_rebalanced_zhang", "weight_zhang_of_truth"),
    # How much color there is
    "colorfulness": mean_of("colorfulness"),
    "colorfulness_gap": lambda s: (s["colorfulness"] - s["colorfulness_of_truth"]) / s["images"],
    "chroma_ratio": ratio_of("chroma", "chroma_of_truth"),
    # Are there as many pixels of each color as in the photographs, wherever they are?
    "ab_histogram_js": lambda s: distributions.jensen_shannon(
        s["ab_histogram"], s["ab_histogram_of_truth"]
    ),
    "patch_swd": lambda s: distributions.sliced_wasserstein(s["patches"], s["patches_of_truth"]),
    # Do colors depend on the input, do they vary as much as in photographs, is the picture of it?
    "dependence": lambda s: 1 - ratio_of("error_of_colors", "error_of_others_colors")(s),
    "diversity": ratio_of("distance_to_other", "distance_to_other_of_truth"),
    "retrieval": mean_of("retrieved"),
    **MOVED,  # is the output a copy of the input?
    # What became of the photograph's own lightness and edges
    "lightness_error": mean_of("lightness_error"),
    "sharpness": ratio_of("edges", "edges_of_truth"),
    "sharpness_ab": ratio_of("color_edges", "color_edges_of_truth"),
}

# The same, of what networks see, where their weights are at hand
PERCEPTUAL: Formulas = {"lpips": mean_of("lpips")}

# Which of two values is better. Colorfulness alone, without that of the truth, says nothing.
BETTER: dict[str, Literal["higher", "lower", "near 1"]] = {
    "psnr": "higher",
    "ssim": "higher",
    "ciede2000": "lower",
    "ab_rmse": "lower",
    "auc_raw": "higher",
    "auc_rebalanced": "higher",
    "auc_rebalanced_zhang": "higher",
    "colorfulness_gap": "lower",
    "chroma_ratio": "near 1",
    "ab_histogram_js": "lower",
    "patch_swd": "lower",
    "dependence": "higher",
    "diversity": "near 1",
    "retrieval": "higher",
    "change_ratio": "near 1",
    "projection": "near 1",
    "lightness_error": "lower",
    "sharpness": "near 1",
    "sharpness_ab": "near 1",
    "lpips": "lower",
}

# What choices are made by, on val: what DVC compares
DECIDING = ("ciede2000", "ab_histogram_js", "projection", "chroma_ratio")


def deciding(metrics: Metrics) -> dict[str, float]:
    """Means of the metrics that decide, of a split; what the photographs do not define is left
    out.
    """
    means = {name: metrics[name].mean for name in DECIDING}
    return {name: mean for name, mean in means.items() if mean is not None}


# What a model is called whose pictures are no colorings: a fact about its metrics

COPY_BELOW = 0.1  # projection: of the way from the gray input to the true photograph
SAME_BELOW = 0.1  # diversity: colors of two photographs differ by that share of what true ones do
TINTED_FROM = 0.1  # chroma ratio: below there is no color to speak of
SHOWN_BELOW = 0.5  # retrieval: share of the outputs that show what their input shows


def failure(metrics: Metrics) -> str | None:
    """The words for it, to follow the model's name, or None; `metrics` of a split."""
    projection, diversity, retrieval, chroma = (
        metrics[name].mean for name in ("projection", "diversity", "retrieval", "chroma_ratio")
    )
    if None in (projection, diversity, retrieval, chroma):
        return None  # photographs without color tell nothing
    if diversity < SAME_BELOW and retrieval < SHOWN_BELOW:
        return f"gives every photograph the same picture (diversity {diversity:.2f})"
    if projection < COPY_BELOW:
        if chroma < TINTED_FROM:
            colors = ""
        elif diversity < SAME_BELOW:
            colors = ", but for a tint or noise that is the same for all"
        else:
            colors = ", or gives it noise or another photograph's colors"
        return f"copies its input{colors} (projection {projection:.2f})"
    if diversity < SAME_BELOW:
        return f"gives every photograph the same colors (diversity {diversity:.2f})"
    return None
