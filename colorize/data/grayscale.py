"""A grayscale copy of every photograph of the union."""

import functools
import hashlib
from pathlib import Path
from typing import Literal

import pandas as pd

from colorize.base.errors import UserError
from colorize.base.files import read_bytes, replaced_folder, write_json
from colorize.base.parameters import Parameters
from colorize.base.progress import progress
from colorize.base.workers import cores, spread
from colorize.data import pixels
from colorize.data.images import png, unjpeg, unpng
from colorize.data.reading.index import MADE_FROM, Index, union_identity


class GrayscaleParameters(Parameters):
    """The leaf of `data` that decides what gray is."""

    gray: Literal["lightness", "rec601"]


def grayscale(
    parameters: GrayscaleParameters, union: Path, target: Path, workers: int | None = None
) -> None:
    """Write a single-channel PNG to `target` for each image of `union`, under the same stem.

    Always lossless: the gray level carries the photograph's own lightness. index.csv has the
    SHA-256 of each photograph and of its copy: what training depends on, in one small file.
    workers: processes, one a core unless given; the result does not depend on it.
    Raises UserError where the union is missing or one of its images does not decode.
    """
    names = Index.read(union).names
    with replaced_folder(target) as folder:
        copy = functools.partial(_copy, parameters.gray, union, folder)
        hashes = progress(spread(copy, names, workers or cores()), "grayscale", len(names))
        rows = [(name, *pair) for name, pair in zip(names, hashes, strict=True)]
        index = pd.DataFrame(rows, columns=["name", "color_sha256", "gray_sha256"])
        index.to_csv(folder / "index.csv", index=False, lineterminator="\n")
        write_json(folder / MADE_FROM, union_identity(union))


def _copy(gray: str, union: Path, copies: Path, name: str) -> tuple[str, str]:
    """SHA-256 of the photograph and of the copy that it writes."""
    path = union / name
    original = read_bytes(path)
    try:
        rgb = unpng(original) if path.suffix == ".png" else unjpeg(original)
    except Exception as error:  # decoders raise all sorts on damaged files
        raise UserError(f"{path}: cannot be decoded as an image ({error})") from None
    data = png(pixels.gray_levels(rgb, gray))
    (copies / name).with_suffix(".png").write_bytes(data)
    return hashlib.sha256(original).hexdigest(), hashlib.sha256(data).hexdigest()
