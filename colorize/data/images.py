"""Image files: those that come from anywhere are decoded, our own encoded and decoded again."""

import io
import itertools
import struct

import numpy as np
import simplejpeg
from isal import isal_zlib
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


# Our own: JPEG by libjpeg, PNG several times faster than Pillow.
#
# Photographs compress little, and zlib spends its time looking for repetitions that they lack. Here
# each row is stored as its difference to the row above (filter 2, "up") and compressed by ISA-L,
# Intel's deflate. Any PNG reader reads it. Format: W3C, Portable Network Graphics, third edition.

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER = len(_SIGNATURE) + 8  # where the fields of IHDR begin
_UP = 2
_COLOR_TYPES = {2: 0, 3: 2}  # dimensions of the array -> gray, RGB


def jpeg(image: Image.Image) -> bytes:
    """Of quality 95, with full-size chroma."""
    data = io.BytesIO()
    image.save(data, "JPEG", quality=95, subsampling=0)
    return data.getvalue()


def unjpeg(data: bytes) -> np.ndarray:
    """(H, W, 3) uint8. Raises ValueError for damaged data."""
    return simplejpeg.decode_jpeg(data, "RGB", strict=True)


def png(pixels: np.ndarray) -> bytes:
    """(H, W) gray or (H, W, 3) RGB, uint8, as the bytes of a PNG; the same for the same pixels."""
    height, width = pixels.shape[:2]
    rows = pixels.reshape(height, -1)
    filtered = np.empty((height, rows.shape[1] + 1), np.uint8)
    filtered[:, 0] = _UP
    filtered[0, 1:] = rows[0]  # the row above the first counts as zeros
    np.subtract(rows[1:], rows[:-1], out=filtered[1:, 1:])  # modulo 256
    header = struct.pack(">IIBBBBB", width, height, 8, _COLOR_TYPES[pixels.ndim], 0, 0, 0)
    data = isal_zlib.compress(filtered, 1)
    return _SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def unpng(data: bytes) -> np.ndarray:
    """The pixels of what `png` wrote, at three times Pillow's speed.

    Raises ValueError for anything else, other PNGs included, and for damaged data.
    """
    try:
        width, height, depth, color, *rest = struct.unpack_from(">IIBBBBB", data, _HEADER)
        length, name = struct.unpack_from(">I4s", data, _HEADER + 17)
        channels = {0: 1, 2: 3}[color]
        filtered = isal_zlib.decompress(data[_HEADER + 25 : _HEADER + 25 + length])
        rows = np.frombuffer(filtered, np.uint8).reshape(height, 1 + width * channels)
    except (struct.error, KeyError, isal_zlib.error) as error:
        raise ValueError(f"not a PNG of this program, or damaged: {error}") from None
    if (depth, *rest, name) != (8, 0, 0, 0, b"IDAT") or (rows[:, 0] != _UP).any():
        raise ValueError("not a PNG of this program")
    pixels = rows[:, 1:].copy()
    for above, row in itertools.pairwise(pixels):
        row += above  # modulo 256
    return pixels.reshape((height, width, 3) if channels == 3 else (height, width))


def _chunk(name: bytes, data: bytes) -> bytes:
    length, check = struct.pack(">I", len(data)), struct.pack(">I", isal_zlib.crc32(name + data))
    return length + name + data + check
