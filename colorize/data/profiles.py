"""Color profiles (ICC): what the numbers of photographs mean, and back, by libvips's Little CMS."""

import functools
import io
import struct

import numpy as np
import pyvips
from PIL import ImageCms

SPACES = {1: (b"GRAY", b"RGB "), 3: (b"RGB ",), 4: (b"CMYK",)}  # by the image's channels


def fits(profile: bytes | None, channels: int) -> bool:
    """Whether it is one for so many. Viewers ignore others, but for gray with a profile of RGB."""
    return profile is not None and profile[16:20] in SPACES[channels]


def is_of_rgb(profile: bytes | None) -> bool:
    return profile is not None and profile[16:20] == b"RGB "


def to_srgb(pixels: np.ndarray, profile: bytes) -> np.ndarray | None:
    """(H, W, 1, 3 or 4 (CMYK)), uint8 or uint16, as sRGB (H, W, 1 or 3) uint16.

    Gray stays one channel; in a profile of RGB, its red, green and blue are alike. None for a
    profile that is broken: viewers then show the numbers as they are.
    """
    if not _is_whole(profile):
        return None
    gray, wide = pixels.shape[2] == 1, pixels.dtype == np.uint16
    if gray and is_of_rgb(profile):
        pixels = np.repeat(pixels, 3, axis=2)
    names = {1: ("b-w", "grey16"), 3: ("srgb", "rgb16"), 4: ("cmyk", "cmyk")}[pixels.shape[2]]
    image = image_of(pixels, names[wide])
    image.set_type(pyvips.GValue.blob_type, "icc-profile-data", profile)
    how = {"embedded": True, "intent": "relative"}
    try:
        if gray or wide:  # through Lab up to 4.8 L* off in the dark
            light = image.icc_import(pcs="xyz", **how)
            colors = light.icc_export(output_profile="srgb", intent="relative", depth=16)
        else:
            colors = image.icc_transform("srgb", depth=16, **how)
        colors = colors.numpy().reshape(*pixels.shape[:2], -1)
    except pyvips.Error:
        return None
    return colors[..., 1:2] if gray else colors


def from_srgb(image: pyvips.Image, profile: bytes, bits: int) -> pyvips.Image:
    """sRGB of 3 channels, as numbers of `bits` bits that mean the same in an RGB profile."""
    light = image.icc_import(input_profile="srgb", intent="relative", pcs="xyz").copy()
    light.set_type(pyvips.GValue.blob_type, "icc-profile-data", profile)
    return light.icc_export(intent="relative", depth=bits)


def _is_whole(profile: bytes) -> bool:
    try:
        ImageCms.ImageCmsProfile(io.BytesIO(profile))
    except (ImageCms.PyCMSError, OSError):
        return False
    return len(profile) >= struct.unpack_from(">I", profile)[0]


@functools.lru_cache(16)  # the photographs of one camera share theirs
def is_srgb(profile: bytes) -> bool:
    """Whether its numbers mean what sRGB's do, to one level of 255, whatever its name says."""
    if profile[16:20] == b"CMYK":
        return False
    ramp = np.arange(256, dtype=np.uint8)
    if is_of_rgb(profile):
        ramp = np.concatenate([ramp[:, None] * np.array(on, np.uint8) for on in _RAMPS])
    colors = to_srgb(ramp.reshape(1, len(ramp), -1), profile)
    if colors is None:
        return False
    return bool(np.abs(colors / 257 - ramp.reshape(colors.shape)).max() <= 1)


_RAMPS = ((1, 1, 1), (1, 0, 0), (0, 1, 0), (0, 0, 1))  # gray, red, green, blue


@functools.lru_cache(16)
def is_coarse(profile: bytes) -> bool:
    """Whether some of its 256 gray levels are more than 1 L* apart, as in linear light."""
    if profile[16:20] == b"CMYK":
        return False
    ramp = np.arange(256, dtype=np.uint8)[None, :, None]
    srgb = np.repeat(to_srgb(ramp, profile), 3, axis=2)
    lightness = image_of(srgb, "rgb16").colourspace("lab").numpy()[..., 0]
    return bool(np.diff(lightness).max() > 1)


def image_of(pixels: np.ndarray, interpretation: str) -> pyvips.Image:
    """(H, W, channels), uint8, uint16 or float32, as libvips sees it."""
    height, width, channels = pixels.shape
    kind = {"uint8": "uchar", "uint16": "ushort", "float32": "float"}[pixels.dtype.name]
    data = np.ascontiguousarray(pixels).data
    image = pyvips.Image.new_from_memory(data, width, height, channels, kind)
    return image.copy(interpretation=interpretation)


# A profile for PNGs that say by themselves what their numbers mean (gAMA and cHRM)

SRGB_GAMMA = 2.2  # what PNGs of sRGB say
SRGB = np.array([[0.3127, 0.3290], [0.64, 0.33], [0.30, 0.60], [0.15, 0.06]])  # its own, as cHRM
_D50 = np.array([0.9642, 1.0, 0.8249])  # the white of profiles
_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)


def of_gamma(gamma: float, given: np.ndarray) -> bytes | None:
    """An RGB profile (ICC.1:2001-04): light is a number in [0, 1] to the power `gamma`.

    given: x and y of white, red, green and blue, (4, 2). None where that is sRGB, as far as a PNG
    can say it, or where the numbers make no sense.
    """
    if abs(gamma - SRGB_GAMMA) < 0.05 and np.allclose(given, SRGB, atol=2e-3):
        return None
    if not 0.1 <= gamma <= 10 or (given[:, 1] <= 0).any():
        return None
    xyz = np.stack([given[:, 0] / given[:, 1], np.ones(4), (1 - given.sum(1)) / given[:, 1]])
    try:
        matrix = xyz[:, 1:] * np.linalg.solve(xyz[:, 1:], xyz[:, 0])
    except np.linalg.LinAlgError:
        return None
    cones = _BRADFORD @ np.stack([_D50, xyz[:, 0]]).T  # of the profiles' white, and of this one
    matrix = np.linalg.inv(_BRADFORD) @ np.diag(cones[:, 0] / cones[:, 1]) @ _BRADFORD @ matrix
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256))
    tags = {
        b"desc": b"desc" + bytes(4) + struct.pack(">I", 4) + b"PNG\0" + bytes(78),
        b"cprt": b"text" + bytes(4) + b"none\0",
        b"wtpt": _xyz(_D50),
        **{name + b"XYZ": _xyz(matrix[:, i]) for i, name in enumerate((b"r", b"g", b"b"))},
        **{name + b"TRC": curve for name in (b"r", b"g", b"b")},
    }
    table, body, start = struct.pack(">I", len(tags)), b"", 128 + 4 + 12 * len(tags)
    for name, tag in tags.items():
        table += name + struct.pack(">II", start + len(body), len(tag))
        body += tag + bytes(-len(tag) % 4)
    header = struct.pack(">I4sI", start + len(body), b"lcms", 0x2400000) + b"mntrRGB XYZ "
    header += struct.pack(">6H", 2000, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + _xyz(_D50)[8:]
    return header.ljust(128, b"\0") + table + body


def _xyz(color: np.ndarray) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">3i", *np.rint(color * 65536).astype(int))
