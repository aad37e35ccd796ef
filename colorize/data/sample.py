"""The `sample` dataset: tiles of scikit-image's and matplotlib's photographs, as one zip.

It lets the whole pipeline run anywhere, without a network, in minutes. Tiles of one photograph
overlap, and are one group (the catalog's `groups`): all are trained on, or none. Nine photographs
are few, and numbers on this dataset prove only that everything works.
"""

import importlib.util
import io
import zipfile
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from colorize.base.errors import UserError
from colorize.base.files import sha256_of

# Of the installed packages that come with photographs
FOLDERS = {"skimage": "data", "matplotlib": "mpl-data/sample_data"}

TRAIN = ((128, 64), (256, 128))  # side of a tile and stride to the next, in pixels


class Source(NamedTuple):
    file: str  # in one of FOLDERS
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
    for package, folder in FOLDERS.items():
        found = importlib.util.find_spec(package)  # to import them would take a second
        if found is not None and (path := Path(found.origin).parent / folder / file).is_file():
            return path
    raise UserError(f"{file}: not in {' or '.join(FOLDERS)}, whose photographs 'sample' is made of")


def build(target: Path) -> None:
    """Write the dataset as a zip at `target`; the same bytes for the same Pillow every time.

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
