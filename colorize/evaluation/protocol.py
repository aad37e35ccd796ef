"""The same photographs and the same protocol for every model, and trivial baselines beside them."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Any, NamedTuple, TypeVar

import numpy as np
import pandas as pd
import torch
from pydantic import Field
from torch import Tensor

from colorize import bins
from colorize.base.parameters import Parameters
from colorize.data.index import Index
from colorize.data.tensors import squares
from colorize.evaluation import quantities
from colorize.evaluation.bootstrap import summarize
from colorize.evaluation.quantities import Quantities, Truth

UNIFORM = 0.5  # lambda of the rebalanced AuC: a pixel counts 1 / ((1 - lambda) p + lambda / 313)
PIXELS = 2**22  # under way at a time, 64 photographs at 256 pixels: bounds memory


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

Result = TypeVar("Result")


class Photographs:
    """Validation and test photographs, as center crops of `image_size` pixels.

    Of val the first `validation_max` are measured, in the order of their hashes: which these are
    looks random, and no more of them makes training poorer.
    """

    def __init__(
        self,
        union: Path,
        gray: Path,
        statistics: dict,
        image_size: int,
        validation_max: int,
        device: torch.device,
    ):
        self.union, self.gray, self.image_size, self.device = union, gray, image_size, device
        self.index = Index.read(union)
        share = bins.prior(statistics["ab_histogram"]["share"])
        self.rarity = bins.rebalanced(share, UNIFORM)
        self.val = self.index.split("val", "photograph")[:validation_max]

    def read(self, names: list[str]) -> Batch:
        gray = squares(self.gray, names, self.image_size, "L").to(self.device)
        return Batch(names, gray, self.truth(names))

    def truth(self, names: list[str]) -> Tensor:
        """(n, 3, S, S) uint8."""
        return squares(self.union, names, self.image_size, "RGB").to(self.device)

    def each(self, function: Callable[[Batch], Result], names: list[str]) -> Iterator[Result]:
        """`function` of batches of the named photographs, in their order.

        On a CPU each batch is one photograph on one core, where all that is computed of it stays in
        the cache. No result depends on what else is measured, nor on the number of cores.
        """
        cores, under_way = torch.get_num_threads(), max(1, PIXELS // self.image_size**2)
        threads, size = (min(cores, under_way), 1) if self.device.type == "cpu" else (1, under_way)
        batches = [names[start : start + size] for start in range(0, len(names), size)]

        @torch.inference_mode()
        def inferred(batch: list[str]) -> Result:
            return function(self.read(batch))

        try:
            with ThreadPoolExecutor(threads, "measure", torch.set_num_threads, (1,)) as pool:
                yield from pool.map(inferred, batches)
        finally:
            torch.set_num_threads(cores)  # the default of threads to come


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
    dataset, DATASET for its photographs and DATASET/SIDE for other images. `images` and `groups`:
    what the headline, `test`, stands on; `images_val` and `groups_val`: what val does.
    """
    val, test = ((rows["split"] == split).to_numpy() for split in ("val", "test"))
    photograph = (rows["side"] == "photograph").to_numpy()
    kinds = rows["dataset"].where(photograph, rows["dataset"] + "/" + rows["side"])
    groups = rows["group"].to_numpy()
    by_kind = {kind: test & (kinds == kind).to_numpy() for kind in sorted(kinds[test].unique())}

    def metrics_of(which: np.ndarray) -> dict[str, dict]:
        chosen = {name: q[which] for name, q in quantities.items()}
        return summarize(chosen, groups[which], resamples)

    return {
        "val": metrics_of(val),
        "test": metrics_of(test & photograph),
        "by_dataset": {
            kind: _counts(groups[which]) | metrics_of(which) for kind, which in by_kind.items()
        },
        **_counts(groups[test & photograph]),
        **{f"{name}_val": count for name, count in _counts(groups[val]).items()},
    }


def _counts(groups: np.ndarray) -> dict[str, int]:
    return {"images": len(groups), "groups": len(set(groups))}


def _table(rows: pd.DataFrame, quantities: Quantities) -> pd.DataFrame:
    columns = {name: list(values) for name, values in quantities.items() if name != "images"}
    return rows.join(pd.DataFrame(columns, index=rows.index)).reset_index()[[*KEYS, *columns]]


def measure(
    colorers: dict[str, Colorer], photographs: Photographs, *splits: list[str]
) -> dict[str, Quantities]:
    """For each colorer, the quantities of every photograph, in the order of the names in `splits`.

    On a GPU no batch spans two of them: what stands beside a photograph decides how its result is
    rounded, and what val gives must not depend on test.
    """

    def of(batch: Batch) -> dict[str, Quantities]:
        truth = Truth.of(batch.truth, batch.gray, photographs.rarity)
        return {row: quantities.measure(colorer(batch), truth) for row, colorer in colorers.items()}

    parts = [part for names in splits for part in photographs.each(of, names)]
    return {
        row: {name: np.concatenate([part[row][name] for part in parts]) for name in parts[0][row]}
        for row in colorers
    }
