"""Make docs/example.jpg: scikit-image's test photographs, coloured by the models in models/.

    python -m docs.example [MODEL ...]

None of the three is trained on in the `sample` preset. Each model sees the gray copy at its working
size; its colours are enlarged and joined with the photograph's own lightness.
"""

import argparse
from pathlib import Path

import torch
from PIL import Image, ImageDraw, ImageFont
from torch.nn import functional as F

from colorize import color
from colorize.data import sample, tensors
from colorize.methods import model
from stages import common

SHOWN = ("chelsea.png", "coffee.png", "rocket.jpg")
HEIGHT = 220  # pixels of a photograph in the picture


@torch.inference_mode()
def coloured(network, rgb: torch.Tensor, image_size: int) -> torch.Tensor:
    """(3, H, W) in [0, 1] to its gray copy, coloured by `network`: (3, H, W)."""
    gray = color.gray_of(rgb)[None]
    height, width = gray.shape[-2:]
    scale = image_size / min(height, width)
    working = [max(8, round(side * scale / 8) * 8) for side in (height, width)]
    small = F.interpolate(gray, working, mode="bilinear", antialias=True)
    ab = F.interpolate(network.predict_ab(small), (height, width), mode="bilinear")
    return color.join(color.lightness_of(gray), ab)[0]


def main() -> None:
    params = common.read_params()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", metavar="MODEL", help="of models/; without one, all")
    chosen = parser.parse_args().models or params.models
    image_size = params.data.image_size
    networks = {name: model.load(common.MODELS / name) for name in chosen}
    rows = []
    for name in SHOWN:
        image = Image.open(sample.photograph(name)).convert("RGB")
        image = image.resize((round(image.width * HEIGHT / image.height), HEIGHT))
        rgb = color.to_float(tensors.to_tensor(image))
        row = {"gray": color.gray_of(rgb).expand(3, -1, -1), "truth": rgb}
        row |= {name: coloured(network, rgb, image_size) for name, network in networks.items()}
        rows.append({k: tensors.to_image(color.to_uint8(v)) for k, v in row.items()})

    gap, header = 6, 28
    widths = [max(row[label].width for row in rows) for label in rows[0]]
    full = (sum(widths) + gap * (len(widths) - 1), header + len(rows) * (HEIGHT + gap) - gap)
    picture = Image.new("RGB", full, "white")
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(size=18)
    left = 0
    for label, width in zip(rows[0], widths, strict=True):
        draw.text((left + width / 2, header / 2), label, (40, 40, 40), font, anchor="mm")
        for number, row in enumerate(rows):
            picture.paste(row[label], (left, header + number * (HEIGHT + gap)))
        left += width + gap
    picture.save(Path(__file__).with_name("example.jpg"), quality=88)


if __name__ == "__main__":
    common.run(main)
