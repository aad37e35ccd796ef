"""What every model is compared with: the baseline, and colorings that need no training."""

import torch
from torch import Tensor

from colorize import color
from colorize.color.strips import by_strips, on_lightness
from colorize.data.reading.index import others
from colorize.evaluation.protocol import Batch, Colorer, Photographs

BASELINE = "zhang_l2"  # the model that all others are compared with

# The trivial baselines, which stand in every table
TRIVIAL = ("grayscale", "mean_color", "random_color", "quarter_chroma", "ground_truth")


def trivial(photographs: Photographs, mean_ab: list[float]) -> Colorer:
    """The trivial baselines.

    grayscale: the input. mean_color: the training photographs' mean ab on this lightness.
    random_color: the ab of a photograph of another group on it. quarter_chroma: the true ab through
    a head of a quarter of the size. ground_truth: the photograph itself.
    """
    other = {}
    for _, of_a_kind in photographs.index.rows.groupby(["split", "side"]):
        other |= others(photographs.index.groups(list(of_a_kind.index)))

    def rows(batch: Batch) -> dict[str, Tensor]:
        gray, truth = batch.gray, batch.truth
        mean = torch.tensor(mean_ab, device=gray.device)[:, None, None]
        others = photographs.truth([other[name] for name in batch.names])
        quartered = color.enlarge(color.quarter(by_strips(_ab, truth)))
        return {
            "grayscale": gray.expand(-1, 3, -1, -1),
            "mean_color": on_lightness(gray, mean.expand(len(gray), -1, *gray.shape[2:])),
            "random_color": on_lightness(gray, by_strips(_ab, others)),
            "quarter_chroma": on_lightness(gray, quartered),
            "ground_truth": truth,
        }

    return rows


def _ab(rgb: Tensor) -> Tensor:
    return color.rgb_to_lab(rgb)[:, 1:]
