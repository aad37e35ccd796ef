"""Color: sRGB, CIE Lab, and gray. Tensors are (..., channels, height, width).

Ranges: RGB in [0, 1], or uint8 in 0..255 where it is only read; L in [0, 100]; a and b within about
[-110, 110]. The white point is D65, the matrix and white are scikit-image's, so that both agree to
rounding.
"""

import functools
from collections.abc import Callable
from typing import ParamSpec

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

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


def to_float(image: Tensor) -> Tensor:
    """uint8 in 0..255 to float in [0, 1]."""
    return image / 255


def to_uint8(image: Tensor) -> Tensor:
    """Float in [0, 1] to uint8, rounding to nearest; values outside are clipped."""
    return (image.clamp(0, 1) * 255).round().to(torch.uint8)


def in_full_precision(function: Callable[P, Tensor]) -> Callable[P, Tensor]:
    """Compute in float32 or better, whatever a network around it uses.

    Half precision has too few steps for color: in bfloat16 Lab is off by up to 2.8.
    """

    @functools.wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> Tensor:
        with torch.autocast(args[0].device.type, enabled=False):
            return function(*map(widened, args), **kwargs)

    return wrapped


def widened(argument: object) -> object:
    """A tensor in half precision as float32, anything else as it is."""
    half = isinstance(argument, Tensor) and argument.dtype in (torch.bfloat16, torch.float16)
    return argument.float() if half else argument


def _constant(values: tuple, like: Tensor) -> Tensor:
    """`values` beside `like`, made once: a GPU's queue waits for every copy from here."""
    return _tensor(values, like.dtype, like.device)


@functools.cache
def _tensor(values: tuple, dtype: torch.dtype, device: torch.device) -> Tensor:
    with torch.inference_mode(False):  # or training could not use it after coloring has
        return torch.tensor(values, dtype=dtype, device=device)


def _decode(srgb: Tensor) -> Tensor:
    """sRGB, uint8 too, to linear light."""
    if srgb.dtype == torch.uint8:
        return _looked_up(_decode, srgb)
    return torch.where(srgb > 0.04045, ((srgb.clamp(min=0) + 0.055) / 1.055) ** 2.4, srgb / 12.92)


def _looked_up(function: Callable[[Tensor], Tensor], image: Tensor) -> Tensor:
    """Of bytes: computed of the 256 that there are instead of each pixel."""
    levels = torch.arange(256, dtype=torch.uint8, device=image.device)[:, None, None]
    of_levels = function(to_float(levels)).flatten()
    return of_levels.index_select(0, image.flatten().int()).view(image.shape)


def _encode(linear: Tensor) -> Tensor:
    """Linear light to sRGB; the straight part goes on below zero."""
    curve = 1.055 * linear.clamp(min=1e-12) ** (1 / 2.4) - 0.055
    return torch.where(linear > 0.0031308, curve, linear * 12.92)


@in_full_precision
def balanced(rgb: Tensor, gains: tuple[float, float, float]) -> Tensor:
    """(..., 3, H, W) sRGB with its red, green and blue light multiplied; may go beyond 1."""
    light = _decode(rgb)
    return _encode(light * _constant(gains, light)[:, None, None])


def _mix(channels: Tensor, matrix: Tensor) -> Tensor:
    return torch.einsum("ij,...jhw->...ihw", matrix, channels)


def _cube_root(t: Tensor) -> Tensor:
    """CIE's f(t): a cube root with a straight part near black.

    By logarithm the root takes half of the time that a power does.
    """
    root = (t.clamp(min=1e-12).log() / 3).exp()
    return torch.where(t > 0.008856, root, 7.787 * t + 16 / 116)


@in_full_precision
def rgb_to_lab(rgb: Tensor) -> Tensor:
    """(..., 3, H, W) sRGB to (..., 3, H, W) Lab."""
    light = _decode(rgb)
    xyz = _mix(light, _constant(_RGB_TO_XYZ, light))
    fx, fy, fz = _cube_root(xyz / _constant(_WHITE, xyz)[:, None, None]).unbind(-3)
    return torch.stack((116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)), dim=-3)


@in_full_precision
def lab_to_rgb(lab: Tensor) -> Tensor:
    """(..., 3, H, W) Lab to sRGB; colors that sRGB does not have come out beyond [0, 1]."""
    return _encode(_lab_to_light(lab))


