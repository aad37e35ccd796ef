"""The same photographs and the same protocol for every model, and trivial baselines beside them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
import pandas as pd
from pydantic import Field
from torch import Tensor

from colorize import bins
from colorize.base.parameters import Parameters
from colorize.data.index import Index
from colorize.data.tensors import squares
from colorize.evaluation import metrics
from colorize.evaluation.bootstrap import summarize
from colorize.evaluation.metrics import Quantities, Truth

UNIFORM = 0.5  # lambda of the rebalanced AuC: a pixel counts 1 / ((1 - lambda) p + lambda / 313)
BATCH = 16  # photographs at a time: bounds memory, changes no value


class EvaluateParameters(Parameters):
    """The section `evaluate`."""

    validation_max: Annotated[int, Field(ge=1)]
    resamples: Annotated[int, Field(ge=100, le=100_000)]
    grid: Annotated[int, Field(ge=1, le=50)]


class Batch(NamedTuple):
    names: list[str]
    gray: Tensor  # (n, 1, S, S) uint8
    truth: Tensor  # (n, 3, S, S) uint8


# Gives a batch its colours, (n, 3, S, S) uint8. Only the trivial ones look at the truth.
Colorer = Callable[[Batch], Tensor]


class Photographs:
    """Validation and test photographs, as center crops of `image_size` pixels.

    Of val the first `validation_max` are measured, in the order of their hashes: which these are
    looks random, and no more of them makes training poorer.
    """

    def __init__(
        self, union: Path, gray: Path, statistics: dict, image_size: int, validation_max: int
    ):
        self.union, self.gray, self.image_size = union, gray, image_size
        self.index = Index.read(union)
        share = bins.prior(statistics["ab_histogram"]["share"])
        self.rarity = bins.rebalanced(share, UNIFORM)
        self.val = self.index.split("val", "photograph")[:validation_max]

    def batches(self, names: list[str]) -> Iterator[Batch]:
        for start in range(0, len(names), BATCH):
            yield self.read(names[start : start + BATCH])

    def read(self, names: list[str]) -> Batch:
        gray = squares(self.gray, names, self.image_size, "L")
        return Batch(names, gray, squares(self.union, names, self.image_size, "RGB"))


# The columns that say which photograph a line is about; the others are quantities.
KEYS = ["name", "group", "dataset", "side", "split"]


class Evaluated(NamedTuple):
    """What is known of one row of the tables."""

    result: dict[str, Any]  # what metrics/NAME.json holds
    images: pd.DataFrame  # a line for each photograph: KEYS, then its quantities


def evaluate(
    colorers: dict[str, Colorer], photographs: Photographs, resamples: int
) -> dict[str, Evaluated]:
    """Measure each colorer on the photographs of val, and on all images of test."""
    index = photographs.index
    splits = photographs.val, index.split("test")
    rows = index.rows.loc[[name for split in splits for name in split]]
    return {
        row: Evaluated(_result(rows, quantities, resamples), _table(rows, quantities))
        for row, quantities in measure(colorers, photographs, *splits).items()
    }


def _result(rows: pd.DataFrame, quantities: Quantities, resamples: int) -> dict[str, Any]:
    """What metrics/NAME.json holds, of images that `rows` of the index describe.

    `val` and `test`: metrics over photographs alone. `by_dataset`: over the test images of each
    dataset, DATASET for its photographs and DATASET/SIDE for other images. `images`: how many
    photographs the headline, `test`, stands on.
    """
    val, test = ((rows["split"] == split).to_numpy() for split in ("val", "test"))
    photograph = (rows["side"] == "photograph").to_numpy()
    kinds = rows["dataset"].where(photograph, rows["dataset"] + "/" + rows["side"])
    by_kind = {kind: test & (kinds == kind).to_numpy() for kind in sorted(kinds[test].unique())}

    def metrics_of(which: np.ndarray) -> dict[str, dict]:
        return summarize({name: q[which] for name, q in quantities.items()}, resamples)

    return {
        "val": metrics_of(val),
        "test": metrics_of(test & photograph),
        "by_dataset": {
            kind: {"images": int(which.sum())} | metrics_of(which)
            for kind, which in by_kind.items()
        },
        "images": int((test & photograph).sum()),
        "images_val": int(val.sum()),
    }


def _table(rows: pd.DataFrame, quantities: Quantities) -> pd.DataFrame:
    columns = {name: list(values) for name, values in quantities.items() if name != "images"}
    return rows.join(pd.DataFrame(columns, index=rows.index)).reset_index()[[*KEYS, *columns]]


def measure(
    colorers: dict[str, Colorer], photographs: Photographs, *splits: list[str]
) -> dict[str, Quantities]:
    """For each colorer, the quantities of every photograph, in the order of the names in `splits`.

    No batch spans two of them: what stands beside a photograph decides how its result is rounded,
    and what val gives must not depend on test.
    """
    parts = {row: [] for row in colorers}
    for names in splits:
        for batch in photographs.batches(names):
            truth = Truth.of(batch.truth, batch.gray, photographs.rarity)
            for row, colorer in colorers.items():
                parts[row].append(metrics.measure(colorer(batch), truth))
    return {
        row: {name: np.concatenate([part[name] for part in of_row]) for name in of_row[0]}
        for row, of_row in parts.items()
    }
