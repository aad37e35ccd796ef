"""Seconds and memory of coloring photographs, beside the plain way through PIL and scikit-image.

    python -m benchmarks.use [--megapixels 1 12 100] [--photographs N] [--model FOLDER]

Ours is what `colorize` does with these files, with torch, and with ONNX Runtime where the model
has a network.onnx. The plain way opens a photograph with PIL, goes to Lab and back with
scikit-image at full resolution, one photograph at a time, and saves a PNG with PIL. All ask the
same network at the same size. Photographs are JPEGs in color with grain,
enlarged from scikit-image's. Each way runs in a process of its own; its imports, and reading the
model, take no time here but count as memory.
"""

import argparse
import tempfile
from itertools import cycle, islice
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks import results
from benchmarks.memory import Measured, measured
from benchmarks.photographs import photographs
from colorize.base import command
from colorize.base.workers import cores
from colorize.color.strips import strips
from colorize.methods.shared.folder import NETWORK
from colorize.use import files, models
from colorize.use.colorizer import Colorizer, working_size
from colorize.use.files import color_all

SHAPE = (2, 3)  # height to width
OF_FOLDER = 1  # megapixels of each photograph of the folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--megapixels", type=float, nargs="+", default=[1, 12, 100], help="one each (1 12 100)")
    add("--photographs", type=int, default=60, help=f"of {OF_FOLDER} MP in the folder (60)")
    add("--model", default=str(models.DEFAULT), help="what colors (the default)")
    add("--output", type=Path, help="write the JSON here too")
    arguments = parser.parse_args()
    ways = [ours, plain]
    if (models.find(arguments.model) / NETWORK).is_file():
        ways.insert(1, without_torch)
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        nothing = {way: measured(way, arguments.model, folder, []) for way in ways}
        sizes = [(size, 1) for size in arguments.megapixels]
        for size, count in [*sizes, (OF_FOLDER, arguments.photographs)]:
            sources = list(islice(cycle(write_photographs(folder, size, count)), count))
            row = {"megapixels": size, "photographs": count}
            for way in ways:
                row[way.__name__] = net(
                    measured(way, arguments.model, folder, sources), nothing[way]
                )
            rows.append(row)
            print(row, flush=True)
    result = {"model": arguments.model, "cores": cores(), "rows": rows}
    results.show(result, table(rows), arguments.output)


def net(found: Measured, nothing: Measured) -> dict[str, float]:
    """Without what it takes to start."""
    return {"seconds": found.seconds - nothing.seconds, "megabytes": found.megabytes}


def write_photographs(folder: Path, megapixels: float, count: int) -> list[Path]:
    """As many different ones as there are, `count` at most."""
    unit = (megapixels * 1e6 / (SHAPE[0] * SHAPE[1])) ** 0.5
    height, width = (round(side * unit) for side in SHAPE)
    rng = np.random.default_rng(0)
    paths = []
    for number, photograph in enumerate(islice(photographs(), count)):
        pixels = np.array(photograph.resize((width, height), Image.Resampling.BICUBIC))
        for strip in strips(height, width):
            grain = rng.normal(0, 4, pixels[strip].shape)
            pixels[strip] = np.clip(pixels[strip] + grain, 0, 255).astype(np.uint8)
        paths.append(folder / f"{number}.jpg")
        Image.fromarray(pixels).save(paths[-1], quality=92)
    return paths


def ours(model: str, folder: Path, sources: list[Path]) -> None:
    _colored(Colorizer.load(model, "cpu"), folder, sources)


def without_torch(model: str, folder: Path, sources: list[Path]) -> None:
    from colorize.use.onnx_network import OnnxNetwork  # each way imports what it needs

    _colored(Colorizer(OnnxNetwork(models.find(model))), folder, sources)


def _colored(colorizer: Colorizer, folder: Path, sources: list[Path]) -> None:
    jobs = [files.Job(source, folder / f"{i}_ours.png") for i, source in enumerate(sources)]
    reasons = list(color_all(jobs, colorizer))
    assert not any(reasons)


def plain(model: str, folder: Path, sources: list[Path]) -> None:
    import torch
    from skimage import color as skcolor
    from skimage.transform import resize

    method = Colorizer.load(model, "cpu").network.method
    for i, source in enumerate(sources):
        rgb = np.array(Image.open(source))
        size = working_size(*rgb.shape[:2], method.image_size)
        small = Image.fromarray(rgb).convert("L").resize(size[::-1], Image.Resampling.LANCZOS)
        gray = torch.from_numpy(np.array(small))[None, None] / 255
        with torch.inference_mode():
            ab = method.predict_ab(gray)[0].permute(1, 2, 0).numpy()
        lab = skcolor.rgb2lab(rgb)
        lab[..., 1:] = resize(ab, rgb.shape[:2], order=1)
        colored = (skcolor.lab2rgb(lab) * 255).round().astype(np.uint8)
        Image.fromarray(colored).save(folder / f"{i}_plain.png")


def table(rows: list[dict]) -> str:
    """Of each way seconds, megabytes, and how many times as fast as the plain one it is."""
    ways = [way for way in ("ours", "without_torch", "plain") if way in rows[0]]
    names = "".join(f" {way.replace('_', ' ')}, s | MB | times |" for way in ways)
    lines = [f"| photographs |{names}", "|---" * (1 + 3 * len(ways)) + "|"]
    for row in rows:
        cells = [f"{row['photographs']} of {row['megapixels']:g} MP"]
        for way in ways:
            times = row["plain"]["seconds"] / row[way]["seconds"]
            cells += [f"{row[way]['seconds']:.2f}", f"{row[way]['megabytes']:,.0f}", f"{times:.1f}"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    command.run(main)
