"""The same photographs and the same protocol for every model, and trivial baselines beside them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, NamedTuple, Self, TypeVar

import numpy as np
import pandas as pd
import torch
from pydantic import Field, field_validator
from torch import Tensor

from colorize.base.parameters import Parameters
from colorize.base.workers import one_thread_each
from colorize.color import bins
from colorize.color.strips import STRIP
from colorize.data.reading.index import Index, check_gray, statistics
from colorize.data.reading.tensors import squares
from colorize.evaluation import perceptual, quantities, thumbnails
from colorize.evaluation.bootstrap import summarize
from colorize.evaluation.metrics import METRICS, PERCEPTUAL
from colorize.evaluation.quantities import Quantities, Rarity
from colorize.evaluation.results import Metrics, Result, SetMetrics, Split

PIXELS = 2**22  # under way at a time, 64 photographs at 256 pixels: bounds memory


class EvaluateParameters(Parameters):
    """The section `evaluate`."""

    splits: list[Split]
    validation_max: Annotated[int, Field(ge=1, le=10**9)]
    resamples: Annotated[int, Field(ge=100, le=100_000)]
    grid: Annotated[int, Field(ge=1, le=50)]
    weights: Annotated[str, Field(min_length=1)] | None

    @field_validator("splits")
    @classmethod
    def _known(cls, splits: list[str]) -> list[str]:
        if splits not in (["val"], ["val", "test"]):
            raise ValueError("[val] or [val, test] is needed")
        return splits


class Batch(NamedTuple):
    names: list[str]
    gray: Tensor  # (n, 1, S, S) uint8
    truth: Tensor  # (n, 3, S, S) uint8


# Gives a batch its colors, (n, 3, S, S) uint8, by row of the tables. Only the trivial ones look at
# the truth.
Colorer = Callable[[Batch], dict[str, Tensor]]

Measured = TypeVar("Measured")
Key = TypeVar("Key")


class Photographs:
    """Validation and test photographs, as center crops of `image_size` pixels.

    Of val the first `validation_max` are measured, in the order of their hashes: which these are
    looks random, and no more of them makes training poorer.
    """

    def __init__(
        self,
        index: Index,
        union: Path,
        gray: Path,
        statistics: dict,
        image_size: int,
        validation_max: int,
        device: torch.device,
        networks: perceptual.Networks | None = None,
    ):
        self.networks = networks  # without them LPIPS, FID and KID are not measured
        self.union, self.gray, self.image_size, self.device = union, gray, image_size, device
        self.index = index
        self.mean_ab = statistics["mean_ab"]  # of training, as is the rarity of colors
        self.rarity = Rarity.of(bins.prior(statistics["ab_histogram"]["share"]))
        self.val = self.index.split("val", "photograph")[:validation_max]

    @classmethod
    def of_union(
        cls,
        union: Path,
        gray: Path,
        image_size: int,
        validation_max: int,
        device: torch.device,
        weights: Path | None,
    ) -> Self:
        """Those that the data stages wrote. weights: a folder with those of `perceptual`.

        Raises UserError where the data stages have to run again, or weights are not those named.
        """
        of_training = statistics(union, image_size)
        check_gray(union, gray)
        networks = None if weights is None else perceptual.read(weights, device)
        index = Index.read(union)
        return cls(index, union, gray, of_training, image_size, validation_max, device, networks)

    def measured(self, split: str) -> list[str]:
        """Of val photographs alone; of test every image."""
        return self.val if split == "val" else self.index.split("test")

    def headline(self, split: str) -> list[str]:
        """The photographs among them."""
        return self.val if split == "val" else self.index.split("test", "photograph")

    def read(self, names: list[str]) -> Batch:
        gray = squares(self.gray, names, self.image_size, "L").to(self.device)
        return Batch(names, gray, self.truth(names))

    def truth(self, names: list[str]) -> Tensor:
        """(n, 3, S, S) uint8."""
        return squares(self.union, names, self.image_size, "RGB").to(self.device)

    def each(self, function: Callable[[Batch], Measured], names: list[str]) -> Iterator[Measured]:
        """`function` of batches of the named photographs, in their order.

        On a CPU each batch is on one core. What is measured of a photograph does not depend on what
        else is in its batch, nor on the number of cores.
        """
        under_way = max(1, PIXELS // self.image_size**2)
        threads, size = 1, under_way
        if self.device.type == "cpu":
            size = max(1, STRIP // self.image_size**2)
            threads = min(torch.get_num_threads(), under_way)
        batches = [names[start : start + size] for start in range(0, len(names), size)]

        @torch.inference_mode()
        def inferred(batch: list[str]) -> Measured:
            return function(self.read(batch))

        with one_thread_each(threads) as pool:
            yield from pool.map(inferred, batches)


# The columns that say which photograph a line is about; the others are quantities.
KEYS = ["name", "group", "dataset", "side", "split"]


class Evaluated(NamedTuple):
    """What is known of one row of the tables."""

    result: Result
    images: pd.DataFrame  # a line for each photograph: KEYS, then its quantities


def evaluate(
    colorer: Colorer, photographs: Photographs, splits: Sequence[Split], resamples: int
) -> dict[str, Evaluated]:
    """Measure each row of pictures on the photographs of val, and on all images of test."""
    names = [photographs.measured(split) for split in splits]
    rows = photographs.index.rows.loc[[name for of_split in names for name in of_split]]
    return {
        row: Evaluated(_result(rows, quantities, resamples), _table(rows, quantities))
        for row, quantities in measure(colorer, photographs, *names).items()
    }


def _result(rows: pd.DataFrame, quantities: Quantities, resamples: int) -> Result:
    """Of images that `rows` of the index describe; the last of their splits is the headline."""
    splits, groups = list(rows["split"].unique()), rows["group"].to_numpy()
    photograph = (rows["side"] == "photograph").to_numpy()
    of_split = {split: (rows["split"] == split).to_numpy() for split in splits}
    headline = of_split[splits[-1]]
    kinds = rows["dataset"].where(photograph, rows["dataset"] + "/" + rows["side"])
    by_kind = {k: headline & (kinds == k).to_numpy() for k in sorted(kinds[headline].unique())}

    perceived = "features" in quantities
    formulas = METRICS | PERCEPTUAL if perceived else METRICS

    def metrics_of(which: np.ndarray) -> Metrics:
        chosen = {name: q[which] for name, q in quantities.items()}
        metrics = summarize(formulas, chosen, groups[which], resamples)
        if perceived:
            metrics |= perceptual.distances(chosen["features"], chosen["features_of_truth"])
        return metrics

    missing = dict.fromkeys(("lpips", "fid", "kid"), perceptual.NOT_MEASURED)
    return Result(
        **{split: metrics_of(which & photograph) for split, which in of_split.items()},
        by_dataset={
            kind: SetMetrics(**counts(groups[which]), **metrics_of(which))
            for kind, which in by_kind.items()
        },
        **counts(groups[headline & photograph]),
        **{f"{name}_val": count for name, count in counts(groups[of_split["val"]]).items()},
        not_measured={} if perceived else missing,
    )


def counts(groups: Sequence[str] | np.ndarray) -> dict[str, int]:
    """Of a set of images, from the group of each."""
    return {"images": len(groups), "groups": len(set(groups))}


def _table(rows: pd.DataFrame, quantities: Quantities) -> pd.DataFrame:
    kept = quantities.keys() - {"images", "features", "features_of_truth"}
    columns = {name: list(values) for name, values in quantities.items() if name in kept}
    return rows.join(pd.DataFrame(columns, index=rows.index)).reset_index()[[*KEYS, *columns]]


def measure(
    colorer: Colorer, photographs: Photographs, *splits: list[str]
) -> dict[str, Quantities]:
    """For each row, the quantities of every photograph, in the order of the names in `splits`.

    On a GPU no batch spans two of them: what stands beside a photograph decides how its result is
    rounded, and what val gives must not depend on test.
    """

    def of(batch: Batch) -> dict[tuple[str | None, str], np.ndarray]:
        """By row and name; what is the same for all rows without a row."""
        pictures = colorer(batch)
        of_rows = quantities.measure(pictures, batch.truth, batch.gray, photographs.rarity)
        if photographs.networks:
            for row, seen in photographs.networks.measure(pictures, batch.truth).items():
                of_rows[row] |= seen
        return {(row, name): v for row, of_row in of_rows.items() for name, v in of_row.items()}

    rows = photographs.index.rows.loc[[name for names in splits for name in names]]
    parts = (part for names in splits for part in photographs.each(of, names))
    by_row: dict[str | None, Quantities] = {}
    for (row, name), values in gathered(parts, len(rows)).items():
        by_row.setdefault(row, {})[name] = values
    of_truth = by_row.pop(None)

    # What needs the other images, among those of the same kind
    kinds = list(rows.reset_index().groupby(["split", "side"]).indices.values())
    true, given = (of_truth.pop(f"thumbnail_of_{whose}") for whose in ("truth", "input"))
    for of_row in by_row.values():
        made = of_row.pop("thumbnail")
        compared = (
            thumbnails.compare(made[k], true[k], given[k], dict(rows["group"].iloc[k]))
            for k in kinds
        )
        order = np.argsort(np.concatenate(kinds))
        of_row |= {name: v[order] for name, v in gathered(compared, len(rows)).items()}
    return {row: of_row | of_truth for row, of_row in by_row.items()}


def gathered(parts: Iterable[dict[Key, np.ndarray]], count: int) -> dict[Key, np.ndarray]:
    """The parts of a set of `count` images, one after the other.

    Copied as they come: small arrays that stay between large ones that go leave memory in pieces
    too small for the next.
    """
    whole: dict[Key, np.ndarray] = {}
    done = 0
    for part in parts:
        if not whole:
            whole = {key: np.empty((count, *v.shape[1:]), v.dtype) for key, v in part.items()}
        size = len(next(iter(part.values())))
        for key, values in part.items():
            whole[key][done : done + size] = values
        done += size
    return whole
