"""Files that strangers have, and what a person sees in each: worked out without the reader.

Expected pixels are sRGB in [0, 1], (H, W, 3), transparent parts on white: by construction from the
picture that is written, or as Pillow decodes it, or by the closed form of a color profile.
"""

import base64
import io
import random
import struct
import zlib
from typing import NamedTuple

import numpy as np
import tifffile
from PIL import Image, ImageCms
from skimage import data as skdata

from tests.zips import encoded

WIDTH, HEIGHT = 60, 40
ROUNDING = 0.6 / 255


class Case(NamedTuple):
    name: str  # of the file
    data: bytes
    expected: np.ndarray | str  # pixels, or part of the reason why there are none
    tolerance: float = ROUNDING
    meaning: tuple[str, str] | None = None  # of a result's numbers: curve and primaries, or sRGB


def with_ramp(pixels: np.ndarray) -> np.ndarray:
    """The first lines in all gray levels."""
    lines = np.minimum(np.arange(5 * WIDTH), 255).astype(np.uint8).reshape(5, WIDTH, 1)
    return np.concatenate([np.broadcast_to(lines, (5, WIDTH, 3)), pixels[5:]])


CAT = Image.fromarray(skdata.chelsea()[60:260, 80:380]).resize((WIDTH, HEIGHT))
CAT = Image.fromarray(with_ramp(np.asarray(CAT)))
GRAY = CAT.convert("L")
RGB, LEVELS = np.asarray(CAT), np.asarray(GRAY)


def shown(pixels: np.ndarray | Image.Image) -> np.ndarray:
    """Bytes of 1 or 3 channels as expected pixels."""
    pixels = np.asarray(pixels) / 255
    return np.broadcast_to(pixels.reshape(*pixels.shape[:2], -1), (*pixels.shape[:2], 3))


def tiff(pixels: np.ndarray, photometric: str, **options) -> bytes:
    data = io.BytesIO()
    tifffile.imwrite(data, pixels, photometric=photometric, **options)
    return data.getvalue()


def decoded(data: bytes) -> np.ndarray:
    """As Pillow decodes it."""
    return shown(Image.open(io.BytesIO(data)).convert("RGB"))


# PNG by hand: of 16 bits, and with what else its standard knows


def part(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(pixels: np.ndarray, *parts: bytes) -> bytes:
    """(H, W) or (H, W, 3), uint8 or uint16, with more parts before the pixels."""
    height, width = pixels.shape[:2]
    depth, kind = 8 * pixels.dtype.itemsize, 2 if pixels.ndim == 3 else 0
    rows = pixels.astype(pixels.dtype.newbyteorder(">")).reshape(height, -1)
    lines = b"".join(b"\0" + row.tobytes() for row in rows)
    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    head = b"\x89PNG\r\n\x1a\n" + part(b"IHDR", header) + b"".join(parts)
    return head + part(b"IDAT", zlib.compress(lines)) + part(b"IEND", b"")


# Color profiles by hand (ICC.1:2001-04): a curve of each channel, and primaries

D50, D65 = np.array([0.9642, 1.0, 0.8249]), np.array([0.95047, 1.0, 1.08883])
CHROMATICITIES = {  # of red, green and blue
    "sRGB": ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06)),
    "Display P3": ((0.68, 0.32), (0.265, 0.69), (0.15, 0.06)),
    "Adobe RGB": ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06)),
}


def srgb_decoded(numbers: np.ndarray) -> np.ndarray:
    return np.where(numbers > 0.04045, ((numbers + 0.055) / 1.055) ** 2.4, numbers / 12.92)


def srgb_encoded(light: np.ndarray) -> np.ndarray:
    light = light.clip(0, 1)
    return np.where(light > 0.0031308, 1.055 * light ** (1 / 2.4) - 0.055, light * 12.92)


def primaries(name: str) -> np.ndarray:
    """Linear RGB to XYZ of white D65, (3, 3)."""
    x, y = np.array(CHROMATICITIES[name]).T
    columns = np.stack([x / y, np.ones(3), (1 - x - y) / y])
    return columns * np.linalg.solve(columns, D65)


BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)
TO_D50 = np.linalg.inv(BRADFORD) @ np.diag((BRADFORD @ D50) / (BRADFORD @ D65)) @ BRADFORD


