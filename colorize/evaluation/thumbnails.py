"""Does the output depend on the input? Outputs are held against each other, as thumbnails.

A thumbnail is an image's Lab, the means of 16 x 16 equal squares of it. It is a set that these
questions are asked of: every image is compared with others of the set.
"""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from colorize.data import splits
from colorize.evaluation.fidelity import ciede2000, length

SIDE = 16
AT_ONCE = 512  # images, of which the lightness is compared with that of all inputs


def thumbnail(channels: Tensor) -> Tensor:
    """(n, c, S, S) to (n, c, 16, 16)."""
    return F.adaptive_avg_pool2d(channels, SIDE)


def compare(
    made: np.ndarray, truth: np.ndarray, given: np.ndarray, groups: Mapping[str, str]
) -> dict[str, np.ndarray]:
    """Of a set of n outputs, what `dependence`, `diversity` and `retrieval` are made of.

    made, truth: (n, 3, 16, 16) Lab of outputs and photographs. given: (n, 1, 16, 16), the lightness
    of the inputs. groups: the group of each photograph, by name; it is compared with one of another
    group. Returns numbers (n,).
    """
    place = {name: number for number, name in enumerate(groups)}
    following = splits.others(groups)
    other = torch.tensor([place[following[name]] for name in groups])
    made, truth, given = map(torch.from_numpy, (made, truth, given))
    lightness, true_ab = truth.split((1, 2), dim=1)
    ab = made[:, 1:]

    def error(colors: Tensor) -> Tensor:
        return _mean(ciede2000(torch.cat((lightness, colors), dim=1), truth))

    found = {
        "error_of_colors": error(ab),
        "error_of_others_colors": error(ab[other]),
        "distance_to_other": _mean(length(*(ab - ab[other]).unbind(1))),
        "distance_to_other_of_truth": _mean(length(*(true_ab - true_ab[other]).unbind(1))),
        "retrieved": _retrieved(made[:, 0], given[:, 0], np.array(list(groups.values()))),
    }
    return {name: value.double().numpy() for name, value in found.items()}


def _retrieved(made: Tensor, given: Tensor, groups: np.ndarray) -> Tensor:
    """1 where an output's lightness correlates best with an input of its own group, else 0: (n,).

    A uniform output correlates with none.
    """
    outputs, inputs = _standardized(made), _standardized(given)
    best = torch.cat([(part @ inputs.T).argmax(1) for part in outputs.split(AT_ONCE)])
    hit = torch.from_numpy(groups[best.numpy()] == groups)
    return hit & (outputs != 0).any(1)


def _standardized(lightness: Tensor) -> Tensor:
    """(n, 16, 16) to vectors whose products are correlations: (n, 256); zeros where all is even."""
    centred = lightness.flatten(1) - lightness.mean((1, 2))[:, None]
    norm = centred.norm(dim=1, keepdim=True)
    return torch.where(norm > 1e-3, centred / norm.clamp(min=1e-3), 0.0)


def _mean(pixels: Tensor) -> Tensor:
    return pixels.mean((1, 2), dtype=torch.float64)
