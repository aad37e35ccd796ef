"""Quality: how far is an image from the true one? Each by itself, for training and evaluation.

May import color and base. PSNR, SSIM and CIEDE2000 are as scikit-image defines them.

And how far does a model move an image? With x the input, T what is wanted and y what the model
makes, as 8-bit RGB:

    change_ratio   sum |y - x| / sum |T - x|       how far it moves; a literal copy: 0
    projection     <y - x, T - x> / ||T - x||^2    how far it moves the right way
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from colorize import color

# An error below the rounding of 8 bits cannot be told from none: PSNR is at most 58.9 dB.
LEAST_MSE = 1 / 12

WINDOW = 11  # pixels, the side of SSIM's

_LEAST = 1e-12  # what is divided by where there is no hue


def total(pixels: Tensor) -> Tensor:
    """Sum over all pixels and channels of each image: (n, ..., H, W) to (n,) float64.

    Only the sums of lines are added in double precision: all pixels as such would be copied first.
    """
    return pixels.sum(-1).flatten(1).sum(1, dtype=torch.float64)


def mean(pixels: Tensor) -> Tensor:
    return total(pixels) / pixels[0].numel()


def decibels(mse: Tensor) -> Tensor:
    """Peak signal-to-noise ratio in dB of values from 0 to 255, at most 58.9."""
    return 10 * torch.log10(255**2 / mse.clamp(min=LEAST_MSE))


def psnr(p: Tensor, t: Tensor) -> Tensor:
    """PSNR of RGB in 0..255: (n,)."""
    return decibels(mean((p - t) ** 2))


def ssim(p: Tensor, t: Tensor, mean_t: Tensor) -> Tensor:
    """Structural similarity (Wang et al. 2004) at each place: (n, 3, H - 10, W - 10).

    Gaussian window of 11 x 11, sigma 1.5, at all places where it fits; range 0..255. Its mean over
    the places and RGB channels is an image's SSIM. mean_t: local means of `t`, `blurred(t)`.
    """
    maps = torch.cat((p, (p * p).addcmul_(t, t), p * t), dim=1)
    mean_p, squares, product = blurred(maps).chunk(3, dim=1)
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    mean_product, mean_squares = mean_p * mean_t, (mean_p * mean_p).addcmul_(mean_t, mean_t)
    covariance, variances = product - mean_product, squares - mean_squares
    structure = covariance.mul_(2).add_(c2).div_(variances.add_(c2))
    luminance = mean_product.mul_(2).add_(c1).div_(mean_squares.add_(c1))
    return luminance.mul_(structure)


def blurred(maps: Tensor) -> Tensor:
    """Under a Gaussian window of 11 x 11: (n, c, H, W) to (n, c, H - 10, W - 10)."""
    offsets = torch.arange(WINDOW, dtype=torch.float64) - WINDOW // 2
    window = torch.exp(-offsets.square() / (2 * 1.5**2))
    window = (window / window.sum()).to(maps)
    # Each map by itself, by rows, then by columns; with channels last in memory that takes less
    # than half of the time.
    channels = maps.shape[1]
    maps = maps.contiguous(memory_format=torch.channels_last)
    for kernel in (window.view(1, 1, 1, -1), window.view(1, 1, -1, 1)):
        maps = F.conv2d(maps, kernel.expand(channels, -1, -1, -1), groups=channels)
    return maps.contiguous()


def ciede2000(lab1: Tensor, lab2: Tensor) -> Tensor:
    """Color difference of two Lab images (n, 3, H, W): (n, H, W).

    Sharma, Wu and Dalal 2005, "The CIEDE2000 color-difference formula", equations 2 to 22, with
    all three weights 1. About 1 is just noticeable.
    """
    l1, a1, b1 = lab1.unbind(1)
    l2, a2, b2 = lab2.unbind(1)

    # Chroma and hue, with a stretched where chroma is low
    stretch = 1.5 - 0.5 * _saturation((length(a1, b1) + length(a2, b2)) / 2)
    a1, a2 = a1 * stretch, a2 * stretch
    c1, c2 = length(a1, b1), length(a2, b2)

    # Hues as unit vectors: of 2 sqrt(C1 C2) sin(dh / 2) the sine is half the chord between them,
    # and their mean, on the shorter arc, lies where their sum points. Where one side is neutral its
    # hue means nothing, and counts nothing: all that it enters has delta_h as a factor, which is 0.
    scale1, scale2 = 1 / c1.clamp(min=_LEAST), 1 / c2.clamp(min=_LEAST)
    x1, y1, x2, y2 = a1 * scale1, b1 * scale1, a2 * scale2, b2 * scale2
    side = torch.sign(x1 * y2 - x2 * y1)
    delta_h = (c1 * c2).sqrt_() * length(x2 - x1, y2 - y1) * side
    x, y = x1 + x2, y1 + y2
    scale = 1 / length(x, y).clamp_(min=_LEAST)
    cos, sin = x * scale, y * scale

    # Weights
    mean_c = (c1 + c2) / 2
    t = _polynomial(cos, *_OF_COS) + sin * _polynomial(cos, *_OF_SIN)
    degrees = torch.atan2(sin, cos).rad2deg_().remainder_(360)
    rotation = (
        (degrees - 275).div_(25).square_().neg_().clamp_(min=-80).exp_().mul_(math.radians(60))
    )  # of blues
    coupling = -2 * _saturation(mean_c) * rotation.sin_()
    off_middle = ((l1 + l2) / 2 - 50).square_()
    s_l = 1 + 0.015 * off_middle / (20 + off_middle).sqrt_()
    s_c = 1 + 0.045 * mean_c
    s_h = 1 + 0.015 * mean_c * t
    l_term, c_term, h_term = (l2 - l1).div_(s_l), (c2 - c1).div_(s_c), delta_h.div_(s_h)
    squared = (l_term * l_term).addcmul_(c_term, c_term).addcmul_(h_term, h_term)
    return squared.addcmul_(coupling, c_term * h_term).clamp_(min=0).sqrt_()


# T of the mean hue h, 1 - 0.17 cos(h - 30) + 0.24 cos 2h + 0.32 cos(3h + 6) - 0.20 cos(4h - 63) in
# degrees, is P(cos h) + sin h Q(cos h); the coefficients, of the highest power first
_COS, _SIN = ({k: f(math.radians(k)) for k in (6, 30, 63)} for f in (math.cos, math.sin))
_OF_COS = (
    -1.6 * _COS[63],
    1.28 * _COS[6],
    0.48 + 1.6 * _COS[63],
    -0.17 * _COS[30] - 0.96 * _COS[6],
    0.76 - 0.2 * _COS[63],
)
_OF_SIN = (-1.6 * _SIN[63], -1.28 * _SIN[6], 0.8 * _SIN[63], 0.32 * _SIN[6] - 0.17 * _SIN[30])


def _polynomial(x: Tensor, *coefficients: float) -> Tensor:
    first, *others = coefficients
    value = torch.full_like(x, first)
    for coefficient in others:
        value.mul_(x).add_(coefficient)
    return value


def chroma(lab: Tensor) -> Tensor:
    """Distance from gray of each pixel of Lab images: (n, 3, H, W) to (n, H, W)."""
    return length(lab[:, 1], lab[:, 2])


def length(a: Tensor, b: Tensor) -> Tensor:
    """Of vectors (a, b). `norm` over a dimension of two takes a hundred times as long."""
    return (a * a).addcmul_(b, b).sqrt_()


def _saturation(chroma: Tensor) -> Tensor:
    """0 at gray, 1 far from it: sqrt(C^7 / (C^7 + 25^7))."""
    square = chroma * chroma
    seventh = (square * square).mul_(square).mul_(chroma)
    return (seventh / (seventh + 25**7)).sqrt_()


def moved(change: Tensor, wanted: Tensor) -> dict[str, Tensor]:
    """Sums of each image, (n,): of |y - x|, and of <y - x, T - x>.

    change: y - x; wanted: T - x; both (n, 3, H, W) in units of 0..255.
    """
    return {"change": total(change.abs()), "projection": total(change * wanted)}


def moved_by_truth(wanted: Tensor) -> dict[str, Tensor]:
    """Those sums of T itself, which the ratios divide by."""
    return {f"{name}_of_truth": sums for name, sums in moved(wanted, wanted).items()}


def moved_toward(x: Tensor, target: Tensor, output: Tensor) -> dict[str, Tensor]:
    """All four sums that the ratios are made of; images (n, 3, H, W) in 0..255."""
    wanted = target - x
    return moved(output - x, wanted) | moved_by_truth(wanted)


def psnr_of_colors(rgb: Tensor, gray: Tensor, truth: Tensor) -> Tensor:
    """PSNR, (n,), of the colors of `rgb` (n, 3, H, W), in [0, 1], on the true lightness.

    gray: (n, 1, H, W), which has it, and truth (n, 3, H, W), both uint8.
    """
    return psnr(color.to_uint8(color.repaint(gray, rgb)).float(), truth.float())
