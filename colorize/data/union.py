"""The union of the datasets: each distinct photograph once, with train, val and test disjoint."""

import contextlib
import functools
import re
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Literal

import pandas as pd
from PIL import Image
from pydantic import Field

from colorize.base.errors import UserError
from colorize.base.files import replaced_folder, write_json
from colorize.base.parameters import Parameters
from colorize.base.progress import progress
from colorize.base.workers import cores, spread
from colorize.data import archive, selection
from colorize.data.archive import MANIFEST, folder_of, split_of
from colorize.data.catalog import Facts
from colorize.data.images import jpeg
from colorize.data.members import Measures, hash_of, look
from colorize.data.palette import Palette, histogram, pool
from colorize.data.reading import photographs
from colorize.data.reading.index import is_validation
from colorize.data.selection import File

# In the union's folder
INDEX = "index.csv"
STATISTICS = "statistics.json"
DATASHEET = "datasheet.json"
SHEETS = "sheets"  # contact sheets, one a dataset

REJECT_REASONS = ("duplicate", "near-duplicate", "group", "gray", "small", "side", "rejected")

SHEET = (12, 2)  # pictures across and down a contact sheet
TILE = 64  # pixels


class UnionParameters(Parameters):
    """The leaves of `data` that decide what the union holds."""

    image_size: Annotated[int, Field(ge=32, le=2048, multiple_of=8)]
    encoding: Literal["png", "jpeg"]
    sides: Literal["all", "photographs"]
    min_chroma: Annotated[float, Field(ge=0, le=100)]
    validation: Annotated[float, Field(gt=0, lt=0.5)]


def union(parameters: UnionParameters, raw: Path, target: Path, workers: int | None = None) -> None:
    """Read the zips in `raw` and write images, index and statistics to `target`.

    Every file seen is a row of index.csv, kept or not, with the reason, the same in words, and the
    file that was kept in its place:

    - rejected: it cannot be read as an image (or the zip's name for it is not to be trusted)
    - duplicate: the same bytes, or the same pixels; test goes before val and val before train
    - small: its short side has fewer than image_size pixels
    - side: a training image that is no photograph, where data.sides asks for photographs
    - gray: its true colors are unknown (see `palette`); label maps are exempt
    - near-duplicate: like another (see `duplicates`); test goes before val and val before train,
      large before small
    - group: of a group that a split has images of which goes before this one's

    A photograph's name is its pixels' hash, and its place in val and its half in unpaired training
    follow from its group's: none moves when a dataset is added.
    workers: processes, one a core unless given; the result does not depend on it.
    Raises UserError for a broken zip and for splits that come out empty.
    """
    workers = workers or cores()
    suffix = ".jpg" if parameters.encoding == "jpeg" else ".png"
    with replaced_folder(target) as folder:
        manifest = Facts.read_each(raw / MANIFEST)
        zips = _zips(raw, manifest)
        files, ignored = _list(manifest, zips)
        _set_hashes(files, zips, workers)
        selection.reject_sides(files, parameters.sides)
        members = [(zips[file.dataset], file.source) for file in selection.distinct(files)]
        look_at = functools.partial(look, folder, parameters.image_size, suffix)
        with Measures(folder) as measures:
            with contextlib.closing(spread(look_at, members, workers)) as looked:
                seen = progress(looked, "union", len(members))
                selected = selection.select(files, seen, parameters.min_chroma, suffix, measures)
            selection.reject_near_duplicates(selected, measures, workers)
            selection.name_groups(files)
            selection.reject_groups_of_other_splits(files)
            index = _index(files, parameters.validation)
            _check_splits(index, parameters.image_size)
            statistics = training_statistics(index, measures.palettes, parameters.image_size)
            sheet = datasheet(index, measures.palettes, ignored)
        kept = index[index["kept"]]
        _delete_all_but(folder, set(kept["name"]))
        index.to_csv(folder / INDEX, index=False, lineterminator="\n")
        write_json(folder / STATISTICS, statistics)
        write_json(folder / DATASHEET, sheet)
        (folder / SHEETS).mkdir()
        for dataset, names in kept.groupby("dataset")["name"]:
            sheet = contact_sheet(folder, list(names))
            (folder / SHEETS / f"{dataset}.jpg").write_bytes(jpeg(sheet))


def _zips(raw: Path, manifest: Mapping[str, Facts]) -> dict[str, Path]:
    """Where each dataset's zip lies. Raises UserError for one that is not in the manifest."""
    stray = sorted({path.stem for path in raw.glob("*.zip")} - set(manifest))
    if stray:
        raise UserError(f"{raw}: {stray[0]}.zip is not in {MANIFEST}; run the download stage again")
    return {dataset: raw / f"{dataset}.zip" for dataset in manifest}


def _list(
    manifest: Mapping[str, Facts], zips: dict[str, Path]
) -> tuple[list[File], dict[str, dict[str, int]]]:
    """Every file of the zips, test first, then val, and what is ignored.

    Raises UserError where a zip is missing or is none.
    """
    files, ignored = [], {}
    for dataset, path in zips.items():
        contents = archive.contents(path, dataset)
        ignored[dataset] = contents.ignored
        for source in contents.members:
            side = manifest[dataset].sides[folder_of(source)[-1]]
            group = _group(dataset, source, manifest[dataset].groups)
            split = split_of(source)
            file = File(dataset=dataset, side=side, source=source, split=split, group=group)
            files.append(file)
        for source, reason in contents.refused:
            file = File(dataset=dataset, side="", source=source, split="")
            file.reject("rejected", reason)
            files.append(file)
    files.sort(key=selection.rank)  # stable: within a split as before
    return files, ignored


