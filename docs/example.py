"""Make a picture of photographs, colored by trained models.

    python -m docs.example MODEL ... [--photographs FILE ...] [--output docs/example.jpg]

A model is a folder, as models/NAME and colorize/pretrained/NAME are. The photographs are three of
scikit-image's, which no preset trains on, where no others are named. Models see gray copies of
them, and keep their lightness.
"""

import argparse
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from colorize import Colorizer, color
from colorize.base import command
from colorize.base.errors import UserError
from colorize.data import local
from colorize.data.photo import Unreadable, bytes_of, read
from colorize.data.reading import tensors
from colorize.data.reading.photographs import center_crop, resize

SHOWN = ("chelsea.png", "coffee.png", "rocket.jpg")
SIDE = 220  # pixels of a photograph in the picture


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="+", metavar="MODEL", help="a model's folder")
    parser.add_argument("--photographs", nargs="+", type=Path, metavar="FILE", help="image files")
    parser.add_argument("--output", type=Path, default=Path("docs/example.jpg"), help="the picture")
    arguments = parser.parse_args()
    colorizers = [Colorizer.load(folder) for folder in arguments.models]
    rows = []
    for path in arguments.photographs or map(local.photograph, SHOWN):
        image = photograph(path)
        image = center_crop(resize(image, SIDE, Image.Resampling.LANCZOS), SIDE)
        rgb = color.to_float(tensors.to_tensor(image))
        gray = color.to_uint8(color.gray_of(rgb))
        row = {"gray": tensors.to_image(gray).convert("RGB"), "truth": image}
        row |= {each.name: tensors.to_image(each(gray)) for each in colorizers}
        rows.append(row)

    gap, header = 6, 28
    step = SIDE + gap
    size = (len(rows[0]) * step - gap, header + len(rows) * step - gap)
    picture = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(size=18)
    for column, label in enumerate(rows[0]):
        middle = (column * step + SIDE / 2, header / 2)
        draw.text(middle, label, (40, 40, 40), font, anchor="mm")
        for number, row in enumerate(rows):
            picture.paste(row[label], (column * step, header + number * step))
    picture.save(arguments.output, quality=88)


def photograph(path: Path) -> Image.Image:
    """The upright sRGB of an image file. Raises UserError."""
    try:
        return read(bytes_of(path)).rgb()
    except Unreadable as error:
        raise UserError(f"{path}: {error}") from None


if __name__ == "__main__":
    command.run(main)
