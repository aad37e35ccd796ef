"""Metrics of a set of images with what they might have been: the percentile bootstrap."""

from collections.abc import Iterator

import numpy as np

from colorize.evaluation.metrics import METRICS, Quantities, Sums

# Distances of which the sign counts in resampling: their size is shown. Resampled as sizes, values
# that scatter around zero would all come out above it, and above what the set itself gives.
DISTANCES = ("colorfulness_gap",)

CHUNK = 2**20  # weights of resamples at a time, 8 MB


def summarize(quantities: Quantities, resamples: int) -> dict[str, dict]:
    """Each metric over a set of images, with a 95 % percentile bootstrap interval over images.

    The resamples are the same for the same number of images. A metric that the set does not define
    (a ratio to a truth without colour) is None, and so are its bounds.
    """
    sums = _sums(quantities, resamples)
    return {name: _interval(metric(sums), name in DISTANCES) for name, metric in METRICS.items()}


def _sums(quantities: Quantities, resamples: int) -> Sums:
    """Over the set itself, then over each resample."""
    chunks = [
        {name: weights @ values for name, values in quantities.items()}
        for weights in _weights(len(quantities["images"]), resamples)
    ]
    return {name: np.concatenate([chunk[name] for chunk in chunks]) for name in quantities}


def _weights(count: int, resamples: int) -> Iterator[np.ndarray]:
    """How often each image counts: once in the set itself, then in each resample; (r, count)."""
    yield np.ones((1, count))
    rng = np.random.default_rng(count)
    at_once = max(1, CHUNK // count)
    for start in range(0, resamples, at_once):
        size = min(at_once, resamples - start)
        yield rng.multinomial(count, np.full(count, 1 / count), size).astype(np.float64)


def _interval(values: np.ndarray, is_distance: bool) -> dict[str, float | None]:
    """values: the metric of the set itself, then of each resample."""
    if not np.isfinite(values[0]):
        return {"mean": None, "low": None, "high": None}
    low, high = np.nanquantile(values[1:], (0.025, 0.975)) if len(values) > 1 else values[[0, 0]]
    mean = values[0]
    if is_distance:
        sizes = abs(low), abs(high)
        mean, low, high = abs(mean), 0.0 if low < 0 < high else min(sizes), max(sizes)
    return {
        "mean": round(float(mean), 6),
        "low": round(float(low), 6),
        "high": round(float(high), 6),
    }
