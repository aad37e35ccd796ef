"""Reading and writing single photographs."""

import io
import re
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from colorize.errors import UserError


def open_rgb(data: bytes, where: str) -> Image.Image:
    """Decode an image file to upright 8-bit RGB. Raises UserError, naming `where`, if it is none.

    Truncated files are refused: a photograph that is gray from the middle down teaches gray.
    """
    try:
        return ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")
    except Exception as error:  # Pillow's decoders raise all sorts on damaged files
        reason = re.sub(r" <_io\.BytesIO .*>", " it", " ".join(str(error).split()))
        raise UserError(f"{where}: cannot be decoded as an image ({reason})") from None


def read(path: Path, mode: str) -> Image.Image:
    """Read an image that an earlier stage wrote, as `mode` (RGB or L). Raises UserError."""
    try:
        with Image.open(path) as image:
            return image.convert(mode)
    except FileNotFoundError:
        raise UserError(f"{path}: missing; run `dvc repro` to make it again") from None
    except Exception as error:
        raise UserError(f"{path}: cannot be decoded as an image ({error})") from None


def save(image: Image.Image, path: Path) -> None:
    """Write as PNG, or as JPEG of quality 95 with full-size chroma, by the suffix of `path`."""
    if path.suffix == ".jpg":
        image.save(path, "JPEG", quality=95, subsampling=0)
    else:
        image.save(path, "PNG", compress_level=3)


def resize(image: Image.Image, short_side: int, kernel: Image.Resampling) -> Image.Image:
    """Resize so that the short side has `short_side` pixels and the shape stays."""
    width, height = image.size
    scale = short_side / min(width, height)
    if scale == 1:
        return image
    target = (max(short_side, round(width * scale)), max(short_side, round(height * scale)))
    return image.resize(target, kernel)


def centre_square(image: Image.Image, side: int) -> Image.Image:
    """The square of `side` pixels in the middle."""
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return image.crop((left, top, left + side, top + side))


def to_tensor(image: Image.Image) -> Tensor:
    """Pillow image, RGB or L, to a uint8 tensor (channels, height, width)."""
    array = np.array(image)
    return torch.from_numpy(array if array.ndim == 3 else array[..., None]).permute(2, 0, 1)


def to_image(tensor: Tensor) -> Image.Image:
    """uint8 tensor (3 or 1, height, width) to a Pillow image, RGB or L."""
    array = tensor.permute(1, 2, 0).contiguous().cpu().numpy()
    return Image.fromarray(array if array.shape[-1] == 3 else array[..., 0])


def squares(folder: Path, names: list[str], image_size: int, mode: str) -> Tensor:
    """The middle squares of images as one tensor (n, channels, S, S), uint8.

    mode: RGB from the union, or L from the gray copies.
    """
    paths = [folder / name for name in names]
    if mode == "L":
        paths = [path.with_suffix(".png") for path in paths]
    return torch.stack([to_tensor(centre_square(read(path, mode), image_size)) for path in paths])
