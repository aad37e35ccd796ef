"""Speed and memory of union and grayscale, beside a plain Pillow loop over the same files.

    python -m benchmarks.data --source FOLDER_OR_ZIP [--repeat N] [--encoding jpeg]

The plain loop does what is asked of the stages and no more: decode, resize, encode, gray copy, with
the same formats and settings, in one process and in one for each core. It looks for no duplicates,
measures no colors and keeps no index. Repeats are other images: turned, inverted, cut out, so that
none is a duplicate and each has to be worked on.
"""

import argparse
import collections
import functools
import io
import json
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageOps
from PIL.Image import Resampling

from benchmarks import results
from benchmarks.memory import Measured, measured
from colorize.base import command
from colorize.base.errors import UserError
from colorize.base.workers import cores
from colorize.data import archive, catalog, duplicates, palette, photo, pixels
from colorize.data.images import jpeg, png, unjpeg, unpng
from colorize.data.members import Measures, Seen
from colorize.data.reading import photographs

if TYPE_CHECKING:
    from colorize.data.union import UnionParameters

PARTS_OF = 200  # images on which the parts of the work are timed one by one

# Pillow's fastest way to files no larger than those of colorize/data/images.py: level 1, run
# lengths.
PLAIN_PNG = {"compress_level": 1, "compress_type": 3}


def main() -> None:
    arguments = _arguments()
    source = arguments.source
    zips = sorted(source.glob("*.zip")) if source.is_dir() else [source]
    if not zips or not all(path.is_file() for path in zips):
        raise UserError(f"--source {source}: no zip there")
    with tempfile.TemporaryDirectory(dir=arguments.scratch) as folder:
        result = _benchmark(arguments, zips, Path(folder))
    results.show(result, _table(result), arguments.output)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--source", type=Path, required=True, help="a zip, or a folder of zips")
    parser.add_argument("--repeat", type=int, default=1, help="times as many images (1)")
    parser.add_argument("--image-size", type=int, default=256, help="pixels (256)")
    parser.add_argument("--encoding", choices=("png", "jpeg"), default="png")
    parser.add_argument("--workers", type=int, default=cores(), help="processes (one a core)")
    parser.add_argument("--no-plain", action="store_true", help="leave out the plain loops")
    parser.add_argument("--scratch", type=Path, help="folder for temporary files")
    parser.add_argument("--output", type=Path, help="write the JSON here too")
    arguments = parser.parse_args()
    if not 1 <= arguments.repeat <= 32:
        parser.error("--repeat: 1 to 32")
    return arguments


def _benchmark(arguments: argparse.Namespace, zips: list[Path], folder: Path) -> dict:
    # Only here: worker processes import this module too, and need no pandas.
    from colorize.data.grayscale import GrayscaleParameters, grayscale
    from colorize.data.union import UnionParameters, union

    raw = folder / "raw"
    raw.mkdir()
    count = prepare(zips, raw, arguments.repeat)
    parameters = UnionParameters(
        image_size=arguments.image_size,
        encoding=arguments.encoding,
        sides="all",
        min_chroma=4,
        validation=0.05,
    )
    workers = arguments.workers
    ours = [
        measured(union, parameters, raw, folder / "union", workers),
        measured(
            grayscale,
            GrayscaleParameters(gray="lightness"),
            folder / "union",
            folder / "gray",
            workers,
        ),
    ]
    runs = {f"stages, {workers} workers": _run(ours, count, folder, ("union", "gray"))}
    if not arguments.no_plain:
        for processes in sorted({1, cores()}):
            target = folder / f"plain{processes}"
            spent = measured(plain, parameters, raw, target, processes)
            name = f"plain loop, {processes} process{'es' if processes > 1 else ''}"
            runs[name] = _run([spent], count, folder, (target.name,))
    some = some_of(raw)
    return {
        "images": count,
        "image_size": arguments.image_size,
        "encoding": arguments.encoding,
        "cores": cores(),
        "runs": runs,
        "parts_ms": parts(parameters, some),
        "pair_ns": round(_pair_ns(folder / "union"), 3),
        "drafts": drafts(arguments.image_size, some),
        "disk_write_mb_s": round(_disk(folder)),
    }


def _run(steps: list[Measured], count: int, folder: Path, outputs: tuple[str, ...]) -> dict:
    files = [path for name in outputs for path in (folder / name).rglob("*.*") if path.is_file()]
    seconds = sum(step.seconds for step in steps)
    return {
        "seconds": [round(step.seconds, 2) for step in steps],
        "images_per_second": round(count / seconds, 1),
        "peak_mb": round(max(step.megabytes for step in steps)),
        "output_mb": round(sum(path.stat().st_size for path in files) / 1e6),
    }


