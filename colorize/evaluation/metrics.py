"""How good are the colours? Quantities of single images, and metrics made of their sums.

`measure` gives quantities that add up over images. A metric is a function of their sums over a set
(`METRICS`), so a mean over images, a ratio of sums over all pixels and a bootstrap of either take
the same path. Images are uint8 sRGB (n, 3, H, W). A quantity is a number or a vector of each image,
such as a histogram: float64 (n,) or (n, k).
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple, Self

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from colorize import bins, color
from colorize.evaluation import distributions

# An error below the rounding of 8 bits cannot be told from none: PSNR is at most 58.9 dB.
LEAST_MSE = 1 / 12

Quantities = dict[str, np.ndarray]  # of n images: (n,) or (n, k)
Sums = Mapping[str, np.ndarray]  # over r sets of images: (r,) or (r, k)


class Truth(NamedTuple):
    """What true images are compared by: once for all rows that are measured against them."""

    rgb: Tensor  # (n, 3, H, W) float64 in 0..255, like `input`
    input: Tensor  # what the method was given
    lab: Tensor  # (n, 3, H, W) float64
    weight: Tensor  # (n, H, W) float64: of each pixel, by how rare its colour is
    quantities: dict[str, Tensor]  # (n,) or (n, k)

    @classmethod
    def of(cls, truth: Tensor, gray: Tensor, rarity: Tensor) -> Self:
        """truth: (n, 3, H, W) uint8; gray: (n, 1, H, W) uint8, what the method was given; rarity:
        the weight of each of the 313 bins of ab.
        """
        t, x = truth.double(), gray.double().expand(-1, 3, -1, -1)
        lab = color.rgb_to_lab(truth).double()
        which = bins.index(lab[:, 1:])
        weight = rarity[which]
        quantities = {
            "colorfulness_of_truth": colorfulness(t),
            "chroma_of_truth": chroma(lab),
            "change_of_truth": (t - x).abs().sum((1, 2, 3)),
            "projection_of_truth": (t - x).square().sum((1, 2, 3)),
            "edges_of_truth": laplacian(lab[:, :1]).abs().sum((1, 2, 3)),
            "color_edges_of_truth": laplacian(lab[:, 1:]).abs().sum((1, 2, 3)),
            "weight_of_truth": weight.sum((1, 2)),
            "ab_histogram_of_truth": distributions.histogram(which),
        }
        return cls(t, x, lab, weight, quantities)


def measure(predicted: Tensor, truth: Truth) -> Quantities:
    """Additive quantities of each predicted image, (n, 3, H, W) uint8, against its true one."""
    p, t, x = predicted.double(), truth.rgb, truth.input
    lab_p, lab_t = color.rgb_to_lab(predicted).double(), truth.lab
    lightness_difference = lab_p[:, 0] - lab_t[:, 0]
    colorfulness_p = colorfulness(p)
    within = distributions.within(lab_p[:, 1:], lab_t[:, 1:])
    quantities = {
        "images": torch.ones(len(p), dtype=torch.float64),
        "psnr": psnr(p, t),
        "ssim": ssim(p, t),
        "ciede2000": ciede2000(lab_p, lab_t).mean((1, 2)),
        "ab_rmse": (lab_p - lab_t)[:, 1:].square().sum(1).mean((1, 2)).sqrt(),
        "colorfulness": colorfulness_p,
        "colorfulness_error": (colorfulness_p - truth.quantities["colorfulness_of_truth"]).abs(),
        "chroma": chroma(lab_p),
        "lightness_error": lightness_difference.abs().mean((1, 2)),
        "lightness_psnr": _decibels(
            lightness_difference.square().mean((1, 2)), 100, LEAST_MSE * (100 / 255) ** 2
        ),
        "change": (p - x).abs().sum((1, 2, 3)),
        "projection": ((p - x) * (t - x)).sum((1, 2, 3)),
        "edges": laplacian(lab_p[:, :1]).abs().sum((1, 2, 3)),
        "color_edges": laplacian(lab_p[:, 1:]).abs().sum((1, 2, 3)),
        "auc_raw": 100 * within.mean((1, 2)),
        "auc_rebalanced": 100 * (truth.weight * within).sum((1, 2)),
        "ab_histogram": distributions.histogram(bins.index(lab_p[:, 1:])),
    }
    return {name: value.numpy() for name, value in (quantities | truth.quantities).items()}


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


def _decibels(mse: Tensor, peak: float, least: float) -> Tensor:
    return 10 * torch.log10(peak**2 / mse.clamp(min=least))


def psnr(p: Tensor, t: Tensor) -> Tensor:
    """Peak signal-to-noise ratio in dB over RGB in 0..255, at most 58.9: (n,)."""
    return _decibels((p - t).square().mean((1, 2, 3)), 255, LEAST_MSE)


def ssim(p: Tensor, t: Tensor) -> Tensor:
    """Structural similarity (Wang et al. 2004), mean over the RGB channels: (n,).

    Gaussian window of 11 x 11, sigma 1.5, over all places where it fits; range 0..255.
    """
    offsets = torch.arange(-5, 6, dtype=p.dtype)
    window = torch.exp(-offsets.square() / (2 * 1.5**2))
    window = window / window.sum()

    def blur(image: Tensor) -> Tensor:
        flat = image.flatten(0, 1)[:, None]
        return F.conv2d(F.conv2d(flat, window[None, None, None]), window[None, None, :, None])

    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    mean_p, mean_t = blur(p), blur(t)
    variance_p = blur(p * p) - mean_p**2
    variance_t = blur(t * t) - mean_t**2
    covariance = blur(p * t) - mean_p * mean_t
    luminance = (2 * mean_p * mean_t + c1) / (mean_p**2 + mean_t**2 + c1)
    structure = (2 * covariance + c2) / (variance_p + variance_t + c2)
    return (luminance * structure).flatten(1).mean(1).unflatten(0, p.shape[:2]).mean(1)


def colorfulness(image: Tensor) -> Tensor:
    """Hasler and Süsstrunk 2003, the original formula, on RGB in 0..255: (n,)."""
    red, green, blue = image.flatten(2).unbind(1)
    red_green = red - green
    yellow_blue = (red + green) / 2 - blue
    spread = (red_green.var(1, correction=0) + yellow_blue.var(1, correction=0)).sqrt()
    return spread + 0.3 * (red_green.mean(1).square() + yellow_blue.mean(1).square()).sqrt()


def chroma(lab: Tensor) -> Tensor:
    """Sum of the distances from gray, over all pixels of each Lab image (n, 3, H, W): (n,)."""
    return lab[:, 1:].norm(dim=1).sum((1, 2))


def laplacian(channels: Tensor) -> Tensor:
    """Discrete Laplacian, four neighbours, where all of them exist: (n, c, H - 2, W - 2)."""
    x = channels
    neighbours = x[..., :-2, 1:-1] + x[..., 2:, 1:-1] + x[..., 1:-1, :-2] + x[..., 1:-1, 2:]
    return neighbours - 4 * x[..., 1:-1, 1:-1]


def ciede2000(lab1: Tensor, lab2: Tensor) -> Tensor:
    """Colour difference of two Lab images (n, 3, H, W): (n, H, W).

    Sharma, Wu and Dalal 2005, "The CIEDE2000 color-difference formula", equations 2 to 22, with
    all three weights 1. About 1 is just noticeable.
    """
    l1, a1, b1 = lab1.unbind(1)
    l2, a2, b2 = lab2.unbind(1)

    # Chroma and hue, with a stretched where chroma is low
    mean_chroma7 = ((torch.hypot(a1, b1) + torch.hypot(a2, b2)) / 2) ** 7
    stretch = 1.5 - 0.5 * (mean_chroma7 / (mean_chroma7 + 25**7)).sqrt()
    a1, a2 = a1 * stretch, a2 * stretch
    c1, c2 = torch.hypot(a1, b1), torch.hypot(a2, b2)
    h1, h2 = torch.atan2(b1, a1), torch.atan2(b2, a2)

    # Differences; hue is an angle, and means nothing where one side is neutral
    neutral = c1 * c2 == 0
    turn = h2 - h1
    turn = turn - 2 * torch.pi * torch.round(turn / (2 * torch.pi))
    turn = torch.where(neutral, torch.zeros_like(turn), turn)
    delta_l, delta_c = l2 - l1, c2 - c1
    delta_h = 2 * (c1 * c2).sqrt() * torch.sin(turn / 2)

    # Means; that of the hues lies on the shorter arc between them
    mean_l, mean_c = (l1 + l2) / 2, (c1 + c2) / 2
    mean_h = torch.where(neutral, h1 + h2, h1 + turn / 2)

    # Weights
    t = (
        1
        - 0.17 * torch.cos(mean_h - torch.pi / 6)
        + 0.24 * torch.cos(2 * mean_h)
        + 0.32 * torch.cos(3 * mean_h + torch.pi / 30)
        - 0.20 * torch.cos(4 * mean_h - 63 * torch.pi / 180)
    )
    degrees = torch.rad2deg(mean_h) % 360
    rotation = 60 * torch.exp(-(((degrees - 275) / 25) ** 2))  # of the blue hues, in degrees
    c7 = mean_c**7
    coupling = -2 * (c7 / (c7 + 25**7)).sqrt() * torch.sin(torch.deg2rad(rotation))
    off_middle = (mean_l - 50) ** 2
    s_l = 1 + 0.015 * off_middle / (20 + off_middle).sqrt()
    s_c = 1 + 0.045 * mean_c
    s_h = 1 + 0.015 * mean_c * t
    l_term, c_term, h_term = delta_l / s_l, delta_c / s_c, delta_h / s_h
    total = l_term**2 + c_term**2 + h_term**2 + coupling * c_term * h_term
    return total.clamp(min=0).sqrt()
