"""Reading what the union stage wrote: which photographs there are, and their statistics."""

from pathlib import Path
from typing import Self

import pandas as pd

from colorize.base.errors import UserError
from colorize.base.files import read_json, sha256_of

COLUMNS = ["group", "dataset", "side", "source", "split"]
MADE_FROM = "made_from.json"  # in the folder of gray copies: which union they are copies of


class Index:
    """The kept photographs of the union, ordered by name; a name is a hash, so the order is random.

    rows: a frame indexed by name, with the columns group, dataset, side, source and split. A group
    is what shows the same: tiles of one photograph, and near-duplicates.
    """

    def __init__(self, rows: pd.DataFrame):
        self.rows = rows

    @classmethod
    def read(cls, union: Path) -> Self:
        """Read `union`/index.csv; raises UserError where it is missing or not an index."""
        path = union / "index.csv"
        try:
            rows = pd.read_csv(path, keep_default_na=False)
            kept = rows[rows["kept"]].set_index("name")[COLUMNS]
        except FileNotFoundError:
            raise UserError(f"{path}: missing; run `dvc repro` to make it") from None
        except (KeyError, ValueError) as error:
            raise UserError(f"{path}: not an index of the union ({error})") from None
        return cls(kept.sort_index())

    @property
    def names(self) -> list[str]:
        return list(self.rows.index)

    def groups(self, names: list[str]) -> dict[str, str]:
        """The group of each photograph."""
        return dict(self.rows.loc[names, "group"])

    def split(self, split: str, side: str | None = None) -> list[str]:
        """Names in `train`, `val` or `test`; with `side`, of that kind of image alone."""
        rows = self.rows[self.rows["split"] == split]
        return list((rows if side is None else rows[rows["side"] == side]).index)


def union_identity(union: Path) -> dict[str, str]:
    """SHA-256 of the two files that tell one union from another."""
    return {name: sha256_of(union / name) for name in ("index.csv", "statistics.json")}


def statistics(union: Path, image_size: int) -> dict:
    """Read `union`/statistics.json.

    Raises UserError where it is missing, or where the union was made at another `image_size`.
    """
    values = read_json(union / "statistics.json")
    if values.get("image_size") != image_size:
        raise UserError(
            f"{union}: made with data.image_size = {values.get('image_size')}, "
            f"params.yaml says {image_size}; run `dvc repro` to make it again"
        )
    return values


def statistics_to_learn_from(union: Path, image_size: int) -> dict:
    """As `statistics`; raises UserError also where all training photographs are gray."""
    values = statistics(union, image_size)
    histogram = values["ab_histogram"]
    middle = histogram["centers"].index(0)
    if histogram["share"][middle][middle] > 0.999:
        raise UserError(
            f"{union}: the training photographs have no color to learn from "
            "(data.min_chroma leaves out those that are gray)"
        )
    return values


def check_gray(union: Path, gray: Path) -> None:
    """Raise UserError unless `gray` holds the copies of this very union.

    With a stale folder, results would be wrong without a sign.
    """
    if read_json(gray / MADE_FROM) != union_identity(union):
        raise UserError(f"{gray}: made from another union; run `dvc repro` to make it again")
