"""Colors and patches as distributions: are there as many of each as in the photographs?"""

import functools

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from colorize.color import bins

THRESHOLDS = 151  # distances 0 to 150, in units of ab

PATCH = 7  # pixels, the side of a patch
LEAST_STRIDE, PATCHES = 4, 32  # pixels from one to the next; about as many patches to a side
DIRECTIONS = 32  # fixed ones, which patches are projected on
SLOTS, WIDTH = 32, 4.0  # of the histogram of each projection, in units of Lab; centered on mid-gray


def histogram(which: Tensor) -> Tensor:
    """Pixels of each image in each of the 313 bins: (n, H, W) numbers of bins to (n, 313) int32."""
    counts = [torch.bincount(image.flatten(), minlength=len(bins.CENTERS)) for image in which]
    return torch.stack(counts).int()


def within(distance: Tensor) -> Tensor:
    """Of each pixel the share of the thresholds t = 0, 1, ... 150 that its error in ab is at most.

    The mean over pixels is the area under the curve of Zhang et al. 2016, section 3.1.
    """
    return (THRESHOLDS - distance.ceil()).clamp(min=0) / THRESHOLDS


def stride(width: int) -> int:
    """Pixels from one patch to the next, of an image of this width."""
    return max(LEAST_STRIDE, width // PATCHES)


def patch_histograms(lab: Tensor) -> Tensor:
    """Of 7 x 7 patches of Lab images (n, 3, H, W), the histogram of each projection: (n, 32 * 32).

    What lies beyond the ends is counted in the outermost slots. In int16, since a square image has
    1,600 patches at most, and a test set as many histograms as images.
    """
    centered = lab - lab.new_tensor((50.0, 0.0, 0.0))[:, None, None]
    directions = _directions(lab.dtype, lab.device)
    projected = F.conv2d(centered, directions, stride=stride(lab.shape[-1]))
    slot = (projected / WIDTH + SLOTS / 2).floor().clamp(0, SLOTS - 1).int()
    slot += SLOTS * torch.arange(DIRECTIONS, dtype=torch.int32, device=lab.device)[:, None, None]
    counts = [torch.bincount(image.flatten(), minlength=DIRECTIONS * SLOTS) for image in slot]
    return torch.stack(counts).short()


@functools.cache
def _directions(dtype: torch.dtype, device: torch.device) -> Tensor:
    """Unit vectors in the space of patches: (32, 3, 7, 7)."""
    vectors = np.random.default_rng(0).standard_normal((DIRECTIONS, 3 * PATCH**2))
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return torch.from_numpy(unit).view(DIRECTIONS, 3, PATCH, PATCH).to(device, dtype)


def sliced_wasserstein(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Mean over the directions of the Wasserstein distance, of `patch_histograms` summed: (r,).

    p, q: (r, 32 * 32). In one dimension that distance is the area between the two cumulative
    distributions, here in units of Lab.
    """
    p, q = (counts.reshape(len(counts), DIRECTIONS, SLOTS) for counts in (p, q))
    below = (np.cumsum(counts, -1) / counts.sum(-1, keepdims=True) for counts in (p, q))
    return WIDTH * np.abs(np.subtract(*below)).sum(-1).mean(-1)


def jensen_shannon(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Jensen-Shannon divergence in bits, 0 to 1, of histograms (r, k) and (r, k): (r,)."""
    p, q = (counts / counts.sum(-1, keepdims=True) for counts in (p, q))
    return (_relative_entropy(p, (p + q) / 2) + _relative_entropy(q, (p + q) / 2)) / 2


def _relative_entropy(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    return np.where(p > 0, p * np.log2(np.where(p > 0, p, 1) / np.where(p > 0, q, 1)), 0).sum(-1)
