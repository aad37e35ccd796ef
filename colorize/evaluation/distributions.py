"""Colours as a distribution over the ab plane: how far from the truth, and as many of each.

Pixels' ab are (n, 2, H, W) float64 of sRGB colours, in units of CIE Lab.
"""

import numpy as np
import torch
from torch import Tensor

from colorize import bins

THRESHOLDS = 151  # distances 0 to 150, in units of ab


def histogram(which: Tensor) -> Tensor:
    """Pixels of each image in each of the 313 bins: (n, H, W) numbers of bins to (n, 313)."""
    which = which.flatten(1)
    counts = torch.zeros(len(which), len(bins.CENTRES), dtype=torch.float64)
    return counts.scatter_add_(1, which, torch.ones((), dtype=torch.float64).expand(which.shape))


def within(ab: Tensor, truth: Tensor) -> Tensor:
    """Of each pixel the share of the thresholds t = 0, 1, ... 150 that its error is at most:
    (n, H, W). The mean over pixels is the area under the curve of Zhang et al. 2016, section 3.1.
    """
    distance = (ab - truth).norm(dim=1)
    return (THRESHOLDS - distance.ceil()).clamp(min=0) / THRESHOLDS


def jensen_shannon(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Jensen-Shannon divergence in bits, 0 to 1, of histograms (r, k) and (r, k): (r,)."""
    p, q = (counts / counts.sum(-1, keepdims=True) for counts in (p, q))
    return (_relative_entropy(p, (p + q) / 2) + _relative_entropy(q, (p + q) / 2)) / 2


def _relative_entropy(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    return np.where(p > 0, p * np.log2(np.where(p > 0, p, 1) / np.where(p > 0, q, 1)), 0).sum(-1)