def prepare(zips: list[Path], raw: Path, repeat: int) -> int:
    """Fill `raw` as the download stage would, with `repeat` variants; returns the images."""
    known = catalog.load(str(catalog.BUILTIN))
    manifest, count = {}, 0
    for path in zips:
        name = path.stem
        members = archive.contents(path, name).members
        count += len(members) * repeat
        sides = known.get(name, catalog.Dataset()).facts().sides
        (raw / path.name).symlink_to(path.resolve())
        manifest[name] = {"sides": sides}
        for number in range(1, repeat):
            manifest[f"{name}_{number}"] = {"sides": sides}
    for path in zips:
        jobs = [(path, raw / f"{path.stem}_{n}.zip", n) for n in range(1, repeat)]
        if jobs:
            with get_context("spawn").Pool(cores()) as pool:
                pool.starmap(_write_variant, jobs, chunksize=1)
    (raw / archive.MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    return count


def _write_variant(source: Path, target: Path, number: int) -> None:
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for member in archive.contents(source, source.stem).members:
            image = Image.open(io.BytesIO(old.read(member))).convert("RGB")
            data = io.BytesIO()
            variant(image, number).save(data, "JPEG", quality=90)
            new.writestr(member.replace(source.stem, target.stem, 1), data.getvalue())


def variant(image: Image.Image, number: int) -> Image.Image:
    """One of 32 pictures that are no near-duplicates of each other, of the same shape."""
    turn, number = number % 4, number // 4
    invert, corner = number % 2, number // 2
    if corner:  # three of the four quarters
        width, height = image.size
        left, top = (corner % 2) * width // 2, (corner // 2) * height // 2
        image = image.crop((left, top, left + width // 2, top + height // 2))
        image = image.resize((width, height), Resampling.BICUBIC)
    image = ImageOps.invert(image) if invert else image
    return image.rotate(90 * turn, expand=True)


def plain(parameters: "UnionParameters", raw: Path, target: Path, processes: int) -> None:
    """What one would write without thinking of speed, in one process or several."""
    names = sorted(json.loads((raw / archive.MANIFEST).read_text(encoding="utf-8")))
    target.mkdir()
    loop = functools.partial(_plain_loop, parameters, raw, target, names, processes)
    if processes == 1:
        loop(0)
    else:
        with get_context("spawn").Pool(processes) as pool:
            pool.map(loop, range(processes), chunksize=1)


def _plain_loop(
    parameters: "UnionParameters",
    raw: Path,
    target: Path,
    names: list[str],
    processes: int,
    part: int,
) -> None:
    size, as_jpeg = parameters.image_size, parameters.encoding == "jpeg"
    for name in names:
        with zipfile.ZipFile(raw / f"{name}.zip") as opened:
            members = archive.contents(raw / f"{name}.zip", name).members
            for number in range(part, len(members), processes):
                with Image.open(io.BytesIO(opened.read(members[number]))) as file:
                    image = file.convert("RGB")
                if min(image.size) < size:
                    continue
                image = photographs.resize(image, size, Resampling.LANCZOS)
                path = target / f"{name}_{number}.{'jpg' if as_jpeg else 'png'}"
                if as_jpeg:
                    image.save(path, quality=95, subsampling=0)
                else:
                    image.save(path, **PLAIN_PNG)
                with Image.open(path) as file:
                    gray = plain_gray(np.array(file.convert("RGB")))
                Image.fromarray(gray).save(target / f"{name}_{number}.gray.png", **PLAIN_PNG)


def plain_gray(rgb: np.ndarray) -> np.ndarray:
    """The gray level with the photograph's lightness, by the formulas: (H, W, 3) to (H, W)."""
    srgb = rgb.astype(np.float32) / 255
    linear = np.where(srgb > 0.04045, ((srgb + 0.055) / 1.055) ** 2.4, srgb / 12.92)
    light = linear @ np.array([0.212671, 0.715160, 0.072169], np.float32)
    level = np.where(light > 0.0031308, 1.055 * light ** (1 / 2.4) - 0.055, light * 12.92)
    return (level.clip(0, 1) * 255).round().astype(np.uint8)


def some_of(raw: Path) -> list[bytes]:
    """About PARTS_OF files of the first zip that has images."""
    path = next(p for p in sorted(raw.glob("*.zip")) if archive.contents(p, p.stem).members)
    members = archive.contents(path, path.stem).members
    with zipfile.ZipFile(path) as opened:
        return [opened.read(member) for member in members[:: max(1, len(members) // PARTS_OF)]]


def parts(parameters: "UnionParameters", data: list[bytes]) -> dict[str, float]:
    """Milliseconds an image for each part of the work of the stages, in one process."""
    encode = jpeg if parameters.encoding == "jpeg" else lambda image: png(np.asarray(image))
    shrink = functools.partial(
        photographs.resize, short_side=parameters.image_size, kernel=Resampling.LANCZOS
    )
    images = [_decoded(item) for item in data]
    small = [shrink(image) for image in images]
    arrays = [np.asarray(image) for image in small]
    stored = [encode(image) for image in small]
    decode = unjpeg if parameters.encoding == "jpeg" else unpng
    lumas = [duplicates.luma(image) for image in small]
    grays = [pixels.gray_levels(array, "lightness") for array in arrays]
    return {
        "decode": _ms(_decoded, data),
        "resize": _ms(shrink, images),
        "encode": _ms(encode, small),
        "colors": _ms(palette.palette, arrays),
        "luma": _ms(duplicates.luma, small),
        "fingerprints": _ms(duplicates.fingerprints, lumas),
        "decode again for gray": _ms(decode, stored),
        "gray": _ms(lambda array: pixels.gray_levels(array, "lightness"), arrays),
        "encode gray": _ms(png, grays),
    }


def _decoded(item: bytes) -> Image.Image:
    return photo.read(item).rgb()


def _pair_ns(union: Path) -> float:
    """Nanoseconds for each pair of photographs that might be near-duplicates: all pairs might."""
    files = [path for path in sorted(union.iterdir()) if path.suffix in (".png", ".jpg")]
    with (
        tempfile.TemporaryDirectory(dir=union.parent) as folder,
        Measures(Path(folder)) as measures,
    ):
        for path in files:
            luma = duplicates.luma(Image.open(path).convert("RGB"))
            measures.add(path.name, Seen("", "", 0, 0, None, luma, duplicates.fingerprints(luma)))
        start = time.perf_counter()
        collections.deque(measures.alike(cores()), maxlen=0)
        return (time.perf_counter() - start) / (len(files) * (len(files) - 1) / 2) * 1e9


def draft(size: int, data: bytes) -> Image.Image:
    """Decode a JPEG at the least of 1, 1/2, 1/4 and 1/8 of its size that is no smaller."""
    image = Image.open(io.BytesIO(data))
    image.draft("RGB", (size, size))
    return photographs.resize(image.convert("RGB"), size, Resampling.LANCZOS)


def drafts(size: int, data: list[bytes]) -> dict[str, float]:
    """What draft mode would save, and change: ms an image, share of values, gray levels."""

    def whole(item: bytes) -> Image.Image:
        return photographs.resize(_decoded(item), size, Resampling.LANCZOS)

    off = [
        np.abs(np.subtract(whole(item), draft(size, item), dtype=np.int16)).ravel() for item in data
    ]
    return {
        "whole_ms": _ms(whole, data),
        "draft_ms": _ms(functools.partial(draft, size), data),
        "changed": round(float((np.concatenate(off) > 0).mean()), 3),
        "levels": int(max(item.max() for item in off)),
    }


def _ms(function: Callable, items: list) -> float:
    start = time.perf_counter()
    for item in items:
        function(item)
    return round((time.perf_counter() - start) / len(items) * 1e3, 3)


def _disk(folder: Path) -> float:
    """MB/s of writing 1,000 files of 100 KB, what the page cache takes."""
    block = bytes(100_000)
    start = time.perf_counter()
    for number in range(1000):
        (folder / f"block{number}").write_bytes(block)
    return 100 / (time.perf_counter() - start)


def _table(result: dict) -> str:
    runs = result["runs"]
    base = runs.get("plain loop, 1 process")
    lines = [
        "{images:,} images, {image_size} px, {encoding}, {cores} cores".format_map(result),
        f"{'':28}{'images/s':>10}{'ratio':>8}{'peak MB':>9}{'output MB':>11}",
    ]
    for name, run in runs.items():
        ratio = run["images_per_second"] / base["images_per_second"] if base else float("nan")
        lines.append(
            f"{name:28}{run['images_per_second']:10.1f}{ratio:8.2f}"
            f"{run['peak_mb']:9}{run['output_mb']:11}"
        )
    lines.append("ms an image: " + ", ".join(f"{k} {v:.2f}" for k, v in result["parts_ms"].items()))
    lines.append(f"near-duplicates: {result['pair_ns']:.2f} ns a pair")
    lines.append(
        "in draft mode decode and resize {draft_ms:.2f} ms for {whole_ms:.2f}, {changed:.0%} of "
        "values changed by up to {levels} levels".format_map(result["drafts"])
    )
    lines.append(f"small files written at {result['disk_write_mb_s']} MB/s")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.argv[0] = "python -m benchmarks.data"
    command.run(main)