def _group(dataset: str, source: str, pattern: str | None) -> str:
    """What the names of a group's files have in common; of a file on its own, its name."""
    match = pattern and re.search(pattern, source.rpartition("/")[2])
    return f"{dataset} {match[0]}" if match else source


def _set_hashes(files: list[File], zips: dict[str, Path], workers: int) -> None:
    """SHA-256 of every file; those that cannot be read are rejected."""
    readable = [file for file in files if file.kept]
    members = [(zips[file.dataset], file.source) for file in readable]
    for file, (sha256, error) in zip(readable, spread(hash_of, members, workers), strict=True):
        file.sha256 = sha256
        if error:
            file.reject("rejected", error)


def _index(files: list[File], validation: float) -> pd.DataFrame:
    """The files as a frame in the order of columns of index.csv, with val chosen.

    A dataset that has photographs for val has chosen for itself.
    """
    index = pd.DataFrame(files, columns=[field.name for field in fields(File)])
    index.loc[~index["kept"], ["name", "group"]] = ""
    of_train = index["kept"] & (index["split"] == "train")
    has_val = index["dataset"].isin(index.loc[index["split"] == "val", "dataset"])
    groups = index.loc[of_train & ~has_val & (index["side"] == "photograph"), "group"].unique()
    val = {group for group in groups if is_validation(group, validation)}
    index.loc[of_train & index["group"].isin(val), "split"] = "val"
    return index


def _delete_all_but(folder: Path, names: set[str]) -> None:
    for path in folder.iterdir():
        if path.name not in names:
            path.unlink()


def _check_splits(index: pd.DataFrame, size: int) -> None:
    kept = index[index["kept"]]
    for split, side in (("train", None), ("val", "photograph"), ("test", "photograph")):
        of_split = kept[kept["split"] == split]
        if side is not None:
            of_split = of_split[of_split["side"] == side]
        if of_split.empty:
            reasons = index.loc[~index["kept"], "reject_reason"].value_counts().to_dict()
            left_out = ", ".join(f"{count} {name}" for name, count in reasons.items()) or "none"
            raise UserError(
                f"data.datasets: no image is left for {split} ({len(index)} files read, left out: "
                f"{left_out}; small: data.image_size = {size}; "
                f"val is data.validation of the training photographs)"
            )


# What the union took: colors to learn from, and of each dataset counts, colors and pictures


def training_statistics(
    index: pd.DataFrame, palettes: Mapping[str, Palette], image_size: int
) -> dict:
    """Mean a and b, and the ab histogram, of the photographs to train on; counts of all images."""
    kept = index[index["kept"]]
    counts = kept.groupby("split").size()
    train = kept[(kept["split"] == "train") & (kept["side"] == "photograph")]
    if train.empty:
        raise UserError("data.datasets: no photograph is left for training")
    colors = pool(map(palettes.__getitem__, sorted(train["name"])))
    return {
        "image_size": image_size,
        "images": {split: int(counts[split]) for split in ("train", "val", "test")},
        "mean_ab": [round(float(x), 6) for x in colors.ab_sum / colors.pixels],
        "ab_histogram": histogram(colors),
    }


class DatasheetEntry(Parameters):
    """What the union took of a dataset."""

    files: int
    images: dict[str, int]  # by split
    left_out: dict[str, int]  # by reason
    leaks: int  # training images that are test images too, here or in another dataset
    colorfulness: float | None
    ab_histogram: dict[str, list] | None
    ignored: dict[str, int]  # by folder


def read_datasheet(union: Path) -> dict[str, dict]:
    """By dataset. Raises UserError where the file is missing, or is another."""
    entries = DatasheetEntry.read_each(union / DATASHEET).items()
    return {name: entry.model_dump() for name, entry in entries}


def datasheet(
    index: pd.DataFrame,
    palettes: Mapping[str, Palette],
    ignored: dict[str, dict[str, int]],
) -> dict[str, dict]:
    """{dataset: counts and colors}; `index` as in index.csv, `palettes` by a photograph's name."""
    return {
        name: _entry(index[index["dataset"] == name], palettes) | {"ignored": ignored[name]}
        for name in ignored
    }


def _entry(rows: pd.DataFrame, palettes: Mapping[str, Palette]) -> dict:
    kept = rows[rows["kept"]]
    splits = kept["split"].value_counts()
    of_test = rows["duplicate_of"].str.contains("^[^/]+/test", regex=True)
    colors = pool(map(palettes.__getitem__, kept["name"]))
    return {
        "files": len(rows),
        "images": {split: int(splits.get(split, 0)) for split in ("train", "val", "test")},
        "left_out": {
            reason: int((rows["reject_reason"] == reason).sum()) for reason in REJECT_REASONS
        },
        "leaks": int(((rows["split"] == "train") & of_test).sum()),
        "colorfulness": round(colors.colorfulness / len(kept), 3) if len(kept) else None,
        "ab_histogram": histogram(colors) if len(kept) else None,
    }


def contact_sheet(folder: Path, names: list[str]) -> Image.Image:
    """The first of `names`, by hash and so at random, as one picture of small squares."""
    across, down = SHEET
    sheet = Image.new("RGB", (across * TILE, down * TILE), "white")
    for number, name in enumerate(sorted(names)[: across * down]):
        image = photographs.read(folder / name, "RGB")
        image = photographs.resize(image, TILE, Image.Resampling.LANCZOS)
        tile = photographs.center_crop(image, TILE)
        sheet.paste(tile, (number % across * TILE, number // across * TILE))
    return sheet
