"""The union of the datasets: each distinct photograph once, with train, val and test disjoint."""

import functools
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, BinaryIO, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from colorize.base.errors import UserError
from colorize.base.files import read_json, replaced_folder, write_json
from colorize.base.parameters import Parameters
from colorize.base.progress import progress
from colorize.base.workers import cores, spread
from colorize.data import archive, duplicates, splits
from colorize.data.archive import MANIFEST, folder_of
from colorize.data.encoding import jpeg
from colorize.data.members import Seen, hash_of, look, name_of
from colorize.data.palette import Palette, is_gray
from colorize.data.sheet import DATASHEET, SHEETS, contact_sheet, datasheet
from colorize.data.statistics import training_statistics

INDEX = "index.csv"
STATISTICS = "statistics.json"

PRINTS, LUMAS = ".prints", ".lumas"  # while the stage runs

COLUMNS = ["name", "group", "dataset", "side", "source", "sha256", "split"]
COLUMNS += ["kept", "cause", "reason", "twin"]


class UnionParameters(Parameters):
    """The leaves of `data` that decide what the union holds."""

    image_size: Annotated[int, Field(ge=32, le=2048, multiple_of=8)]
    encoding: Literal["png", "jpeg"]
    sides: Literal["all", "photographs"]
    min_chroma: Annotated[float, Field(ge=0, le=100)]
    validation: Annotated[float, Field(gt=0, lt=0.5)]
    validation_max: Annotated[int, Field(ge=1)]


def union(parameters: UnionParameters, raw: Path, target: Path, workers: int | None = None) -> None:
    """Read the zips in `raw` and write images, index and statistics to `target`.

    Every file seen is a row of index.csv, kept or not, with the cause, the reason in words, and the
    twin that was kept in its place:

    - rejected: it cannot be read as an image (or the zip's name for it is not to be trusted)
    - duplicate: the same bytes, or the same pixels; test goes before train
    - small: its short side has fewer than image_size pixels
    - side: a training image that is no photograph, where data.sides asks for photographs
    - gray: its true colours are unknown (see `palette`); label maps are exempt
    - near-duplicate: like another (see `duplicates`); test goes before train, large before small

    A photograph's name, its place in val and its half in unpaired training all follow from its
    pixels' hash: none moves when a dataset is added, unless val is full (`validation_max`).
    workers: processes, one a core unless given; the result does not depend on it. Raises UserError
    for a broken zip and for splits that come out empty.
    """
    workers = workers or cores()
    suffix = ".jpg" if parameters.encoding == "jpeg" else ".png"
    with replaced_folder(target) as folder:
        rows, ignored = _list(raw)
        _set_hashes(rows, raw, workers)
        _drop_sides(rows, parameters.sides)
        todo = [row for row in rows if not row["cause"]]
        members = [(row["dataset"], row["source"]) for row in todo]
        look_at = functools.partial(look, raw, folder, parameters.image_size, suffix)
        seen = progress(spread(look_at, members, workers), "union", len(todo))
        palettes = _decide(parameters, todo, seen, folder, suffix)
        index = _index(rows, parameters)
        _check_splits(index, parameters.image_size)
        kept = index[index["kept"]]
        _delete_all_but(folder, set(kept["name"]))
        index.to_csv(folder / INDEX, index=False, lineterminator="\n")
        write_json(folder / STATISTICS, training_statistics(index, palettes, parameters.image_size))
        write_json(folder / DATASHEET, datasheet(index, palettes, ignored))
        (folder / SHEETS).mkdir()
        for dataset, names in kept.groupby("dataset")["name"]:
            sheet = contact_sheet(folder, list(names))
            (folder / SHEETS / f"{dataset}.jpg").write_bytes(jpeg(sheet))


def _list(raw: Path) -> tuple[list[dict], dict[str, dict[str, int]]]:
    """A row for every file of the zips that the manifest names, test first, and what is ignored.

    Raises UserError where a zip is missing, is none, or is not in the manifest.
    """
    manifest = read_json(raw / MANIFEST)
    stray = sorted({path.stem for path in raw.glob("*.zip")} - set(manifest))
    if stray:
        raise UserError(f"{raw}: {stray[0]}.zip is not in {MANIFEST}; run the download stage again")
    rows, ignored = [], {}
    for dataset in manifest:
        found = archive.contents(raw / f"{dataset}.zip", dataset)
        ignored[dataset] = found.ignored
        for source in found.members:
            side = manifest[dataset]["sides"][folder_of(source)[-1]]
            rows.append(_row(dataset, source, side, "test" if _is_test(source) else "train"))
        for source, reason in found.refused.items():
            rows.append(_row(dataset, source, "", "") | {"cause": "rejected", "reason": reason})
    rows.sort(key=lambda row: row["split"] != "test")  # stable: within a split as before
    return rows, ignored


def _row(dataset: str, source: str, side: str, split: str) -> dict:
    known = {"dataset": dataset, "side": side, "source": source, "split": split}
    return dict.fromkeys(COLUMNS, "") | known


def _is_test(source: str) -> bool:
    return folder_of(source).startswith("test")


