"""What is measured of single images: quantities that add up over a set.

Images are uint8 sRGB (n, 3, H, W). A quantity is a number or a vector of each image, such as a
histogram: float64 (n,), or counts (n, k). Pixels are float32, sums over them float64.

A large image is measured by strips of its lines, whose sums are added.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Self

import numpy as np
import torch
from torch import Tensor

from colorize import color
from colorize.color import bins
from colorize.color.strips import strips
from colorize.data.reading.photographs import colorfulness
from colorize.evaluation import distributions
from colorize.evaluation.thumbnails import columns, thumbnail
from colorize.quality import (
    WINDOW,
    blurred,
    chroma,
    ciede2000,
    decibels,
    moved,
    moved_by_truth,
    ssim,
    total,
)

Quantities = dict[str, np.ndarray]  # of n images: (n,) or (n, k)

HALO = WINDOW - 1  # lines below a strip that SSIM's windows reach into; patches and edges less

LEAST_SHARE = 1e-6  # of a bin: a color that training never showed weighs no more than this


class Rarity(NamedTuple):
    """What a pixel counts by how rare its true color is in training: of each of the 313 bins."""

    halved: Tensor  # (313,): with lambda = 1/2, as published for training
    full: Tensor  # with lambda = 0, as published for the AuC; then a few rare pixels decide

    @classmethod
    def of(cls, share: Tensor) -> Self:
        """share: of each bin, as `bins.prior` gives it."""
        return cls(bins.rebalanced(share, 0.5), bins.rebalanced(share.clamp(min=LEAST_SHARE), 0.0))


class Truth(NamedTuple):
    """A strip of true images, which that of every row is compared with.

    h: its lines; k: those and up to HALO below them, of the next strip.
    """

    rgb: Tensor  # (n, 3, k, W) float32 in 0..255
    input: Tensor  # (n, 1, h, W) likewise: what the method was given
    change: Tensor  # (n, 3, h, W) float32: from there to the truth
    local_mean: Tensor  # (n, 3, k - 10, W - 10) float32: of rgb, for SSIM
    lab: Tensor  # (n, 3, k, W) float32
    weights: Rarity  # each (n, h, W) float32: of each pixel
    sums: dict[str, Tensor]

    @classmethod
    def of(cls, truth: Tensor, gray: Tensor, rarity: Rarity) -> Self:
        """truth: (n, 3, k, W) uint8; gray: (n, 1, h, W) uint8, what the method was given."""
        lines = gray.shape[-2]
        t, x, lab = truth.float(), gray.float(), color.rgb_to_lab(truth)
        which = bins.index(lab[:, 1:, :lines])
        of_pixels = (w.to(t).index_select(0, which.flatten()).view(which.shape) for w in rarity)
        weights = Rarity(*of_pixels)
        change = t[:, :, :lines] - x
        sums = {
            **moved_by_truth(change),
            "weight_of_truth": total(weights.halved),
            "weight_zhang_of_truth": total(weights.full),
            "thumbnail_of_input": columns(color.lightness_of(gray)),
        }
        sums |= {f"{name}_of_truth": of for name, of in _of_any(t, lab, which).items()}
        return cls(t, x, change, blurred(t), lab, weights, sums)


def measure(
    pictures: Mapping[str, Tensor], truth: Tensor, gray: Tensor, rarity: Rarity
) -> dict[str | None, Quantities]:
    """By row the quantities of its pictures, each against its true one; under None the true ones'.

    pictures: by row (n, 3, H, W) uint8; truth: likewise; gray: (n, 1, H, W) uint8, what the method
    was given; H and W of at least 11. The thumbnails do not add up: see thumbnails.py.
    """
    height, width = truth.shape[-2:]
    of_truth: list[dict[str, Tensor]] = []
    of_rows: dict[str, list[dict[str, Tensor]]] = {row: [] for row in pictures}
    # Patches lie in the strips as they do in the image, and in the last there is room for a window.
    stride = distributions.stride(width)
    for lines in strips(height, width, multiple=stride, least=WINDOW):
        seen = slice(lines.start, lines.stop + HALO)
        strip = Truth.of(truth[:, :, seen], gray[:, :, lines], rarity)
        of_truth.append(strip.sums)
        for row, picture in pictures.items():
            of_rows[row].append(_against(picture[:, :, seen], strip))
    true = _added(of_truth)
    opponents_of_truth = true.pop("opponents_of_truth") / (height * width)
    true["colorfulness_of_truth"] = colorfulness(*opponents_of_truth.unbind(1))
    finished = {row: _finished(_added(parts), height, width) for row, parts in of_rows.items()}
    return {row: on_cpu(of_row) for row, of_row in {None: true, **finished}.items()}


def _added(parts: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    """The sums of an image's strips, those of all of it."""
    parts_of = {name: [part[name] for part in parts] for name in parts[0]}
    return {
        name: thumbnail(torch.cat(of_strips, 2)) if name.startswith("thumbnail") else sum(of_strips)
        for name, of_strips in parts_of.items()
    }


