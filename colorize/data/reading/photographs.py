"""Photographs of the union: reading, resizing, and how colorful they are."""

import io
from pathlib import Path
from typing import TypeVar

from PIL import Image

from colorize.base.errors import UserError
from colorize.base.files import read_bytes


def read(path: Path, mode: str) -> Image.Image:
    """Read an image that an earlier stage wrote, as `mode` (RGB or L). Raises UserError."""
    data = read_bytes(path)
    try:
        with Image.open(io.BytesIO(data)) as image:
            return image.convert(mode)
    except Exception as error:
        raise UserError(f"{path}: cannot be decoded as an image ({error})") from None


def resize(image: Image.Image, short_side: int, kernel: Image.Resampling) -> Image.Image:
    """Resize so that the short side has `short_side` pixels and the shape stays."""
    width, height = image.size
    scale = short_side / min(width, height)
    if scale == 1:
        return image
    target = (max(short_side, round(width * scale)), max(short_side, round(height * scale)))
    return image.resize(target, kernel)


def center_crop(image: Image.Image, side: int) -> Image.Image:
    """The square of `side` pixels in the middle, as evaluation sees a photograph."""
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return image.crop((left, top, left + side, top + side))


Mean = TypeVar("Mean")  # a number, or a tensor (n,)


def colorfulness(mean_rg: Mean, mean_yb: Mean, square_rg: Mean, square_yb: Mean) -> Mean:
    """Hasler and Süsstrunk 2003, the original formula, of channels in 0..255.

    Of red-green, R - G, and yellow-blue, (R + G) / 2 - B, the means and the means of squares.
    """
    variances = square_rg - mean_rg**2 + (square_yb - mean_yb**2)
    return variances.clip(0) ** 0.5 + 0.3 * (mean_rg**2 + mean_yb**2) ** 0.5
