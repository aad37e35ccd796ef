"""What every model is compared with: the baseline, and colourings that need no training."""

import torch
from torch import Tensor

from colorize import color
from colorize.data import splits
from colorize.evaluation.protocol import Batch, Colorer, Photographs

BASELINE = "zhang_l2"  # the model that all others are compared with

# The trivial baselines, which stand in every table
TRIVIAL = ("gray_copy", "mean_color", "random_color", "quarter_oracle", "ground_truth")


def trivial(photographs: Photographs, mean_ab: list[float]) -> dict[str, Colorer]:
    """The trivial baselines, by name.

    gray_copy: the input. mean_color: the training photographs' mean ab on this lightness.
    random_color: the ab of a photograph of another group on it. quarter_oracle: the true ab through
    a head of a quarter of the size. ground_truth: the photograph itself.
    """
    other = {}
    for _, of_a_kind in photographs.index.rows.groupby(["split", "side"]):
        other |= splits.others(photographs.index.groups(list(of_a_kind.index)))

    def lightness(batch: Batch) -> Tensor:
        return color.lightness_of(batch.gray)

    def ab_of(truth: Tensor) -> Tensor:
        return color.rgb_to_lab(truth)[:, 1:]

    def gray_copy(batch: Batch) -> Tensor:
        return batch.gray.expand(-1, 3, -1, -1)

    def mean_color(batch: Batch) -> Tensor:
        ab = torch.tensor(mean_ab, device=batch.gray.device)[:, None, None]
        ab = ab.expand(len(batch.gray), -1, *batch.gray.shape[2:])
        return color.to_uint8(color.join(lightness(batch), ab))

    def random_color(batch: Batch) -> Tensor:
        names = [other[name] for name in batch.names]
        ab = ab_of(photographs.truth(names))
        return color.to_uint8(color.join(lightness(batch), ab))

    def quarter_oracle(batch: Batch) -> Tensor:
        ab = color.enlarge(color.quarter(ab_of(batch.truth)))
        return color.to_uint8(color.join(lightness(batch), ab))

    def ground_truth(batch: Batch) -> Tensor:
        return batch.truth

    colorers = (gray_copy, mean_color, random_color, quarter_oracle, ground_truth)
    return dict(zip(TRIVIAL, colorers, strict=True))
