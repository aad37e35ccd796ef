"""The union of the datasets: each distinct photograph once, with train, val and test disjoint."""

import contextlib
import hashlib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import numpy as np
import pandas as pd
from PIL.Image import Resampling
from pydantic import Field

from colorize import color, photographs
from colorize.archive import MANIFEST, members
from colorize.errors import UserError
from colorize.files import read_json, replaced_folder, write_json
from colorize.parameters import Parameters
from colorize.progress import progress

INDEX = "index.csv"
STATISTICS = "statistics.json"

# The ab plane in squares of 10 x 10, centred on the multiples of 10 from -110 to 110.
AB_STEP, AB_RANGE = 10, 110
AB_BINS = 2 * AB_RANGE // AB_STEP + 1


class UnionParameters(Parameters):
    """The leaves of `data` that decide what the union holds."""

    image_size: Annotated[int, Field(ge=32, le=2048, multiple_of=8)]
    encoding: Literal["png", "jpeg"]
    sides: Literal["all", "photographs"]
    validation: Annotated[float, Field(gt=0, lt=0.5)]
    validation_max: Annotated[int, Field(ge=1)]


class Member(NamedTuple):
    """One image file of a zip: where it stands, what it shows, and its bytes."""

    dataset: str
    source: str
    side: str
    split: str
    data: bytes


def union(parameters: UnionParameters, raw: Path, target: Path) -> None:
    """Read the zips in `raw` and write images, index.csv and statistics.json to `target`.

    Every file seen is a row of index.csv, kept or not, with the reason. Two images are the same
    where their decoded pixels are; test is read first, so that it wins over train. A photograph's
    name, its place in val and its half in unpaired training all follow from its pixels' hash:
    none moves when a dataset is added, unless val is full (`validation_max`). Raises UserError for
    a broken zip, an image that does not decode, and splits that come out empty.
    """
    size = parameters.image_size
    suffix = ".jpg" if parameters.encoding == "jpeg" else ".png"
    rows, of_bytes, of_pixels = [], {}, {}
    histograms = Histograms()
    with replaced_folder(target) as folder:
        for member in _read(raw):
            sha256 = hashlib.sha256(member.data).hexdigest()
            row = {
                "name": "",
                "dataset": member.dataset,
                "side": member.side,
                "source": member.source,
                "sha256": sha256,
                "split": member.split,
                "kept": False,
                "reason": "",
            }
            rows.append(row)
            if sha256 in of_bytes:
                row["reason"] = f"same file as {of_bytes[sha256]}"
                continue
            of_bytes[sha256] = member.source
            image = photographs.open_rgb(member.data, f"{raw}/{member.dataset}.zip/{member.source}")
            pixels = hashlib.sha256(repr(image.size).encode() + image.tobytes()).hexdigest()
            if pixels in of_pixels:
                row["reason"] = f"same pixels as {of_pixels[pixels]}"
                continue
            of_pixels[pixels] = member.source
            if min(image.size) < size:
                row["reason"] = f"{image.width}x{image.height}, smaller than data.image_size"
                continue
            unwanted = parameters.sides == "photographs" and member.side != "photograph"
            if unwanted and member.split == "train":
                row["reason"] = f"{member.side}, and data.sides is photographs"
                continue
            name = f"{pixels[:16]}{suffix}"
            image = photographs.resize(image, size, Resampling.LANCZOS)
            photographs.save(image, folder / name)
            row |= {"name": name, "kept": True}
            if member.split == "train" and member.side == "photograph":
                histograms.add(name, image)
        index = pd.DataFrame(rows)
        validation = _validation(index, parameters)
        index.loc[index["name"].isin(validation), "split"] = "val"
        _check_splits(index, size)
        index.to_csv(folder / INDEX, index=False, lineterminator="\n")
        statistics = histograms.without(validation)
        counts = index[index["kept"]].groupby("split").size()
        images = {split: int(counts[split]) for split in ("train", "val", "test")}
        write_json(folder / STATISTICS, {"image_size": size, "images": images, **statistics})


