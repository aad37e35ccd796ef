"""Large images, some of their lines at a time.

What a pixel takes on the way, some forty numbers, then stays in the cache and does not fill the
memory: 2,048 x 2,048 pixels of a single number are 17 MB.
"""

from collections.abc import Callable, Iterator

from colorize import color
from colorize.color import Image

STRIP = 2**17  # pixels: two photographs of 256 x 256


def strips(height: int, width: int, *, multiple: int = 1, least: int = 1) -> Iterator[slice]:
    """The lines of each strip: at least `least`, in all but the last a multiple of `multiple`."""
    lines = multiple * max(1, STRIP // (multiple * width))
    starts = range(0, height - least + 1, lines)
    return map(slice, starts, [*starts[1:], height])


def by_strips(function: Callable[..., Image], *images: Image) -> Image:
    """What `function`, of single pixels, makes of images (n, c, H, W) of the same height."""
    height, width = images[0].shape[-2:]
    parts = [function(*(image[:, :, strip] for image in images)) for strip in strips(height, width)]
    return color.array_namespace(images[0]).concat(parts, 2)


def on_lightness(gray: Image, ab: Image) -> Image:
    """Colors ab (n, 2, H, W) on the lightness of a gray copy, uint8 (n, 1, H, W): uint8 sRGB."""
    return by_strips(_on_lightness, gray, ab)


def _on_lightness(gray: Image, ab: Image) -> Image:
    return color.to_uint8(color.join(color.lightness_of(gray), ab))
