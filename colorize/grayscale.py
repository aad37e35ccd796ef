"""A grayscale copy of every photograph of the union."""

from pathlib import Path
from typing import Literal

import pandas as pd

from colorize import color, photographs
from colorize.files import replaced_folder, sha256_of, write_json
from colorize.index import MADE_FROM, Index, union_identity
from colorize.parameters import Parameters
from colorize.progress import progress


class GrayscaleParameters(Parameters):
    """The leaf of `data` that decides what gray is."""

    gray: Literal["lightness", "rec601"]


def grayscale(parameters: GrayscaleParameters, union: Path, target: Path) -> None:
    """Write a single-channel PNG to `target` for each image of `union`, under the same stem.

    Always lossless: the gray level carries the photograph's own lightness. index.csv has the
    SHA-256 of each photograph and of its copy: what training depends on, in one small file.
    """
    rows = []
    with replaced_folder(target) as folder:
        for name in progress(Index.read(union).names, "grayscale"):
            rgb = color.to_float(photographs.to_tensor(photographs.read(union / name, "RGB")))
            gray = color.to_uint8(color.gray_of(rgb, parameters.gray))
            copy = (folder / name).with_suffix(".png")
            photographs.save(photographs.to_image(gray), copy)
            rows.append((name, sha256_of(union / name), sha256_of(copy)))
        index = pd.DataFrame(rows, columns=["name", "color_sha256", "gray_sha256"])
        index.to_csv(folder / "index.csv", index=False, lineterminator="\n")
        write_json(folder / MADE_FROM, union_identity(union))