class Histograms:
    """ab histograms of the training photographs, before it is known which of them go to val."""

    def __init__(self):
        self.of = {}  # name -> (counts of AB_BINS x AB_BINS, sum of a and b, number of pixels)

    def add(self, name: str, image) -> None:
        lab = color.rgb_to_lab(color.to_float(photographs.to_tensor(image))).double().numpy()
        ab = lab[1:].reshape(2, -1)
        a, b = np.clip(np.rint(ab / AB_STEP).astype(int) + AB_BINS // 2, 0, AB_BINS - 1)
        counts = np.bincount(a * AB_BINS + b, minlength=AB_BINS**2).astype(np.uint32)
        self.of[name] = (counts, ab.sum(axis=1), ab.shape[1])

    def without(self, names: set[str]) -> dict:
        """Mean a and b, and the share of pixels in each square, of the photographs not named."""
        kept = [entry for name, entry in sorted(self.of.items()) if name not in names]
        if not kept:
            raise UserError("data.datasets: no photograph is left for training")
        counts = sum(entry[0].astype(np.int64) for entry in kept)
        pixels = sum(entry[2] for entry in kept)
        mean = sum(entry[1] for entry in kept) / pixels
        return {
            "mean_ab": [round(float(x), 6) for x in mean],
            "ab_histogram": {
                "centres": list(range(-AB_RANGE, AB_RANGE + 1, AB_STEP)),  # rows: a, columns: b
                "share": [
                    [round(float(x), 9) for x in row]
                    for row in (counts / pixels).reshape(AB_BINS, AB_BINS)
                ],
            },
        }


def _validation(index: pd.DataFrame, parameters: UnionParameters) -> set[str]:
    """The training photographs with the smallest hashes: a share, and at most so many."""
    of_train = index["kept"] & (index["split"] == "train") & (index["side"] == "photograph")
    names = sorted(index.loc[of_train, "name"])
    chosen = [name for name in names if int(name[:8], 16) / 16**8 < parameters.validation]
    return set(chosen[: parameters.validation_max])


def _check_splits(index: pd.DataFrame, size: int) -> None:
    kept = index[index["kept"]]
    for split, side in (("train", None), ("val", "photograph"), ("test", "photograph")):
        of_split = kept[kept["split"] == split]
        if side is not None:
            of_split = of_split[of_split["side"] == side]
        if of_split.empty:
            reasons = index.loc[~index["kept"], "reason"].str.contains("smaller than").sum()
            raise UserError(
                f"data.datasets: no image is left for {split} ({len(index)} files read, "
                f"{reasons} of them smaller than data.image_size = {size}; "
                f"val is data.validation of the training photographs)"
            )


def _read(raw: Path) -> Iterator[Member]:
    """Every image file of the zips that the manifest names: those of test first, then train."""
    manifest = read_json(raw / MANIFEST)
    stray = sorted({path.stem for path in raw.glob("*.zip")} - set(manifest))
    if stray:
        raise UserError(f"{raw}: {stray[0]}.zip is not in {MANIFEST}; run the download stage again")
    with contextlib.ExitStack() as stack:
        archives = {name: stack.enter_context(_opened(raw / f"{name}.zip")) for name in manifest}
        listed = [
            (dataset, source)
            for dataset in archives
            for source in members(archives[dataset], dataset)
        ]
        listed.sort(key=lambda item: not _is_test(item[1]))  # stable: within a split as before
        for dataset, source in progress(listed, "union"):
            side = manifest[dataset]["sides"][source.split("/")[1][-1]]
            split = "test" if _is_test(source) else "train"
            try:
                data = archives[dataset].read(source)
            except Exception as error:  # damaged members raise what their compression raises
                raise UserError(f"{raw}/{dataset}.zip: {source}: {error}") from None
            yield Member(dataset, source, side, split, data)


def _is_test(source: str) -> bool:
    return source.split("/")[1].startswith("test")


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except FileNotFoundError:
        raise UserError(f"{path}: missing; run the download stage again") from None
    except zipfile.BadZipFile as error:
        raise UserError(f"{path}: not a zip: {error}") from None
