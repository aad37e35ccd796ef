"""The catalog of datasets: what each is called, where it comes from, and what it holds."""

import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from colorize.base.errors import UserError, one_line
from colorize.base.files import expanded
from colorize.base.parameters import Parameters, from_yaml
from colorize.data import remote
from colorize.data.archive import FOLDERS

BUILTIN = Path(__file__).parent.parent / "catalog.yaml"  # its path stands in params.yaml
SAMPLE = "sample"  # the dataset that the download stage builds from nothing
TEST = 0.1  # share of a folder's photographs for the test

Side = Literal["photograph", "painting", "rendering", "label map"]


class Facts(Parameters):
    """What the union has to know of a dataset: an entry of MANIFEST."""

    sides: dict[Literal["A", "B"], Side]
    groups: str | None = None


class Dataset(Parameters):
    """One entry of the catalog; colorize/catalog.yaml explains the keys."""

    file: str | None = None
    bytes: Annotated[int, Field(gt=0, le=10**15)] | None = None
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None
    images: dict[Literal[FOLDERS], Annotated[int, Field(ge=0, le=10**9)]] | None = None
    folder: Annotated[str, Field(min_length=1)] | None = None
    test: Annotated[float, Field(gt=0, lt=1)] | None = None
    groups: str | None = None
    sides: dict[Literal["A", "B"], Side] | None = None
    license: str | None = None

    @field_validator("groups")
    @classmethod
    def _compiles(cls, groups: str | None) -> str | None:
        try:
            re.compile(groups or "")
        except (re.error, OverflowError, RecursionError) as error:
            raise ValueError(f"not a regular expression: {one_line(error)}") from None
        return groups

    @model_validator(mode="after")
    def _keys_belong_together(self) -> Self:
        if self.folder is None and self.test is not None:
            raise ValueError("'test' belongs to a 'folder'")
        if self.folder is not None and (self.file or self.bytes or self.sha256 or self.images):
            raise ValueError("'folder' excludes 'file', 'bytes', 'sha256' and 'images'")
        return self

    def facts(self) -> Facts:
        sides = {letter: (self.sides or {}).get(letter, "photograph") for letter in "AB"}
        return Facts(sides=sides, groups=self.groups)


def load(catalog: str) -> dict[str, Dataset]:
    """Read a catalog from a file or URL.

    It adds to the built-in one, and replaces entries of the same name. One of a mirror need not say
    what the sides are: entries without `sides` take them from the entry that they replace. Raises
    UserError where it cannot be read or is malformed.
    """
    builtin = _read(str(BUILTIN))
    entries = builtin | _read(catalog)
    for name, entry in entries.items():
        if isinstance(entry, dict) and "sides" not in entry and name in builtin:
            entry["sides"] = builtin[name].get("sides")
    return {name: Dataset.parse(entry, f"{catalog}: {name}") for name, entry in entries.items()}


def names(catalog: str) -> list[str]:
    """Those of a catalog's own entries. Raises UserError where it cannot be read."""
    return sorted(_read(catalog))


def select(names: list[str], datasets: dict[str, Dataset], catalog: str) -> dict[str, Dataset]:
    """The entries called `names`.

    Raises UserError for a name that the catalog lacks, and for an entry that says too little to
    get the dataset.
    """
    for name in names:
        if name not in datasets:
            known = ", ".join(datasets)
            raise UserError(f"data.datasets: no dataset '{name}' in {catalog} (it has: {known})")
        _check_complete(name, datasets[name], catalog)
    return {name: datasets[name] for name in names}


def local_sources(catalog: str, chosen: dict[str, Dataset]) -> list[str]:
    """What may change on this machine: a catalog of one's own, and folders of photographs."""
    path = expanded(catalog)
    catalogs = [str(path)] if path.is_file() and not path.samefile(BUILTIN) else []
    folders = {str(expanded(d.folder)) for d in chosen.values() if d.folder is not None}
    return catalogs + sorted(folders)


def _check_complete(name: str, dataset: Dataset, catalog: str) -> None:
    if dataset.file is None and dataset.folder is None and name != SAMPLE:
        raise UserError(f"{catalog}: {name}: it has neither 'file' nor 'folder'")
    if dataset.file is not None and (dataset.bytes is None or dataset.sha256 is None):
        raise UserError(
            f"{catalog}: {name}: nothing to verify {dataset.file} by; download it yourself, and "
            "put its bytes, sha256 and images into a catalog of your own (data.catalog)"
        )


def _read(catalog: str) -> dict:
    try:
        text = remote.read(catalog).decode("utf-8")
    except Exception as error:  # each file system raises its own
        raise UserError(f"data.catalog: cannot read {catalog}: {one_line(error)}") from None
    entries = from_yaml(text, f"data.catalog: {catalog}")
    if not isinstance(entries, dict):
        raise UserError(f"data.catalog: {catalog} is not a mapping of dataset names to entries")
    for name in entries:
        if not isinstance(name, str):
            raise UserError(
                f'data.catalog: {catalog}: {name} is no name unless in quotes: "{name}"'
            )
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", name):
            raise UserError(f"data.catalog: {catalog}: {name!r} is no name (letters, digits, _, -)")
    return entries
