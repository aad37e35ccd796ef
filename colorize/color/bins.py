"""The 313 bins of Zhang, Isola and Efros 2016: the ab plane in steps of 10, within sRGB.

A pair of multiples of 10 counts where one of its four diagonal neighbors at least lies in the
convex hull of the ab of all sRGB colors (D65): this gives the published list. No sRGB color is
nearest to 52 of them.
"""

import functools

import torch
from torch import Tensor

STEP = 10  # units of ab

# Of each a from -90 to 100 the lowest and the highest b
_RANGES = (
    *((50, 90), (20, 90), (0, 90), (-20, 90), (-30, 100), (-40, 100), (-50, 100), (-50, 100)),
    *((-60, 100), (-70, 100), (-80, 90), (-80, 90), (-90, 90), (-100, 90), (-100, 80), (-110, 80)),
    *((-110, 80), (-110, 70), (-110, 70), (-90, 0)),
)
CENTERS = tuple(
    (a, b)
    for a, (low, high) in zip(range(-90, 101, STEP), _RANGES, strict=True)
    for b in range(low, high + 1, STEP)
)


def centers(like: Tensor) -> Tensor:
    """(313, 2), beside `like` and as precise."""
    return _centers(like.dtype, like.device)


@functools.cache
def _centers(dtype: torch.dtype, device: torch.device) -> Tensor:
    with torch.inference_mode(False):  # or training could not use it after coloring has
        return torch.tensor(CENTERS, dtype=dtype, device=device)


def nearest(ab: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Distances to the `count` nearest bins and which they are: of (n, 2) both (n, count)."""
    return torch.cdist(ab, centers(ab)).topk(count, largest=False)


def index(ab: Tensor) -> Tensor:
    """Which bin a color of sRGB is nearest to: (n, 2, H, W) to (n, H, W).

    The multiples of 10 that it is rounded to are always among the bins.
    """
    a, b = (ab / STEP).round().add(_REACH).unbind(1)
    place = (a * _WIDTH + b).int()
    return _table(ab.device).index_select(0, place.flatten()).view(place.shape)


_REACH = 12  # steps from gray to the ends of the table below
_WIDTH = 2 * _REACH + 1


@functools.cache
def _table(device: torch.device) -> Tensor:
    table = torch.full((_WIDTH, _WIDTH), -1, dtype=torch.int32)
    for number, (a, b) in enumerate(CENTERS):
        table[a // STEP + _REACH, b // STEP + _REACH] = number
    return table.flatten().to(device)


def prior(ab_histogram: list[list[float]], sigma: float = 5) -> Tensor:
    """Share of each bin's color in photographs, (313,), smoothed by a Gaussian in the ab plane.

    ab_histogram: shares of the squares of 10 x 10 around (a, b), both multiples of 10 from
    -110 to 110; rows: a, columns: b (data/union/statistics.json). sigma: units of ab, as published.
    """
    size = len(ab_histogram) // 2
    bins = torch.tensor(CENTERS, dtype=torch.float64)
    index = (bins / STEP).long() + size
    counted = torch.tensor(ab_histogram, dtype=torch.float64)[index[:, 0], index[:, 1]]
    weights = torch.exp(-torch.cdist(bins, bins).square() / (2 * sigma**2))
    smoothed = (weights / weights.sum(0)) @ counted  # what leaves one bin arrives in others
    return smoothed / smoothed.sum()


def rebalanced(share: Tensor, uniform: float) -> Tensor:
    """Weight of a pixel by its bin: 1 / ((1 - lambda) p + lambda / Q), their mean under p being 1.

    share: p, (Q,). uniform: lambda, 1/2 as published; 1 weighs all pixels alike.
    """
    weights = 1 / ((1 - uniform) * share + uniform / len(share))
    return weights / (share * weights).sum()
