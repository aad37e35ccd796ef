"""The same photographs and the same protocol for every model, and the trivial rows beside them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
from pydantic import Field
from torch import Tensor

from colorize.base.parameters import Parameters
from colorize.data.index import Index
from colorize.data.tensors import squares
from colorize.evaluation import metrics

BATCH = 16  # photographs at a time: bounds memory, changes no value


class EvaluateParameters(Parameters):
    """The section `evaluate`."""

    resamples: Annotated[int, Field(ge=100, le=100_000)]
    grid: Annotated[int, Field(ge=1, le=50)]


class Batch(NamedTuple):
    names: list[str]
    gray: Tensor  # (n, 1, S, S) uint8
    truth: Tensor  # (n, 3, S, S) uint8


# Gives a batch its colours, (n, 3, S, S) uint8. Only the trivial ones look at the truth.
Colorer = Callable[[Batch], Tensor]


class Photographs:
    """Validation and test photographs, as center crops of `image_size` pixels."""

    def __init__(self, union: Path, gray: Path, image_size: int):
        self.union, self.gray, self.image_size = union, gray, image_size
        self.index = Index.read(union)

    def batches(self, names: list[str]) -> Iterator[Batch]:
        for start in range(0, len(names), BATCH):
            yield self.read(names[start : start + BATCH])

    def read(self, names: list[str]) -> Batch:
        gray = squares(self.gray, names, self.image_size, "L")
        return Batch(names, gray, squares(self.union, names, self.image_size, "RGB"))


def evaluate(
    colorers: dict[str, Colorer], photographs: Photographs, resamples: int
) -> dict[str, dict]:
    """Measure each colorer on val and test; returns, for each, what metrics/NAME.json holds.

    `val`, `test`: metrics over photographs alone. `by_dataset`: over the test images of each
    dataset, DATASET for its photographs and DATASET/SIDE for other images. `images`: how many
    photographs the headline, `test`, stands on.
    """
    index = photographs.index
    val = measure(colorers, photographs, index.split("val", "photograph"))
    test_names = index.split("test")
    test = measure(colorers, photographs, test_names)
    test_rows = index.rows.loc[test_names]
    is_photograph = (test_rows["side"] == "photograph").to_numpy()
    groups = test_rows["dataset"].where(
        is_photograph, test_rows["dataset"] + "/" + test_rows["side"]
    )
    results = {}
    for row in colorers:
        by_dataset = {}
        for group in sorted(groups.unique()):
            inside = (groups == group).to_numpy()
            by_dataset[group] = {"images": int(inside.sum())}
            by_dataset[group] |= metrics.summarize(_select(test[row], inside), resamples)
        results[row] = {
            "val": metrics.summarize(val[row], resamples),
            "test": metrics.summarize(_select(test[row], is_photograph), resamples),
            "by_dataset": by_dataset,
            "images": int(is_photograph.sum()),
            "images_val": len(val[row]["images"]),
        }
    return results


def measure(
    colorers: dict[str, Colorer], photographs: Photographs, names: list[str]
) -> dict[str, dict[str, np.ndarray]]:
    """For each colorer, the quantities of every photograph, in the order of `names`."""
    parts = {row: [] for row in colorers}
    for batch in photographs.batches(names):
        for row, colorer in colorers.items():
            parts[row].append(metrics.measure(colorer(batch), batch.truth, batch.gray))
    return {
        row: {name: np.concatenate([part[name] for part in of_row]) for name in of_row[0]}
        for row, of_row in parts.items()
    }


def _select(quantities: dict[str, np.ndarray], which: np.ndarray) -> dict[str, np.ndarray]:
    return {name: values[which] for name, values in quantities.items()}
