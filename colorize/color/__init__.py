"""Color: sRGB, CIE Lab, and gray. Images are (..., channels, height, width).

They are tensors of torch, or arrays of NumPy: networks learn with the one, photographs are colored
with the other, where torch need not be installed.

Ranges: RGB in [0, 1], or uint8 in 0..255 where it is only read; L in [0, 100]; a and b within about
[-110, 110]. The white point is D65, the matrix and white are scikit-image's, so that both agree to
rounding.
"""

import functools
from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import numpy as np

if TYPE_CHECKING:
    import torch
    from torch import Tensor

Image = TypeVar("Image", "Tensor", np.ndarray)
P = ParamSpec("P")

# Linear RGB to CIE XYZ (rows X, Y, Z), and the D65 white that XYZ is divided by.
_RGB_TO_XYZ = (
    (0.412453, 0.357580, 0.180423),
    (0.212671, 0.715160, 0.072169),
    (0.019334, 0.119193, 0.950227),
)
_WHITE = (0.95047, 1.0, 1.08883)
# Inverted in float64: the float32 inverse moves colors by up to 1e-5.
_XYZ_TO_RGB = tuple(map(tuple, np.linalg.inv(_RGB_TO_XYZ).tolist()))
_REC601 = ((0.299, 0.587, 0.114),)
ROUNDING = 1e-5  # of linear light, in [0, 1]: a thirtieth of a level of 8 bits at most


def array_namespace(image: Image) -> ModuleType:
    """torch or NumPy, whichever computes with `image`: most functions have one name in both."""
    if isinstance(image, np.ndarray):
        return np
    import torch

    return torch


def to_float(image: Image) -> Image:
    """uint8 in 0..255 to float32 in [0, 1]."""
    if array_namespace(image) is np:
        return image / np.float32(255)  # 255 alone would make it float64
    return image / 255


def to_uint8(image: Image) -> Image:
    """Float in [0, 1] to uint8, rounding to nearest; values outside are clipped."""
    xp = array_namespace(image)
    levels = xp.round(xp.clip(image, 0, 1) * 255)
    return levels.astype(np.uint8) if xp is np else levels.to(xp.uint8)


def in_full_precision(function: Callable[P, Image]) -> Callable[P, Image]:
    """Compute in float32 or better, whatever a network around it uses.

    Half precision has too few steps for color: in bfloat16 Lab is off by up to 2.8.
    """

    @functools.wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> Image:
        xp = array_namespace(args[0])
        if xp is np:
            return function(*args, **kwargs)
        with xp.autocast(args[0].device.type, enabled=False):
            return function(*map(widened, args), **kwargs)

    return wrapped


def widened(argument: object) -> object:
    """A tensor in half precision as float32, anything else as it is."""
    import torch

    half = isinstance(argument, torch.Tensor) and argument.dtype in (torch.bfloat16, torch.float16)
    return argument.float() if half else argument


def _constant(values: tuple, like: Image) -> Image:
    """`values` beside `like`, made once: a GPU's queue waits for every copy from here."""
    if array_namespace(like) is np:
        return np.array(values, like.dtype)
    return _tensor(values, like.dtype, like.device)


@functools.cache
def _tensor(values: tuple, dtype: "torch.dtype", device: "torch.device") -> "Tensor":
    import torch

    with torch.inference_mode(False):  # or training could not use it after coloring has
        return torch.tensor(values, dtype=dtype, device=device)


def _decode(srgb: Image) -> Image:
    """sRGB, uint8 too, to linear light."""
    xp = array_namespace(srgb)
    if srgb.dtype == xp.uint8:
        return _looked_up(_decode, srgb)
    curve = ((xp.clip(srgb, min=0) + 0.055) / 1.055) ** 2.4
    return xp.where(srgb > 0.04045, curve, srgb / 12.92)


def _looked_up(function: Callable[[Image], Image], image: Image) -> Image:
    """Of bytes: computed of the 256 that there are instead of each pixel."""
    xp = array_namespace(image)
    if xp is np:
        return function(to_float(np.arange(256, dtype=np.uint8)[:, None, None])).ravel()[image]
    levels = xp.arange(256, dtype=xp.uint8, device=image.device)[:, None, None]
    of_levels = function(to_float(levels)).flatten()
    return of_levels.index_select(0, image.flatten().int()).view(image.shape)


def _encode(linear: Image) -> Image:
    """Linear light to sRGB; the straight part goes on below zero."""
    xp = array_namespace(linear)
    curve = 1.055 * xp.clip(linear, min=1e-12) ** (1 / 2.4) - 0.055
    return xp.where(linear > 0.0031308, curve, linear * 12.92)


@in_full_precision
def balanced(rgb: Image, gains: tuple[float, float, float]) -> Image:
    """(..., 3, H, W) sRGB with its red, green and blue light multiplied; may go beyond 1."""
    light = _decode(rgb)
    return _encode(light * _constant(gains, light)[:, None, None])


def _mix(channels: Image, matrix: Image) -> Image:
    return array_namespace(channels).einsum("ij,...jhw->...ihw", matrix, channels)


def _cube_root(t: Image) -> Image:
    """CIE's f(t): a cube root with a straight part near black.

    By logarithm the root takes half of the time that a power does.
    """
    xp = array_namespace(t)
    root = xp.exp(xp.log(xp.clip(t, min=1e-12)) / 3)
    return xp.where(t > 0.008856, root, 7.787 * t + 16 / 116)