def on_cpu(quantities: dict[str, Tensor]) -> Quantities:
    return {name: value.cpu().numpy() for name, value in quantities.items()}


def _of_any(rgb: Tensor, lab: Tensor, which: Tensor) -> dict[str, Tensor]:
    """Sums over a strip of true or made images, (n, 3, k, W); which: their bins, (n, h, W)."""
    lines = which.shape[-2]
    whole, edged = lab[:, :, :lines], lab[:, :, : lines + 2]
    return {
        "opponents": opponents(rgb[:, :, :lines]),
        "chroma": total(chroma(whole)),
        "edges": total(laplacian(edged[:, :1]).abs()),
        "color_edges": total(laplacian(edged[:, 1:]).abs()),
        "ab_histogram": distributions.histogram(which),
        "patches": distributions.patch_histograms(lab[:, :, : lines + distributions.PATCH - 1]),
        "thumbnail": columns(whole),
    }


def _against(picture: Tensor, truth: Truth) -> dict[str, Tensor]:
    """Sums over a strip of pictures, (n, 3, k, W) uint8."""
    p, lab = picture.float(), color.rgb_to_lab(picture)
    lines = truth.input.shape[-2]
    output, true, output_lab, true_lab = (x[:, :, :lines] for x in (p, truth.rgb, lab, truth.lab))
    error = output - true
    change = output - truth.input
    off_lightness, off_a, off_b = (output_lab - true_lab).unbind(1)
    off_color = off_a * off_a + off_b * off_b
    within = distributions.within(off_color.sqrt())
    return {
        "squared_error": total(error * error),
        "ssim": total(ssim(p, truth.rgb, truth.local_mean)),
        **moved(change, truth.change),
        "ciede2000": total(ciede2000(output_lab, true_lab)),
        "squared_ab_error": total(off_color),
        "lightness_error": total(off_lightness.abs()),
        "auc_raw": total(within),
        "auc_rebalanced": total(truth.weights.halved * within),
        "auc_rebalanced_zhang": total(truth.weights.full * within),
        **_of_any(p, lab, bins.index(output_lab[:, 1:])),
    }


def _finished(sums: dict[str, Tensor], height: int, width: int) -> dict[str, Tensor]:
    """The quantities of images, from the sums over their pixels."""
    pixels = height * width
    mse = sums.pop("squared_error") / (3 * pixels)
    return sums | {
        "images": torch.ones(len(mse), dtype=torch.float64),
        "psnr": decibels(mse),
        "ssim": sums["ssim"] / (3 * (height - HALO) * (width - HALO)),
        "colorfulness": colorfulness(*(sums.pop("opponents") / pixels).unbind(1)),
        "ciede2000": sums["ciede2000"] / pixels,
        "ab_rmse": (sums.pop("squared_ab_error") / pixels).sqrt(),
        "lightness_error": sums["lightness_error"] / pixels,
        "auc_raw": 100 * (sums["auc_raw"] / pixels),
        "auc_rebalanced": 100 * sums["auc_rebalanced"],
        "auc_rebalanced_zhang": 100 * sums["auc_rebalanced_zhang"],
    }


def opponents(rgb: Tensor) -> Tensor:
    """Of RGB images the sums of red-green, of yellow-blue, and of their squares: (n, 4)."""
    red, green, blue = rgb.unbind(1)
    red_green = red - green
    yellow_blue = (red + green) / 2 - blue
    maps = (red_green, yellow_blue, red_green * red_green, yellow_blue * yellow_blue)
    return torch.stack([total(pixels) for pixels in maps], 1)


def laplacian(channels: Tensor) -> Tensor:
    """Discrete Laplacian, four neighbors, where all of them exist: (n, c, H - 2, W - 2)."""
    x = channels
    neighbors = x[..., :-2, 1:-1] + x[..., 2:, 1:-1] + x[..., 1:-1, :-2] + x[..., 1:-1, 2:]
    return neighbors - 4 * x[..., 1:-1, 1:-1]
