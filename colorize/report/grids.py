"""Grids of photographs: one row a photograph, one labelled column a version of it."""

from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from colorize.data.tensors import to_image

GAP = 4  # pixels between cells
HEADER = 22  # pixels for the labels
LEAST_SIDE = 128  # pixels; smaller images are shown enlarged by a whole number
MOST_SIDE = 512  # pixels; larger ones shrunk: JPEG, and who looks, have their limits
BACKGROUND = (255, 255, 255)
INK = (40, 40, 40)


def grid(columns: dict[str, Tensor]) -> Image.Image:
    """Columns of equally many square images, each (n, 3 or 1, S, S) uint8, as one picture."""
    rows, _, size, _ = next(iter(columns.values())).shape
    side = _side(size)
    resampling = Image.Resampling.NEAREST if side >= size else Image.Resampling.LANCZOS
    width = len(columns) * (side + GAP) - GAP
    picture = Image.new("RGB", (width, HEADER + rows * (side + GAP) - GAP), BACKGROUND)
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(size=13)
    for column, (label, images) in enumerate(columns.items()):
        left = column * (side + GAP)
        draw.text((left + side / 2, HEADER / 2), label, INK, font, anchor="mm")
        for row, image in enumerate(images.expand(-1, 3, -1, -1)):
            shown = to_image(image).resize((side, side), resampling)
            picture.paste(shown, (left, HEADER + row * (side + GAP)))
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
    side = _side(side)
    lefts = range(0, picture.width, side + GAP)
    return [picture.crop((left, HEADER, left + side, picture.height)) for left in lefts]


def _side(size: int) -> int:
    """How large images of `size` pixels are shown."""
    return min(size * -(-LEAST_SIDE // size), MOST_SIDE)


def choose(names: list[str], count: int) -> list[str]:
    """The first photographs by name: the same for every model and run.

    A name is a hash of the photograph's content, so this is a random choice that nobody made.
    """
    return sorted(names)[:count]
