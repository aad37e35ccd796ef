"""Our own image files, encoded and decoded: JPEG by libjpeg, PNG several times faster than Pillow.

Photographs compress little, and zlib spends its time looking for repetitions that they lack. Here
each row of a PNG is stored as its difference to the row above (filter 2, "up") and compressed by
ISA-L, Intel's deflate. Any PNG reader reads it. Format: W3C, Portable Network Graphics, third
edition.
"""

import io
import itertools
import os
import struct
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
import simplejpeg
from isal import isal_zlib
from PIL import Image

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER = len(SIGNATURE) + 8  # where the fields of IHDR begin
HEAD = _HEADER + 13 + 4  # where they end, and other parts begin
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
    return SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def unpng(data: bytes) -> np.ndarray:
    """The pixels of what `png` wrote, at three times Pillow's speed.

    Raises ValueError for anything else, other PNGs included, and for damaged data.
    """
    try:
        width, height, depth, color, *rest = struct.unpack_from(">IIBBBBB", data, _HEADER)
        length, name = struct.unpack_from(">I4s", data, HEAD)
        channels = {0: 1, 2: 3}[color]
        filtered = isal_zlib.decompress(data[HEAD + 8 : HEAD + 8 + length])
        rows = np.frombuffer(filtered, np.uint8).reshape(height, 1 + width * channels)
    except (struct.error, KeyError, isal_zlib.error) as error:
        raise ValueError(f"not a PNG of this program, or damaged: {error}") from None
    if (depth, *rest, name) != (8, 0, 0, 0, b"IDAT") or (rows[:, 0] != _UP).any():
        raise ValueError("not a PNG of this program")
    pixels = rows[:, 1:].copy()
    for above, row in itertools.pairwise(pixels):
        row += above  # modulo 256
    return pixels.reshape((height, width, 3) if channels == 3 else (height, width))


def chunk(name: bytes, data: bytes) -> bytes:
    """A part of a PNG."""
    length, check = struct.pack(">I", len(data)), struct.pack(">I", isal_zlib.crc32(name + data))
    return length + name + data + check


def chunks(file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    """Names and data of a PNG's parts, from where `file` stands to the pixels.

    Each time `file` stands behind the data, before the part's checksum.
    """
    while len(head := file.read(8)) == 8:
        length, name = struct.unpack(">I4s", head)
        if name == b"IDAT":
            return
        yield name, file.read(length)
        file.seek(4, os.SEEK_CUR)
