"""Photographs in files from anywhere: what a person would see, or one reason why there is nothing.

One reader for both halves of the project: what is trained on, and what users color. libvips reads
JPEG, PNG, TIFF, WebP and AVIF, at their full depth; Pillow what else is read, at 8 bits.
"""

import contextlib
import functools
import io
import logging
import re
import stat
import struct
import threading
import warnings
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyvips
import simplejpeg
from PIL import Image, UnidentifiedImageError

from colorize.base.errors import one_line
from colorize.data import profiles
from colorize.data.images import SIGNATURE, chunks

# Only these are opened, whatever else the libraries know: some formats hold programs.
KINDS = "JPEG, PNG, TIFF, WebP, AVIF, HEIC, GIF, BMP, JPEG 2000 or PPM"
pyvips.operation_block_set("VipsForeignLoad", True)
for _loader in ("Jpeg", "Png", "Tiff", "Webp", "Heif"):
    pyvips.operation_block_set(f"VipsForeignLoad{_loader}", False)
pyvips.cache_set_max(0)  # or photographs stay in memory after they were used

PIXELS = 400_000_000  # more would take more than 3 GB
FILE_BYTES = 4_000_000_000
PROFILE_BYTES = 2**24
Image.MAX_IMAGE_PIXELS = None  # Pillow's own limit is lower, and a warning up to twice it
warnings.filterwarnings("ignore", module="PIL")  # on odd files: what counts is what comes out

_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_BY_PILLOW = (b"GIF8", b"BM", b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51")  # the last two: JPEG 2000
_FORMATS = ("TIFF", "GIF", "BMP", "JPEG2000", "PPM", "HEIF")  # TIFF: see `_tiff`

# What turns pixels (H, W, c) upright, by EXIF's orientation
TURNS: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    2: np.fliplr,
    3: lambda pixels: pixels[::-1, ::-1],
    4: np.flipud,
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: lambda pixels: np.rot90(pixels, -1),
    7: lambda pixels: pixels[::-1, ::-1].swapaxes(0, 1),
    8: np.rot90,
}


class Unreadable(Exception):
    """An image file that is not taken; the message says why."""


@dataclass
class Photo:
    """A photograph: its pixels upright, and what else its file holds."""

    pixels: np.ndarray  # (H, W, 1 or 3) sRGB, gray or in color, uint8 or uint16
    alpha: np.ndarray | None  # (H, W, 1)
    bits: int  # 8 or 16, those of the file
    profile: bytes | None = None  # of RGB, where it has one
    converted: bool = False  # from that profile
    resolution: tuple[float, float] | None = None  # pixels per millimeter, across and down
    exif: bytes | None = None  # from its byte order on; its orientation is 1
    xmp: bytes | None = None
    iptc: bytes | None = None
    description: str | None = None

    def on_white(self) -> np.ndarray:
        """(H, W, 1 or 3) bytes: transparent parts stand on white."""
        pixels, full = self.pixels, np.iinfo(self.pixels.dtype).max
        if self.alpha is not None:
            opaque = self.alpha / np.float32(np.iinfo(self.alpha.dtype).max)
            pixels = np.rint(pixels * opaque + full * (1 - opaque))
        if full != 255:
            pixels = np.rint(pixels / 257)
        return pixels.astype(np.uint8, copy=False)

    def rgb(self) -> Image.Image:
        """The same as Pillow has it, in three channels."""
        pixels = self.on_white()
        return Image.fromarray(pixels if pixels.shape[2] == 3 else np.repeat(pixels, 3, axis=2))


class Opened(NamedTuple):
    """An image file whose header has been read."""

    pixels: int  # how many there are
    decode: Callable[[], Photo]

    def read(self, limit: int = PIXELS) -> Photo:
        """What `read` says."""
        if self.pixels > limit:
            raise Unreadable(f"{self.pixels:,} pixels, more than {limit:,}")
        with reasons():
            return self.decode()