def profile(space: bytes, name: str, curve: bytes, matrix: np.ndarray | None = None) -> bytes:
    def color(xyz: np.ndarray) -> bytes:
        return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(65536 * value) for value in xyz))

    said = name.encode()
    tags = {
        b"desc": b"desc" + bytes(4) + struct.pack(">I", len(said) + 1) + said + bytes(79),
        b"cprt": b"text" + bytes(4) + b"none\0",
        b"wtpt": color(D50),
    }
    if matrix is None:
        tags[b"kTRC"] = curve
    else:
        for channel, column in zip((b"r", b"g", b"b"), (TO_D50 @ matrix).T, strict=True):
            tags |= {channel + b"XYZ": color(column), channel + b"TRC": curve}
    table, body, start = struct.pack(">I", len(tags)), b"", 132 + 12 * len(tags)
    for tag, data in tags.items():
        table += tag + struct.pack(">II", start + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    header = struct.pack(
        ">I4sI4s4s4s", start + len(body), b"lcms", 2 << 24, b"mntr", space, b"XYZ "
    )
    header += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + color(D50)[8:]
    return header.ljust(128, b"\0") + table + body


def gamma_curve(gamma: float) -> bytes:
    return b"curv" + bytes(4) + struct.pack(">IH", 1, round(256 * gamma))


def table_curve(light: np.ndarray) -> bytes:
    numbers = np.rint(65535 * light).astype(">u2").tobytes()
    return b"curv" + bytes(4) + struct.pack(">I", len(light)) + numbers


STEPS = np.linspace(0, 1, 4096)
CURVES = {
    "gamma 1": (gamma_curve(1), lambda numbers: numbers),
    "gamma 1.8": (gamma_curve(461 / 256), lambda numbers: numbers ** (461 / 256)),
    "gamma 2.2": (gamma_curve(563 / 256), lambda numbers: numbers ** (563 / 256)),
    "sRGB": (table_curve(srgb_decoded(STEPS)), srgb_decoded),
    "dots": (table_curve(STEPS**1.75), lambda numbers: numbers**1.75),
}


def through(numbers: np.ndarray, curve: str, colors: str | None) -> np.ndarray:
    """Numbers in [0, 1], (H, W) or (H, W, 3), as sRGB, by the closed form."""
    light = CURVES[curve][1](numbers)
    if colors is None or light.ndim == 2:
        return np.broadcast_to(
            srgb_encoded(light.reshape(*light.shape[:2], -1)), (*light.shape[:2], 3)
        )
    return srgb_encoded(light @ (np.linalg.inv(primaries("sRGB")) @ primaries(colors)).T)


SOFT = with_ramp(
    np.rint(255 * (0.5 + 0.4 * (RGB / 255 - 0.5))).astype(np.uint8)
)  # colors that sRGB has too
SHADE = 2 / 255  # between dark grays: of lightness 0.2 L*


def profiles() -> list[Case]:
    cases = []
    for colors in CHROMATICITIES:
        for curve, (tag, _) in CURVES.items():
            named = f"{colors} {curve}"
            icc = profile(b"RGB ", named, tag, primaries(colors))
            want = (through(SOFT / 255, curve, colors), SHADE, (curve, colors))
            name, image = named.replace(" ", "_"), Image.fromarray(SOFT)
            cases += [
                Case(f"{name}.png", encoded(image, "PNG", icc_profile=icc), *want),
                Case(f"{name}.tif", encoded(image, "TIFF", icc_profile=icc), *want),
                Case(f"{name}_16.tif", tiff(SOFT * np.uint16(257), "rgb", iccprofile=icc), *want),
            ]
    for curve, (tag, _) in CURVES.items():
        icc, want = profile(b"GRAY", curve, tag), through(LEVELS / 255, curve, None)
        of_rgb = profile(b"RGB ", curve, tag, primaries("Adobe RGB"))
        want_of_rgb = (want, SHADE, (curve, "Adobe RGB"))
        name = f"gray_{curve}".replace(" ", "_")
        alpha = Image.merge("LA", (GRAY, Image.new("L", GRAY.size, 255)))
        cases += [
            Case(f"{name}.png", encoded(GRAY, "PNG", icc_profile=icc), want, SHADE),
            Case(f"{name}.tif", encoded(GRAY, "TIFF", icc_profile=icc), want, SHADE),
            Case(
                f"{name}_16.tif",
                tiff(LEVELS * np.uint16(257), "minisblack", iccprofile=icc),
                want,
                SHADE,
            ),
            Case(f"{name}_alpha.png", encoded(alpha, "PNG", icc_profile=icc), want, SHADE),
            # As Chromium shows it: one number for all three channels
            Case(f"{name}_of_rgb.tif", encoded(GRAY, "TIFF", icc_profile=of_rgb), *want_of_rgb),
            Case(f"{name}_of_rgb.png", encoded(GRAY, "PNG", icc_profile=of_rgb), *want_of_rgb),
            # And this is ignored there
            Case(f"{name}_of_gray.png", encoded(CAT, "PNG", icc_profile=icc), shown(RGB)),
        ]
    adobe = profile(b"RGB ", "Adobe RGB", CURVES["gamma 2.2"][0], primaries("Adobe RGB"))
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    broken = {"cut": adobe[:200], "text": b"no profile" * 20, "empty": b"", "lab": lab}
    for name, icc in broken.items():
        jpeg = encoded(CAT, "JPEG", icc_profile=icc)
        cases += [
            Case(f"profile_{name}.png", encoded(CAT, "PNG", icc_profile=icc), shown(RGB)),
            Case(f"profile_{name}.jpg", jpeg, decoded(jpeg)),
        ]
    cmyk = encoded(CAT.convert("CMYK"), "JPEG", icc_profile=adobe)
    return [*cases, Case("cmyk_with_rgb.jpg", cmyk, decoded(cmyk), 1.1 / 255)]


# What holds the pixels


def containers() -> list[Case]:
    cases = []
    for kind, image in (("rgb", CAT), ("gray", GRAY)):
        for compression in ("raw", "tiff_lzw", "tiff_deflate", "packbits", "zstd", "lzma"):
            data = encoded(image, "TIFF", compression=compression)
            cases.append(Case(f"{kind}_{compression}.tif", data, shown(image)))
        for suffix, form in (("png", "PNG"), ("bmp", "BMP"), ("ppm", "PPM"), ("jp2", "JPEG2000")):
            cases.append(Case(f"{kind}.{suffix}", encoded(image, form), shown(image)))
        cases.append(Case(f"{kind}.gif", gif := encoded(image, "GIF"), decoded(gif)))
        webp = encoded(image, "WEBP", lossless=True)
        cases.append(Case(f"{kind}.webp", webp, shown(image.convert("RGB"))))
        avif = encoded(image.convert("RGB"), "AVIF", quality=100, subsampling="4:4:4")
        cases.append(Case(f"{kind}.avif", avif, decoded(avif), 1.1 / 255))
        for name, options in {
            "baseline": {},
            "progressive": {"progressive": True},
            "optimized": {"optimize": True},
            "restarts": {"restart_marker_blocks": 3},
            "half_chroma": {"subsampling": 2},
            "full_chroma": {"subsampling": 0},
        }.items():
            jpeg = encoded(image, "JPEG", quality=92, **options)
            cases.append(Case(f"{kind}_{name}.jpg", jpeg, decoded(jpeg)))
    jpeg = encoded(CAT, "JPEG")
    for suffix in ("jpeg", "jpe", "jfif", "JPG", "png", "tif"):  # the last two are wrong
        cases.append(Case(f"jpeg.{suffix}", jpeg, decoded(jpeg)))
    cases.append(Case("png.jpg", encoded(CAT, "PNG"), shown(RGB)))
    mpo = encoded(CAT, "MPO", save_all=True, append_images=[GRAY.convert("RGB")])
    cases.append(Case("two_pictures.mpo.jpg", mpo, decoded(mpo)))
    cmyk = encoded(CAT.convert("CMYK"), "JPEG", quality=95)
    cases.append(Case("cmyk.jpg", cmyk, decoded(cmyk), 1.1 / 255))
    cases.append(
        Case(
            "jpeg_inside.tif",
            inside := encoded(CAT, "TIFF", compression="jpeg"),
            decoded(inside),
            3 / 255,
        )
    )
    for turned, data in ((False, HEIC), (True, HEIC_TURNED)):
        quarters = np.kron([[0, 1], [2, 3]], np.ones((24, 32), int))
        colors = np.array(HEIC_COLORS)[np.rot90(quarters, -1) if turned else quarters] / 255
        cases.append(Case(f"phone_{turned}.heic", base64.b64decode(data), colors, 4 / 255))
    return cases


# Four quarters in flat colors, as an encoder of HEIC wrote them; the second turned by its header
HEIC_COLORS = ((200, 40, 40), (40, 160, 60), (50, 70, 190), (220, 210, 190))
HEIC = (
    "AAAAHGZ0eXBoZWl4AAAAAG1pZjFoZWl4bWlhZgAAAWptZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAA"
    "AAAAAAAAAAAA5waXRtAAAAAAABAAAAImlsb2MAAAAAREAAAQABAAAAAAGOAAEAAAAAAAAAmQAAACNpaW5mAAAAAAAB"
    "AAAAFWluZmUCAAAAAAEAAGh2YzEAAAAA6mlwcnAAAADLaXBjbwAAAHdodmNDAQQIAAAAAAAAAAAAHvAA/P/4+AAADw"
    "NgAAEAF0ABDAH//wQIAAADAJ44AAADAAAeugJAYQABACpCAQEECAAAAwCeOAAAAwAAHpAEECCy3VyU1zcBDQYEAAAD"
    "AAQAAAMABCBiAAEACEQBwXMYMAiQAAAAFGlzcGUAAAAAAAAAQAAAAEAAAAAoY2xhcAAAAEAAAAABAAAAMAAAAAEAAA"
    "AAAAAAAv////AAAAACAAAAEHBpeGkAAAAAAwgICAAAABdpcG1hAAAAAAAAAAEAAQSBAgSDAAAAoW1kYXQAAACVKAGv"
    "E4DlNrf/j2V/EkAeb2pruSLK/SR9wLd/IZliDcceJPSoZg/unIgo0C9rG6BMBGopqmupFlJY0r7SOUw0vZAWj3O3+y"
    "2gupTczmVNJWYEAFtl/rPXT7N9DXxFjOqzZO2UDKEglo2gSkySyldln9nI2KTHDGYcrj11uBEuVJ7Ol37mYrBkz9a4"
    "3Vuxcqxjf2NCgIA="
)
HEIC_TURNED = (
    "AAAAHGZ0eXBoZWl4AAAAAG1pZjFoZWl4bWlhZgAAAbVtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAA"
    "AAAAAAAAAAAA5waXRtAAAAAAABAAAANGlsb2MAAAAAREAAAgABAAAAAAHZAAEAAAAAAAAAmQACAAAAAAJyAAEAAAAA"
    "AAAAJAAAADhpaW5mAAAAAAACAAAAFWluZmUCAAAAAAEAAGh2YzEAAAAAFWluZmUCAAABAAIAAEV4aWYAAAAA9Glwcn"
    "AAAADUaXBjbwAAAHdodmNDAQQIAAAAAAAAAAAAHvAA/P/4+AAADwNgAAEAF0ABDAH//wQIAAADAJ44AAADAAAeugJA"
    "YQABACpCAQEECAAAAwCeOAAAAwAAHpAEECCy3VyU1zcBDQYEAAADAAQAAAMABCBiAAEACEQBwXMYMAiQAAAAFGlzcG"
    "UAAAAAAAAAQAAAAEAAAAAoY2xhcAAAAEAAAAABAAAAMAAAAAEAAAAAAAAAAv////AAAAACAAAAEHBpeGkAAAAAAwgI"
    "CAAAAAlpcm90AwAAABhpcG1hAAAAAAAAAAEAAQWBAgSDhQAAABppcmVmAAAAAAAAAA5jZHNjAAIAAQABAAAAxW1kYX"
    "QAAACVKAGvE4DlNrf/j2V/EkAeb2pruSLK/SR9wLd/IZliDcceJPSoZg/unIgo0C9rG6BMBGopqmupFlJY0r7SOUw0"
    "vZAWj3O3+y2gupTczmVNJWYEAFtl/rPXT7N9DXxFjOqzZO2UDKEglo2gSkySyldln9nI2KTHDGYcrj11uBEuVJ7Ol3"
    "7mYrBkz9a43Vuxcqxjf2NCgIAAAAAGRXhpZgAATU0AKgAAAAgAAQESAAMAAAABAAYAAAAAAAA="
)


def depths() -> list[Case]:
    """Bits, channels, and how they are ordered."""
    sixteen = np.linspace(0, 65535, WIDTH * HEIGHT).round().astype(np.uint16).reshape(HEIGHT, WIDTH)
    wide = np.stack([sixteen, sixteen[::-1], sixteen[:, ::-1]], axis=2)
    half = np.full((HEIGHT, WIDTH, 1), 128, np.uint8)
    opaque = np.full((HEIGHT, WIDTH, 1), 255, np.uint8)
    faint = RGB / 255 * (128 / 255) + 1 - 128 / 255  # on white
    darkened = np.rint(RGB * (128 / 255)).astype(np.uint8)
    line = LEVELS[..., None]
    cmyk = np.asarray(CAT.convert("CMYK"))
    one, few = GRAY.convert("1"), CAT.quantize(64)
    four = few.quantize(4)
    clear = CAT.convert("RGBA")
    clear.putalpha(0)
    ramp = CAT.convert("RGBA")
    ramp.putalpha(Image.linear_gradient("L").resize(CAT.size))
    over = np.asarray(ramp)[..., 3:] / 255
    by_white = RGB / 255 * over + 1 - over
    inks = np.asarray(CAT.convert("CMYK").convert("RGB"))
    cut_out = few.copy()
    cut_out.info["transparency"] = 3
    holes = np.where((np.asarray(few) == 3)[..., None], 255, np.asarray(few.convert("RGB")))
    srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    in_lab = ImageCms.profileToProfile(CAT, srgb, lab, outputMode="LAB")
    extra = {"planarconfig": "contig"}

    def joined(*channels: np.ndarray) -> np.ndarray:
        return np.concatenate(channels, axis=2)

    return [
        Case("gray_16.png", png(sixteen), shown(sixteen / 257)),
        Case("gray_16.tif", tiff(sixteen, "minisblack"), shown(sixteen / 257)),
        Case(
            "gray_16_motorola.tif", tiff(sixteen, "minisblack", byteorder=">"), shown(sixteen / 257)
        ),
        Case("gray_16_white_is_0.tif", tiff(sixteen, "miniswhite"), 1 - shown(sixteen / 257)),
        Case("gray_white_is_0.tif", tiff(LEVELS, "miniswhite"), 1 - shown(LEVELS)),
        Case("rgb_16.png", png(wide), shown(wide / 257)),
        Case("rgb_16.tif", tiff(wide, "rgb"), shown(wide / 257)),
        Case(
            "rgb_16_planes.tif",
            tiff(np.moveaxis(wide, 2, 0), "rgb", planarconfig="separate"),
            shown(wide / 257),
        ),
        Case(
            "rgb_16_zip.tif",
            tiff(wide, "rgb", compression="zlib", predictor=True),
            shown(wide / 257),
        ),
        Case(
            "planes.tif", tiff(np.moveaxis(RGB, 2, 0), "rgb", planarconfig="separate"), shown(RGB)
        ),
        Case("tiles.tif", tiff(RGB, "rgb", tile=(16, 16)), shown(RGB)),
        Case("strips.tif", tiff(RGB, "rgb", rowsperstrip=7), shown(RGB)),
        Case("big.tif", tiff(RGB, "rgb", bigtiff=True), shown(RGB)),
        Case("motorola.tif", tiff(RGB, "rgb", byteorder=">"), shown(RGB)),
        Case("fax.tif", encoded(one, "TIFF", compression="group4"), shown(one.convert("L"))),
        Case("bits.tif", encoded(one, "TIFF"), shown(one.convert("L"))),
        Case("bits.png", encoded(one, "PNG"), shown(one.convert("L"))),
        Case("palette.png", encoded(few, "PNG"), shown(few.convert("RGB"))),
        Case("palette_4.png", encoded(four, "PNG"), shown(four.convert("RGB"))),
        Case("palette.tif", encoded(four, "TIFF"), shown(four.convert("RGB"))),
        Case("palette_hole.png", encoded(cut_out, "PNG", transparency=3), holes / 255),
        Case(
            "gray_hole.png",
            encoded(GRAY, "PNG", transparency=int(LEVELS[5, 5])),
            shown(np.where(LEVELS[5, 5] == LEVELS, 255, LEVELS)),
        ),
        Case("clear.png", encoded(clear, "PNG"), np.ones((HEIGHT, WIDTH, 3))),
        Case("ramp.png", encoded(ramp, "PNG"), by_white),
        Case("ramp.webp", encoded(ramp, "WEBP", lossless=True, exact=True), by_white),
        Case("ramp.tif", encoded(ramp, "TIFF"), by_white),
        Case(
            "gray_alpha.png",
            encoded(Image.merge("LA", (GRAY, ramp.getchannel("A"))), "PNG"),
            shown(LEVELS) * over + 1 - over,
        ),
        Case("alpha.tif", tiff(joined(RGB, half), "rgb", extrasamples=["unassalpha"]), faint),
        Case(
            "premultiplied.tif",
            tiff(joined(darkened, half), "rgb", extrasamples=["assocalpha"]),
            faint,
            1.6 / 255,
        ),
        Case(
            "selection.tif",
            tiff(joined(RGB, half), "rgb", extrasamples=["unspecified"]),
            shown(RGB),
        ),
        # As Photoshop writes a selection behind transparency
        Case(
            "alpha_selection.tif",
            tiff(
                joined(RGB, half, opaque),
                "rgb",
                extrasamples=["unassalpha", "unspecified"],
                **extra,
            ),
            faint,
        ),
        Case(
            "selection_alpha.tif",
            tiff(
                joined(RGB, opaque, half),
                "rgb",
                extrasamples=["unspecified", "unassalpha"],
                **extra,
            ),
            faint,
        ),
        Case(
            "gray_alpha.tif",
            tiff(joined(line, half), "minisblack", extrasamples=["unassalpha"], **extra),
            shown(LEVELS) * (128 / 255) + 1 - 128 / 255,
        ),
        Case(
            "gray_selections.tif",
            tiff(joined(line, half, half), "minisblack", extrasamples=["unspecified"] * 2, **extra),
            shown(LEVELS),
        ),
        Case("cmyk.tif", tiff(cmyk, "separated"), shown(inks), 1.1 / 255),
        Case("cmyk_16.tif", tiff(cmyk * np.uint16(257), "separated"), shown(inks), 1.1 / 255),
        Case(
            "cmyk_alpha.tif",
            tiff(joined(cmyk, half), "separated", extrasamples=["unassalpha"], **extra),
            inks / 255 * (128 / 255) + 1 - 128 / 255,
            1.1 / 255,
        ),
        Case(
            "ycbcr.tif",
            encoded(CAT.convert("YCbCr"), "TIFF"),
            shown(CAT.convert("YCbCr").convert("RGB")),
        ),
        # Lab in bytes has large steps
        Case("lab.tif", encoded(in_lab, "TIFF"), shown(RGB), 8 / 255),
    ]


def pages() -> list[Case]:
    def book(*pages: tuple[np.ndarray, int]) -> bytes:
        data = io.BytesIO()
        with tifffile.TiffWriter(data) as writer:
            for pixels, kind in pages:
                photometric = "mask" if kind == 4 else "rgb"
                writer.write(pixels, photometric=photometric, subfiletype=kind)
        return data.getvalue()

    small, other = RGB[::4, ::4].copy(), RGB[::-1].copy()
    more = {"save_all": True, "append_images": [Image.fromarray(other)]}
    return [
        Case("thumbnail_last.tif", book((RGB, 0), (small, 1)), shown(RGB)),
        Case("thumbnail_first.tif", book((small, 1), (RGB, 0)), shown(RGB)),
        Case("mask.tif", book((RGB, 0), (LEVELS > 99, 4)), shown(RGB)),
        Case("pages.tif", book((RGB, 0), (other, 0)), "2 frames or pages"),
        *(
            Case(f"moving.{form.lower()}", encoded(CAT, form, **more), " frames")
            for form in ("PNG", "GIF", "WEBP", "AVIF")
        ),
    ]


# Which side is up


def exif(*entries: tuple[int, int, int, bytes], order: str = "<") -> bytes:
    """EXIF of entries (tag, type, count, value of 4 bytes)."""
    head = b"II*\0" if order == "<" else b"MM\0*"
    body = b"".join(struct.pack(f"{order}HHI", *entry[:3]) + entry[3] for entry in entries)
    return head + struct.pack(f"{order}IH", 8, len(entries)) + body + bytes(4)


def with_exif(jpeg: bytes, block: bytes) -> bytes:
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", 2 + len(block)) + block + jpeg[2:]


TURN = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: a[::-1].swapaxes(0, 1),
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: a.swapaxes(0, 1)[::-1],
}
SIX = (0x112, 3, 1, b"\6\0\0\0")
HEAD = b"Exif\0\0"


