"""What training shows to those who watch it: a bar, curves of losses, and photographs of val.

The loop calls `step` after each step, `show` when a checkpoint may stand for it, and `finish` at
the end. Of several processes that train one model, the first shows.
"""

import contextlib
import math
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, NamedTuple

import pandas as pd
import torch
from PIL import Image
from pydantic import Field
from torch import Tensor
from tqdm import tqdm

from colorize.base import distributed, progress
from colorize.base.errors import UserError
from colorize.base.files import replaced_file, write_text
from colorize.base.parameters import Parameters
from colorize.data.reading import tensors
from colorize.methods.shared.base import Method
from colorize.training import validation

INTERVAL = 2  # seconds at least from one writing of the loss curves to the next
AT_ONCE = 100  # steps whose losses wait on the device at most


class TrainParameters(Parameters):
    """The section `train`."""

    samples: Annotated[int, Field(ge=1, le=50)]
    snapshots: Annotated[int, Field(ge=1, le=10)]
    measurements: Annotated[int, Field(ge=1, le=1000)]


class Diverged(UserError):
    """A loss or a weight is infinite or no number; the line says after which step."""


class Files(NamedTuple):
    """Where it is shown."""

    losses: Path  # csv: step, images, and the mean of each loss since the row before
    validation: Path  # csv: step, images, generator_updates, and what `validation.measure` gives
    pictures: Path  # png


class Watch:
    """A bar, the losses, and the first photographs of val, colored and measured on the way.

    val: their names. draw: makes one picture of photographs in gray (n, 1, S, S), of what became of
    them by step, and of the true ones, each (n, 3, S, S) uint8.
    """

    def __init__(
        self,
        p: TrainParameters,
        model: Method,
        val: list[str],
        union: Path,
        gray: Path,
        files: Files,
        draw: Callable[[Tensor, dict[int, Tensor], Tensor], Image.Image],
    ):
        steps, names = model.p.steps, val[: max(p.samples, validation.MOST)]
        self.model, self.samples, self.files, self.draw = model, p.samples, files, draw
        self.gray = tensors.squares(gray, names, model.image_size, "L")
        self.truth = tensors.squares(union, names, model.image_size, "RGB")
        self.to_color = {round(steps * (i + 1) / p.snapshots) for i in range(p.snapshots)}
        self.to_measure = set(measured_steps(steps, p.measurements))
        self.shown = distributed.rank() == 0
        self.losses = Losses()
        self.snapshots: dict[int, Tensor] = {}
        self.measured: list[dict[str, float]] = []
        self.next_writing = 0.0

    @contextlib.contextmanager
    def bar(self, done: int, log_interval: int) -> Iterator[None]:
        """Show a bar from step `done`; in a file or a pipe, a line every ten seconds instead.

        log_interval: steps from one row of losses to the next.
        """
        self.started, self.log_interval = done, log_interval
        self.progress = tqdm(
            total=self.model.p.steps,
            initial=done,
            unit="step",
            dynamic_ncols=True,
            mininterval=progress.INTERVAL,
            leave=False,
            disable=not self.shown,
        )
        with self.progress:
            yield
        if self.shown:
            steps, seconds = self.progress.n - done, self.progress.format_dict["elapsed"]
            rate = self._rate(self.progress.n)
            print(f"{steps} steps in {seconds:.0f} s, {rate:.1f} images/s", file=sys.stderr)

    def step(self, step: int, losses: dict[str, Tensor]) -> None:
        """Take its losses; color and measure, if it is one of those steps.

        Raises Diverged, after some steps more perhaps, for a loss that is infinite or no number.
        """
        p, images = self.model.p, step * self.model.p.batch_size
        self.losses.add(step, losses)
        if step % self.log_interval == 0 or step == p.steps:
            row = self.losses.close_row(step, images)
            if self.shown:
                text = ", ".join(f"{name} {value:.3g}" for name, value in row.items())
                self.progress.set_postfix_str(f"{self._rate(step):.1f} images/s, {text}", False)
                self.progress.update(step - self.progress.n)
        if self.shown and step in self.to_color:
            self.snapshots[step] = self.model.colorize_bytes(self.gray[: self.samples])
        if self.shown and step in self.to_measure:
            few = self.few_of_val()
            row = {
                "step": step,
                "images": images,
                "generator_updates": self.model.generator_updates,
            }
            self.measured.append(row | validation.measure(self.model, *few))

    def few_of_val(self) -> tuple[Tensor, Tensor]:
        """Up to `validation.MOST` photographs, gray (n, 1, S, S) and in color (n, 3, S, S)."""
        return self.gray[: validation.MOST], self.truth[: validation.MOST]

    def show(self, step: int) -> None:
        """Write what this step has brought; losses now and then."""
        if self.shown and self.losses.rows and time.monotonic() >= self.next_writing:
            self._write_losses()
            self.next_writing = time.monotonic() + INTERVAL
        if self.shown and step in self.to_color:
            self._draw_pictures()
        if self.shown and step in self.to_measure:
            self._write_measured()

    def finish(self) -> None:
        """Write all of it, also where this run had nothing left to do."""
        if self.shown:
            self._write_losses()
            self._write_measured()
            self._draw_pictures()

    def state(self) -> dict:
        losses = self.losses.state()
        return {"pictures": self.snapshots, "measured": self.measured, "losses": losses}

    def load_state(self, state: dict) -> None:
        # Of as many photographs as are asked for now; what was shown before the fewest is gone.
        self.snapshots = {
            step: of[: self.samples].cpu()
            for step, of in state["pictures"].items()
            if len(of) >= len(self.gray[: self.samples])
        }
        self.measured = state["measured"]
        self.losses.load_state(state["losses"])

    def _rate(self, step: int) -> float:
        """Images per second."""
        seconds = max(self.progress.format_dict["elapsed"], 1e-9)
        return (step - self.started) * self.model.p.batch_size / seconds

    def _write_losses(self) -> None:
        _write(self.losses.frame(), self.files.losses)

    def _write_measured(self) -> None:
        _write(pd.DataFrame(self.measured), self.files.validation)

    def _draw_pictures(self) -> None:
        gray, truth = (of[: self.samples] for of in (self.gray, self.truth))
        with replaced_file(self.files.pictures) as partial:
            self.draw(gray, self.snapshots, truth).save(partial, "PNG")


class Losses:
    """Rows of means over the steps since the row before. Losses stay on the device until they are
    fetched together: to wait for each would hold up the next step.
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
            of_step = {name: next(numbers) for name in losses}
            if not all(map(math.isfinite, of_step.values())):
                listed = ", ".join(f"{name} {value:.4g}" for name, value in of_step.items())
                raise Diverged(f"step {step}: training has diverged ({listed})")
            for name, value in of_step.items():
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


def measured_steps(steps: int, measurements: int) -> list[int]:
    """Closer together the earlier they are: adversarial training changes most at its start."""
    return sorted(
        {max(1, round(steps * (i / measurements) ** 2)) for i in range(1, measurements + 1)}
    )


def _write(table: pd.DataFrame, file: Path) -> None:
    write_text(file, table.to_csv(index=False, float_format="%.6g", lineterminator="\n"))
