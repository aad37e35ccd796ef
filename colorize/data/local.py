"""Datasets that are built on this machine: `sample`, and folders of somebody's own photographs.

`sample` lets the whole pipeline run anywhere, without a network, in minutes. It is cut from
scikit-image's and matplotlib's photographs. Tiles of one photograph overlap, and are one group (the
catalog's `groups`): all are trained on, or none. Nine photographs are few, and numbers on this
dataset prove only that everything works.
"""

import importlib.util
import io
import os
import shutil
import zipfile
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from colorize.base.errors import UserError, printable
from colorize.base.files import check_room, sha256_of
from colorize.base.progress import progress
from colorize.data.archive import FOLDERS, LITTER, SPLITS

# Of the installed packages that come with photographs
PACKAGES = {"skimage": "data", "matplotlib": "mpl-data/sample_data"}

TRAIN = ((128, 64), (256, 128))  # side of a tile and stride to the next, in pixels


class Source(NamedTuple):
    file: str  # in one of PACKAGES
    sha256: str  # how it begins
    folder: str  # of the dataset
    box: tuple[int, int, int, int]  # left, top, right, bottom, in pixels
    tiles: tuple[tuple[int, int], ...] = TRAIN


# Photographs of the test are seen whole: their tiles are as high or as wide as they are. Of the
# retina and of the deep field the middle is taken: the rest is black, or more of the same. By the
# hash of its first tile, and data.validation = 0.25, the cat is for val.
SOURCES = (
    Source("astronaut.png", "88431cd9653ccd53", "trainA", (0, 0, 512, 512)),
    Source("motorcycle_left.png", "db18e9c415761740", "trainA", (0, 0, 741, 500)),
    Source("ihc.png", "f8dd1aa387ddd1f4", "trainB", (0, 0, 512, 512)),
    Source("retina.jpg", "38a07f36f27f095e", "trainB", (449, 449, 961, 961)),
    Source("hubble_deep_field.jpg", "3a19c5dd8a927a93", "trainB", (244, 180, 756, 692)),
    Source("chelsea.png", "596aa1e7cb875eb7", "trainA", (0, 0, 451, 300)),
    Source("coffee.png", "cc02f8ca188b167c", "testA", (0, 0, 600, 400), ((400, 100),)),
    Source("rocket.jpg", "c2dd0de7c538df8d", "testB", (0, 0, 640, 427), ((427, 106),)),
    Source("grace_hopper.jpg", "a8ca6d734765703b", "testA", (0, 0, 512, 600), ((512, 88),)),
)


def photograph(file: str) -> Path:
    """Where a photograph lies in the installed packages. Raises UserError where none has it."""
    for package, folder in PACKAGES.items():
        spec = importlib.util.find_spec(package)  # to import them would take a second
        if spec is not None and (path := Path(spec.origin).parent / folder / file).is_file():
            return path
    raise UserError(
        f"{file}: not in {' or '.join(PACKAGES)}, whose photographs 'sample' is made of"
    )


def build_sample(target: Path) -> None:
    """Write `sample` as a zip at `target`; the same bytes for the same Pillow every time.

    Raises UserError where the installed packages hold other photographs than expected.
    """
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for source in SOURCES:
            path = photograph(source.file)
            if not sha256_of(path).startswith(source.sha256):
                raise UserError(f"{path}: not the photograph that the dataset 'sample' is cut from")
            image = Image.open(path).convert("RGB")
            left, top, right, bottom = source.box
            for side, stride in source.tiles:
                for y in range(top, bottom - side + 1, stride):
                    for x in range(left, right - side + 1, stride):
                        name = f"sample/{source.folder}/{path.stem}_{side}_{x:04}_{y:04}.png"
                        png = io.BytesIO()
                        image.crop((x, y, x + side, y + side)).save(png, "PNG")
                        # Its own date is fixed (1980): the current one would change the bytes.
                        archive.writestr(zipfile.ZipInfo(name), png.getvalue())


# A folder of photographs, in the form of CycleGAN's zips

DATE = (1980, 1, 1, 0, 0, 0)  # of every member: the files' own dates do not matter


