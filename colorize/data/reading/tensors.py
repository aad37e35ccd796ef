"""Photographs as tensors."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from colorize.data.reading.photographs import center_crop, read


def to_tensor(image: Image.Image) -> Tensor:
    """Pillow image, RGB or L, to a uint8 tensor (channels, height, width)."""
    array = np.array(image)
    return torch.from_numpy(array if array.ndim == 3 else array[..., None]).permute(2, 0, 1)


def to_image(tensor: Tensor) -> Image.Image:
    """uint8 tensor (3 or 1, height, width) to a Pillow image, RGB or L."""
    array = tensor.permute(1, 2, 0).contiguous().cpu().numpy()
    return Image.fromarray(array if array.shape[-1] == 3 else array[..., 0])


def squares(folder: Path, names: list[str], image_size: int, mode: str) -> Tensor:
    """Center crops of images as one tensor (n, channels, S, S), uint8.

    mode: RGB from the union, or L from the gray copies.
    """
    paths = [folder / name for name in names]
    if mode == "L":
        paths = [path.with_suffix(".png") for path in paths]
    return torch.stack([to_tensor(center_crop(read(path, mode), image_size)) for path in paths])
