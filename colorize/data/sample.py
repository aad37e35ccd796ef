"""The `sample` dataset: tiles of the photographs inside scikit-image, in CycleGAN's zip form.

It lets the whole pipeline run anywhere, without a network, in minutes. Tiles of one photograph
overlap, and are one group (the catalog's `groups`): all are trained on, or none. Eight photographs
are few, and numbers on this dataset prove only that everything works.
"""

import io
import zipfile
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from colorize.base.errors import UserError
from colorize.base.files import sha256_of

TILE = 128  # pixels


class Source(NamedTuple):
    file: str  # in scikit-image's data folder
    sha256: str
    folder: str  # of the dataset
    box: tuple[int, int, int, int]  # left, top, right, bottom, in pixels
    stride: int  # pixels between tiles


# The middle of the retina and of the deep field: the rest is black, or more of the same. By the
# hash of its first tile, and data.validation = 0.25, the cat is for val.
SOURCES = (
    Source(
        "astronaut.png",
        "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
        "trainA",
        (0, 0, 512, 512),
        64,
    ),
    Source(
        "motorcycle_left.png",
        "db18e9c4157617403c3537a6ba355dfeafe9a7eabb6b9b94cb33f6525dd49179",
        "trainA",
        (0, 0, 741, 500),
        64,
    ),
    Source(
        "ihc.png",
        "f8dd1aa387ddd1f49d8ad13b50921b237df8e9b262606d258770687b0ef93cef",
        "trainB",
        (0, 0, 512, 512),
        64,
    ),
    Source(
        "retina.jpg",
        "38a07f36f27f095e818aea7b96d34202c05176d30253c66733f2e00379e9e0e6",
        "trainB",
        (449, 449, 961, 961),
        64,
    ),
    Source(
        "hubble_deep_field.jpg",
        "3a19c5dd8a927a9334bb1229a6d63711b1c0c767fb27e2286e7c84a3e2c2f5f4",
        "trainB",
        (244, 180, 756, 692),
        64,
    ),
    Source(
        "chelsea.png",
        "596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb",
        "trainA",
        (0, 0, 451, 300),
        64,
    ),
    Source(
        "coffee.png",
        "cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7",
        "testA",
        (0, 0, 600, 400),
        128,
    ),
    Source(
        "rocket.jpg",
        "c2dd0de7c538df8d111e479619b129464d0269d0ae5fd18ca91d33a7fdfea95c",
        "testB",
        (0, 0, 640, 427),
        128,
    ),
)


def photograph(source: str) -> Path:
    """Path of a photograph inside the installed scikit-image.

    Imported here, not above: only the `sample` dataset needs the package.
    """
    import skimage

    return Path(skimage.__file__).parent / "data" / source


def build(target: Path) -> None:
    """Write the dataset as a zip at `target`; the same bytes for the same Pillow every time.

    Raises UserError where the installed scikit-image holds other photographs than expected.
    """
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for source in SOURCES:
            path = photograph(source.file)
            if not path.is_file() or sha256_of(path) != source.sha256:
                raise UserError(f"{path}: not the photograph that the dataset 'sample' is cut from")
            image = Image.open(path).convert("RGB")
            left, top, right, bottom = source.box
            for y in range(top, bottom - TILE + 1, source.stride):
                for x in range(left, right - TILE + 1, source.stride):
                    name = f"sample/{source.folder}/{path.stem}_{x:04}_{y:04}.png"
                    png = io.BytesIO()
                    image.crop((x, y, x + TILE, y + TILE)).save(png, "PNG")
                    # ZipInfo's own date is fixed (1980): the current one would change the bytes.
                    archive.writestr(zipfile.ZipInfo(name), png.getvalue())