@contextlib.contextmanager
def reasons() -> Iterator[None]:
    """Whatever a decoder raises becomes Unreadable, with the reason in one line."""
    try:
        yield
    except Unreadable:
        raise
    except pyvips.Error as error:
        first = error.detail.partition("\n")[0]
        raise Unreadable(f"cannot be decoded: {first.partition(': ')[2] or first}") from None
    except UnidentifiedImageError:  # which would name an object of Python
        raise Unreadable("cannot be decoded: its header is broken") from None
    except MemoryError:
        raise Unreadable("there is too little memory for it") from None
    except Exception as error:
        raise Unreadable(f"cannot be decoded: {one_line(error)}") from None


def read(data: bytes, limit: int = PIXELS) -> Photo:
    """Read what a file holds. Raises Unreadable, with the reason.

    What a viewer shows is what is read: orientation (EXIF) and color profile (ICC) are applied, and
    are ignored where they cannot be read. Refused are files whose image data is cut off or damaged
    (a photograph that is gray from the middle down teaches gray), those with several frames or
    pages, of which no one is the photograph, and those of more pixels than `limit`.
    """
    return open_(data).read(limit)


def open_(data: bytes) -> Opened:
    """Read the header of a file. Raises Unreadable for what is no photograph."""
    if not data:
        raise Unreadable("the file is empty")
    brand = data[8:12] if data[4:8] == b"ftyp" else b""
    with reasons():
        if data.startswith(b"\xff\xd8\xff"):
            return _jpeg(data)
        if data.startswith(SIGNATURE):
            return _png(data)
        if data.startswith(_TIFF):
            return _tiff(data)
        if (data[:4], data[8:12]) == (b"RIFF", b"WEBP"):
            return _webp_or_avif(data)
        if brand == b"avis":
            raise Unreadable("several frames")
        if brand == b"avif":
            return _webp_or_avif(data, orientation=1)  # libvips has turned it
        if brand or data.startswith(_BY_PILLOW) or re.match(rb"P[1-6]\s", data):
            return _by_pillow(data)
    raise Unreadable(f"not a {KINDS}")


def bytes_of(path: Path) -> bytes:
    """Of a file that may be anything. Raises Unreadable where it is none, or cannot be read."""
    try:
        about = path.stat()
        if stat.S_ISDIR(about.st_mode):
            raise Unreadable("a folder, not a file")
        if not stat.S_ISREG(about.st_mode):  # to read a pipe would be to wait
            raise Unreadable("a device, not a file")
        if about.st_size > FILE_BYTES:
            raise Unreadable(f"{about.st_size:,} bytes, more than {FILE_BYTES:,}")
        return path.read_bytes()
    except OSError as error:
        raise Unreadable(error.strerror or one_line(error)) from None


# One format after the other


_ONE_AT_A_TIME = threading.Lock()  # what libvips says of an error, it says to all threads


def _vips(data: bytes, **page: int) -> pyvips.Image:
    how = {"access": "sequential", "fail_on": "error", **page}
    with _ONE_AT_A_TIME:
        return pyvips.Image.new_from_buffer(data, "", **how)


def _check_frames(frames: int) -> None:
    if frames != 1:
        raise Unreadable(f"{frames} frames or pages")


def _field(image: pyvips.Image, name: str, default: Any = None) -> Any:
    return image.get(name) if image.get_typeof(name) else default


def _held(image: pyvips.Image) -> dict[str, Any]:
    """What a file holds beside its pixels."""
    return {
        "resolution": (image.xres, image.yres) if image.get_typeof("resolution-unit") else None,
        "profile": _field(image, "icc-profile-data"),
        "exif": _field(image, "exif-data"),
        "xmp": _field(image, "xmp-data"),
        "iptc": _field(image, "iptc-data"),
        "description": _field(image, "image-description"),
    }


def _by_vips(image: pyvips.Image, **how: Any) -> Opened:
    held = _held(image) | how
    return Opened(image.width * image.height, lambda: _photo(*_decoded(image), **held))


