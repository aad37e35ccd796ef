"""Metrics of a set of images with what they might have been: the percentile bootstrap."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from colorize.evaluation.metrics import Formulas
from colorize.evaluation.quantities import Quantities
from colorize.evaluation.results import Interval, Metrics

# Differences of which the sign counts in resampling: their size is shown. Resampled as sizes,
# values that scatter around zero would all come out above it, and above what the set itself gives.
DIFFERENCES = ("colorfulness_gap",)

# Distances between distributions: a resample, which lacks a third of the set, is further from
# anything than the set is. That much is taken off.
DIVERGENCES = ("ab_histogram_js", "patch_swd")

CHUNK = 2**19  # weights of resamples at a time, 4 MB


def summarize(
    formulas: Formulas, quantities: Quantities, groups: Sequence[str], resamples: int
) -> Metrics:
    """Each metric over a set of images, with a 95 % percentile bootstrap interval over groups.

    groups: the group of each image. Images of one group (tiles of a photograph, its
    near-duplicates, a scene's frames) are drawn together: resampled apart, they would count as
    evidence several times. The resamples are the same for the same number of groups. A set may not
    define a metric: a ratio to a truth without color.
    """
    values = {name: [] for name in formulas}
    for times in weights(groups, resamples):
        sums = WeightedSums(times, quantities.__getitem__)
        for name, formula in formulas.items():
            values[name].append(formula(sums))
    return {name: interval(name, np.concatenate(parts)) for name, parts in values.items()}


class WeightedSums(dict[str, np.ndarray]):
    """Sums of quantities over sets of images, made when a metric asks for them: (r,) or (r, k).

    weights: how often each set has each image, (r, n). quantity: gives the values of a name, (n,)
    or (n, k).
    """

    def __init__(self, weights: np.ndarray, quantity: Callable[[str], np.ndarray]):
        super().__init__()
        self.weights, self.quantity = weights, quantity

    def __missing__(self, name: str) -> np.ndarray:
        self[name] = self.weights @ self.quantity(name).astype(np.float64, copy=False)
        return self[name]


def weights(groups: Sequence[str], resamples: int) -> Iterator[np.ndarray]:
    """How often each image counts: once in the set itself, then in each resample; (r, images)."""
    names, group_of = np.unique(np.asarray(groups), return_inverse=True)
    count = len(names)
    yield np.ones((1, len(group_of)))
    if count == 1:
        return  # there is nothing that could have been drawn instead
    rng = np.random.default_rng(count)
    at_once = max(1, CHUNK // len(group_of))
    for start in range(0, resamples, at_once):
        size = min(at_once, resamples - start)
        counts = rng.multinomial(count, np.full(count, 1 / count), size)
        yield counts.astype(np.float64)[:, group_of]


def interval(name: str, values: np.ndarray) -> Interval:
    """A metric with its bounds, from its values: of the set itself, then of each resample.

    Without resamples there are no bounds; without a value there is nothing.
    """
    mean, resampled = values[0], values[1:]
    if not np.isfinite(mean):
        return Interval(mean=None, low=None, high=None)
    size = abs if name in DIFFERENCES else float
    if not len(resampled):
        return Interval(mean=_rounded(size(mean)), low=None, high=None)
    low, high = np.nanquantile(resampled, (0.025, 0.975))
    if name in DIVERGENCES:
        excess = np.nanmean(resampled) - mean
        low, high = max(low - excess, 0.0), max(high - excess, 0.0)
    if name in DIFFERENCES:
        sizes = abs(low), abs(high)
        low, high = 0.0 if low < 0 < high else min(sizes), max(sizes)
    return Interval(mean=_rounded(size(mean)), low=_rounded(low), high=_rounded(high))


def _rounded(value: float) -> float:
    return round(float(value), 6)
