"""Speed and memory of the metrics of images, beside scikit-image's looped over the same pairs.

    python -m benchmarks.evaluation [--images N] [--image-size PX] [--rounds R]

Ours measures all quantities that the tables are made of, as the stage `evaluate` does, some
photographs at a time on each core, and of each photograph two pictures, as of most models: its RGB,
and its colors on the true lightness. The loop takes scikit-image's PSNR, SSIM and CIEDE2000 alone.
Both read the same pairs from arrays, take turns, and run in processes of their own.
"""

import argparse
import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from PIL import Image
from skimage import color as skcolor
from skimage import metrics as skmetrics

from benchmarks import results
from benchmarks.memory import Measured, measured
from benchmarks.photographs import photographs
from colorize import color
from colorize.base import command
from colorize.base.device import keep_freed
from colorize.base.workers import cores
from colorize.color import bins
from colorize.data.reading.index import Index
from colorize.data.reading.tensors import to_tensor
from colorize.evaluation import protocol
from colorize.evaluation.quantities import Quantities, Rarity

OF_FULL = 6_371  # photographs in the test split of the preset `full`
ROWS = 13  # of its tables, models and trivial colorings
PICTURES = 2  # of each photograph


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--images", type=int, default=100, help="photographs, two pictures of each (100)"
    )
    parser.add_argument("--image-size", type=int, default=256, help="pixels (256)")
    parser.add_argument("--rounds", type=int, default=3, help="turns that each takes (3)")
    parser.add_argument("--output", type=Path, help="write the JSON here too")
    arguments = parser.parse_args()
    if min(arguments.images, arguments.rounds) < 1 or arguments.image_size < 16:
        parser.error("--images and --rounds: at least 1; --image-size: at least 16")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_pairs(folder, arguments.images, arguments.image_size)
        rounds = [(measured(ours, folder), measured(loop, folder)) for _ in range(arguments.rounds)]
    pairs = PICTURES * arguments.images
    result = {
        "images": arguments.images,
        "pairs": pairs,
        "image_size": arguments.image_size,
        "cores": cores(),
        "ours": _run(pairs, [first for first, _ in rounds]),
        "scikit-image": _run(pairs, [second for _, second in rounds]),
        "ratio": round(statistics.median(b.seconds / a.seconds for a, b in rounds), 1),
    }
    result["hours_of_full"] = round(ROWS * OF_FULL / result["ours"]["pairs_per_second"] / 3600, 2)
    results.show(result, _table(result), arguments.output)


def write_pairs(folder: Path, count: int, side: int) -> None:
    """Cutouts of photographs, and pictures with half of their chroma and some noise: uint8."""
    rng = np.random.default_rng(0)
    generator = torch.Generator().manual_seed(0)
    sources = list(photographs())
    shape = (3, side, side)
    truths, predicted = (
        np.lib.format.open_memmap(folder / f"{name}.npy", "w+", np.uint8, (*numbers, *shape))
        for name, numbers in (("truth", (count,)), ("predicted", (count, PICTURES)))
    )
    for number in range(count):
        source = sources[number % len(sources)]
        edge = int(rng.uniform(0.4, 1) * min(source.size))
        left, top = (int(rng.integers(0, length - edge + 1)) for length in source.size)
        box = (left, top, left + edge, top + edge)
        truth = to_tensor(source.resize((side, side), Image.Resampling.BICUBIC, box))[None]
        lab = color.rgb_to_lab(truth)
        noise = 4 * torch.randn((PICTURES, 2, side, side), generator=generator)
        rgb = color.join(lab[:, :1].expand(PICTURES, -1, -1, -1), lab[:, 1:] / 2 + noise)
        truths[number], predicted[number] = truth[0], color.to_uint8(rgb)


class Pairs(protocol.Photographs):
    """Those of `write_pairs` as the photographs of a union, with the names 0, 1, ..."""

    def __init__(self, folder: Path):
        self.folder, self.networks = folder, None
        count, _, _, self.image_size = np.load(folder / "truth.npy", mmap_mode="r").shape
        self.device = torch.device("cpu")
        self.rarity = Rarity.of(torch.full((len(bins.CENTERS),), 1 / len(bins.CENTERS)))
        names = [str(number) for number in range(count)]
        kind = {"group": names, "split": "test", "side": "photograph"}
        self.index = Index(pd.DataFrame(kind, index=pd.Index(names, name="name")))

    def read(self, names: list[str]) -> protocol.Batch:
        truth = some_of(self.folder / "truth.npy", names)
        return protocol.Batch(names, truth[:, 1:2], truth)


def some_of(file: Path, names: list[str]) -> torch.Tensor:
    """Of an array of images; opened each time, or all that was read would count as memory."""
    images = np.load(file, mmap_mode="r")
    return torch.from_numpy(images[[int(name) for name in names]])


def ours(folder: Path) -> dict[str, Quantities]:
    keep_freed()

    def rows(batch: protocol.Batch) -> dict[str, torch.Tensor]:
        pictures = some_of(folder / "predicted.npy", batch.names)
        return {str(number): pictures[:, number] for number in range(PICTURES)}

    given = Pairs(folder)
    return protocol.measure(rows, given, given.index.names)


def each_pair(folder: Path) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """True and predicted images, (H, W, 3), one after the other."""
    for name in Pairs(folder).index.names:
        (truth,), (pictures,) = (
            some_of(folder / f"{which}.npy", [name]) for which in ("truth", "predicted")
        )
        for picture in pictures:
            yield tuple(x.permute(1, 2, 0).contiguous().numpy() for x in (truth, picture))


def loop(folder: Path) -> None:
    for truth, predicted in each_pair(folder):
        skmetrics.peak_signal_noise_ratio(truth, predicted)
        skmetrics.structural_similarity(
            truth,
            predicted,
            channel_axis=2,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
            data_range=255,
        )
        skcolor.deltaE_ciede2000(skcolor.rgb2lab(truth), skcolor.rgb2lab(predicted)).mean()


def _run(pairs: int, turns: list[Measured]) -> dict[str, float]:
    return {
        "pairs_per_second": round(pairs / statistics.median(turn.seconds for turn in turns), 1),
        "peak_mb": round(max(turn.megabytes for turn in turns)),
    }


def _table(result: dict) -> str:
    lines = [
        "{pairs:,} pairs of {image_size} px, {cores} cores".format_map(result),
        f"{'':32}{'pairs/s':>10}{'peak MB':>9}",
    ]
    for name, key in (
        ("ours, all metrics", "ours"),
        ("scikit-image, three of them", "scikit-image"),
    ):
        run = result[key]
        lines.append(f"{name:32}{run['pairs_per_second']:10.1f}{run['peak_mb']:9}")
    lines.append(f"{result['ratio']} times as many pairs/s")
    lines.append(f"{ROWS} rows of {OF_FULL:,} images: {result['hours_of_full']} hours")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.argv[0] = "python -m benchmarks.evaluation"
    command.run(main)
