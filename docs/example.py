"""Make a picture of scikit-image's test photographs, coloured by trained models.

    python -m docs.example FOLDER ... [--output docs/example.jpg]

A folder holds one model, as models/NAME and pretrained/NAME do. No preset trains on these three
photographs. Each model sees the gray copy at the size that it was trained at; its colours are
enlarged and joined with the photograph's own lightness.
"""

import argparse
from pathlib import Path

import torch
from PIL import Image, ImageDraw, ImageFont
from torch.nn import functional as F

from colorize import color
from colorize.data import sample, tensors
from colorize.data.photographs import center_crop, resize
from colorize.methods import model
from stages import common

SHOWN = ("chelsea.png", "coffee.png", "rocket.jpg")
SIDE = 220  # pixels of a photograph in the picture


@torch.inference_mode()
def coloured(network, rgb: torch.Tensor) -> torch.Tensor:
    """(3, H, W) in [0, 1] to its gray copy, coloured by `network`: (3, H, W)."""
    gray = color.gray_of(rgb)[None]
    height, width = gray.shape[-2:]
    scale = network.image_size / min(height, width)
    working = [max(8, round(side * scale / 8) * 8) for side in (height, width)]
    small = F.interpolate(gray, working, mode="bilinear", antialias=True)
    ab = F.interpolate(network.predict_ab(small), (height, width), mode="bilinear")
    return color.join(color.lightness_of(gray), ab)[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="+", type=Path, metavar="FOLDER", help="with a model")
    parser.add_argument("--output", type=Path, default=Path("docs/example.jpg"), help="the picture")
    arguments = parser.parse_args()
    networks = {folder.name: model.load(folder) for folder in arguments.models}
    rows = []
    for name in SHOWN:
        image = Image.open(sample.photograph(name)).convert("RGB")
        image = center_crop(resize(image, SIDE, Image.Resampling.LANCZOS), SIDE)
        rgb = color.to_float(tensors.to_tensor(image))
        row = {"gray": color.gray_of(rgb).expand(3, -1, -1), "truth": rgb}
        row |= {name: coloured(network, rgb) for name, network in networks.items()}
        rows.append({k: tensors.to_image(color.to_uint8(v)) for k, v in row.items()})

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


if __name__ == "__main__":
    common.run(main)
