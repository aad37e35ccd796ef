"""Color of whole 8-bit photographs, by tables: what colorize/color/ defines, without torch.

The data stages go through tens of thousands of photographs, and what a pixel becomes depends on
three bytes. Linear light and CIE's f are looked up instead of computed.
"""

import numpy as np

# Linear RGB to CIE XYZ, divided by the D65 white: as in colorize/color/__init__.py, (out, in).
_RGB_TO_XYZ = np.array(
    [[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]]
) / np.array([[0.95047], [1.0], [1.08883]])

_STEPS = 2**18 - 1  # linear light is looked up in so many steps: 1/20 of a gray level at black


def _decode(srgb: np.ndarray) -> np.ndarray:
    return np.where(srgb > 0.04045, ((srgb + 0.055) / 1.055) ** 2.4, srgb / 12.92)


def _encode(linear: np.ndarray) -> np.ndarray:
    return np.where(linear > 0.0031308, 1.055 * linear ** (1 / 2.4) - 0.055, linear * 12.92)


# What a byte of each channel adds to X, Y and Z, in steps: (3 rows, 3 channels, 256).
_PART = np.rint(_RGB_TO_XYZ[..., None] * _decode(np.arange(256) / 255) * _STEPS).astype(np.int32)
_LIGHT = np.arange(_STEPS + 1) / _STEPS  # the light that each entry of the next two stands for
_LEVEL = np.rint(_encode(_LIGHT) * 255).astype(np.uint8)  # -> sRGB byte
_F = np.where(_LIGHT > 0.008856, np.cbrt(_LIGHT), 7.787 * _LIGHT + 16 / 116).astype(np.float32)


def gray_levels(rgb: np.ndarray, definition: str) -> np.ndarray:
    """(H, W, 3) uint8 sRGB to (H, W) uint8 gray: color.gray_of, to within rounding."""
    if definition == "rec601":
        return np.rint(rgb @ np.float32([0.299, 0.587, 0.114])).astype(np.uint8)
    return _LEVEL.take(_steps(rgb, _PART[1]), mode="clip")


def ab_of(rgb: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(H, W, 3) uint8 sRGB to CIE a and b, each (H, W) float32; exact to 0.02."""
    fx, fy, fz = (_F.take(_steps(rgb, row), mode="clip") for row in _PART)
    return 500 * (fx - fy), 200 * (fy - fz)


def _steps(rgb: np.ndarray, parts: np.ndarray) -> np.ndarray:
    """X, Y or Z as (H, W) indices into tables of _STEPS + 1 entries; white may be one beyond."""
    light = parts[0].take(rgb[..., 0])
    light += parts[1].take(rgb[..., 1])
    light += parts[2].take(rgb[..., 2])
    return light
