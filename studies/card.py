"""What a model card says in figures: `python -m studies.card MODEL`, a folder like pretrained/NAME.

Prints a table of this folder's test photographs: the model beside colourings that need no
training, with its colours made weaker or stronger, and where it sees them in another gray, with
noise or blurred. Compared are colours alone: all but the model's own RGB stands on the photographs'
own lightness.
"""

import argparse
from pathlib import Path

import torch
from skimage import filters
from torch import Tensor

from colorize import color
from colorize.base import command, memory
from colorize.base.device import choose_device
from colorize.base.errors import UserError
from colorize.color.bands import on_lightness
from colorize.evaluation import baselines, protocol
from colorize.evaluation.colors import Colors
from colorize.evaluation.protocol import Batch
from colorize.methods.shared import model
from colorize.report import tables
from stages import common

RATIOS = (0.6, 0.8, 1.0)  # of chroma to the photographs', on val
NOISE = 10  # standard deviation, in levels of 255
BLUR = 1.0  # standard deviation in pixels
TRIVIAL = {
    "mean_color": "mean colour",
    "gray_copy": "gray copy",
    "random_color": "another photograph's colours",
}
METRICS = {
    "ciede2000": "CIEDE2000",
    "ab_histogram_js": "ab-histogram JS",
    "projection": "projection",
    "chroma_ratio": "chroma ratio",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path, metavar="MODEL", help="its folder")
    folder = parser.parse_args().model
    memory.keep_freed()
    params = common.read_params()
    device = choose_device(params.runtime.device, "runtime.device")
    network = model.load(folder, device)
    image_size = params.data.image_size
    if network.image_size != image_size:
        raise UserError(
            f"{folder}: made for photographs of {network.image_size} pixels; "
            f"data.image_size is {image_size}"
        )
    photographs = common.measured(params, device)
    colors = Colors(network, folder)
    gain = colors.fit_gain(photographs)
    trivial = baselines.trivial(photographs, photographs.mean_ab)

    def rows(batch: Batch) -> dict[str, Tensor]:
        without_training = trivial(batch)
        return of_model(colors, gain, batch) | {
            said: without_training[name] for name, said in TRIVIAL.items()
        }

    splits = params.evaluate.splits
    found = protocol.evaluate(rows, photographs, splits, params.evaluate.resamples)
    counted = found["its colours"].result
    print(f"{counted['images']} photographs of {splits[-1]}, {image_size} pixels\n")
    lines = []
    for name, row in found.items():
        metrics = row.result[splits[-1]]
        lines.append([name, *(tables.said(metrics, metric) for metric in METRICS)])
    print("\n".join(tables.markdown_table(["", *METRICS.values()], lines)))


def of_model(colors: Colors, gain: float, batch: Batch) -> dict[str, Tensor]:
    """Its pictures, uint8 (n, 3, S, S), by line: as it is, at other strengths, of changed grays.

    gain: what brings the chroma ratio to 1.
    """

    def ab_of(gray: Tensor) -> Tensor:
        return colors.model.predict_ab(color.to_float(gray))

    ab = ab_of(batch.gray)
    pictures = {"its colours": on_lightness(batch.gray, ab)}
    if colors.model.output == "rgb":
        pictures["its own RGB"] = colors.rows(batch)["own"]
    for ratio in RATIOS:
        times = ratio * gain
        pictures[f"times {times:.2f}"] = on_lightness(batch.gray, times * ab)
    seen = {
        "seen in Rec. 601 gray": rec601(batch.truth),
        f"seen with noise of {NOISE} levels": noisy(batch.gray, batch.names),
        f"seen blurred by {BLUR:g} pixel": blurred(batch.gray),
    }
    return pictures | {name: on_lightness(batch.gray, ab_of(gray)) for name, gray in seen.items()}


def rec601(truth: Tensor) -> Tensor:
    """(n, 3, S, S) to (n, 1, S, S), both uint8."""
    return color.to_uint8(color.gray_of(color.to_float(truth), "rec601"))


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
