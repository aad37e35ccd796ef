"""Fetching the datasets: one verified zip for each, whole or not at all."""

import os
import shutil
import zipfile
from pathlib import Path

import aiohttp
import fsspec
from pydantic import Field, field_validator
from tqdm import tqdm

from colorize import catalog, sample
from colorize.archive import FOLDERS, MANIFEST, members
from colorize.catalog import Dataset
from colorize.errors import UserError
from colorize.files import replaced_file, replaced_folder, sha256_of, write_json
from colorize.parameters import Parameters
from colorize.progress import INTERVAL


class DownloadParameters(Parameters):
    """The leaves of `data` that decide which zips there are."""

    datasets: list[str] = Field(min_length=1)
    catalog: str
    mirror: str

    @field_validator("datasets")
    @classmethod
    def _distinct(cls, names: list[str]) -> list[str]:
        if len(set(names)) < len(names):
            raise ValueError("a dataset is named twice")
        return names


def download(parameters: DownloadParameters, target: Path, kept: Path) -> None:
    """Write one zip a dataset and `datasets.json` to the folder `target`, replacing it whole.

    Verified zips also stay under `kept`/SHA256, and are linked from there: a set that changes
    fetches only what is new. Raises UserError, and leaves `target` as it was, for a dataset that
    is missing in the catalog or on the mirror, or whose size, checksum or content is wrong.
    """
    known = catalog.load(parameters.catalog)
    chosen = catalog.select(parameters.datasets, known, parameters.catalog)
    with replaced_folder(target) as folder:
        for name, dataset in chosen.items():
            archive = folder / f"{name}.zip"
            if dataset.file is None:
                if name != "sample":
                    raise UserError(f"{parameters.catalog}: {name}: 'file' is missing")
                sample.build(archive)
            else:
                _link(_fetch(dataset, parameters.mirror, kept), archive)
            _check_content(archive, name, dataset)
        sides = {name: {s: d.side(s) for s in "AB"} for name, d in chosen.items()}
        write_json(folder / MANIFEST, {n: {"sides": sides[n]} for n in sorted(sides)})


def _fetch(dataset: Dataset, mirror: str, kept: Path) -> Path:
    """Path of the verified zip under `kept`, fetched from the mirror where it is not there yet."""
    address = f"{mirror.rstrip('/')}/{dataset.file}"
    if dataset.sha256 is None or dataset.bytes is None:
        raise UserError(f"{address}: the catalog has no size and checksum to verify it by")
    path = kept / dataset.sha256
    if path.is_file() and path.stat().st_size == dataset.bytes and _intact(path, dataset):
        return path
    with replaced_file(path) as partial:
        try:
            with (
                fsspec.open(address, "rb", **_options(address)) as source,
                open(partial, "wb") as file,
                tqdm.wrapattr(
                    file,
                    "write",
                    total=dataset.bytes,
                    desc=dataset.file,
                    leave=False,
                    mininterval=INTERVAL,
                ) as counted,
            ):
                shutil.copyfileobj(source, counted, 1 << 20)
        except FileNotFoundError:
            raise UserError(f"{address}: not found on the mirror (data.mirror)") from None
        except Exception as error:  # each file system raises its own
            reason = " ".join(str(error).split()) or type(error).__name__
            raise UserError(f"{address}: cannot be fetched: {reason}") from error
        size = partial.stat().st_size
        if size != dataset.bytes:
            raise UserError(f"{address}: {size:,} bytes, the catalog says {dataset.bytes:,}")
        if not _intact(partial, dataset):
            raise UserError(f"{address}: its SHA-256 is not the catalog's, {dataset.sha256}")
    return path


def _options(address: str) -> dict:
    """HTTP: stream instead of asking for ranges, and no limit on the whole of a long download."""
    if not address.startswith(("http://", "https://")):
        return {}
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=30, sock_read=60)  # seconds
    return {"block_size": 0, "client_kwargs": {"timeout": timeout}}


def _intact(path: Path, dataset: Dataset) -> bool:
    return sha256_of(path) == dataset.sha256


def _link(source: Path, target: Path) -> None:
    """Hard link where the file system can, copy where it cannot."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _check_content(path: Path, name: str, dataset: Dataset) -> None:
    """Raise UserError unless the zip opens and has as many images as the catalog says."""
    try:
        with zipfile.ZipFile(path) as archive:
            found = dict.fromkeys(FOLDERS, 0)
            for member in members(archive, name):
                found[member.split("/")[1]] += 1
    except zipfile.BadZipFile as error:
        raise UserError(f"{dataset.file}: not a zip: {error}") from None
    expected = {folder: dataset.images.get(folder, 0) for folder in FOLDERS}
    if found != expected:
        raise UserError(f"{dataset.file or name}: holds {found}, the catalog says {expected}")
    if not any(found.values()):
        raise UserError(f"{dataset.file or name}: no image under {name}/{{{','.join(FOLDERS)}}}/")
