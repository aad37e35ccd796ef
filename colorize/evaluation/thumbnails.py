"""Does the output depend on the input? Outputs are held against each other, as thumbnails.

A thumbnail is an image's Lab, the means of 16 x 16 equal squares of it. It is a set that these
questions are asked of: every image is compared with others of the set.
"""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from colorize.data.reading.index import others
from colorize.quality import ciede2000, length

SIDE = 16
AT_ONCE = 512  # images that are compared with others


def columns(channels: Tensor) -> Tensor:
    """Means of 16 equal parts of each line: (n, c, H, W) to (n, c, H, 16)."""
    return F.adaptive_avg_pool2d(channels, (None, SIDE))


def thumbnail(columns: Tensor) -> Tensor:
    """(n, c, H, 16), of all lines, to (n, c, 16, 16)."""
    return F.adaptive_avg_pool2d(columns, SIDE)


def compare(
    made: np.ndarray, truth: np.ndarray, given: np.ndarray, groups: Mapping[str, str]
) -> dict[str, np.ndarray]:
    """Of a set of n outputs, what `dependence`, `diversity` and `retrieval` are made of.

    made, truth: (n, 3, 16, 16) Lab of outputs and photographs. given: (n, 1, 16, 16), the lightness
    of the inputs. groups: the group of each photograph, by name; it is compared with one of another
    group. Returns numbers (n,).
    """
    place = {name: number for number, name in enumerate(groups)}
    following = others(groups)
    other = torch.tensor([place[following[name]] for name in groups])
    of_groups = np.array(list(groups.values()))
    made, truth, given = map(torch.from_numpy, (made, truth, given))
    inputs = _standardized(given[:, 0])

    def compared(which: Tensor) -> dict[str, Tensor]:
        output, true = made[which], truth[which]
        others = made[other[which], 1:]
        true_others = truth[other[which], 1:]
        return {
            "error_of_colors": _error(output[:, 1:], true),
            "error_of_others_colors": _error(others, true),
            "distance_to_other": _distance(output[:, 1:], others),
            "distance_to_other_of_truth": _distance(true[:, 1:], true_others),
            "retrieved": _retrieved(output[:, 0], inputs, of_groups[which], of_groups),
        }

    parts = [compared(which) for which in torch.arange(len(made)).split(AT_ONCE)]
    return {name: torch.cat([part[name] for part in parts]).double().numpy() for name in parts[0]}


def _error(ab: Tensor, truth: Tensor) -> Tensor:
    """CIEDE2000 of colors on the true lightness: (n, 2, 16, 16) and (n, 3, 16, 16) to (n,)."""
    return _mean(ciede2000(torch.cat((truth[:, :1], ab), dim=1), truth))


def _distance(ab1: Tensor, ab2: Tensor) -> Tensor:
    return _mean(length(*(ab1 - ab2).unbind(1)))


def _retrieved(
    made: Tensor, inputs: Tensor, groups: np.ndarray, groups_of_inputs: np.ndarray
) -> Tensor:
    """1 where an output's lightness correlates best with an input of its own group, else 0: (n,).

    inputs: standardized. A uniform output correlates with none.
    """
    outputs = _standardized(made)
    best = (outputs @ inputs.T).argmax(1).numpy()
    return torch.from_numpy(groups_of_inputs[best] == groups) & (outputs != 0).any(1)


def _standardized(lightness: Tensor) -> Tensor:
    """(n, 16, 16) to vectors whose products are correlations: (n, 256); zeros where all is even."""
    centered = lightness.flatten(1) - lightness.mean((1, 2))[:, None]
    norm = centered.norm(dim=1, keepdim=True)
    return torch.where(norm > 1e-3, centered / norm.clamp(min=1e-3), 0.0)


def _mean(pixels: Tensor) -> Tensor:
    return pixels.mean((1, 2), dtype=torch.float64)
