"""Gray photographs made to look old, so that what is trained on them takes old ones as they are.

Prints that fade, lenses, grain, copies of copies. What turns a print brown, sepia, is not here:
read as gray, it is a fading like another.
"""

import io

import numpy as np
import torch
from PIL import Image
from skimage import filters
from torch import Tensor

from colorize import color

EACH = 0.5  # how often each of the changes is among those of one photograph

FADED = 0.35  # of the range of gray, at most: by how much black is raised, and white lowered
GAMMA = 1.5  # at most, and its inverse at least
BLUR = 1.0  # pixels, at most: standard deviation
GRAIN = 12.0  # levels of 255, at most: standard deviation
CLUMPS = 0.8  # pixels, at most: of grain
QUALITY = (25, 95)  # of JPEG


def aged(gray: Tensor, photograph: Tensor | None, rng: np.random.Generator) -> Tensor:
    """Gray bytes (1, S, S) with some of the changes, each drawn from `rng`.

    photograph: in color, bytes (3, S, S), where it is known: gray then sometimes is Rec. 601's,
    instead of keeping its lightness.
    """
    if photograph is not None and rng.random() < EACH:
        gray = color.to_uint8(color.gray_of(photograph, "rec601"))
    levels = gray[0].numpy().astype(np.float32) / 255
    if rng.random() < EACH:
        levels = _blurred(levels, rng.uniform(0, BLUR))
    if rng.random() < EACH:
        levels = levels**GAMMA ** rng.uniform(-1, 1)
        black, white = rng.uniform(0, FADED), 1 - rng.uniform(0, FADED)
        levels = black + (white - black) * levels
    if rng.random() < EACH:
        grain = rng.standard_normal(levels.shape, dtype=np.float32)
        grain = _blurred(grain, rng.uniform(0, CLUMPS))
        levels = levels + rng.uniform(0, GRAIN) / 255 * grain / max(grain.std(), 1e-6)
    image = np.rint(levels.clip(0, 1) * 255).astype(np.uint8)
    if rng.random() < EACH:
        file = io.BytesIO()
        Image.fromarray(image).save(file, "JPEG", quality=int(rng.integers(*QUALITY)))
        image = np.asarray(Image.open(file))
    return torch.from_numpy(image.copy())[None]


def _blurred(image: np.ndarray, pixels: float) -> np.ndarray:
    return filters.gaussian(image, pixels, preserve_range=True)
