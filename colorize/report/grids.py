"""Grids of photographs: one row a photograph, one labelled column a version of it."""

from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from colorize.data.tensors import to_image

GAP = 4  # pixels between cells
HEADER = 22  # pixels for the labels
LEAST_SIDE = 128  # pixels; smaller images are shown enlarged by a whole number
BACKGROUND = (255, 255, 255)
INK = (40, 40, 40)


def grid(columns: dict[str, Tensor]) -> Image.Image:
    """Columns of equally many square images, each (n, 3 or 1, S, S) uint8, as one picture."""
    scale = _scale(next(iter(columns.values())).shape[-1])
    cells = [
        c.expand(-1, 3, -1, -1).repeat_interleave(scale, -1).repeat_interleave(scale, -2)
        for c in columns.values()
    ]
    rows, _, side, _ = cells[0].shape
    width = len(cells) * (side + GAP) - GAP
    picture = Image.new("RGB", (width, HEADER + rows * (side + GAP) - GAP), BACKGROUND)
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(size=13)
    for column, (label, images) in enumerate(zip(columns, cells, strict=True)):
        left = column * (side + GAP)
        draw.text((left + side / 2, HEADER / 2), label, INK, font, anchor="mm")
        for row, image in enumerate(images):
            picture.paste(to_image(image), (left, HEADER + row * (side + GAP)))
    return picture


def result_grid(gray: Tensor, truth: Tensor, own: Tensor, pasted: Tensor | None) -> Image.Image:
    """Gray, truth, result; and pasted, where the method would change the lightness."""
    if pasted is None:
        return grid({"gray": gray, "truth": truth, "result": own})
    return grid({"gray": gray, "truth": truth, "its RGB": own, "its ab pasted": pasted})


def training_grid(gray: Tensor, snapshots: dict[int, Tensor], truth: Tensor) -> Image.Image:
    """How the colours came: gray, the result after some numbers of steps, truth."""
    steps = {f"step {step}": picture for step, picture in sorted(snapshots.items())}
    return grid({"gray": gray} | steps | {"truth": truth})


def columns_of(picture: Image.Image, side: int) -> list[Image.Image]:
    """Undo `grid` of images of `side` pixels: its columns, without their labels."""
    side *= _scale(side)
    lefts = range(0, picture.width, side + GAP)
    return [picture.crop((left, HEADER, left + side, picture.height)) for left in lefts]


def _scale(side: int) -> int:
    return -(-LEAST_SIDE // side)


def choose(names: list[str], count: int) -> list[str]:
    """The first photographs by name: the same for every model and run.

    A name is a hash of the photograph's content, so this is a random choice that nobody made.
    """
    return sorted(names)[:count]
