"""Decoding image files that come from anywhere."""

import io

import numpy as np
import simplejpeg
from PIL import Image, ImageCms, ImageOps

from colorize.base.errors import one_line

# What is read: the usual containers of photographs. Others run interpreters (EPS) or are exotic.
FORMATS = ("JPEG", "PNG", "TIFF", "WEBP", "BMP", "GIF", "PPM")

PIXELS = 100_000_000  # more are refused before they are decoded: RGB takes 3 bytes a pixel

Image.init()  # FORMATS are looked up among those that are loaded

_SRGB = ImageCms.createProfile("sRGB")


class Unreadable(Exception):
    """An image file that is not taken; the message says why."""


def decode(data: bytes) -> Image.Image:
    """Decode an image file to upright 8-bit sRGB. Raises Unreadable, with the reason.

    Orientation (EXIF) and color profile (ICC) are applied, transparent parts stand on white.
    Truncated files are refused: a photograph that is gray from the middle down teaches gray. So
    are animations, of which no frame is the photograph.
    """
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
        if image.width * image.height > PIXELS:
            raise Unreadable(f"{image.width}x{image.height}, more than {PIXELS:,} pixels")
        # MPO is what some cameras write: a JPEG with more pictures behind the photograph.
        if image.format != "MPO" and getattr(image, "n_frames", 1) > 1:
            raise Unreadable(f"{image.n_frames} frames or pages")
        if image.format in ("JPEG", "MPO"):
            image = _from_jpeg(image, data)
        ImageOps.exif_transpose(image, in_place=True)
        return to_srgb(image)
    except Unreadable:
        raise
    except Image.UnidentifiedImageError:
        raise Unreadable("not an image of a known format") from None
    except Exception as error:  # Pillow's decoders raise all sorts on damaged files
        raise Unreadable(f"cannot be decoded: {one_line(error)}") from None


def _from_jpeg(image: Image.Image, data: bytes) -> Image.Image:
    """The pixels of a JPEG that Pillow has opened. Raises Unreadable where data is damaged.

    Pillow would take what libjpeg makes up for data that is missing: gray, or a blur.
    """
    form = "GRAY" if image.mode == "L" else image.mode  # RGB or CMYK
    try:
        pixels = simplejpeg.decode_jpeg(data, form, strict=True)
    except ValueError as error:
        raise Unreadable(f"truncated or damaged: {one_line(error)}") from None
    if form == "CMYK":
        return image  # Pillow knows which are inverted
    whole = Image.fromarray(pixels.squeeze(-1) if form == "GRAY" else pixels)
    whole.info = image.info
    return whole


def to_srgb(image: Image.Image) -> Image.Image:
    """Any image of Pillow's to 8-bit sRGB; orientation is `decode`'s. Raises Unreadable."""
    if image.mode in ("I", "F"):
        raise Unreadable(f"{'integer' if image.mode == 'I' else 'float'} pixels of unknown range")
    if image.mode.startswith("I;16"):  # 16-bit gray; Pillow would clip it, not scale it
        return Image.fromarray((np.asarray(image) / 257).round().astype(np.uint8)).convert("RGB")
    if image.mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        white.info = image.info
        image = Image.alpha_composite(white, image).convert("RGB")
    elif image.mode == "P":
        image = image.convert("RGB")
    return _through_profile(image)


def _through_profile(image: Image.Image) -> Image.Image:
    """Apply an embedded ICC profile; one that is broken or of another color model is ignored."""
    embedded = image.info.get("icc_profile")
    if embedded:
        try:
            profile = ImageCms.ImageCmsProfile(io.BytesIO(embedded))
            if "sRGB" not in ImageCms.getProfileDescription(profile):
                return ImageCms.profileToProfile(image, profile, _SRGB, outputMode="RGB")
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass
    return image if image.mode == "RGB" else image.convert("RGB")
