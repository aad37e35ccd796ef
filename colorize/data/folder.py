"""A folder of somebody's own photographs as a dataset, in CycleGAN's zip form."""

import os
import shutil
import zipfile
from pathlib import Path

from colorize.base.errors import UserError
from colorize.base.files import check_room, sha256_of
from colorize.base.progress import progress
from colorize.data.archive import FOLDERS, LITTER

DATE = (1980, 1, 1, 0, 0, 0)  # of every member: the files' own dates do not matter


def build(source: Path, name: str, test: float, target: Path) -> None:
    """Write the files below `source` as the zip of the dataset `name` at `target`.

    The same content gives the same bytes, wherever the folder lies. Whether the files are images
    is for the next stage to find out. Raises UserError where there is no folder, or no file in it,
    or too little room for the copy.
    """
    if not source.is_dir():
        raise UserError(f"{name}: no folder {source} (the catalog's 'folder')")
    files = _listed(source, name)
    if not files:
        raise UserError(f"{name}: no files in {source} (the catalog's 'folder')")
    total = sum((source / file).stat().st_size for file in files)
    check_room(total, target.parent, f"{name}: the copy of {source}")
    members = _sorted_by_hand(files, name) or {
        f"{_split(source / file, test)}/{file}": file for file in progress(files, name)
    }
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for member in progress(sorted(members), name):
            _write(source / members[member], f"{name}/{member}", archive)


def _listed(source: Path, name: str) -> list[str]:
    """Paths of the files below `source`, relative to it: all but hidden ones, litter and links."""
    found = []
    for parent, folders, files in os.walk(source, onerror=_raise):
        folders[:] = [f for f in folders if _is_wanted(Path(parent, f), name)]
        found += [Path(parent, f) for f in files if _is_wanted(Path(parent, f), name)]
    return [path.relative_to(source).as_posix() for path in found]


def _raise(error: OSError) -> None:
    """os.walk passes over what it may not list, unless told otherwise."""
    raise error


def _is_wanted(path: Path, name: str) -> bool:
    if path.name.startswith(".") or path.name in LITTER:
        return False
    if path.is_symlink() or not (path.is_file() or path.is_dir()):
        print(f"{name}: {path} is left out: a link or device, not a file")
        return False
    return True


def _sorted_by_hand(files: list[str], name: str) -> dict[str, str]:
    """Member -> file for what lies in trainA and the like; empty where there are none of them."""
    members = {file: file for file in files if file.startswith(tuple(f"{f}/" for f in FOLDERS))}
    if members and len(members) < len(files):
        outside = len(files) - len(members)
        print(f"{name}: {outside} files are left out: not in {', '.join(FOLDERS)}")
    return members


def _split(path: Path, test: float) -> str:
    """By content, so that a photograph stays where it is when others come or go."""
    return "testA" if int(sha256_of(path)[:8], 16) < test * 2**32 else "trainA"


def _write(path: Path, member: str, archive: zipfile.ZipFile) -> None:
    info = zipfile.ZipInfo(member, DATE)
    info.file_size = path.stat().st_size  # large files take another form of header
    with open(path, "rb") as file, archive.open(info, "w") as copy:
        shutil.copyfileobj(file, copy, 1 << 20)