def _decoded(image: pyvips.Image) -> tuple[np.ndarray, int]:
    """Pixels (H, W, channels), and how many of the channels are colors."""
    if image.format not in ("uchar", "ushort"):
        raise Unreadable(f"{image.format} pixels of unknown range")
    colors = COLORS.get(image.interpretation, 0)
    if not 0 < colors <= image.bands:
        raise Unreadable(f"{image.bands} channels, {image.interpretation}")
    with _ONE_AT_A_TIME:
        pixels = image.numpy()
    return pixels.reshape(image.height, image.width, image.bands), colors  # not without what is 1


def _jpeg(data: bytes) -> Opened:
    header = _vips(data)

    def decode() -> Photo:
        sound, pixels = _whole_jpeg(data, {1: "GRAY", 3: "RGB", 4: "CMYK"}[header.bands])
        if header.bands == 4:  # only libvips knows which are inverted
            pixels, _ = _decoded(_vips(sound))
        return _photo(pixels, pixels.shape[2], **_held(header))

    return Opened(header.width * header.height, decode)


def _whole_jpeg(data: bytes, form: str) -> tuple[bytes, np.ndarray]:
    """A JPEG that nothing is wrong with, and its pixels (H, W, c).

    Raises Unreadable where image data is missing or damaged.

    Decoders make up what is missing: gray, or a blur. They warn of it, as they do of much that does
    no harm, and the libraries do not tell one warning from another. So a JPEG with a warning is
    decoded again without what is known to do no harm.
    """
    try:
        return data, simplejpeg.decode_jpeg(data, form, strict=True)
    except ValueError as error:
        for padding in (False, True):
            with contextlib.suppress(ValueError):
                sound = _tidied(data, padding)
                return sound, simplejpeg.decode_jpeg(sound, form, strict=True)
        raise Unreadable(f"truncated or damaged: {one_line(error)}") from None


_SCAN_END = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]|\Z", re.DOTALL)  # any marker but a restart
_PROGRESSIVE = (0xC2, 0xC6, 0xCA, 0xCE)


def _tidied(jpeg: bytes, padding: bool) -> bytes:
    """A JPEG without bytes between its segments, of a known version of JFIF, with an end.

    And without parameters of scans that progressive JPEGs alone have (Samsung's cameras write
    them). padding: without zeros between the end of a scan and the next marker too.
    """
    parts, at, progressive = [jpeg[:2]], 2, False
    while (at := jpeg.find(b"\xff", at)) >= 0 and at + 4 <= len(jpeg):
        marker = jpeg[at + 1]
        if marker == 0xD9:
            break
        if marker in (0x00, 0x01, 0xFF) or 0xD0 <= marker <= 0xD8:  # none that begins a segment
            at += 1
            continue
        end = at + 2 + int.from_bytes(jpeg[at + 2 : at + 4])
        segment = bytearray(jpeg[at:end])
        progressive = progressive or marker in _PROGRESSIVE
        if segment[4:9] == b"JFIF\0":
            segment[9:10] = b"\x01"
        at = end
        if marker == 0xDA:
            if not progressive:
                segment[-3:] = bytes((0, 63, 0))
            at = _SCAN_END.search(jpeg, end).start()
            scan = jpeg[end:at]
            if padding:
                scan = scan.rstrip(b"\0")
                scan += b"\0" if scan.endswith(b"\xff") else b""  # so is a byte of 255 written
            segment += scan
        parts.append(bytes(segment))
    return b"".join(parts) + b"\xff\xd9"


def _png(data: bytes) -> Opened:
    """By libvips, which passes over animations and gamma."""
    frames, gamma, coordinates = 1, 0, profiles.SRGB
    named, scaled, how = False, False, {}
    file = io.BytesIO(data)
    file.seek(len(SIGNATURE))
    for name, body in chunks(file):
        if name == b"acTL":
            frames = int.from_bytes(body[:4])
        elif name == b"sRGB":  # which counts more than gamma, as iCCP does (third edition, 4.3)
            named = True
        elif name == b"iCCP":
            named = True
            with contextlib.suppress(zlib.error):  # libvips drops those of RGB for gray
                packed = body.partition(b"\0")[2][1:]
                how["profile"] = zlib.decompressobj().decompress(packed, PROFILE_BYTES)
        elif name == b"pHYs":
            scaled = True
        elif name == b"gAMA":
            gamma = int.from_bytes(body)
        elif name == b"cHRM" and len(body) == 32:
            coordinates = np.array(struct.unpack(">8I", body)).reshape(4, 2) / 100_000
        elif name == b"cICP" and body[1:2] in (b"\x10", b"\x12"):
            raise Unreadable("of high dynamic range (cICP)")
    _check_frames(frames)
    image = _vips(data)
    if gamma and not named:
        how["profile"] = profiles.of_gamma(100_000 / gamma, coordinates)
    if scaled:
        how["resolution"] = (image.xres, image.yres)
    return _by_vips(image, **how)


