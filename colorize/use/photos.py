"""Photographs of users, as files: read at full depth, written with what belonged to them.

By libvips, which reads and writes 16 bits, applies color profiles at that depth, and keeps
resolution, EXIF and profiles.
"""

import contextlib
import io
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyvips
from PIL import Image, ImageCms

from colorize.base.errors import one_line
from colorize.base.files import replaced_file
from colorize.data.images import Unreadable

# Only these are opened, whatever else libvips knows: some formats hold programs.
FORMATS = ("Jpeg", "Png", "Tiff", "Webp")
pyvips.operation_block_set("VipsForeignLoad", True)
for _format in FORMATS:
    pyvips.operation_block_set(f"VipsForeignLoad{_format}", False)
pyvips.cache_set_max(0)  # or photographs stay in memory after they were used

_ONE_AT_A_TIME = threading.Lock()  # what libvips says of an error, it says to all threads

PIXELS = 400_000_000  # more would take more than 3 GB

KEPT = ("xmp-data", "iptc-data", "image-description", "resolution-unit")  # and all of EXIF

COMPARED = 1200  # pixels: the long side of each half of a comparison


@dataclass
class Photo:
    """An image file: its pixels upright, and what else it holds."""

    pixels: np.ndarray  # (H, W, 1 or 3) sRGB, gray or in color, uint8 or uint16
    alpha: np.ndarray | None  # (H, W, 1)
    bits: int  # 8 or 16, those of the file
    profile: bytes | None  # of RGB, where it had one
    converted: bool  # from that profile
    resolution: tuple[float, float]  # pixels per millimeter, horizontally and vertically
    fields: list[tuple[str, Any, Any]]  # of libvips: name, type, value


def read(path: Path) -> Photo:
    """Read a JPEG, PNG, TIFF or WebP file. Raises Unreadable, with the reason.

    Truncated files are refused, and those with several pages: no one of them is the photograph.
    """
    with _opened(path) as image:
        return _decoded(image)


def size(path: Path) -> int:
    """How many pixels a file has, by its header. Raises Unreadable as `read` does."""
    with _opened(path) as image:
        return image.width * image.height


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[pyvips.Image]:
    try:
        with _ONE_AT_A_TIME, open(path, "rb") as file:
            if not file.read(1):
                raise Unreadable("the file is empty")
            file.seek(0)
            source = pyvips.Source.new_from_descriptor(file.fileno())
            image = pyvips.Image.new_from_source(
                source, "", access="sequential", fail_on="truncated"
            )
            _check(image)
            yield image
    except pyvips.Error as error:
        raise Unreadable(_reason(error)) from None
    except OSError as error:
        raise Unreadable(error.strerror or one_line(error)) from None


def _check(image: pyvips.Image) -> None:
    if image.width * image.height > PIXELS:
        raise Unreadable(f"{image.width}x{image.height}, more than {PIXELS:,} pixels")
    if image.get_typeof("n-pages") and image.get("n-pages") > 1:
        raise Unreadable(f"{image.get('n-pages')} frames or pages")
    if image.format not in ("uchar", "ushort"):
        raise Unreadable(f"{image.format} pixels of unknown range")
    if image.bands - image.hasalpha() not in (1, 3, 4):
        raise Unreadable(f"{image.bands} channels")


def _decoded(image: pyvips.Image) -> Photo:
    profile = image.get("icc-profile-data") if image.get_typeof("icc-profile-data") else None
    foreign = profile is not None and "sRGB" not in _description(profile)
    turned = image.get_typeof("orientation") and image.get("orientation") > 1
    if turned or foreign or image.hasalpha():  # else one pass over the lines will do
        image = image.copy_memory()
    image = image.autorot()
    channels = image.bands - image.hasalpha()
    colors = _through_profile(image[:channels]) if foreign else None
    converted = colors is not None
    if not converted:
        profile = None if foreign else profile
        colors = _from_inks(image[:4]) if channels == 4 else image[:channels]
    return Photo(
        pixels=_array(colors),
        alpha=_array(image[-1]) if image.hasalpha() else None,
        bits=16 if image.format == "ushort" else 8,
        profile=profile if channels == 3 else None,
        converted=converted and channels == 3,
        resolution=_resolution(image),
        fields=[
            (name, image.get_typeof(name), image.get(name))
            for name in image.get_fields()
            if name in KEPT or name.startswith("exif-")
        ],
    )


def _array(image: pyvips.Image) -> np.ndarray:
    """(H, W, channels); libvips's own leaves out what is 1."""
    return image.numpy().reshape(image.height, image.width, image.bands)


