"""What a model card says in figures: `python -m studies.card MODEL`, a folder like models/NAME.

Photographs are colored as people who use the model color theirs: at their own size, which is
`data.image_size`, the network seeing them at the size that it was trained at. The first table is of
the test photographs by what they show: all, the CycleGAN datasets, then every dataset and, where
names of its files begin with a kind and `_`, as flickr_1.jpg, every kind. The second is of all: the
model beside colorings that need no training, with its colors made weaker or stronger, and where
it sees photographs in another gray, faded, with noise or blurred. Compared are colors alone: all
but the model's own RGB stands on the photographs' own lightness.
"""

import argparse
import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from skimage import filters
from torch import Tensor

from colorize import color
from colorize.base import command
from colorize.base.device import keep_freed
from colorize.color.strips import on_lightness
from colorize.data import catalog
from colorize.evaluation import baselines, protocol
from colorize.evaluation.bootstrap import summarize
from colorize.evaluation.metrics import METRICS, mean_of
from colorize.evaluation.protocol import Batch
from colorize.evaluation.quantities import Quantities
from colorize.evaluation.results import Metrics
from colorize.report import tables
from colorize.use.colorizer import Colorizer
from stages import common

STRENGTHS = (0.8, 1.25)
NOISE = 10  # standard deviation, in levels of 255
BLUR = 1.0  # standard deviation in pixels
FADED = 0.5  # of the contrast is left, around the middle gray
OWN = "its colors"
GRAY = "gray copy"
TRIVIAL = {
    "mean_color": "mean color",
    "grayscale": GRAY,
    "random_color": "another photograph's colors",
}
SHOWN = {name: METRICS[name] for name in ("ciede2000", "projection", "chroma_ratio")}
SHOWN["ab_histogram_js"] = METRICS["ab_histogram_js"]
BESIDE_GRAY = {"difference": mean_of("difference"), "nearer": mean_of("nearer")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", metavar="MODEL", help="a folder or a name, as colorize --model")
    parser.add_argument("--split", choices=("val", "test"), default="test")
    parser.add_argument("--strengths", nargs="*", type=float, default=STRENGTHS, metavar="TIMES")
    parser.add_argument("--by-kind", action="store_true", help="the first table alone")
    arguments = parser.parse_args()
    keep_freed()
    params = common.read_params()
    colorizer = Colorizer.load(arguments.model, params.runtime.device)
    photographs = common.measured(params, torch.device("cpu"))
    trivial = baselines.trivial(photographs, photographs.mean_ab)

    def rows(batch: Batch) -> dict[str, Tensor]:
        pictures = {OWN: colorizer(batch.gray)}
        if not arguments.by_kind:
            pictures |= changed(colorizer, batch, arguments.strengths)
        without_training = trivial(batch)
        return pictures | {line: without_training[name] for name, line in TRIVIAL.items()}

    names = photographs.headline(arguments.split)
    measured = protocol.measure(rows, photographs, names)
    index = photographs.index.rows.loc[names]
    resamples = params.evaluate.resamples
    size = params.data.image_size
    print(f"{len(names)} photographs of {arguments.split}, {size} pixels\n")
    print("\n".join(by_kind(index, measured, resamples)))
    if not arguments.by_kind:
        print()
        print("\n".join(of_all(index, measured, resamples)))


def changed(colorizer: Colorizer, batch: Batch, strengths: Iterable[float]) -> dict[str, Tensor]:
    """Its pictures, uint8 (n, 3, S, S), by line: at other strengths, and of changed grays."""
    gray = batch.gray
    pictures = {}
    if colorizer.network.method.output == "rgb":
        pictures["its own RGB"] = colorizer(gray, raw=True)
    for strength in strengths:
        pictures[f"at strength {strength:g}"] = colorizer(gray, strength=strength)
    seen = {
        "seen in Rec. 601 gray": rec601(batch.truth),
        f"seen with {FADED:.0%} of the contrast": faded(gray),
        f"seen with noise of {NOISE} levels": noisy(gray, batch.names),
        f"seen blurred by {BLUR:g} pixel": blurred(gray),
    }
    for line, image in seen.items():
        ab = color.rgb_to_lab(colorizer(image))[:, 1:]
        pictures[line] = on_lightness(gray, ab)
    return pictures


def by_kind(index: pd.DataFrame, measured: dict[str, Quantities], resamples: int) -> list[str]:
    """The model beside a gray copy, in a line for each kind of photograph."""
    groups = index["group"].to_numpy()
    lines = []
    for kind, which in kinds(index).items():
        model, gray = ({name: v[which] for name, v in measured[row].items()} for row in (OWN, GRAY))
        model |= beside(model, gray)
        metrics = summarize(SHOWN | BESIDE_GRAY, model, groups[which], resamples)
        lines.append(
            [
                kind,
                f"{which.sum():,}",
                f"{gray['ciede2000'].mean():.2f}",
                *(tables.in_line(metrics, "ciede2000"), difference(metrics)),
                f"{100 * metrics['nearer'].mean:.0f}",
                f"{np.median(model['psnr']):.1f}",
                f"{np.median(gray['psnr']):.1f}",
                *(tables.text(metrics[name].mean, 2) for name in ("projection", "chroma_ratio")),
                tables.text(metrics["ab_histogram_js"].mean, 3),
            ]
        )
    titles = ["", "photographs", "CIEDE2000 of gray", "of the model", "difference", "nearer, %"]
    titles += ["median PSNR, dB", "of gray", "projection", "chroma ratio", "ab-histogram JS"]
    return tables.markdown_table(titles, lines)


def of_all(index: pd.DataFrame, measured: dict[str, Quantities], resamples: int) -> list[str]:
    """Every row on all photographs, and how far its CIEDE2000 is from that of the model."""
    lines = []
    for row, quantities in measured.items():
        q = quantities | beside(quantities, measured[OWN])
        metrics = summarize(SHOWN | BESIDE_GRAY, q, index["group"].to_numpy(), resamples)
        apart = "" if row == OWN else difference(metrics)
        others = ("projection", "chroma_ratio", "ab_histogram_js")
        shown = [tables.in_line(metrics, metric) for metric in others]
        lines.append([row, tables.in_line(metrics, "ciede2000"), apart, *shown])
    titles = ["", "CIEDE2000", "difference", "projection", "chroma ratio", "ab-histogram JS"]
    return tables.markdown_table(titles, lines)


def kinds(index: pd.DataFrame) -> dict[str, np.ndarray]:
    """By name of a kind: which photographs are of it, bool (n,)."""
    dataset = index["dataset"]
    members = {"all": np.full(len(index), True)}
    official = dataset.isin(catalog.load(str(catalog.BUILTIN)).keys() - {catalog.SAMPLE})
    if official.any() and not official.all():
        members["CycleGAN datasets"] = official.to_numpy()
    begins = index["source"].str.extract(r"/([a-z][a-z0-9]*)_[^/]*$", flags=re.ASCII)[0]
    for name in sorted(dataset.unique()):
        members[name] = (dataset == name).to_numpy()
        for kind in sorted(begins[members[name]].dropna().unique()):
            members[f"{name}: {kind}"] = members[name] & (begins == kind).to_numpy()
    return members


def beside(row: Quantities, other: Quantities) -> Quantities:
    """Of each photograph CIEDE2000 less that of another row, and whether it is less."""
    difference = row["ciede2000"] - other["ciede2000"]
    return {"difference": difference, "nearer": (difference < 0).astype(np.float64)}


def difference(metrics: Metrics) -> str:
    """Of CIEDE2000, with its sign; of a single group without an interval."""
    value = metrics["difference"]
    bounds = f" ({tables.text(value.low, 2)} to {tables.text(value.high, 2)})"
    return tables.text(value.mean, 2, "+") + ("" if value.low is None else bounds)


def rec601(truth: Tensor) -> Tensor:
    """(n, 3, S, S) to (n, 1, S, S), both uint8."""
    return color.to_uint8(color.gray_of(color.to_float(truth), "rec601"))


def faded(gray: Tensor) -> Tensor:
    """uint8 (n, 1, S, S): black raised, white lowered."""
    return (FADED * (gray.float() - 127.5) + 127.5).round().to(torch.uint8)


def blurred(gray: Tensor) -> Tensor:
    """uint8 (n, 1, S, S), under a Gaussian."""
    levels = filters.gaussian(
        gray.cpu().numpy(), (0, 0, BLUR, BLUR), mode="mirror", preserve_range=True
    )
    return torch.from_numpy(levels).round().to(gray)


def noisy(gray: Tensor, names: list[str]) -> Tensor:
    """uint8 (n, 1, S, S) with noise of its own for each photograph, whatever it stands beside."""
    levels = gray.float()
    for level, name in zip(levels, names, strict=True):
        rng = torch.Generator().manual_seed(int(Path(name).stem, 16))
        level += NOISE * torch.randn(level.shape, generator=rng).to(level.device)
    return levels.round().clamp(0, 255).to(torch.uint8)


if __name__ == "__main__":
    command.run(main)
