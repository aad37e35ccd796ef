"""The catalog of datasets: what each zip is called, weighs, hashes to and holds."""

import re
from pathlib import Path
from typing import Annotated, Literal

import fsspec
from pydantic import Field
from ruamel.yaml import YAML

from colorize.archive import FOLDERS
from colorize.errors import UserError
from colorize.parameters import Parameters

BUILTIN = Path(__file__).with_name("catalog.yaml")

Side = Literal["photograph", "painting", "rendering", "label map"]


class Dataset(Parameters):
    """One entry of the catalog; colorize/catalog.yaml explains the keys."""

    file: str | None = None  # None: built by the download stage itself (`sample`)
    bytes: Annotated[int, Field(gt=0)] | None = None
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None
    images: dict[Literal[FOLDERS], Annotated[int, Field(ge=0)]]
    sides: dict[Literal["A", "B"], Side] | None = None

    def side(self, letter: str) -> Side:
        return (self.sides or {}).get(letter, "photograph")


def load(catalog: str) -> dict[str, Dataset]:
    """Read a catalog from a file or URL.

    A catalog of a mirror need not say what the sides are: entries without `sides` take them from
    the built-in entry of the same name. Raises UserError where it cannot be read or is malformed.
    """
    entries = _read(catalog)
    builtin = _read(str(BUILTIN))
    for name, entry in entries.items():
        known = builtin.get(name)
        if isinstance(entry, dict) and "sides" not in entry and isinstance(known, dict):
            entry["sides"] = known.get("sides")
    return {name: Dataset.parse(entry, f"{catalog}: {name}") for name, entry in entries.items()}


def select(names: list[str], datasets: dict[str, Dataset], catalog: str) -> dict[str, Dataset]:
    """The entries called `names`; raises UserError for a name that the catalog lacks."""
    for name in names:
        if name not in datasets:
            known = ", ".join(datasets)
            raise UserError(f"data.datasets: no dataset '{name}' in {catalog} (it has: {known})")
    return {name: datasets[name] for name in names}


def _read(catalog: str) -> dict:
    try:
        with fsspec.open(catalog, "rt", encoding="utf-8") as file:
            entries = YAML(typ="safe").load(file.read())
    except Exception as error:  # each file system raises its own
        reason = " ".join(str(error).split())
        raise UserError(f"data.catalog: cannot read {catalog}: {reason}") from None
    if not isinstance(entries, dict):
        raise UserError(f"data.catalog: {catalog} is not a mapping of dataset names to entries")
    for name in entries:
        if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", name):
            raise UserError(f"data.catalog: {catalog}: {name!r} is no name (letters, digits, _, -)")
    return entries
