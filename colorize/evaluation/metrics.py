"""Metrics of a set of images: functions of the sums of its quantities.

A mean over images, a ratio of sums over all pixels and a bootstrap of either take the same path.
"""

from collections.abc import Callable, Mapping

import numpy as np

from colorize.evaluation import distributions

Sums = Mapping[str, np.ndarray]  # of a quantity over r sets of images: (r,) or (r, k)


def _mean(name: str) -> Callable[[Sums], np.ndarray]:
    return lambda sums: sums[name] / sums["images"]


def _ratio(above: str, below: str) -> Callable[[Sums], np.ndarray]:
    """Ratio of sums over all pixels of all images; NaN where the truth has none of it."""

    def ratio(sums: Sums) -> np.ndarray:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(sums[below] > 0, sums[above] / sums[below], np.nan)

    return ratio


METRICS: dict[str, Callable[[Sums], np.ndarray]] = {
    # Distance to the one true photograph
    "psnr": _mean("psnr"),
    "ssim": _mean("ssim"),
    "ciede2000": _mean("ciede2000"),
    "ab_rmse": _mean("ab_rmse"),
    # The same with a tolerance of 0 to 150 units, in percent; rebalanced: rare colours count more
    "auc_raw": _mean("auc_raw"),
    "auc_rebalanced": _ratio("auc_rebalanced", "weight_of_truth"),
    # How much colour there is
    "colorfulness": _mean("colorfulness"),
    "colorfulness_gap": lambda s: (s["colorfulness"] - s["colorfulness_of_truth"]) / s["images"],
    "colorfulness_error": _mean("colorfulness_error"),
    "chroma_ratio": _ratio("chroma", "chroma_of_truth"),
    # Are there as many pixels of each colour as in the photographs, wherever they are?
    "ab_histogram_js": lambda s: distributions.jensen_shannon(
        s["ab_histogram"], s["ab_histogram_of_truth"]
    ),
    # Is the output a copy of the input?
    "identity_index": _ratio("change", "change_of_truth"),
    "projection": _ratio("projection", "projection_of_truth"),
    # What became of the photograph's own lightness and edges
    "lightness_error": _mean("lightness_error"),
    "lightness_psnr": _mean("lightness_psnr"),
    "sharpness": _ratio("edges", "edges_of_truth"),
    "sharpness_ab": _ratio("color_edges", "color_edges_of_truth"),
}
