"""LPIPS, FID and KID: distances between what published networks see in two pictures, or two sets.

Their weights do not come with the project. Which file each has to be is known by how its SHA-256
begins, as in the names under which they were published.
"""

import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from colorize import color
from colorize.base.errors import UserError, one_line
from colorize.base.files import sha256_of
from colorize.evaluation.bootstrap import interval
from colorize.evaluation.quantities import Quantities, on_cpu
from colorize.evaluation.results import Metrics

# The Inception of the first FIDs, as torch-fidelity has it: weights-inception-2015-12-05-*.pth
INCEPTION = "6726825d"
# AlexNet as torchvision has it: alexnet-owt-*.pth. What LPIPS v0.1 adds is in torchmetrics.
ALEXNET = "7be5be79"
LAYER = "2048"  # of Inception: the last but the classes

AT_ONCE = 4  # pictures: bounds the memory that the networks' layers take

KID_IMAGES = 1000  # in each of as many subsets, as published; smaller sets are measured whole
KID_SUBSETS = 100

# What a report says in their place
NOT_MEASURED = "evaluate.weights in params.yaml names no folder with the networks' weights"


class Networks(NamedTuple):
    """The networks in whose features pictures are compared."""

    inception: nn.Module
    lpips: nn.Module

    def measure(self, pictures: dict[str, Tensor], truth: Tensor) -> dict[str | None, Quantities]:
        """Of (n, 3, H, W) uint8, by row; what is the same for all rows without a row.

        `lpips`: (n,), of pictures of at least 32 pixels: of smaller ones AlexNet leaves nothing.
        `features`, of the pictures and of the truth: (n, 2048), resized as for the first FIDs.
        """
        quantities = {None: on_cpu({"features_of_truth": self._features(truth)})}
        for row, predicted in pictures.items():
            of_row = {"lpips": self._lpips(predicted, truth), "features": self._features(predicted)}
            quantities[row] = on_cpu(of_row)
        return quantities

    def _features(self, images: Tensor) -> Tensor:
        return torch.cat([self.inception(few)[0] for few in images.split(AT_ONCE)])

    def _lpips(self, predicted: Tensor, truth: Tensor) -> Tensor:
        pairs = zip(predicted.split(AT_ONCE), truth.split(AT_ONCE), strict=True)
        of_parts = [
            self.lpips(color.to_float(p), color.to_float(t), normalize=True) for p, t in pairs
        ]
        return torch.cat(of_parts).flatten().double()


def read(folder: Path, device: torch.device) -> Networks:
    """From *-6726825d.pth and *-7be5be79.pth in a folder.

    Raises UserError where one is missing, or is another file.
    """
    inception = _file(folder, INCEPTION, "Inception, for FID and KID")
    alexnet = _file(folder, ALEXNET, "AlexNet, for LPIPS")
    return Networks(_inception(inception).to(device), _lpips(alexnet).to(device))


def distances(features: np.ndarray, of_truth: np.ndarray) -> Metrics:
    """FID and KID of two sets of as many pictures, from their features (n, 2048).

    FID is that of two Gaussians, with covariances of rank n - 1: it is biased, the more the fewer
    pictures there are. KID is not, and may be negative. A single picture defines neither. No
    intervals: a resample, which has pictures twice, is further from anything than the set.
    """
    # Seconds, which only who measures them should wait
    from torchmetrics.image import FrechetInceptionDistance, KernelInceptionDistance

    n = len(features)
    if n < 2:
        return {name: interval(name, np.array([np.nan])) for name in ("fid", "kid")}
    subsets, size = (KID_SUBSETS, KID_IMAGES) if n > KID_IMAGES else (1, n)
    known = _Known(features.shape[1])
    fid = FrechetInceptionDistance(known)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that it keeps them all
        kid = KernelInceptionDistance(known, subsets=subsets, subset_size=size)
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(0)  # of the subsets
        for metric in (fid, kid):
            metric.update(torch.from_numpy(of_truth).double(), real=True)
            metric.update(torch.from_numpy(features).double(), real=False)
        # Below zero by rounding alone, the root of a product of matrices being what it is
        values = {"fid": max(float(fid.compute()), 0.0), "kid": float(kid.compute()[0])}
    return {name: interval(name, np.array([value])) for name, value in values.items()}


class _Known(nn.Module):
    """In place of a network: what it is given are the features."""

    def __init__(self, num_features: int):
        super().__init__()
        self.num_features = num_features

    def forward(self, features: Tensor) -> Tensor:
        return features


def _file(folder: Path, prefix: str, what: str) -> Path:
    matches = sorted(folder.glob(f"*-{prefix}.pth"))
    if not matches:
        raise UserError(f"evaluate.weights: no *-{prefix}.pth in {folder} ({what})")
    path = matches[0]
    begins = sha256_of(path)[: len(prefix)]
    if begins != prefix:
        raise UserError(f"{path}: its SHA-256 begins with {begins}, not with {prefix} ({what})")
    return path


def _weights(path: Path) -> dict[str, Tensor]:
    """Tensors alone: a file may hold no code."""
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise UserError(f"{path}: no weights: {one_line(error)}") from None


def _inception(path: Path) -> nn.Module:
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    _weights(path)  # It is read again below, by what would run code.
    return FeatureExtractorInceptionV3("inception", [LAYER], str(path))


def _lpips(path: Path) -> nn.Module:
    from torchmetrics.functional.image.lpips import _NoTrainLpips

    network = _NoTrainLpips(net="alex", pnet_rand=True)  # its own weights without AlexNet's
    weights = _weights(path)
    names = {name: f"features.{name.split('.', 1)[1]}" for name in network.net.state_dict()}
    network.net.load_state_dict({name: weights[published] for name, published in names.items()})
    return network
