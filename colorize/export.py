"""Export a model to a file that other programs run.

    python -m colorize.export NAME_OR_FOLDER [--format onnx] [--output FILE | --in-place]

The file takes gray photographs `gray` (n, 1, H, W), sRGB in [0, 1], of any number and size, and
gives their chroma `ab` (n, 2, H, W), CIE a and b. Let it see photographs at about the size that the
model was trained at (`image_size` in the file's metadata), enlarge the chroma, and join it with
the photograph's own lightness: that is what `colorize` does. The file is checked against the model
before it gets its name.

In place it is written into the model's folder, as network.onnx, and shares the weights that are
there. `colorize` then needs no torch for this model.
"""

import argparse
from pathlib import Path

from colorize.base import command

command.begin()

from colorize.methods.shared import model
from colorize.methods.shared.folder import NETWORK, WEIGHTS
from colorize.use import models, onnx


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", metavar="NAME_OR_FOLDER", help="as colorize --model")
    parser.add_argument("--format", choices=["onnx"], default="onnx", help="of the file (onnx)")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--output", type=Path, metavar="FILE", help="its name (NAME.onnx)")
    where.add_argument("--in-place", action="store_true", help="write it into the model's folder")
    arguments = parser.parse_args()
    folder = models.find(arguments.model)
    path, weights = arguments.output or Path(f"{folder.name}.onnx"), None
    if arguments.in_place:
        path, weights = folder / NETWORK, folder / WEIGHTS
    largest = onnx.export(model.load(folder), path, weights)
    print(
        f"{path}: {path.stat().st_size / 1e6:.1f} MB; gray (n, 1, H, W) to ab (n, 2, H, W); "
        f"differs from the model by {largest:.1g} at most, of 110"
    )


if __name__ == "__main__":
    command.run(main)
