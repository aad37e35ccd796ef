"""What training shows of itself on the way, for those who watch: curves and a grid of pictures."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, NamedTuple

import pandas as pd
from PIL import Image
from pydantic import Field
from torch import Tensor

from colorize.base.files import replaced_file, write_text
from colorize.base.parameters import Parameters
from colorize.data.reading import tensors
from colorize.methods.shared.base import Method
from colorize.training import validation
from colorize.training.log import Log

INTERVAL = 2  # seconds at least from one writing of the loss curves to the next


class TrainParameters(Parameters):
    """The section `train`."""

    samples: Annotated[int, Field(ge=1, le=50)]
    snapshots: Annotated[int, Field(ge=1, le=10)]
    measurements: Annotated[int, Field(ge=1, le=1000)]


class Files(NamedTuple):
    """Where it is shown."""

    losses: Path  # csv: step, images, and the mean of each loss since the row before
    validation: Path  # csv: step, images, generator_updates, and what `validation.measure` gives
    pictures: Path  # png


class Preview:
    """The first photographs of val, colored and measured after some of the steps.

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
        steps, image_size = model.p.steps, model.image_size
        names = val[: max(p.samples, validation.MOST)]
        self.gray = tensors.squares(gray, names, image_size, "L")
        self.truth = tensors.squares(union, names, image_size, "RGB")
        self.samples, self.files, self.draw = p.samples, files, draw
        self.to_color = {round(steps * (i + 1) / p.snapshots) for i in range(p.snapshots)}
        self.to_measure = set(measured_steps(steps, p.measurements))
        self.snapshots: dict[int, Tensor] = {}
        self.rows: list[dict[str, float]] = []
        self.next_losses = 0.0

    def look(self, model: Method, step: int, images: int) -> None:
        """Color and measure, if this step is one of those."""
        if step in self.to_color:
            self.snapshots[step] = model.colorize_bytes(self.gray[: self.samples])
        if step in self.to_measure:
            measured = (of[: validation.MOST] for of in (self.gray, self.truth))
            row = {"step": step, "images": images, "generator_updates": model.generator_updates}
            self.rows.append(row | validation.measure(model, *measured))

    def show(self, step: int, log: Log) -> None:
        """Write what this step has brought; losses now and then."""
        if log.rows and time.monotonic() >= self.next_losses:
            _write(log.frame(), self.files.losses)
            self.next_losses = time.monotonic() + INTERVAL
        if step in self.to_color:
            self._show_pictures()
        if step in self.to_measure:
            _write(pd.DataFrame(self.rows), self.files.validation)

    def show_all(self, log: Log) -> None:
        _write(log.frame(), self.files.losses)
        _write(pd.DataFrame(self.rows), self.files.validation)
        self._show_pictures()

    def state(self) -> dict:
        return {"pictures": self.snapshots, "measured": self.rows}

    def load_state(self, state: dict) -> None:
        self.snapshots = {step: of.cpu() for step, of in state["pictures"].items()}
        self.rows = state["measured"]

    def _show_pictures(self) -> None:
        gray, truth = (of[: self.samples] for of in (self.gray, self.truth))
        with replaced_file(self.files.pictures) as partial:
            self.draw(gray, self.snapshots, truth).save(partial, "PNG")


def measured_steps(steps: int, measurements: int) -> list[int]:
    """Closer together the earlier they are: adversarial training changes most at its start."""
    return sorted(
        {max(1, round(steps * (i / measurements) ** 2)) for i in range(1, measurements + 1)}
    )


def _write(table: pd.DataFrame, file: Path) -> None:
    write_text(file, table.to_csv(index=False, float_format="%.6g", lineterminator="\n"))
