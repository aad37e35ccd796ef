"""The training loop, one for all ways of colouring.

To resume, run the same command again: the loop goes on from the last checkpoint, and ends with the
same weights, to the byte, as a run that was never stopped.
"""

import os
import signal
import sys
from collections import defaultdict
from dataclasses import dataclass
from typing import Annotated, Literal, Self

import numpy as np
import pandas as pd
import torch
from PIL import Image
from pydantic import Field
from torch import Tensor
from tqdm import tqdm

from colorize import color, data, grids
from colorize.methods.common import Method, ModelParameters, Seed
from colorize.parameters import Parameters
from colorize.progress import INTERVAL
from colorize.runtime import RuntimeParameters
from colorize.scratch import Scratch


class SeedParameters(Parameters):
    """The top-level key `seed`."""

    seed: Seed


class TrainParameters(Parameters):
    """The section `train`: what all models share and what changes results."""

    unpaired: Literal["disjoint", "shared"]
    samples: Annotated[int, Field(ge=1, le=50)]
    snapshots: Annotated[int, Field(ge=1, le=10)]


@dataclass(frozen=True)
class Trained:
    """What a finished run leaves besides the model's weights."""

    losses: pd.DataFrame  # step, images, then the mean of each loss since the row before
    snapshots: dict[int, Tensor]  # step -> the samples, coloured: (n, 3, S, S) uint8


class Stopped(Exception):
    """Training was asked to stop, and did so with everything saved."""


def train(
    model: Method,
    parameters: ModelParameters,
    draws: data.Draws,
    samples: Tensor,  # gray photographs (n, 1, S, S), uint8, to be coloured on the way
    *,
    seed: int,
    snapshots: int,  # how many times, evenly spread, the last at the end
    runtime: RuntimeParameters,
    device: torch.device,
    scratch: Scratch,
) -> Trained:
    """Train `model` in place for `parameters.steps` steps, from the checkpoint if there is one.

    Raises Stopped, with everything saved, on SIGINT, on SIGTERM, and when the process that started
    the stage is gone.
    """
    p = parameters
    if device.type == "cpu":
        torch.use_deterministic_algorithms(True)
    model.to(device).train()
    snapshot_steps = {round(p.steps * (i + 1) / snapshots) for i in range(snapshots)}
    log = Log()
    pictures: dict[int, Tensor] = {}
    done = 0

    # Resume
    saved = scratch.load(device)
    if saved is not None:
        model.load_training_state(saved["model"])
        log.load_state(saved["log"])
        pictures = {step: picture.cpu() for step, picture in saved["pictures"].items()}
        done = saved["step"]
        print(f"resuming after step {done} of {p.steps}", file=sys.stderr)

    def save() -> None:
        state = {"step": done, "log": log.state(), "pictures": pictures}
        scratch.save(state | {"model": model.training_state()})

    batches = data.batches(
        draws, done * p.batch_size, p.steps * p.batch_size, p.batch_size, runtime.workers
    )
    with Progress(done, p.steps, p.batch_size) as bar, Interruption() as interruption:
        for batch in batches:
            done += 1
            model.set_learning_rate(p.learning_rate * p.learning_rate_factor(done))
            batch = {key: value.to(device, non_blocking=True) for key, value in batch.items()}
            log.add(model.step(batch, done, _generator(seed, done)))

            if done % runtime.log_interval == 0 or done == p.steps:
                bar.show(done, log.close_row(done, done * p.batch_size))
            if done in snapshot_steps:
                pictures[done] = colorize(model, samples, device)
            stopping = interruption.reason
            if stopping or (done % runtime.save_interval == 0 and done < p.steps):
                save()
            if stopping:
                raise Stopped(f"{stopping}: stopped after step {done} of {p.steps}")
    return Trained(log.frame(), pictures)


@torch.inference_mode()
def colorize(model: Method, gray: Tensor, device: torch.device, batch_size: int = 16) -> Tensor:
    """(n, 1, S, S) uint8 gray to (n, 3, S, S) uint8, the method's own RGB, on the CPU."""
    training = model.training
    model.eval()
    colored = [
        color.to_uint8(model.colorize(color.to_float(part.to(device)))).cpu()
        for part in gray.split(batch_size)
    ]
    model.train(training)
    return torch.cat(colored)


def training_grid(gray: Tensor, snapshots: dict[int, Tensor], truth: Tensor) -> Image.Image:
    """How the colours came: gray, the result after some numbers of steps, truth."""
    steps = {f"step {step}": picture for step, picture in sorted(snapshots.items())}
    return grids.grid({"gray": gray} | steps | {"truth": truth})


def _generator(seed: int, step: int) -> torch.Generator:
    """A step's own randomness, on the CPU so that every device draws the same numbers."""
    state = np.random.SeedSequence((seed, step)).generate_state(1, np.uint64)
    return torch.Generator().manual_seed(int(state[0] >> 1))


class Log:
    """Means of the losses between rows, summed on the device: only a row waits for it."""

    def __init__(self):
        self.rows: list[dict[str, float]] = []
        self.sums: dict[str, Tensor] = {}
        self.counts: dict[str, int] = defaultdict(int)

    def add(self, losses: dict[str, Tensor]) -> None:
        for name, value in losses.items():
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


class Interruption:
    """Turns SIGINT, SIGTERM and the loss of the parent under DVC into `reason`, asked each step.

    The second Ctrl-C ends the process at once. A trainer whose `dvc` was killed must not go on
    writing beside the one that the next `dvc repro` starts.
    """

    def __init__(self):
        self._signal: str | None = None
        self._parent = os.getppid() if "DVC_STAGE" in os.environ else None
        self._previous = {}

    @property
    def reason(self) -> str | None:
        if self._signal is None and self._parent not in (None, os.getppid()):
            return "the process that started this stage is gone"
        return self._signal

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._previous[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *error) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _handle(self, number: int, frame: object) -> None:
        self._signal = signal.Signals(number).name
        signal.signal(number, self._previous[number])