def _set_hashes(rows: list[dict], raw: Path, workers: int) -> None:
    """SHA-256 of every file; those that cannot be read and those seen before are left out."""
    todo = [row for row in rows if not row["cause"]]
    members = [(row["dataset"], row["source"]) for row in todo]
    first = {}
    hashed = spread(functools.partial(hash_of, raw), members, workers)
    for row, (sha256, error) in zip(todo, hashed, strict=True):
        row["sha256"] = sha256
        if error:
            row |= {"cause": "rejected", "reason": error}
        elif sha256 in first:
            twin = first[sha256]
            row |= {"cause": "duplicate", "reason": f"same file as {twin}", "twin": twin}
        else:
            first[sha256] = row["source"]


def _drop_sides(rows: list[dict], sides: str) -> None:
    for row in rows:
        unwanted = sides == "photographs" and row["side"] != "photograph"
        if unwanted and row["split"] == "train" and not row["cause"]:
            row |= {"cause": "side", "reason": f"{row['side']}, and data.sides is photographs"}


def _decide(
    parameters: UnionParameters, rows: list[dict], seen: Iterable[Seen], folder: Path, suffix: str
) -> dict[str, Palette]:
    """Fill in name, cause, reason and twin of each row, and return the palettes by name.

    Fingerprints and lumas of those that may be kept go through files in `folder`: 5 KB each would
    add up.
    """
    first, palettes, left = {}, {}, []
    with open(folder / PRINTS, "wb") as prints, open(folder / LUMAS, "wb") as lumas:
        for row, found in zip(rows, seen, strict=True):
            if found.rejected:
                row |= {"cause": "rejected", "reason": found.rejected}
                continue
            row["name"] = name_of(found.pixels, suffix)
            if found.pixels in first:
                twin = first[found.pixels]
                row |= {"cause": "duplicate", "reason": f"same pixels as {twin}", "twin": twin}
                continue
            first[found.pixels] = row["source"]
            if found.palette is None:
                reason = f"{found.width}x{found.height}, smaller than data.image_size"
                row |= {"cause": "small", "reason": reason}
            elif row["side"] != "label map" and is_gray(found.palette, parameters.min_chroma):
                row |= {"cause": "gray", "reason": _gray_reason(found.palette)}
            else:
                palettes[row["name"]] = found.palette
                left.append((row, found.width * found.height))
                prints.write(found.prints.tobytes())
                lumas.write(found.luma.tobytes())
    _drop_near_duplicates(left, folder)
    return palettes


def _gray_reason(colours: Palette) -> str:
    return (
        f"95 % of its pixels have chroma below {colours.chroma:.1f}, "
        f"and are within {colours.hue_spread:.1f} of one hue"
    )


def _drop_near_duplicates(rows: list[tuple[dict, int]], folder: Path) -> None:
    """Of photographs that are alike, keep one: of test before train, larger before smaller."""
    alike = defaultdict(dict)  # number -> {number: similarity}
    prints = np.fromfile(folder / PRINTS, np.float16).reshape(len(rows), *duplicates.PRINTS)
    with open(folder / LUMAS, "rb") as file:
        for i, j in duplicates.candidates(prints):
            similarity = duplicates.similarity(_luma(file, i), _luma(file, j))
            if similarity >= duplicates.SAME:
                alike[i][j] = alike[j][i] = similarity

    def preference(number: int) -> tuple:
        row, area = rows[number]
        return row["split"] != "test", -area, row["name"]

    for number in sorted(alike, key=preference):
        row = rows[number][0]
        better = [n for n in alike[number] if preference(n) < preference(number)]
        kept = [n for n in better if not rows[n][0]["cause"]]
        if kept:
            most = max(kept, key=lambda n: (alike[number][n], rows[n][0]["name"]))
            twin = rows[most][0]["source"]
            row |= {
                "cause": "near-duplicate",
                "reason": f"like {twin} (similarity {alike[number][most]:.3f})",
                "twin": twin,
            }


def _luma(file: BinaryIO, number: int) -> np.ndarray:
    side = duplicates.SIDE
    file.seek(number * side * side)
    return np.frombuffer(file.read(side * side), np.uint8).reshape(side, side)


def _index(rows: list[dict], parameters: UnionParameters) -> pd.DataFrame:
    """The rows as a frame in the order of columns of index.csv, with val chosen."""
    index = pd.DataFrame(rows, columns=COLUMNS)
    index["kept"] = index["cause"] == ""
    index.loc[~index["kept"], "name"] = ""
    index["group"] = index["name"]  # of photographs that are alike one is kept: its own group
    of_train = index["kept"] & (index["split"] == "train") & (index["side"] == "photograph")
    groups = dict(index.loc[of_train, ["name", "group"]].itertuples(index=False))
    val = splits.validation(groups, parameters.validation, parameters.validation_max)
    index.loc[index["name"].isin(val), "split"] = "val"
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
            causes = index.loc[~index["kept"], "cause"].value_counts().to_dict()
            left_out = ", ".join(f"{count} {cause}" for cause, count in causes.items()) or "none"
            raise UserError(
                f"data.datasets: no image is left for {split} ({len(index)} files read, left out: "
                f"{left_out}; small: data.image_size = {size}; "
                f"val is data.validation of the training photographs)"
            )
