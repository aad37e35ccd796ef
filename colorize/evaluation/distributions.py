"""Colours as a distribution over the ab plane: how far from the truth, and as many of each."""

import numpy as np
import torch
from torch import Tensor

from colorize import bins

THRESHOLDS = 151  # distances 0 to 150, in units of ab


def histogram(which: Tensor) -> Tensor:
    """Pixels of each image in each of the 313 bins: (n, H, W) numbers of bins to (n, 313)."""
    counts = [torch.bincount(image.flatten(), minlength=len(bins.CENTRES)) for image in which]
    return torch.stack(counts).double()


def within(distance: Tensor) -> Tensor:
    """Of each pixel the share of the thresholds t = 0, 1, ... 150 that its error in ab is at most.

    The mean over pixels is the area under the curve of Zhang et al. 2016, section 3.1.
    """
    return (THRESHOLDS - distance.ceil()).clamp(min=0) / THRESHOLDS


def jensen_shannon(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Jensen-Shannon divergence in bits, 0 to 1, of histograms (r, k) and (r, k): (r,)."""
    p, q = (counts / counts.sum(-1, keepdims=True) for counts in (p, q))
    return (_relative_entropy(p, (p + q) / 2) + _relative_entropy(q, (p + q) / 2)) / 2


def _relative_entropy(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    return np.where(p > 0, p * np.log2(np.where(p > 0, p, 1) / np.where(p > 0, q, 1)), 0).sum(-1)
