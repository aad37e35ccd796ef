"""What every model is compared with: the baseline, and colourings that need no training."""

import torch
from torch import Tensor

from colorize import color
from colorize.data import splits
from colorize.evaluation.protocol import Batch, Colorer, Photographs

BASELINE = "zhang_l2"  # the model that all others are compared with

# The trivial baselines, which stand in every table
TRIVIAL = ("gray_copy", "mean_color", "random_color", "quarter_oracle", "ground_truth")


def trivial(photographs: Photographs, mean_ab: list[float]) -> Colorer:
    """The trivial baselines.

    gray_copy: the input. mean_color: the training photographs' mean ab on this lightness.
    random_color: the ab of a photograph of another group on it. quarter_oracle: the true ab through
    a head of a quarter of the size. ground_truth: the photograph itself.
    """
    other = {}
    for _, of_a_kind in photographs.index.rows.groupby(["split", "side"]):
        other |= splits.others(photographs.index.groups(list(of_a_kind.index)))

    def ab_of(truth: Tensor) -> Tensor:
        return color.rgb_to_lab(truth)[:, 1:]

    def rows(batch: Batch) -> dict[str, Tensor]:
        lightness = color.lightness_of(batch.gray)
        mean = torch.tensor(mean_ab).to(lightness)[:, None, None]
        uniform = mean.expand(len(lightness), -1, *lightness.shape[2:])
        others = photographs.truth([other[name] for name in batch.names])
        return {
            "gray_copy": batch.gray.expand(-1, 3, -1, -1),
            "mean_color": color.to_uint8(color.join(lightness, uniform)),
            "random_color": color.to_uint8(color.join(lightness, ab_of(others))),
            "quarter_oracle": color.to_uint8(
                color.join(lightness, color.enlarge(color.quarter(ab_of(batch.truth))))
            ),
            "ground_truth": batch.truth,
        }

    return rows