def orientations() -> list[Case]:
    cases = []
    jpeg = encoded(CAT, "JPEG")
    for number, turn in TURN.items():
        block = exif((0x112, 3, 1, struct.pack("<HH", number, 0)))
        cases += [
            Case(f"turned_{number}.jpg", with_exif(jpeg, HEAD + block), turn(decoded(jpeg))),
            Case(f"turned_{number}.png", png(RGB, part(b"eXIf", block)), turn(shown(RGB))),
            Case(
                f"turned_{number}.tif",
                tiff(RGB, "rgb", extratags=[(274, 3, 1, number, True)]),
                turn(shown(RGB)),
            ),
            Case(
                f"turned_{number}.webp",
                encoded(CAT, "WEBP", lossless=True, exif=HEAD + block),
                turn(shown(RGB)),
            ),
        ]
    motorola = exif((0x112, 3, 1, b"\0\6\0\0"), order=">")
    cases.append(
        Case("turned_motorola.jpg", with_exif(jpeg, HEAD + motorola), TURN[6](decoded(jpeg)))
    )
    unreadable = {  # which viewers ignore
        "empty": HEAD,
        "zeros": HEAD + bytes(40),
        "twice": HEAD + HEAD + exif(SIX),
        "xmp": HEAD + b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta/>",
        "no_order": HEAD + exif(SIX)[4:],
        "far": HEAD + b"II*\0" + struct.pack("<I", 2**31) + bytes(20),
        "cut": HEAD + exif(SIX)[:14],
        "random": HEAD + random.Random(0).randbytes(60),
        "python": b"b'Exif\\x00\\x00MM'",
        "python_inside": HEAD + b"b'Exif\\x00\\x00MM'",
        "orientation_0": HEAD + exif((0x112, 3, 1, bytes(4))),
        "orientation_9": HEAD + exif((0x112, 3, 1, b"\x09\0\0\0")),
        "orientation_words": HEAD + exif((0x112, 2, 2, b"6\0\0\0")),
    }
    for name, block in unreadable.items():
        cases.append(Case(f"exif_{name}.jpg", with_exif(jpeg, block), decoded(jpeg)))
        if block.startswith(HEAD):
            odd = png(RGB, part(b"eXIf", block[len(HEAD) :]))
            cases.append(Case(f"exif_{name}.png", odd, shown(RGB)))
    odd_beside = exif((0x100, 99, 1, bytes(4)), (0x110, 2, 9999, b"\xff\xff\0\0"), SIX)
    cases.append(
        Case("exif_odd_beside.jpg", with_exif(jpeg, HEAD + odd_beside), TURN[6](decoded(jpeg)))
    )
    return cases


