"""The union of the datasets: each distinct photograph once, with train, val and test disjoint."""

import contextlib
import functools
import re
from pathlib import Path
from typing import Annotated, Literal

import pandas as pd
from pydantic import Field

from colorize.base.errors import UserError
from colorize.base.files import read_json, replaced_folder, write_json
from colorize.base.parameters import Parameters
from colorize.base.progress import progress
from colorize.base.workers import cores, spread
from colorize.data import archive, selection
from colorize.data.archive import MANIFEST, folder_of
from colorize.data.encoding import jpeg
from colorize.data.members import Measures, hash_of, look
from colorize.data.reading import splits
from colorize.data.sheet import DATASHEET, SHEETS, contact_sheet, datasheet, training_statistics

INDEX = "index.csv"
STATISTICS = "statistics.json"

COLUMNS = ["name", "group", "dataset", "side", "source", "sha256", "split"]
COLUMNS += ["kept", "reject_reason", "reject_detail", "duplicate_of"]


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
    - duplicate: the same bytes, or the same pixels; test goes before train
    - small: its short side has fewer than image_size pixels
    - side: a training image that is no photograph, where data.sides asks for photographs
    - gray: its true colors are unknown (see `palette`); label maps are exempt
    - near-duplicate: like another (see `duplicates`); test goes before train, large before small
    - group: a training image of a group of which the test has images

    A photograph's name is its pixels' hash, and its place in val and its half in unpaired training
    follow from its group's: none moves when a dataset is added.
    workers: processes, one a core unless given; the result does not depend on it.
    Raises UserError for a broken zip and for splits that come out empty.
    """
    workers = workers or cores()
    suffix = ".jpg" if parameters.encoding == "jpeg" else ".png"
    with replaced_folder(target) as folder:
        manifest = read_json(raw / MANIFEST)
        zips = _zips(raw, manifest)
        rows, ignored = _list(manifest, zips)
        _set_hashes(rows, zips, workers)
        selection.drop_sides(rows, parameters.sides)
        members = [(zips[row["dataset"]], row["source"]) for row in selection.distinct(rows)]
        look_at = functools.partial(look, folder, parameters.image_size, suffix)
        with Measures(folder) as measures:
            with contextlib.closing(spread(look_at, members, workers)) as looked:
                seen = progress(looked, "union", len(members))
                taken = selection.decide(rows, seen, parameters.min_chroma, suffix, measures)
            selection.drop_near_duplicates(taken, measures, workers)
            selection.name_groups(rows)
            selection.drop_groups_of_test(rows)
            index = _index(rows, parameters.validation)
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


def _zips(raw: Path, manifest: dict[str, dict]) -> dict[str, Path]:
    """Where each dataset's zip lies. Raises UserError for one that is not in the manifest."""
    stray = sorted({path.stem for path in raw.glob("*.zip")} - set(manifest))
    if stray:
        raise UserError(f"{raw}: {stray[0]}.zip is not in {MANIFEST}; run the download stage again")
    return {dataset: raw / f"{dataset}.zip" for dataset in manifest}


def _list(
    manifest: dict[str, dict], zips: dict[str, Path]
) -> tuple[list[dict], dict[str, dict[str, int]]]:
    """A row for every file of the zips, test first, and what is ignored.

    Raises UserError where a zip is missing or is none.
    """
    rows, ignored = [], {}
    for dataset, path in zips.items():
        found = archive.contents(path, dataset)
        ignored[dataset] = found.ignored
        for source in found.members:
            side = manifest[dataset]["sides"][folder_of(source)[-1]]
            group = _group(dataset, source, manifest[dataset].get("groups"))
            split = "test" if _is_test(source) else "train"
            rows.append(_row(dataset, source, side, split) | {"group": group})
        for source, reason in found.refused.items():
            rejected = {"reject_reason": "rejected", "reject_detail": reason}
            rows.append(_row(dataset, source, "", "") | rejected)
    rows.sort(key=lambda row: row["split"] != "test")  # stable: within a split as before
    return rows, ignored


def _row(dataset: str, source: str, side: str, split: str) -> dict:
    known = {"dataset": dataset, "side": side, "source": source, "split": split}
    return dict.fromkeys(COLUMNS, "") | known


def _group(dataset: str, source: str, pattern: str | None) -> str:
    """What the names of a group's files have in common; of a file on its own, its name."""
    found = pattern and re.search(pattern, source.rpartition("/")[2])
    return f"{dataset} {found[0]}" if found else source


def _is_test(source: str) -> bool:
    return folder_of(source).startswith("test")


def _set_hashes(rows: list[dict], zips: dict[str, Path], workers: int) -> None:
    """SHA-256 of every file; those that cannot be read are left out."""
    todo = [row for row in rows if not row["reject_reason"]]
    members = [(zips[row["dataset"]], row["source"]) for row in todo]
    hashed = spread(hash_of, members, workers)
    for row, (sha256, error) in zip(todo, hashed, strict=True):
        row["sha256"] = sha256
        if error:
            row |= {"reject_reason": "rejected", "reject_detail": error}


def _index(rows: list[dict], validation: float) -> pd.DataFrame:
    """The rows as a frame in the order of columns of index.csv, with val chosen."""
    index = pd.DataFrame(rows, columns=COLUMNS)
    index["kept"] = index["reject_reason"] == ""
    index.loc[~index["kept"], ["name", "group"]] = ""
    of_train = index["kept"] & (index["split"] == "train")
    groups = index.loc[of_train & (index["side"] == "photograph"), "group"].unique()
    val = {group for group in groups if splits.is_validation(group, validation)}
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
