"""Which of two rows is better: paired bootstrap over groups, seeds averaged, Holm's correction."""

import functools
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow
import pyarrow.parquet
from pydantic import field_validator

from colorize.base.errors import UserError, one_line
from colorize.base.parameters import Parameters
from colorize.evaluation.bootstrap import DIVERGENCES, WeightedSums, weights
from colorize.evaluation.metrics import BETTER, METRICS, PERCEPTUAL

# What stands beside a model's own row, as NAME_input_L and NAME_chroma_scaled
DERIVED = ("input_L", "chroma_scaled")

RESAMPLES = 10_000  # p is at least 2 in as many: enough for Holm's correction over 250 questions
LEVEL = 0.05
INCONCLUSIVE = "inconclusive"
CHUNK = 100  # resamples at a time


def parts_of(name: str) -> tuple[str, str]:
    """The model, or trivial row, whose file has the row of that name, and which of its rows it is:
    `own` or one of DERIVED.
    """
    for kind in DERIVED:
        if name.endswith(f"_{kind}"):
            return name.removesuffix(f"_{kind}"), kind
    return name, "own"


def row_named(folder: Path, name: str, split: str) -> "ImageMetrics":
    """Of metrics/images/, those of the row of the tables with that name. Raises as ImageMetrics."""
    model, kind = parts_of(name)
    return ImageMetrics(folder / f"{model}.parquet", split, kind)


class ImageMetrics:
    """The quantities of one row of the tables, over the photographs of a split.

    row: `own`, `input_L` or `chroma_scaled`; a model that keeps lightness has no row `input_L`,
    which would be its own again. Each quantity is read when it is asked for: the histograms of all
    rows at once would not fit in memory. Raises UserError where the file is missing, or no
    evaluation's, and for a quantity that was not measured.
    """

    def __init__(self, path: Path, split: str, row: str = "own"):
        self.path = path
        try:
            self._columns = pyarrow.parquet.read_schema(path).names
            keys = pd.read_parquet(path, columns=["name", "group", "side", "split"])
        except FileNotFoundError:
            raise UserError(f"{path}: missing; run `dvc repro` to make it") from None
        except (OSError, ValueError, pyarrow.ArrowException) as error:
            raise UserError(f"{path}: not the result of an evaluation: {one_line(error)}") from None
        self._of_split = ((keys["split"] == split) & (keys["side"] == "photograph")).to_numpy()
        self.names = keys["name"][self._of_split].tolist()
        self.groups = keys["group"][self._of_split].tolist()
        self._prefix = f"{row}_" if f"{row}_ciede2000" in self._columns else ""

    def __getitem__(self, quantity: str) -> np.ndarray:
        """Of each photograph: (n,) or, of a histogram, (n, k)."""
        if quantity == "images":
            return np.ones(len(self.names))
        column_of_row = self._prefix + quantity
        # What is of the truth is the same for all rows, and stands once.
        column = column_of_row if column_of_row in self._columns else quantity
        if column not in self._columns:
            raise UserError(f"{self.path}: {quantity} was not measured; see evaluate.weights")
        values = pd.read_parquet(self.path, columns=[column])[column][self._of_split]
        return np.array(values.tolist())


class Comparison(Parameters):
    """A question: is `model` better than `against` by `metric`?

    Both are rows of the tables: an entry of `models`, NAME_input_L, zhang_l2_chroma_scaled or a
    trivial row.
    """

    model: str
    against: str
    metric: str

    @field_validator("metric")
    @classmethod
    def _has_better_values(cls, metric: str) -> str:
        if metric not in BETTER:
            raise ValueError(f"one of {', '.join(BETTER)} is needed")
        return metric


class ComparisonResult(Comparison):
    """The answer.

    `difference` is model less rival, of the means over seeds, in the metric's own units (of a
    metric that should be near 1, of distances from 1); `low` and `high` its 95 % percentile
    interval over resampled groups, the same ones for both; `p` two-sided and corrected. `result` is
    `better` or `worse` where p is below 0.05 and every seed of the one is on the same side of every
    seed of the other, `inconclusive` otherwise.
    """

    seeds: list[int]  # how many of the model, and of its rival
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    p: float = 1.0
    result: Literal["better", "worse", "inconclusive"] = INCONCLUSIVE


class Significance(Parameters):
    """metrics/significance.json."""

    split: str
    models: list[ComparisonResult]  # the standard comparisons
    planned: list[ComparisonResult]  # compare.comparisons


class CompareParameters(Parameters):
    """The section `compare`."""

    comparisons: list[Comparison]


