"""What a run says of itself: rows of losses for the curves, a bar for who watches."""

import sys
from collections import defaultdict
from typing import Self

import pandas as pd
from torch import Tensor
from tqdm import tqdm

from colorize.base.progress import INTERVAL


class Log:
    """Means of the losses between rows, summed on the device: only a row waits for it."""

    def __init__(self):
        self.rows: list[dict[str, float]] = []
        self.sums: dict[str, Tensor] = {}
        self.counts: dict[str, int] = defaultdict(int)

    def add(self, losses: dict[str, Tensor]) -> None:
        for name, value in losses.items():
            value = value.detach()
            self.sums[name] = self.sums[name] + value if name in self.sums else value.clone()
            self.counts[name] += 1

    def close_row(self, step: int, images: int) -> dict[str, float]:
        means = {name: float(total) / self.counts[name] for name, total in self.sums.items()}
        self.rows.append({"step": step, "images": images} | means)
        self.sums.clear()
        self.counts.clear()
        return means

    def frame(self) -> pd.DataFrame:
        frame = pd.DataFrame(self.rows)
        # `loss` first, whichever the first row happens to hold: stargan's comes every n_critic.
        names = [name for name in frame.columns if name not in ("step", "images", "loss")]
        return frame[["step", "images", "loss", *names]]

    def state(self) -> dict:
        return {"rows": self.rows, "sums": self.sums, "counts": dict(self.counts)}

    def load_state(self, state: dict) -> None:
        self.rows, self.sums = state["rows"], state["sums"]
        self.counts = defaultdict(int, state["counts"])


class Progress:
    """A bar with losses and images/s; in a file or a pipe, a line every ten seconds instead."""

    def __init__(self, done: int, steps: int, batch_size: int):
        self.started, self.batch_size = done, batch_size
        self.bar = tqdm(
            total=steps,
            initial=done,
            unit="step",
            dynamic_ncols=True,
            mininterval=INTERVAL,
            leave=False,
        )

    def show(self, done: int, losses: dict[str, float]) -> None:
        text = ", ".join(f"{name} {value:.3g}" for name, value in losses.items())
        self.bar.set_postfix_str(f"{self._rate(done):.1f} images/s, {text}", refresh=False)
        self.bar.update(done - self.bar.n)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error) -> None:
        self.bar.close()
        if error[0] is None:
            seconds, rate = self.bar.format_dict["elapsed"], self._rate(self.bar.n)
            steps = self.bar.n - self.started
            print(f"{steps} steps in {seconds:.0f} s, {rate:.1f} images/s", file=sys.stderr)

    def _rate(self, done: int) -> float:
        seconds = self.bar.format_dict["elapsed"]
        return (done - self.started) * self.batch_size / max(seconds, 1e-9)
