"""Photographs that every machine has: those that scikit-image ships."""

from collections.abc import Iterator

import skimage.data
from PIL import Image

NAMES = ("astronaut", "chelsea", "coffee", "rocket", "retina")


def photographs() -> Iterator[Image.Image]:
    """In RGB, as large as they are."""
    for name in NAMES:
        yield Image.fromarray(getattr(skimage.data, name)())
