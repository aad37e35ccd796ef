"""How far is an image from the true one? PSNR, SSIM and CIEDE2000, as scikit-image defines them."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

# An error below the rounding of 8 bits cannot be told from none: PSNR is at most 58.9 dB.
LEAST_MSE = 1 / 12


def total(pixels: Tensor) -> Tensor:
    """Sum over all pixels and channels of each image: (n, ..., H, W) to (n,) float64.

    Only the sums of lines are added in double precision: all pixels as such would be copied first.
    """
    return pixels.sum(-1).flatten(1).sum(1, dtype=torch.float64)


def mean(pixels: Tensor) -> Tensor:
    return total(pixels) / pixels[0].numel()


def decibels(mse: Tensor, peak: float, least: float) -> Tensor:
    return 10 * torch.log10(peak**2 / mse.clamp(min=least))


def psnr(p: Tensor, t: Tensor) -> Tensor:
    """Peak signal-to-noise ratio in dB over RGB in 0..255, at most 58.9: (n,)."""
    return decibels(mean((p - t) ** 2), 255, LEAST_MSE)


def ssim(p: Tensor, t: Tensor, moments_of_t: Tensor) -> Tensor:
    """Structural similarity (Wang et al. 2004), mean over the RGB channels: (n,).

    Gaussian window of 11 x 11, sigma 1.5, over all places where it fits; range 0..255.
    moments_of_t: what `moments` makes of `t`.
    """
    channels = p.shape[1]
    maps = blurred(torch.cat((p, p * p, p * t), dim=1))
    mean_p, square_p, product = maps.split(channels, dim=1)
    mean_t, square_t = moments_of_t.split(channels, dim=1)

    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    mean_product, mean_squares = mean_p * mean_t, mean_p * mean_p + mean_t * mean_t
    luminance = (2 * mean_product + c1) / (mean_squares + c1)
    structure = (2 * (product - mean_product) + c2) / (square_p + square_t - mean_squares + c2)
    return mean(luminance * structure)


def moments(image: Tensor) -> Tensor:
    """Local means of an image and of its square: (n, c, H, W) to (n, 2c, H - 10, W - 10)."""
    return blurred(torch.cat((image, image * image), dim=1))


def blurred(maps: Tensor) -> Tensor:
    """Under a Gaussian window of 11 x 11: (n, c, H, W) to (n, c, H - 10, W - 10)."""
    offsets = torch.arange(-5, 6, dtype=torch.float64)
    window = torch.exp(-offsets.square() / (2 * 1.5**2))
    window = (window / window.sum()).to(maps)
    # Each map by itself, by rows, then by columns; with channels last in memory that takes less
    # than half of the time.
    channels = maps.shape[1]
    maps = maps.contiguous(memory_format=torch.channels_last)
    for kernel in (window.view(1, 1, 1, 11), window.view(1, 1, 11, 1)):
        maps = F.conv2d(maps, kernel.expand(channels, -1, -1, -1), groups=channels)
    return maps.contiguous()


def ciede2000(lab1: Tensor, lab2: Tensor) -> Tensor:
    """Colour difference of two Lab images (n, 3, H, W): (n, H, W).

    Sharma, Wu and Dalal 2005, "The CIEDE2000 color-difference formula", equations 2 to 22, with
    all three weights 1. About 1 is just noticeable.
    """
    l1, a1, b1 = lab1.unbind(1)
    l2, a2, b2 = lab2.unbind(1)

    # Chroma and hue, with a stretched where chroma is low
    mean_chroma = (length(a1, b1) + length(a2, b2)) / 2
    stretch = 1.5 - 0.5 * _saturation(mean_chroma)
    a1, a2 = a1 * stretch, a2 * stretch
    c1, c2 = length(a1, b1), length(a2, b2)
    h1, h2 = torch.atan2(b1, a1), torch.atan2(b2, a2)

    # Differences. Hue is an angle; where one side is neutral it means nothing, and counts nothing,
    # since all that it enters is multiplied by delta_h, which has its chroma as a factor.
    turn = h2 - h1
    turn = turn - 2 * math.pi * torch.round(turn / (2 * math.pi))
    delta_l, delta_c = l2 - l1, c2 - c1
    delta_h = 2 * (c1 * c2).sqrt() * torch.sin(turn / 2)

    # Means; that of the hues lies on the shorter arc between them
    mean_l, mean_c = (l1 + l2) / 2, (c1 + c2) / 2
    mean_h = h1 + turn / 2

    # Weights
    t = (
        1
        - 0.17 * torch.cos(mean_h - math.radians(30))
        + 0.24 * torch.cos(2 * mean_h)
        + 0.32 * torch.cos(3 * mean_h + math.radians(6))
        - 0.20 * torch.cos(4 * mean_h - math.radians(63))
    )
    degrees = torch.rad2deg(mean_h - 2 * math.pi * torch.floor(mean_h / (2 * math.pi)))
    rotation = torch.deg2rad(60 * torch.exp(-(((degrees - 275) / 25) ** 2)))  # of the blue hues
    coupling = -2 * _saturation(mean_c) * torch.sin(rotation)
    off_middle = (mean_l - 50) ** 2
    s_l = 1 + 0.015 * off_middle / (20 + off_middle).sqrt()
    s_c = 1 + 0.045 * mean_c
    s_h = 1 + 0.015 * mean_c * t
    l_term, c_term, h_term = delta_l / s_l, delta_c / s_c, delta_h / s_h
    squared = l_term**2 + c_term**2 + h_term**2 + coupling * c_term * h_term
    return squared.clamp(min=0).sqrt()


def length(a: Tensor, b: Tensor) -> Tensor:
    """Of vectors (a, b). `norm` over a dimension of two takes a hundred times as long."""
    return (a * a + b * b).sqrt()


def _saturation(chroma: Tensor) -> Tensor:
    """0 at gray, 1 far from it: sqrt(C^7 / (C^7 + 25^7))."""
    square = chroma * chroma
    seventh = square * square * square * chroma
    return (seventh / (seventh + 25**7)).sqrt()
