"""Results beside users' photographs: written with all that the photograph's own file holds."""

import os
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyvips
from PIL import Image

from colorize.base.errors import one_line
from colorize.base.files import replaced_file
from colorize.data import profiles
from colorize.data.images import HEAD, chunk, chunks
from colorize.data.photo import Photo

TIFF = (".tif", ".tiff")  # results so called; all others are PNGs
UNKNOWN = (72 / 25.4, 72 / 25.4)  # what a TIFF says in place of no resolution: it has to say one
COMPARED = 1200  # pixels: the long side of each half of a comparison


def write(path: Path, pixels: np.ndarray, photo: Photo) -> None:
    """Write pixels (H, W, 3), sRGB, in place of those of `photo`: a TIFF or a PNG.

    Whole or not at all, without loss, with its alpha, resolution, profile, XMP, IPTC, and in a PNG
    its EXIF. Raises OSError, which names the file.
    """
    image = _image(pixels)
    if photo.converted:
        image = profiles.from_srgb(image, photo.profile, photo.bits)
    elif image.format == "ushort" and photo.bits == 8:  # from a profile that is not RGB's
        image = (image / 257).rint().cast("uchar").copy(interpretation="srgb")
    if photo.alpha is not None:
        alpha = _image(photo.alpha)
        if image.format != alpha.format:  # 8 bits whose colors need 16
            alpha = (alpha * 257).cast("ushort")
        image = image.bandjoin(alpha)
    held = {
        "icc-profile-data": photo.profile,
        "xmp-data": photo.xmp,
        "iptc-data": photo.iptc,
    }
    image = image.copy()
    for name, value in held.items():
        if value is not None:
            image.set_type(pyvips.GValue.blob_type, name, value)
    if photo.description is not None:
        image.set_type(pyvips.GValue.gstr_type, "image-description", photo.description)
    across, down = photo.resolution or UNKNOWN
    image = image.copy(xres=across, yres=down)
    with replaced_file(path) as partial, open(partial, "w+b", buffering=0) as file:
        try:
            if path.suffix.lower() in TIFF:
                target = pyvips.Target.new_to_descriptor(file.fileno())
                image.tiffsave_target(target, compression="deflate", predictor="horizontal")
            else:
                _write_png(file, image, photo)
        except pyvips.Error as error:
            raise OSError(None, one_line(error.detail), str(path)) from None


def _write_png(file: BinaryIO, image: pyvips.Image, photo: Photo) -> None:
    """With EXIF as it was, byte for byte: libvips leaves out tags that it does not know, and adds
    some. And with no resolution where none is known, where libvips says one.
    """
    exif = chunk(b"eXIf", photo.exif) if photo.exif else b""
    file.seek(len(exif))
    target = pyvips.Target.new_to_descriptor(file.fileno())
    image.pngsave_target(target, compression=1, filter="up", keep="icc|xmp|iptc")
    file.seek(len(exif))
    head = file.read(HEAD)
    file.seek(0)
    file.write(head + exif)
    if photo.resolution is not None:
        return
    for name, data in chunks(file):
        if name == b"pHYs":  # of which the last of 9 bytes is the unit: 1 meter, or 0 unknown
            file.seek(-8 - len(data), os.SEEK_CUR)
            file.write(chunk(b"pHYs", data[:8] + b"\0"))
            break


def _image(pixels: np.ndarray) -> pyvips.Image:
    """(H, W, 1 or 3), uint8 or uint16."""
    names = {("uint8", 1): "b-w", ("uint8", 3): "srgb", ("uint16", 1): "grey16"}
    return profiles.image_of(pixels, names.get((pixels.dtype.name, pixels.shape[2]), "rgb16"))


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
