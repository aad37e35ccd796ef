"""What the union stage wrote: which photographs there are, for what, and their statistics."""

from collections.abc import Mapping
from pathlib import Path
from typing import Self

import pandas as pd

from colorize.base.errors import UserError
from colorize.base.files import read_json, sha256_of
from colorize.base.parameters import Parameters

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
            text = dict.fromkeys(["name", *COLUMNS], str)  # a dataset may be called 007
            rows = pd.read_csv(path, keep_default_na=False, dtype=text)
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


class AbHistogram(Parameters):
    """Shares of the cells of a grid of ab, [a][b], whose middles are at `centers` both ways."""

    centers: list[float]
    share: list[list[float]]


class Statistics(Parameters):
    """statistics.json: sizes, and colors to learn from."""

    image_size: int
    images: dict[str, int]  # by split
    mean_ab: list[float]
    ab_histogram: AbHistogram


def statistics(union: Path, image_size: int) -> dict:
    """Read `union`/statistics.json.

    Raises UserError where it is missing, or where the union was made at another `image_size`.
    """
    values = Statistics.read(union / "statistics.json")
    if values.image_size != image_size:
        raise UserError(
            f"{union}: made with data.image_size = {values.image_size}, "
            f"params.yaml says {image_size}; run `dvc repro` to make it again"
        )
    return values.model_dump()


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


# Which photographs are for what, by content alone: none moves when a dataset is added.
#
# What shows the same is a group, and a group is never split: it is in one part of the data, and in
# one part of unpaired training. A group is called after the hash of one of its photographs.


def is_validation(group: str, share: float) -> bool:
    """Is a group of training photographs held out for val? `share` of all hashes are."""
    return int(group[:8], 16) / 16**8 < share


def parts(groups: Mapping[str, str], count: int) -> list[list[str]]:
    """`count` disjoint parts of photographs, each to be seen in one domain alone.

    groups: the group of each photograph.
    """
    disjoint = [[] for _ in range(count)]
    for name, group in groups.items():
        disjoint[(int(group[8:16], 16) + 1) % count].append(name)
    return disjoint


def others(groups: Mapping[str, str]) -> dict[str, str]:
    """For each photograph one of another group: a fixed choice that looks random.

    Within a group photographs take turns. Of a single group nothing else is to be had: there each
    photograph gets the next.
    """
    members = _members(groups)
    order = sorted(members)
    following = dict(zip(order, order[1:] + order[:1], strict=True))
    if len(order) == 1:
        (names,) = members.values()
        return dict(zip(names, names[1:] + names[:1], strict=True))
    chosen = {}
    for group, names in members.items():
        theirs = members[following[group]]
        chosen |= {name: theirs[i % len(theirs)] for i, name in enumerate(names)}
    return chosen


def _members(groups: Mapping[str, str]) -> dict[str, list[str]]:
    members = {}
    for name in sorted(groups):
        members.setdefault(groups[name], []).append(name)
    return members
