"""reports/pictures/NAME/: the photographs that a model is shown with, each version by itself."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

from PIL import Image
from torch import Tensor

from colorize.base.errors import UserError
from colorize.base.files import read_json, write_json
from colorize.data.reading import photographs
from colorize.data.reading.tensors import to_image
from colorize.evaluation.cases import Case
from colorize.evaluation.protocol import Batch, Photographs
from colorize.report import grids

MANIFEST = "manifest.json"
DOMAINS = "domains"  # a folder of the same kind, of models that know more than gray and color

# By version: the gray photograph, the true one; what the model makes of the gray one, where it may
# change the lightness its colors on the photograph's own, and what it makes of the true one.
LABELS = {
    "gray": "gray",
    "truth": "truth",
    "own": "result",
    "input_L": "its ab on the input's L",
    "to_gray": "made gray",
}


class Shown(NamedTuple):
    case: Case
    pictures: dict[str, Image.Image]  # by version, RGB or L


def shrunk(image: Tensor) -> Image.Image:
    """(3 or 1, S, S) uint8 as a picture of at most MOST_SIDE pixels."""
    picture = to_image(image)
    picture.thumbnail((grids.MOST_SIDE, grids.MOST_SIDE), Image.Resampling.LANCZOS)
    return picture


def show(
    measured: Photographs,
    chosen: list[Case],
    versions: Callable[[Batch], dict[str, Tensor]],
) -> list[Shown]:
    """The chosen photographs in all versions, each (n, 3 or 1, S, S) uint8.

    Colored in the batches that they were measured in: all at once, large ones fill the memory.
    """

    def drawn(batch: Batch) -> dict[str, dict[str, Image.Image]]:
        images_of = versions(batch)
        return {
            name: {v: shrunk(images[i]) for v, images in images_of.items()}
            for i, name in enumerate(batch.names)
        }

    names = list(dict.fromkeys(case.photograph for case in chosen))
    by_name = {name: of for part in measured.each(drawn, names) for name, of in part.items()}
    return [Shown(case, by_name[case.photograph]) for case in chosen]


def save(folder: Path, shown: list[Shown]) -> None:
    """Write each picture as PHOTOGRAPH_VERSION.png, and manifest.json, which says what they are."""
    manifest = []
    for case, pictures in shown:
        files = {version: f"{Path(case.photograph).stem}_{version}.png" for version in pictures}
        for version, picture in pictures.items():
            picture.save(folder / files[version])
        manifest.append(asdict(case) | {"pictures": files})
    write_json(folder / MANIFEST, manifest)


def read(folder: Path) -> list[Shown]:
    """What `save` wrote. Raises UserError where something is missing or broken."""
    shown = []
    for entry in read_json(folder / MANIFEST, list):
        try:
            files = dict(entry.pop("pictures"))
            case = Case(**entry)
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            raise UserError(f"{folder / MANIFEST}: not what `save` wrote: {error}") from None
        pictures = {v: photographs.read(folder / str(file), "RGB") for v, file in files.items()}
        shown.append(Shown(case, pictures))
    return shown


def grid(shown: list[Shown]) -> Image.Image:
    """One row a photograph, with its caption; one column a version."""
    labels = dict(LABELS)
    if "input_L" in shown[0].pictures:
        labels["own"] = "its RGB"
    versions = list(shown[0].pictures)
    return grids.grid(
        {labels[v]: [each.pictures[v] for each in shown] for v in versions},
        [each.case.caption for each in shown],
    )
