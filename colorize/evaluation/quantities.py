"""What is measured of single images: quantities that add up over a set.

Images are uint8 sRGB (n, 3, H, W). A quantity is a number or a vector of each image, such as a
histogram: float64 (n,) or (n, k). Pixels are float32, sums over them float64.
"""

from typing import NamedTuple, Self

import numpy as np
import torch
from torch import Tensor

from colorize import bins, color
from colorize.evaluation import distributions
from colorize.evaluation.fidelity import (
    LEAST_MSE,
    blurred,
    ciede2000,
    decibels,
    length,
    mean,
    psnr,
    ssim,
    total,
)
from colorize.evaluation.thumbnails import thumbnail

Quantities = dict[str, np.ndarray]  # of n images: (n,) or (n, k)

LEAST_SHARE = 1e-6  # of a bin: a colour that training never showed weighs no more than this


class Rarity(NamedTuple):
    """What a pixel counts by how rare its true colour is in training: of each of the 313 bins."""

    halved: Tensor  # (313,): with lambda = 1/2, as published for training
    full: Tensor  # with lambda = 0, as published for the AuC; then a few rare pixels decide

    @classmethod
    def of(cls, share: Tensor) -> Self:
        """share: of each bin, as `bins.prior` gives it."""
        return cls(bins.rebalanced(share, 0.5), bins.rebalanced(share.clamp(min=LEAST_SHARE), 0.0))


class Truth(NamedTuple):
    """What true images are compared by: once for all rows that are measured against them."""

    rgb: Tensor  # (n, 3, H, W) float32 in 0..255
    input: Tensor  # (n, 1, H, W) likewise: what the method was given
    change: Tensor  # (n, 3, H, W) float32: from there to the truth
    local_mean: Tensor  # (n, 3, H - 10, W - 10) float32: of rgb, for SSIM
    lab: Tensor  # (n, 3, H, W) float32
    weights: Rarity  # each (n, H, W) float32: of each pixel
    quantities: dict[str, Tensor]  # (n,) or (n, k), and thumbnails

    @classmethod
    def of(cls, truth: Tensor, gray: Tensor, rarity: Rarity) -> Self:
        """truth: (n, 3, H, W) uint8; gray: (n, 1, H, W) uint8, what the method was given."""
        t, x = truth.float(), gray.float()
        lab = color.rgb_to_lab(truth)
        which = bins.index(lab[:, 1:])
        of_pixels = (w.to(t).index_select(0, which.flatten()).view(which.shape) for w in rarity)
        weights = Rarity(*of_pixels)
        change = t - x
        quantities = {
            "colorfulness_of_truth": colorfulness(t),
            "chroma_of_truth": total(chroma(lab)),
            "change_of_truth": total(change.abs()),
            "projection_of_truth": total(change * change),
            "edges_of_truth": total(laplacian(lab[:, :1]).abs()),
            "color_edges_of_truth": total(laplacian(lab[:, 1:]).abs()),
            "weight_of_truth": total(weights.halved),
            "weight_zhang_of_truth": total(weights.full),
            "ab_histogram_of_truth": distributions.histogram(which),
            "patches_of_truth": distributions.patch_histograms(lab),
            "thumbnail_of_truth": thumbnail(lab),
            "thumbnail_of_input": thumbnail(color.lightness_of(gray)),
        }
        return cls(t, x, change, blurred(t), lab, weights, quantities)


def measure(predicted: Tensor, truth: Truth) -> Quantities:
    """Quantities of each predicted image, (n, 3, H, W) uint8, against its true one.

    `thumbnail` does not add up: see colorize/evaluation/thumbnails.py.
    """
    images = torch.ones(len(predicted), dtype=torch.float64)
    found = {"images": images} | _in_rgb(predicted.float(), truth)
    return on_cpu(found | _in_lab(color.rgb_to_lab(predicted), truth))


def on_cpu(quantities: dict[str, Tensor]) -> Quantities:
    return {name: value.cpu().numpy() for name, value in quantities.items()}


def _in_rgb(p: Tensor, truth: Truth) -> dict[str, Tensor]:
    change = p - truth.input
    found = {
        "change": total(change.abs()),
        "projection": total(change * truth.change),
        "psnr": psnr(p, truth.rgb),
        "ssim": ssim(p, truth.rgb, truth.local_mean),
        "colorfulness": colorfulness(p),
    }
    error = found["colorfulness"] - truth.quantities["colorfulness_of_truth"]
    return found | {"colorfulness_error": error.abs()}


def _in_lab(lab: Tensor, truth: Truth) -> dict[str, Tensor]:
    off_lightness, off_a, off_b = (lab - truth.lab).unbind(1)
    off_color = off_a * off_a + off_b * off_b
    within = distributions.within(off_color.sqrt())
    return {
        "ciede2000": mean(ciede2000(lab, truth.lab)),
        "ab_rmse": mean(off_color).sqrt(),
        "chroma": total(chroma(lab)),
        "lightness_error": mean(off_lightness.abs()),
        "lightness_psnr": decibels(
            mean(off_lightness * off_lightness), 100, LEAST_MSE * (100 / 255) ** 2
        ),
        "edges": total(laplacian(lab[:, :1]).abs()),
        "color_edges": total(laplacian(lab[:, 1:]).abs()),
        "auc_raw": 100 * mean(within),
        "auc_rebalanced": 100 * total(truth.weights.halved * within),
        "auc_rebalanced_zhang": 100 * total(truth.weights.full * within),
        "ab_histogram": distributions.histogram(bins.index(lab[:, 1:])),
        "patches": distributions.patch_histograms(lab),
        "thumbnail": thumbnail(lab),
    }


def colorfulness(image: Tensor) -> Tensor:
    """Hasler and Süsstrunk 2003, the original formula, on RGB in 0..255: (n,)."""
    red, green, blue = image.unbind(1)
    red_green = red - green
    yellow_blue = (red + green) / 2 - blue
    mean_rg, mean_yb = mean(red_green), mean(yellow_blue)
    variance_rg = mean(red_green * red_green) - mean_rg**2
    variance_yb = mean(yellow_blue * yellow_blue) - mean_yb**2
    spread = (variance_rg + variance_yb).clamp(min=0).sqrt()
    return spread + 0.3 * (mean_rg**2 + mean_yb**2).sqrt()


def chroma(lab: Tensor) -> Tensor:
    """Distance from gray of each pixel of Lab images: (n, 3, H, W) to (n, H, W)."""
    return length(lab[:, 1], lab[:, 2])


def laplacian(channels: Tensor) -> Tensor:
    """Discrete Laplacian, four neighbours, where all of them exist: (n, c, H - 2, W - 2)."""
    x = channels
    neighbours = x[..., :-2, 1:-1] + x[..., 2:, 1:-1] + x[..., 1:-1, :-2] + x[..., 1:-1, 2:]
    return neighbours - 4 * x[..., 1:-1, 1:-1]