# JPEGs that decoders warn of


def warned_of() -> list[Case]:
    cases = []
    for kind, jpeg in (
        ("rgb", encoded(CAT, "JPEG", quality=92)),
        ("gray", encoded(GRAY, "JPEG", quality=92)),
        ("progressive", encoded(CAT, "JPEG", quality=92, progressive=True)),
        ("cmyk", encoded(CAT.convert("CMYK"), "JPEG", quality=92)),
    ):
        whole, tables = decoded(jpeg), jpeg.index(b"\xff\xdb")
        scan = jpeg.index(b"\xff\xda")
        after = scan + 2 + struct.unpack_from(">H", jpeg, scan + 2)[0]
        sound = {
            "trailer": jpeg + bytes(50) + b"MotionPhoto_Data" + random.Random(1).randbytes(500),
            "stray_bytes": jpeg[:tables] + b"\0\0" + jpeg[tables:],
            "padding": jpeg[:-2] + bytes(37) + jpeg[-2:],
            "no_end": jpeg[:-2],
        }
        if b"JFIF\0" in jpeg:
            version = jpeg.index(b"JFIF\0") + 5
            sound["version_2"] = jpeg[:version] + b"\2" + jpeg[version + 1 :]
        if kind in ("rgb", "gray"):
            sound["samsung"] = jpeg[: after - 2] + b"\0" + jpeg[after - 1 :]
            sound["samsung_2"] = jpeg[: after - 1] + b"\x11" + jpeg[after:]
            sound["everything"] = (
                sound["samsung"][:tables] + b"\0\0" + sound["samsung"][tables:-2] + bytes(9)
            )
        middle = (after + len(jpeg)) // 2
        damaged = {
            "cut": jpeg[:middle],
            "cut_but_ended": jpeg[:middle] + b"\xff\xd9",
            "last_bytes": jpeg[:-12],
            "overwritten": jpeg[:middle] + b"\xff" * 60 + jpeg[middle + 60 :],
        }
        if kind != "progressive":  # of which whole scans may be missing
            damaged["hole"] = jpeg[:middle] + jpeg[middle + len(jpeg) // 4 :]
        tolerance = 1.1 / 255 if kind == "cmyk" else ROUNDING
        cases += [
            Case(f"{kind}_{name}.jpg", data, whole, tolerance) for name, data in sound.items()
        ]
        cases += [
            Case(f"{kind}_{name}.jpg", data, "truncated or damaged")
            for name, data in damaged.items()
        ]
    return cases


def damaged() -> list[Case]:
    """Of the other formats."""
    rows = tiff(np.tile(RGB, (4, 4, 1)), "rgb", rowsperstrip=16)  # its directory comes first
    zipped = bytearray(tiff(np.tile(RGB, (4, 4, 1)), "rgb", rowsperstrip=16, compression="zlib"))
    with tifffile.TiffFile(io.BytesIO(zipped)) as opened:
        start = opened.pages[0].dataoffsets[3]
    zipped[start : start + 40] = bytes(40)
    cases = [
        Case("half.tif", rows[: len(rows) // 2], "cannot be decoded"),
        Case("strip.tif", bytes(zipped), "cannot be decoded"),
        Case("float.tif", tiff((LEVELS / 255).astype(np.float32), "minisblack"), "unknown range"),
        Case("integers.tif", tiff(LEVELS.astype(np.uint32), "minisblack"), "unknown range"),
        Case("signed.tif", tiff(LEVELS.astype(np.int16), "minisblack"), "unknown range"),
        Case("bright.png", png(RGB, part(b"cICP", bytes((9, 16, 0, 1)))), "high dynamic range"),
    ]
    large = CAT.resize((300, 200))
    for form in ("PNG", "WEBP", "GIF", "AVIF", "JPEG2000"):
        data = encoded(large, form)
        for share in (0.3, 0.6, 0.95):
            name = f"cut_{round(100 * share)}.{form.lower().replace('jpeg2000', 'jp2')}"
            cases.append(Case(name, data[: int(share * len(data))], "cannot be decoded"))
    for form in ("PNG", "WEBP"):
        data = encoded(large, form)
        middle = len(data) // 2
        noise = random.Random(2).randbytes(200)
        data = data[:middle] + noise + data[middle + 200 :]
        cases.append(Case(f"overwritten.{form.lower()}", data, "cannot be decoded"))
    nothing = {
        "empty.jpg": (b"", "empty"),
        "text.jpg": (b"<html>gone</html>", "not a JPEG"),
        "postscript.jpg": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not a JPEG"),
        "drawing.png": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a JPEG"),
        "video.heic": (b"\0\0\0\x18ftypmp42" + bytes(300), "cannot be decoded"),
        "random.heic": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(300), "cannot be decoded"),
        "begun.bmp": (b"BM", "cannot be decoded"),
        "begun.tif": (b"II*\0", "cannot be decoded"),
        "begun.png": (b"\x89PNG\r\n\x1a\n", "cannot be decoded"),
        "begun.jpg": (b"\xff\xd8\xff\xe0", "cannot be decoded"),
    }
    return cases + [Case(name, *case) for name, case in nothing.items()]


def gammas() -> list[Case]:
    """PNGs that say by themselves what their numbers mean."""

    def gamma(value: float) -> bytes:
        return part(b"gAMA", struct.pack(">I", round(value * 100_000)))

    def coordinates(name: str) -> bytes:
        pairs = ((0.3127, 0.3290), *CHROMATICITIES[name])
        return part(b"cHRM", struct.pack(">8I", *(round(100_000 * v) for xy in pairs for v in xy)))

    def case(name: str, pixels: np.ndarray, curve: str, colors: str, *parts: bytes) -> Case:
        want = through(pixels / np.iinfo(pixels.dtype).max, curve, colors)
        return Case(f"gamma_{name}.png", png(pixels, *parts), want, SHADE, (curve, colors))

    adobe = (gamma(0.45455), coordinates("Adobe RGB"))
    return [
        case("1", LEVELS, "gamma 1", "sRGB", gamma(1)),
        case("1_rgb", RGB, "gamma 1", "sRGB", gamma(1)),
        case("1_16", LEVELS * np.uint16(257), "gamma 1", "sRGB", gamma(1)),
        case("1_coordinates", RGB, "gamma 1", "sRGB", gamma(1), coordinates("sRGB")),
        case("adobe", SOFT, "gamma 2.2", "Adobe RGB", *adobe),
        Case("gamma_of_srgb.png", png(RGB, gamma(0.45455)), shown(RGB)),
        Case("gamma_but_srgb.png", png(RGB, gamma(1), part(b"sRGB", b"\0")), shown(RGB)),
        Case("gamma_0.png", png(RGB, gamma(0)), shown(RGB)),
        Case("cicp_srgb.png", png(RGB, part(b"cICP", bytes((1, 13, 0, 1)))), shown(RGB)),
    ]


def all_cases() -> list[Case]:
    families = (containers, depths, pages, orientations, profiles, gammas, warned_of, damaged)
    cases = [case for family in families for case in family()]
    return [case._replace(name=f"{n:03}_{case.name}") for n, case in enumerate(cases)]
