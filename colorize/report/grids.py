"""Grids of photographs: one row a photograph, one labeled column a version of it."""

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from colorize.data.reading.tensors import to_image

GAP = 4  # pixels between cells
HEADER = 22  # pixels for the labels
CAPTION = 20  # pixels for the words above a row
LEAST_SIDE = 128  # pixels; smaller images are shown enlarged by a whole number
MOST_SIDE = 512  # pixels; larger ones shrunk: whoever looks has a limit
BACKGROUND = (255, 255, 255)
INK = (40, 40, 40)


def grid(columns: dict[str, Sequence[Image.Image]], captions: Sequence[str] = ()) -> Image.Image:
    """Columns of equally many square images of one size, as one picture.

    captions: the words above each row, where anything is.
    """
    side = _side(next(iter(columns.values()))[0].width)
    above = CAPTION if captions else 0
    width = len(columns) * (side + GAP) - GAP
    rows = len(next(iter(columns.values())))
    picture = Image.new("RGB", (width, HEADER + rows * (above + side + GAP) - GAP), BACKGROUND)
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(size=13)
    tops = range(HEADER + above, picture.height, above + side + GAP)
    for top, caption in zip(tops, captions, strict=False):
        draw.text((2, top - above / 2), caption, INK, font, anchor="lm")
    for column, (label, images) in enumerate(columns.items()):
        left = column * (side + GAP)
        draw.text((left + side / 2, HEADER / 2), label, INK, font, anchor="mm")
        for top, image in zip(tops, images, strict=True):
            picture.paste(fitted(image), (left, top))
    return picture


def fitted(image: Image.Image, most: int = MOST_SIDE) -> Image.Image:
    """A square image as large as it is shown, `most` pixels at most."""
    side = min(_side(image.width), most)
    enlarged = side >= image.width
    resampling = Image.Resampling.NEAREST if enlarged else Image.Resampling.LANCZOS
    return image.resize((side, side), resampling)


def training_grid(gray: Tensor, snapshots: dict[int, Tensor], truth: Tensor) -> Image.Image:
    """How the colors came: gray, the result after some numbers of steps, truth.

    Each (n, 3 or 1, S, S) uint8.
    """
    steps = {f"step {step}": picture for step, picture in sorted(snapshots.items())}
    columns = {"gray": gray} | steps | {"truth": truth}
    return grid({label: [to_image(image) for image in of] for label, of in columns.items()})


def _side(size: int) -> int:
    """How large images of `size` pixels are shown."""
    return min(size * -(-LEAST_SIDE // size), MOST_SIDE)
