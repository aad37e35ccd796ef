"""Results beside users' photographs: written with all that the photograph's own file holds."""

import io
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

# What results may be, and what names of files of the kind end with, the first is ours
FORMATS = {
    "png": (".png",),
    "jpeg": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "webp": (".webp",),
    "tiff": (".tif", ".tiff"),
}
LOSSY = ("jpeg", "webp")
QUALITY = 95  # of JPEG and WebP, 1 to 100
UNKNOWN = (72 / 25.4, 72 / 25.4)  # what a TIFF says in place of no resolution: it has to say one
COMPARED = 1200  # pixels: the long side of each half of a comparison


def write(
    path: Path, pixels: np.ndarray, photo: Photo, form: str = "png", quality: int = QUALITY
) -> None:
    """Write pixels (H, W, 3), sRGB, in place of those of `photo`.

    Whole or not at all, with its profile, XMP, EXIF (but in a TIFF), resolution and IPTC (but in
    WebP). PNG and TIFF lose nothing. JPEG and WebP have 8 bits, of that quality, and JPEG has no
    alpha: transparent parts lie on white. Raises OSError, which names the file.
    """
    bits, profile = photo.bits, photo.profile
    if form in LOSSY:
        bits = 8
        if profile is not None and profiles.is_coarse(profile):
            profile = None  # of which 8 bits are too few: sRGB
    image = _image(pixels)
    if photo.converted and profile is not None:
        image = profiles.from_srgb(image, profile, bits)
    elif bits == 8:
        image = _as(image, "uchar").copy(interpretation="srgb")
    if photo.alpha is not None:
        image = image.bandjoin(_as(_image(photo.alpha), image.format))
    held = {
        "icc-profile-data": profile,
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
    with replaced_file(path) as partial:
        try:
            if form in LOSSY:
                partial.write_bytes(_lossy(image, photo, profile, form, quality))
            else:
                _write_whole(partial, image, photo, form)
        except pyvips.Error as error:
            raise OSError(None, one_line(error.detail), str(path)) from None
        except ValueError as error:  # of more pixels than the format knows
            raise OSError(None, one_line(error), str(path)) from None


def _lossy(
    image: pyvips.Image, photo: Photo, profile: bytes | None, form: str, quality: int
) -> bytes:
    """By Pillow, which leaves EXIF as it is."""
    held = {"exif": photo.exif, "xmp": photo.xmp, "icc_profile": profile}
    if form == "jpeg":
        if photo.alpha is not None:
            image = image.flatten(background=255)
        held["exif"] = photo.exif and b"Exif\0\0" + photo.exif
        held |= {"dpi": photo.resolution and tuple(25.4 * x for x in photo.resolution)}
        if photo.iptc and photo.iptc.startswith(b"Photoshop 3.0\0"):
            held["extra"] = b"\xff\xed" + (2 + len(photo.iptc)).to_bytes(2) + photo.iptc
        too_long = [name for name, value in held.items() if len(value or b"") > SEGMENT]
        held |= dict.fromkeys(set(too_long) - {"icc_profile"})
    known = {name: value for name, value in held.items() if value is not None}
    data = io.BytesIO()
    picture = Image.fromarray(image.numpy())
    picture.save(data, form.upper(), quality=quality, subsampling="4:4:4", **known)
    return data.getvalue()


SEGMENT = 2**16 - 3  # bytes that a segment of a JPEG holds; a profile may have several of them


def _write_whole(path: Path, image: pyvips.Image, photo: Photo, form: str) -> None:
    """Without loss, some lines at a time."""
    with open(path, "w+b", buffering=0) as file:
        if form == "png":
            _write_png(file, image, photo)
        else:
            target = pyvips.Target.new_to_descriptor(file.fileno())
            image.tiffsave_target(target, compression="deflate", predictor="horizontal")


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


def _as(image: pyvips.Image, kind: str) -> pyvips.Image:
    """As bytes (uchar), or as numbers of 16 bits (ushort)."""
    if image.format == kind:
        return image
    return (image / 257).rint().cast(kind) if kind == "uchar" else (image * 257).cast(kind)


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