def _webp_or_avif(data: bytes, **how: Any) -> Opened:
    image = _vips(data)
    _check_frames(_field(image, "n-pages", 1))
    return _by_vips(image, **how)


def _tiff(data: bytes) -> Opened:
    """By libvips, or by Pillow where libvips does not know the compression or the colors."""
    import tifffile  # only here: few photographs are TIFFs

    logging.getLogger("tifffile").setLevel(logging.CRITICAL)  # what it raises is enough
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        numbered = enumerate(file.pages)
        pages = [(i, page) for i, page in numbered if not page.subfiletype & (REDUCED | MASK)]
    _check_frames(len(pages))
    ((number, page),) = pages
    plain_ycbcr = page.photometric == YCBCR and page.compression == 1
    if plain_ycbcr and page.tags.valueof("YCbCrSubSampling", (2, 2)) != (1, 1):
        raise Unreadable("YCbCr in which pixels share their colors")
    if plain_ycbcr or page.photometric == LAB or page.compression in (LZMA, ZSTD):
        return _by_pillow(data, number, page.tags.valueof("Orientation", 1))
    colors = page.samplesperpixel - len(page.extrasamples)
    alpha = [colors + i for i, kind in enumerate(page.extrasamples) if kind in ALPHA]
    return _by_vips(
        _vips(data, page=number),
        alpha=alpha[0] if alpha else None,
        orientation=page.tags.valueof("Orientation", 1),
    )


# TIFF 6.0, and Adobe's supplements
REDUCED, MASK = 1, 4  # NewSubfileType
YCBCR, LAB = 6, 8  # PhotometricInterpretation
LZMA, ZSTD = 34925, 50000  # Compression
ALPHA = (1, 2)  # ExtraSamples: associated, not associated; others are selections and the like


def _by_pillow(data: bytes, frame: int = 0, orientation: int = 1) -> Opened:
    _learn_heif()
    image = Image.open(io.BytesIO(data), formats=_FORMATS)
    if image.format == "TIFF":
        image.seek(frame)
    elif image.format == "GIF":  # of a burst in HEIC, viewers show one
        _check_frames(image.n_frames)
    return Opened(image.width * image.height, lambda: from_pillow(image, orientation))


@functools.cache
def _learn_heif() -> None:
    import pi_heif

    pi_heif.register_heif_opener()


def from_pillow(image: Image.Image, orientation: int = 1) -> Photo:
    """An image of any of Pillow's modes. Raises Unreadable for those of unknown range."""
    if image.mode in ("I", "F"):
        raise Unreadable(f"{'integer' if image.mode == 'I' else 'float'} pixels of unknown range")
    info, dpi = image.info, image.info.get("dpi")
    held = {
        "orientation": orientation,
        "resolution": (float(dpi[0]) / 25.4, float(dpi[1]) / 25.4) if dpi and dpi[0] > 1 else None,
        "profile": info.get("icc_profile"),
        "exif": info.get("exif"),
        "xmp": info.get("xmp"),
    }
    if image.mode.startswith("I;16"):
        return _photo(np.asarray(image).astype(np.uint16)[..., None], 1, **held)
    if image.mode == "LAB":
        lab = np.asarray(image).astype(np.float32)
        lab = np.dstack([lab[..., :1] / 2.55, (lab[..., 1:] + 128) % 256 - 128])
        rgb, _ = _decoded(profiles.image_of(lab, "lab").colourspace("rgb16"))
        return _photo(rgb, 3, **held | {"profile": None})
    gray = image.mode in ("1", "L", "LA", "La")
    if image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in info:
        image = image.convert("LA" if gray else "RGBA")
    elif image.mode != "CMYK":
        image = image.convert("L" if gray else "RGB")
    pixels = np.asarray(image).reshape(image.height, image.width, -1)
    return _photo(pixels, {"L": 1, "LA": 1, "CMYK": 4}.get(image.mode, 3), **held)