def _resolution(image: pyvips.Image) -> tuple[float, float]:
    """Pixels per millimeter; 72 to an inch, as good as none, where the file does not say."""
    given = image.get_typeof("resolution-unit") or (image.xres, image.yres) != (1, 1)
    return (image.xres, image.yres) if given else (72 / 25.4, 72 / 25.4)


def _description(profile: bytes) -> str:
    try:
        return ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(profile)))
    except (ImageCms.PyCMSError, OSError):
        return ""


def _through_profile(image: pyvips.Image) -> pyvips.Image | None:
    """From the profile that the image holds to sRGB of 16 bits; None where it does not fit."""
    try:
        return image.icc_transform("srgb", embedded=True, intent="relative", depth=16).copy_memory()
    except pyvips.Error:
        return None


def _from_inks(image: pyvips.Image) -> pyvips.Image:
    """CMYK whose profile is not known to RGB, as Pillow does it."""
    full = 255 if image.format == "uchar" else 65535
    light = full - image
    return (light[:3] * light[3] / full).rint().cast(image.format)


def write(path: Path, pixels: np.ndarray, photo: Photo) -> None:
    """Write pixels (H, W, 3), sRGB, in place of those of `photo`: a TIFF or a PNG.

    Whole or not at all, without loss, with its alpha, resolution, EXIF and profile.
    """
    image = _image(pixels, photo.resolution)
    if photo.profile:
        if photo.converted:
            image = image.icc_import(input_profile="srgb", intent="relative")
        image = image.copy()
        image.set_type(pyvips.GValue.blob_type, "icc-profile-data", photo.profile)
        if photo.converted:
            image = image.icc_export(intent="relative", depth=photo.bits)
    elif image.format == "ushort" and photo.bits == 8:  # from a profile that is not RGB's
        image = (image / 257).rint().cast("uchar").copy(interpretation="srgb")
    if photo.alpha is not None:
        image = image.bandjoin(_image(photo.alpha, photo.resolution))
    image = image.copy()
    for name, kind, value in photo.fields:
        image.set_type(kind, name, value)
    image.set_type(pyvips.GValue.gint_type, "orientation", 1)  # EXIF still has that of before
    with replaced_file(path) as partial, open(partial, "w+b") as file:
        target = pyvips.Target.new_to_descriptor(file.fileno())
        try:
            if path.suffix == ".tif":
                image.tiffsave_target(target, compression="deflate", predictor="horizontal")
            else:
                image.pngsave_target(target, compression=1, filter="up")
        except pyvips.Error as error:
            raise OSError(None, one_line(error.detail), str(path)) from None


def _image(pixels: np.ndarray, resolution: tuple[float, float]) -> pyvips.Image:
    """(H, W, 1 or 3), uint8 or uint16, as libvips sees it, without a copy."""
    height, width, channels = pixels.shape
    kind = "uchar" if pixels.dtype == np.uint8 else "ushort"
    pixels = np.ascontiguousarray(pixels)
    image = pyvips.Image.new_from_memory(pixels.data, width, height, channels, kind)
    names = {("uchar", 1): "b-w", ("uchar", 3): "srgb", ("ushort", 1): "grey16"}
    return image.copy(
        interpretation=names.get((kind, channels), "rgb16"), xres=resolution[0], yres=resolution[1]
    )


def write_comparison(path: Path, before: np.ndarray, after: np.ndarray) -> None:
    """Write both side by side as a PNG to look at, each at most 1,200 pixels long."""
    halves = [thumbnail(pixels, COMPARED) for pixels in (before, after)]
    width, height = halves[0].size
    picture = Image.new("RGB", (2 * width, height))
    for column, half in enumerate(halves):
        picture.paste(half, (column * width, 0))
    with replaced_file(path) as partial:
        picture.save(partial, "PNG")


def thumbnail(pixels: np.ndarray, side: int) -> Image.Image:
    """Of (H, W, 1 or 3), uint8 or uint16, a picture of 8 bits whose long side is at most `side`."""
    if pixels.dtype != np.uint8:
        pixels = (pixels // 257).astype(np.uint8)
    image = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    image.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=3.0)
    return image


def _reason(error: pyvips.Error) -> str:
    """What libvips says, without the names of its functions."""
    if "not in a known format" in error.detail:
        return "not a JPEG, PNG, TIFF or WebP"
    first = error.detail.partition("\n")[0]
    return f"cannot be decoded: {first.partition(': ')[2] or first}"