def _lab_to_light(lab: Tensor) -> Tensor:
    """Lab to linear RGB."""
    lightness, a, b = lab.unbind(-3)
    fy = (lightness + 16) / 116
    f = torch.stack((fy + a / 500, fy, fy - b / 200), dim=-3)
    t = torch.where(f > 0.2068966, f**3, (f - 16 / 116) / 7.787)
    xyz = t * _constant(_WHITE, t)[:, None, None]
    return _mix(xyz, _constant(_XYZ_TO_RGB, xyz))


@in_full_precision
def gray_of(rgb: Tensor, definition: str = "lightness") -> Tensor:
    """Gray copy of a photograph: (..., 3, H, W) sRGB to (..., 1, H, W) sRGB gray in [0, 1].

    `lightness` is the gray level whose CIE lightness is the photograph's: luminance Y computed in
    linear light, then encoded. `rec601` is the weighted sum of the encoded channels (0.299 R +
    0.587 G + 0.114 B) that most tools use; it shifts the lightness of saturated colors.
    """
    if definition == "rec601":
        encoded = to_float(rgb) if rgb.dtype == torch.uint8 else rgb
        return _mix(encoded, _constant(_REC601, encoded))
    light = _decode(rgb)
    return _encode(_mix(light, _constant(_RGB_TO_XYZ[1:2], light)))


@in_full_precision
def lightness_of(image: Tensor) -> Tensor:
    """sRGB, gray or in color, bytes or in [0, 1], to CIE lightness L in [0, 100].

    (..., 1 or 3, H, W) to (..., 1, H, W).
    """
    in_color = image.shape[-3] == 3
    if image.dtype == torch.uint8 and not in_color:
        return _looked_up(lightness_of, image)
    light = _decode(image)
    if in_color:
        light = _mix(light, _constant(_RGB_TO_XYZ[1:2], light))
    return 116 * _cube_root(light) - 16


@in_full_precision
def join(lightness: Tensor, ab: Tensor) -> Tensor:
    """Lightness (..., 1, H, W) and chroma (..., 2, H, W) to sRGB (..., 3, H, W) in [0, 1].

    A color that sRGB does not have loses chroma, at constant lightness and hue, until it fits:
    clipping the channels instead would change the photograph's lightness. The largest factor in
    [0, 1] is found by bisection, to 1/4096 of the chroma.
    """
    lab = torch.cat((lightness, ab), dim=-3)
    light = _lab_to_light(lab)
    outside = ((light < 0) | (light > 1)).any(-3)  # (..., H, W)
    if outside.any():
        # The pixels outside, as one column of an image: (3, n, 1).
        pixels = lab.movedim(-3, 0)[:, outside].unsqueeze(-1)
        lightness_of_pixels, chroma = pixels[:1], pixels[1:]
        low = torch.zeros_like(lightness_of_pixels)
        high = torch.ones_like(lightness_of_pixels)
        for _ in range(12):
            middle = (low + high) / 2
            candidate = _lab_to_light(torch.cat((lightness_of_pixels, chroma * middle)))
            fits = ((candidate >= 0) & (candidate <= 1)).all(0, keepdim=True)
            low = torch.where(fits, middle, low)
            high = torch.where(fits, high, middle)
        light.movedim(-3, 0)[:, outside] = _lab_to_light(
            torch.cat((lightness_of_pixels, chroma * low))
        ).squeeze(-1)
    return _encode(light).clamp(0, 1)


def quarter(ab: Tensor) -> Tensor:
    """(n, 2, H, W) to (n, 2, H/4, W/4): the mean of 4 x 4 pixels, which `enlarge` undoes in place.

    Zhang et al. train on every fourth pixel, the corner of each square: their colors come out
    shifted by 1.5 pixels.
    """
    return F.avg_pool2d(ab, 4)


def enlarge(ab: Tensor) -> Tensor:
    """(n, 2, H/4, W/4) to (n, 2, H, W), bilinearly, as the release of Zhang et al. does."""
    return F.interpolate(ab, scale_factor=4, mode="bilinear", align_corners=False)


def repaint(gray: Tensor, rgb: Tensor) -> Tensor:
    """The colors of `rgb` (..., 3, H, W) on the lightness of `gray` (..., 1, H, W)."""
    return join(lightness_of(gray), rgb_to_lab(rgb)[..., 1:, :, :])