def build_from_folder(source: Path, name: str, test: float, target: Path) -> None:
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
    members = _members(source, files, name, test)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for member in progress(sorted(members), name):
            _write(source / members[member], f"{name}/{member}", archive)


def _listed(source: Path, name: str) -> list[str]:
    """Paths of the files below `source`, relative to it: all but hidden ones, litter and links."""
    paths = []
    for parent, folders, files in os.walk(source, onerror=_raise):
        folders[:] = [f for f in folders if _is_wanted(Path(parent, f), name)]
        paths += [Path(parent, f) for f in files if _is_wanted(Path(parent, f), name)]
    return [path.relative_to(source).as_posix() for path in paths]


def _raise(error: OSError) -> None:
    """os.walk passes over what it may not list, unless told otherwise."""
    raise error


def _is_wanted(path: Path, name: str) -> bool:
    if path.name.startswith(".") or path.name in LITTER:
        return False
    if path.is_symlink() or not (path.is_file() or path.is_dir()):
        print(f"{name}: {printable(str(path))} is left out: a link or device, not a file")
        return False
    if not _is_utf8(path.name):
        print(f"{name}: {printable(str(path))} is left out: its name is no UTF-8")
        return False
    return True


def _is_utf8(name: str) -> bool:
    return name.encode("utf-8", "replace").decode() == name


def check_watched(folder: Path) -> None:
    """Raise UserError for the first file in `folder` over which DVC, which watches it, stumbles."""
    for parent, folders, files in os.walk(folder):
        for path in (Path(parent, name) for name in (*folders, *files)):
            told = printable(str(path))
            if not _is_utf8(path.name):
                raise UserError(f"{told}: its name is no UTF-8, which DVC cannot read; rename it")
            if not path.exists():
                raise UserError(f"{told}: a link to nothing, which DVC cannot read; remove it")
            if not (path.is_file() or path.is_dir()):
                raise UserError(f"{told}: a device, for which DVC would wait; remove it")


# Folders of photographs that are split already: like CycleGAN's, or as most others call them
SPLIT_ALREADY = {folder.lower(): folder for folder in FOLDERS}
SPLIT_ALREADY |= {"train": "trainA", "test": "testA", "val": "valA"}
SPLIT_ALREADY |= {"valid": "valA", "validation": "valA"}


def _members(source: Path, files: list[str], name: str, test: float) -> dict[str, str]:
    """Name in the zip -> file: as its folders split them, or by content.

    Where they split nothing off for the test, `test` of the rest is taken. By content, so that a
    photograph stays where it is when others come or go.
    """
    folders = {file: file.rpartition("/")[0].partition("/")[0].lower() for file in files}
    named = SPLIT_ALREADY.keys() & folders.values()
    splits = {SPLIT_ALREADY[each][:-1] for each in named}
    is_split = len(splits) > 1 or any(each.endswith(("a", "b")) for each in named)
    members, counts = {}, Counter()
    for file in progress(files, name):
        folder = SPLIT_ALREADY.get(folders[file]) if is_split else "trainA"
        if folder is None:
            continue
        is_train = folder.startswith("train")
        if is_train and "test" not in splits and _falls_within(source / file, test):
            folder = folder.replace("train", "test")
        members[file if file.startswith(f"{folder}/") else f"{folder}/{file}"] = file
        counts[folder[:-1]] += 1
    if is_split:
        told = ", ".join(f"{counts[split]} for {split}" for split in SPLITS)
        print(f"{name}: split as its folders say: {told}")
    if outside := len(files) - len(members):
        print(f"{name}: {outside} files are left out: in no folder for train, val or test")
    return members


def _falls_within(path: Path, share: float) -> bool:
    return int(sha256_of(path)[:8], 16) < share * 2**32


def _write(path: Path, member: str, archive: zipfile.ZipFile) -> None:
    info = zipfile.ZipInfo(member, DATE)
    info.file_size = path.stat().st_size  # large files take another form of header
    with open(path, "rb") as file, archive.open(info, "w") as copy:
        shutil.copyfileobj(file, copy, 1 << 20)
