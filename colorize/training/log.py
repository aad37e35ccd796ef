"""What a run says of itself: rows of losses for the curves, a bar for who watches."""

import math
import sys
from collections import defaultdict
from typing import Self

import pandas as pd
import torch
from torch import Tensor
from tqdm import tqdm

from colorize.base.errors import UserError
from colorize.base.progress import INTERVAL

AT_ONCE = 100  # steps whose losses wait on the device at most


class Diverged(UserError):
    """A loss or a weight is infinite or no number; the line says after which step."""


class Log:
    """Means of the losses between rows. Losses stay on the device until they are fetched together:
    to wait for each would hold up the next step.
    """

    def __init__(self):
        self.rows: list[dict[str, float]] = []
        self.sums: dict[str, float] = defaultdict(float)
        self.counts: dict[str, int] = defaultdict(int)
        self.waiting: list[tuple[int, dict[str, Tensor]]] = []

    def add(self, step: int, losses: dict[str, Tensor]) -> None:
        self.waiting.append((step, {name: value.detach() for name, value in losses.items()}))
        if len(self.waiting) >= AT_ONCE:
            self.fetch()

    def fetch(self) -> None:
        """Raises Diverged for the first step with a loss that is infinite or no number."""
        values = [value for _, losses in self.waiting for value in losses.values()]
        numbers = iter(torch.stack(values).tolist() if values else [])
        for step, losses in self.waiting:
            found = {name: next(numbers) for name in losses}
            if not all(map(math.isfinite, found.values())):
                listed = ", ".join(f"{name} {value:.4g}" for name, value in found.items())
                raise Diverged(f"step {step}: training has diverged ({listed})")
            for name, value in found.items():
                self.sums[name] += value
                self.counts[name] += 1
        self.waiting.clear()

    def close_row(self, step: int, images: int) -> dict[str, float]:
        self.fetch()
        means = {name: total / self.counts[name] for name, total in self.sums.items()}
        self.rows.append({"step": step, "images": images} | means)
        self.sums.clear()
        self.counts.clear()
        return means

    def frame(self) -> pd.DataFrame:
        frame = pd.DataFrame(self.rows)
        # `loss` first, and also before there is one: stargan's comes every n_critic.
        names = [name for name in frame.columns if name not in ("step", "images", "loss")]
        return frame.reindex(columns=["step", "images", "loss", *names])

    def state(self) -> dict:
        self.fetch()
        return {"rows": self.rows, "sums": dict(self.sums), "counts": dict(self.counts)}

    def load_state(self, state: dict) -> None:
        self.rows, self.sums = state["rows"], defaultdict(float, state["sums"])
        self.counts = defaultdict(int, state["counts"])


class Progress:
    """A bar with losses and images/s; in a file or a pipe, a line every ten seconds instead.

    shown: False where another process shows it.
    """

    def __init__(self, done: int, steps: int, batch_size: int, *, shown: bool = True):
        self.started, self.batch_size = done, batch_size
        self.bar = tqdm(
            total=steps,
            initial=done,
            unit="step",
            dynamic_ncols=True,
            mininterval=INTERVAL,
            leave=False,
            disable=not shown,
        )

    def show(self, done: int, losses: dict[str, float]) -> None:
        if self.bar.disable:
            return
        text = ", ".join(f"{name} {value:.3g}" for name, value in losses.items())
        self.bar.set_postfix_str(f"{self._rate(done):.1f} images/s, {text}", refresh=False)
        self.bar.update(done - self.bar.n)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error) -> None:
        self.bar.close()
        if error[0] is None and not self.bar.disable:
            seconds, rate = self.bar.format_dict["elapsed"], self._rate(self.bar.n)
            steps = self.bar.n - self.started
            print(f"{steps} steps in {seconds:.0f} s, {rate:.1f} images/s", file=sys.stderr)

    def _rate(self, done: int) -> float:
        seconds = self.bar.format_dict["elapsed"]
        return (done - self.started) * self.batch_size / max(seconds, 1e-9)
