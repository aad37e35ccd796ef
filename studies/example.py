"""Make a picture of photographs, colored by trained models.

    python -m studies.example MODEL ... [--photographs FILE ...] [--output docs/example.jpg]

A model is a folder, as models/NAME and colorize/pretrained/NAME are. Unless others are named, the
photographs are three of scikit-image's, which no preset but `sample` trains on. Models see gray
copies of them, and keep their lightness.
"""

import argparse
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from colorize import Colorizer, color
from colorize.base import command
from colorize.base.errors import UserError
from colorize.base.files import write_bytes
from colorize.data import local
from colorize.data.photo import Unreadable, bytes_of, read
from colorize.data.reading import tensors
from colorize.data.reading.photographs import center_crop, resize

SHOWN = ("chelsea.png", "coffee.png", "rocket.jpg")
SIDE = 220  # pixels of a photograph in the picture
GAP, HEADER = 6, 28  # pixels


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="+", metavar="MODEL", help="a model's folder")
    parser.add_argument("--photographs", nargs="+", type=Path, metavar="FILE", help="image files")
    parser.add_argument("--output", type=Path, default=Path("docs/example.jpg"), help="the picture")
    arguments = parser.parse_args()
    photographs = arguments.photographs or [*map(local.photograph, SHOWN)]
    write(picture(arguments.models, photographs), arguments.output)


def write(image: Image.Image, path: Path) -> None:
    """As a PNG if it is called so, else as a JPEG."""
    data = io.BytesIO()
    image.save(data, "PNG" if path.suffix.lower() == ".png" else "JPEG", quality=88)
    write_bytes(path, data.getvalue())


def picture(
    models: Iterable[str | Path], photographs: Sequence[Path], side: int = SIDE
) -> Image.Image:
    """A row for each photograph: gray, the truth, and as each model colors it.

    Raises UserError for what is no model, or no photograph.
    """
    colorizers = [Colorizer.load(folder) for folder in models]
    rows = []
    for path in photographs:
        image = center_crop(resize(_photograph(path), side, Image.Resampling.LANCZOS), side)
        rgb = color.to_float(tensors.to_tensor(image))
        gray = color.to_uint8(color.gray_of(rgb))
        row = {"gray": tensors.to_image(gray).convert("RGB"), "truth": image}
        row |= {each.name: tensors.to_image(each(gray)) for each in colorizers}
        rows.append(row)
    return _drawn(rows, side)


def _drawn(rows: list[dict[str, Image.Image]], side: int) -> Image.Image:
    step = side + GAP
    size = (len(rows[0]) * step - GAP, HEADER + len(rows) * step - GAP)
    drawn = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(drawn)
    longest = max(map(len, rows[0]))
    font = ImageFont.load_default(size=min(18, 1.7 * side / longest))
    for column, label in enumerate(rows[0]):
        middle = (column * step + side / 2, HEADER / 2)
        draw.text(middle, label, (40, 40, 40), font, anchor="mm")
        for number, row in enumerate(rows):
            drawn.paste(row[label], (column * step, HEADER + number * step))
    return drawn


def _photograph(path: Path) -> Image.Image:
    """The upright sRGB of an image file."""
    try:
        return read(bytes_of(path)).rgb()
    except Unreadable as error:
        raise UserError(f"{path}: {error}") from None


if __name__ == "__main__":
    command.run(main)