# From there on all formats are alike

# Of what libvips takes an image for, how many channels are colors
COLORS = {"b-w": 1, "grey16": 1, "srgb": 3, "rgb": 3, "rgb16": 3, "cmyk": 4}
NEXT = -1  # the channel behind the colors, if there is one


def _photo(
    pixels: np.ndarray,
    colors: int,
    *,
    alpha: int | None = NEXT,
    orientation: int | None = None,
    profile: bytes | None = None,
    exif: bytes | None = None,
    xmp: bytes | None = None,
    **held: Any,
) -> Photo:
    """Upright and in sRGB.

    pixels: (H, W, channels), of which the first 1, 3 or 4 (CMYK) are `colors`. alpha: its channel.
    orientation: where the file says it, not EXIF.
    """
    if alpha == NEXT:
        alpha = colors if pixels.shape[2] > colors else None
    transparency = None if alpha is None else pixels[..., alpha : alpha + 1]
    pixels = pixels[..., :colors]
    bits = 8 * pixels.itemsize
    if not profiles.fits(profile, colors):
        profile = None
    converted = None
    if profile is not None and not profiles.is_srgb(profile):
        converted = profiles.to_srgb(pixels, profile)
        if converted is None:
            profile = None
        else:
            pixels = converted
            bits = 16 if profiles.is_coarse(profile) else bits
    if pixels.shape[2] == 4:
        pixels = _from_inks(pixels)
    of_exif, exif = _upright(exif)
    turn = TURNS.get(of_exif if orientation is None else orientation, np.asarray)
    of_rgb = profiles.is_of_rgb(profile)
    return Photo(
        pixels=np.ascontiguousarray(turn(pixels)),
        alpha=None if transparency is None else np.ascontiguousarray(turn(transparency)),
        bits=bits,
        profile=profile if of_rgb else None,
        converted=converted is not None and of_rgb,
        exif=exif,
        xmp=xmp and _XMP_ORIENTATION.sub(rb"\g<1>1", xmp),
        **held,
    )


_XMP_ORIENTATION = re.compile(rb"""(tiff:Orientation(?:\s*=\s*["']|>)\s*)\d""")


def _upright(exif: bytes | None) -> tuple[int, bytes | None]:
    """EXIF's orientation, from 1 to 8, and the same EXIF with 1 in its place.

    (1, None) for what cannot be read as EXIF; 1 for an orientation that is none.
    """
    if exif is None:
        return 1, None
    exif = exif.removeprefix(b"Exif\0\0")
    try:
        order = {b"II*\0": "<", b"MM\0*": ">"}[exif[:4]]
        (start,) = struct.unpack_from(f"{order}I", exif, 4)
        (count,) = struct.unpack_from(f"{order}H", exif, start)
        for entry in range(start + 2, start + 2 + 12 * count, 12):
            tag, kind = struct.unpack_from(f"{order}HH", exif, entry)
            if tag == 0x112 and kind in (3, 4):  # a short, a long
                form, at = order + ("H" if kind == 3 else "I"), entry + 8
                (orientation,) = struct.unpack_from(form, exif, at)
                exif = exif[:at] + struct.pack(form, 1) + exif[at + struct.calcsize(form) :]
                return (orientation if 1 <= orientation <= 8 else 1), exif
    except (KeyError, struct.error):
        return 1, None
    return 1, exif


def _from_inks(cmyk: np.ndarray) -> np.ndarray:
    """CMYK whose profile is not known to RGB, as Pillow does it."""
    full = np.iinfo(cmyk.dtype).max
    light = full - cmyk
    return np.rint(light[..., :3] * (light[..., 3:] / np.float32(full))).astype(cmyk.dtype)
