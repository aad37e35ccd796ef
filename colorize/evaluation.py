"""The same photographs and the same protocol for every model, and the trivial rows beside them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import torch
from PIL import Image
from pydantic import Field
from torch import Tensor

from colorize import color, grids, metrics
from colorize.index import Index
from colorize.methods.common import Method
from colorize.parameters import Parameters
from colorize.rows import CONTROLS
from colorize.tensors import squares

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
    """Validation and test photographs, as middle squares of `image_size` pixels."""

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
    val = _measure(colorers, photographs, index.split("val", "photograph"))
    test_names = index.split("test")
    test = _measure(colorers, photographs, test_names)
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


def _measure(
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


class Colors:
    """A model as colorers: its own RGB, and its colours on the photograph's own lightness."""

    def __init__(self, model: Method, device: torch.device):
        self.model, self.device = model, device

    @torch.inference_mode()
    def own(self, batch: Batch) -> Tensor:
        gray = color.to_float(batch.gray.to(self.device))
        return color.to_uint8(self.model.colorize(gray)).cpu()

    @torch.inference_mode()
    def pasted(self, batch: Batch) -> Tensor:
        gray = color.to_float(batch.gray.to(self.device))
        return color.to_uint8(color.repaint(gray, self.model.colorize(gray))).cpu()

    @torch.inference_mode()
    def scaled(self, batch: Batch, gain: float) -> Tensor:
        """Its ab times `gain`: what one scalar does for a model that is too gray."""
        gray = color.to_float(batch.gray.to(self.device))
        ab = self.model.predict_ab(gray) * gain
        return color.to_uint8(color.join(color.lightness_of(gray), ab)).cpu()

    def fit_gain(self, photographs: Photographs) -> float:
        """The gain that brings the chroma ratio on val to 1, within 0.001, at most 100.

        Each round divides by the ratio found; more than one because colours leave sRGB.
        """
        names = photographs.index.split("val", "photograph")
        gain = 1.0
        for _ in range(8):
            rows = {"scaled": lambda batch, gain=gain: self.scaled(batch, gain)}
            quantities = _measure(rows, photographs, names)["scaled"]
            ratio = quantities["chroma"].sum() / max(quantities["chroma_of_truth"].sum(), 1e-9)
            if abs(ratio - 1) < 1e-3:
                break
            gain = min(gain / max(ratio, 1e-3), 100.0)
        return round(float(gain), 6)


def controls(photographs: Photographs, mean_ab: list[float]) -> dict[str, Colorer]:
    """The trivial rows of every table, by name.

    gray_copy: the input. mean_color: the training photographs' mean ab on this lightness.
    random_color: the next photograph's ab on this lightness. quarter_oracle: the true ab through a
    head of a quarter of the size. ground_truth: the photograph itself.
    """
    following = {}
    for _, of_a_kind in photographs.index.rows.groupby(["split", "side"]):
        names = list(of_a_kind.index)
        following |= dict(zip(names, names[1:] + names[:1], strict=True))

    def lightness(batch: Batch) -> Tensor:
        return color.lightness_of(color.to_float(batch.gray))

    def ab_of(truth: Tensor) -> Tensor:
        return color.rgb_to_lab(color.to_float(truth))[:, 1:]

    def gray_copy(batch: Batch) -> Tensor:
        return batch.gray.expand(-1, 3, -1, -1)

    def mean_color(batch: Batch) -> Tensor:
        ab = torch.tensor(mean_ab)[:, None, None].expand(len(batch.gray), -1, *batch.gray.shape[2:])
        return color.to_uint8(color.join(lightness(batch), ab))

    def random_color(batch: Batch) -> Tensor:
        others = [following[name] for name in batch.names]
        ab = ab_of(squares(photographs.union, others, photographs.image_size, "RGB"))
        return color.to_uint8(color.join(lightness(batch), ab))

    def quarter_oracle(batch: Batch) -> Tensor:
        ab = color.enlarge(color.quarter(ab_of(batch.truth)))
        return color.to_uint8(color.join(lightness(batch), ab))

    def ground_truth(batch: Batch) -> Tensor:
        return batch.truth

    colorers = (gray_copy, mean_color, random_color, quarter_oracle, ground_truth)
    return dict(zip(CONTROLS, colorers, strict=True))


def result_grid(gray: Tensor, truth: Tensor, own: Tensor, pasted: Tensor | None) -> Image.Image:
    """Gray, truth, result; and pasted, where the method would change the lightness."""
    if pasted is None:
        return grids.grid({"gray": gray, "truth": truth, "result": own})
    return grids.grid({"gray": gray, "truth": truth, "its RGB": own, "its ab pasted": pasted})