@in_full_precision
def rgb_to_lab(rgb: Image) -> Image:
    """(..., 3, H, W) sRGB to (..., 3, H, W) Lab."""
    light = _decode(rgb)
    xp = array_namespace(light)
    xyz = _mix(light, _constant(_RGB_TO_XYZ, light))
    fx, fy, fz = xp.moveaxis(_cube_root(xyz / _constant(_WHITE, xyz)[:, None, None]), -3, 0)
    return xp.stack((116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)), -3)


@in_full_precision
def lab_to_rgb(lab: Image) -> Image:
    """(..., 3, H, W) Lab to sRGB; colors that sRGB does not have come out beyond [0, 1]."""
    return _encode(_lab_to_light(lab))


def _lab_to_light(lab: Image) -> Image:
    """Lab to linear RGB."""
    xp = array_namespace(lab)
    lightness, a, b = xp.moveaxis(lab, -3, 0)
    fy = (lightness + 16) / 116
    f = xp.stack((fy + a / 500, fy, fy - b / 200), -3)
    t = xp.where(f > 0.2068966, f**3, (f - 16 / 116) / 7.787)
    xyz = t * _constant(_WHITE, t)[:, None, None]
    return _mix(xyz, _constant(_XYZ_TO_RGB, xyz))


@in_full_precision
def gray_of(rgb: Image, definition: str = "lightness") -> Image:
    """Gray copy of a photograph: (..., 3, H, W) sRGB to (..., 1, H, W) sRGB gray in [0, 1].

    `lightness` is the gray level whose CIE lightness is the photograph's: luminance Y computed in
    linear light, then encoded. `rec601` is the weighted sum of the encoded channels (0.299 R +
    0.587 G + 0.114 B) that most tools use; it shifts the lightness of saturated colors.
    """
    if definition == "rec601":
        encoded = to_float(rgb) if rgb.dtype == array_namespace(rgb).uint8 else rgb
        return _mix(encoded, _constant(_REC601, encoded))
    light = _decode(rgb)
    return _encode(_mix(light, _constant(_RGB_TO_XYZ[1:2], light)))


@in_full_precision
def lightness_of(image: Image) -> Image:
    """sRGB, gray or in color, bytes or in [0, 1], to CIE lightness L in [0, 100].

    (..., 1 or 3, H, W) to (..., 1, H, W).
    """
    in_color = image.shape[-3] == 3
    if image.dtype == array_namespace(image).uint8 and not in_color:
        return _looked_up(lightness_of, image)
    light = _decode(image)
    if in_color:
        light = _mix(light, _constant(_RGB_TO_XYZ[1:2], light))
    return 116 * _cube_root(light) - 16


@in_full_precision
def join(lightness: Image, ab: Image) -> Image:
    """Lightness (..., 1, H, W) and chroma (..., 2, H, W) to sRGB (..., 3, H, W) in [0, 1].

    A color that sRGB does not have loses chroma, at constant lightness and hue, until it fits:
    clipping the channels instead would change the photograph's lightness. The largest factor in
    [0, 1] is found by bisection, to 1/4096 of the chroma.
    """
    xp = array_namespace(lightness)
    lab = xp.concat((lightness, ab), -3)
    light = _lab_to_light(lab)
    outside = ~_is_srgb(light).all(-3)  # (..., H, W)
    if outside.any():
        # The pixels outside, as one column of an image: (3, n, 1).
        pixels = xp.moveaxis(lab, -3, 0)[:, outside][..., None]
        lightness_of_pixels, chroma = pixels[:1], pixels[1:]
        low = xp.zeros_like(lightness_of_pixels)
        high = xp.ones_like(lightness_of_pixels)
        for _ in range(12):
            middle = (low + high) / 2
            candidate = _lab_to_light(xp.concat((lightness_of_pixels, chroma * middle)))
            fits = _is_srgb(candidate).all(0)
            low = xp.where(fits, middle, low)
            high = xp.where(fits, high, middle)
        fitting = _lab_to_light(xp.concat((lightness_of_pixels, chroma * low)))
        xp.moveaxis(light, -3, 0)[:, outside] = fitting[..., 0]
    return xp.clip(_encode(light), 0, 1)


def _is_srgb(light: Image) -> Image:
    """Which channels of linear RGB sRGB has; what rounding adds counts as nothing.

    A straight line from gray to the yellow (255, 255, 49) runs just inside of sRGB's surface: one
    that is outside by 1e-6 alone would lose half of its chroma.
    """
    return (light >= -ROUNDING) & (light <= 1 + ROUNDING)


def quarter(ab: "Tensor") -> "Tensor":
    """(n, 2, H, W) to (n, 2, H/4, W/4): the mean of 4 x 4 pixels, which `enlarge` undoes in place.

    Zhang et al. train on every fourth pixel, the corner of each square: their colors come out
    shifted by 1.5 pixels.
    """
    from torch.nn import functional as F

    return F.avg_pool2d(ab, 4)


def enlarge(ab: "Tensor") -> "Tensor":
    """(n, 2, H/4, W/4) to (n, 2, H, W), bilinearly, as the release of Zhang et al. does."""
    from torch.nn import functional as F

    return F.interpolate(ab, scale_factor=4, mode="bilinear", align_corners=False)


def repaint(gray: Image, rgb: Image) -> Image:
    """The colors of `rgb` (..., 3, H, W) on the lightness of `gray` (..., 1, H, W)."""
    return join(lightness_of(gray), rgb_to_lab(rgb)[..., 1:, :, :])