def standard_comparisons(models: Iterable[str], baseline: str) -> list[Comparison]:
    """What is asked of every model: is it closer to the truth than the baseline, and than one
    color for all? Are its colors together more like those of photographs than the baseline's?
    """
    questions = []
    for model in models:
        if model != baseline:
            questions += [(model, baseline, "ciede2000"), (model, baseline, "ab_histogram_js")]
        questions.append((model, "mean_color", "ciede2000"))
    return [Comparison(model=m, against=a, metric=metric) for m, a, metric in questions]


def rows_of(comparisons: Iterable[Comparison]) -> set[str]:
    """The rows that are asked about."""
    return {row for comparison in comparisons for row in (comparison.model, comparison.against)}


def test(
    comparisons: Sequence[Comparison], rows: Mapping[str, Sequence[ImageMetrics]]
) -> list[ComparisonResult]:
    """A test of each comparison; together they are one family for Holm's correction.

    rows: by name, those of each seed, all over the same photographs in the same order. Raises
    UserError where they are of different ones.
    """
    first, *others = (seed for name in sorted(rows) for seed in rows[name])
    for other in others:
        if (other.names, other.groups) != (first.names, first.groups):
            raise UserError(f"{other.path} and {first.path}: measured on different photographs")
    resampled = np.concatenate([w.astype(np.uint16) for w in weights(first.groups, RESAMPLES)])
    scores = {
        (row, metric): np.stack([_scores(metric, seed, resampled) for seed in rows[row]])
        for row, metric in {(row, c.metric) for c in comparisons for row in rows_of([c])}
    }
    least = 2.0 ** (1 - len(set(first.groups)))
    tests = [
        _compare(c, scores[c.model, c.metric], scores[c.against, c.metric], least)
        for c in comparisons
    ]
    for each, p in zip(tests, holm([each["p"] for each in tests]), strict=True):
        each["p"] = round(p, 6)
        if p >= LEVEL:
            each["result"] = INCONCLUSIVE
    return [ComparisonResult(**each) for each in tests]


def _scores(metric: str, row: ImageMetrics, resampled: np.ndarray) -> np.ndarray:
    """The metric of the set itself, then of each resample: (1 + RESAMPLES,).

    Of a metric that should be near 1, its distance from 1; of a signed difference, its size.
    """
    read = functools.cache(row.__getitem__)
    parts = [
        (METRICS | PERCEPTUAL)[metric](
            WeightedSums(resampled[start : start + CHUNK].astype(np.float64), read)
        )
        for start in range(0, len(resampled), CHUNK)
    ]
    values = np.concatenate(parts)
    match BETTER[metric]:
        case "higher":
            return values
        case "lower":
            return np.abs(values)
        case "near 1":
            return np.abs(values - 1)


def _compare(
    comparison: Comparison, model: np.ndarray, against: np.ndarray, least: float
) -> dict[str, Any]:
    """A ComparisonResult before Holm's correction, from scores (seeds, 1 + RESAMPLES) of both rows.

    least: no p is below it. Where the difference is the same in all resamples, of n groups it is
    still no more than n coins with the same side up.
    """
    difference = model.mean(0) - against.mean(0)
    value, resampled = difference[0], difference[1:]
    test = comparison.model_dump() | {"seeds": [len(model), len(against)], "p": 1.0}
    if not np.isfinite(value):
        return test
    test["difference"] = round(float(value), 6)
    if len(resampled):
        if comparison.metric in DIVERGENCES:  # as their own intervals
            resampled = resampled - (np.nanmean(resampled) - value)
        low, high = np.nanquantile(resampled, (0.025, 0.975))
        test["low"], test["high"] = round(float(low), 6), round(float(high), 6)
        # Those without a value might have been on the other side too.
        beyond = (np.sign(resampled) != np.sign(value)).sum()
        test["p"] = max(min(1.0, 2 * (1 + beyond) / (1 + len(resampled))), least)
    wanted = 1 if BETTER[comparison.metric] == "higher" else -1
    sides = wanted * np.sign(model[:, None, 0] - against[None, :, 0])
    if (sides > 0).all():
        test["result"] = "better"
    elif (sides < 0).all():
        test["result"] = "worse"
    return test


def holm(ps: Sequence[float]) -> list[float]:
    """Holm's step-down correction: p below a level rejects with that family-wise error (1979)."""
    corrected, largest = [1.0] * len(ps), 0.0
    for rank, which in enumerate(np.argsort(ps, kind="stable")):
        largest = max(largest, min(1.0, (len(ps) - rank) * ps[which]))
        corrected[which] = largest
    return corrected
