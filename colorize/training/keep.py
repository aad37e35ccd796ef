"""The weights that are kept where `keep` asks for other than the last: those that color val best.

Adversarial training wanders, and trained for too long a network learns its photographs by heart. At
TIMES steps, evenly spread, the model colors up to 48 val photographs; weights, with their step, are
kept where the mean over these is the best so far. So val chooses: what it then says of the model is
a little too good, and test has the last word.
"""

import operator
from typing import NamedTuple

import torch
from torch import Tensor

from colorize import color
from colorize.base import distributed
from colorize.methods.shared.base import Method
from colorize.quality import ciede2000, mean, psnr
from colorize.training.validation import BATCH

TIMES = 20


class Best(NamedTuple):
    step: int
    value: float
    weights: dict[str, Tensor]  # of the generators, on the CPU


class Kept:
    """gray: (n, 1, S, S), truth: (n, 3, S, S), uint8, of val. `best` is None for the last ones."""

    def __init__(self, model: Method, gray: Tensor, truth: Tensor):
        self.model, self.gray, self.truth = model, gray, truth
        times = 0 if model.p.keep == "last" else TIMES
        self.steps = {max(1, round(model.p.steps * i / TIMES)) for i in range(1, times + 1)}
        self.best: Best | None = None

    def step(self, step: int) -> None:
        """Measure and compare, if it is one of those steps; of several processes in the first."""
        if step not in self.steps or distributed.rank() != 0:
            return
        metric = self.model.p.keep
        value = measured(metric, self.model.colorize_bytes(self.gray, BATCH), self.truth)
        better = operator.lt if metric == "ciede2000" else operator.gt
        if self.best is None or better(value, self.best.value):
            weights = self.model.generator_weights()
            self.best = Best(step, value, {k: w.detach().cpu().clone() for k, w in weights.items()})

    def state(self) -> tuple | None:
        return self.best and tuple(self.best)

    def load_state(self, state: tuple | None) -> None:
        self.best = state and Best(*state)


@torch.inference_mode()
def measured(metric: str, colored: Tensor, truth: Tensor) -> float:
    """Mean over photographs (n, 3, S, S) uint8."""
    values = []
    for y, t in zip(colored.split(BATCH), truth.split(BATCH), strict=True):
        if metric == "psnr":
            values.append(psnr(y.float(), t.float()))
        else:
            values.append(mean(ciede2000(color.rgb_to_lab(y), color.rgb_to_lab(t))))
    return float(torch.cat(values).double().mean())
