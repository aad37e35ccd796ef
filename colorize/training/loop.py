"""The training loop, one for all ways of colouring.

To resume, run the same command again: the loop goes on from the last checkpoint, and ends with the
same weights, to the byte, as a run that was never stopped.
"""

import contextlib
import copy
import sys
import time
from collections.abc import Callable
from typing import Annotated, NoReturn

import numpy as np
import pandas as pd
import torch
from pydantic import Field
from torch import Tensor

from colorize.base import processes
from colorize.base.errors import UserError
from colorize.base.parameters import Parameters
from colorize.methods.shared.base import Method, not_finite
from colorize.methods.shared.parameters import ModelParameters, Seed
from colorize.training.checkpoint import Checkpoints
from colorize.training.draws import Draws, batches
from colorize.training.interruption import LOST, Interruption, Stopped
from colorize.training.log import Diverged, Log, Progress
from colorize.training.runtime import RuntimeParameters, can_compile


class SeedParameters(Parameters):
    """The top-level key `seed`."""

    seed: Seed


class TrainParameters(Parameters):
    """The section `train`: what training shows of itself, on which nothing else depends."""

    samples: Annotated[int, Field(ge=1, le=50)]
    snapshots: Annotated[int, Field(ge=1, le=10)]
    measurements: Annotated[int, Field(ge=1, le=1000)]


SHOW_INTERVAL = 2  # seconds at least from one showing of the curves to the next


def train(
    model: Method,
    parameters: ModelParameters,
    draws: Draws,
    samples: Tensor,  # gray photographs (n, 1, S, S), uint8, to be coloured on the way
    *,
    seed: int,
    snapshots: int,  # how many times, evenly spread, the last at the end
    measurements: int,  # likewise, but closer together the earlier it is
    measure: Callable[[Method], dict[str, float]],  # how well the model does
    runtime: RuntimeParameters,
    device: torch.device,
    checkpoints: Checkpoints,
    show_losses: Callable[[pd.DataFrame], None],  # now and then, and at the end
    show_snapshots: Callable[[dict[int, Tensor]], None],  # when there is one more
    show_measurements: Callable[[pd.DataFrame], None],  # likewise
) -> None:
    """Train `model` in place for `parameters.steps` steps, from a checkpoint if there is one.

    show_losses gets the columns step, images, and the mean of each loss since the row before;
    show_measurements step, images, generator_updates, and what `measure` gives; show_snapshots by
    step the samples, coloured, each (n, 3, S, S) uint8.

    Raises Stopped, with everything saved, on SIGINT, on SIGTERM, when the process that started
    the stage is gone and after `runtime.max_minutes`; Diverged, when a loss or a weight is infinite
    or no number, which no checkpoint ever holds.
    """
    p = parameters
    if device.type == "cpu":
        torch.use_deterministic_algorithms(True)
    model.to(device).train()
    model.prepare_training(compiled=runtime.compile and can_compile(device))
    snapshot_steps = {round(p.steps * (i + 1) / snapshots) for i in range(snapshots)}
    steps_to_measure = set(measured_steps(p.steps, measurements))
    log = Log()
    pictures: dict[int, Tensor] = {}
    measured: list[dict[str, float]] = []
    done = 0
    next_showing = 0.0
    first = processes.number() == 0  # all processes come to the same; the first one saves and shows

    # Resume
    with processes.first_alone():  # what is spoiled is removed
        saved = checkpoints.load(device)
    if saved is not None:
        model.load_training_state(saved["model"])
        log.load_state(saved["log"])
        pictures = {step: picture.cpu() for step, picture in saved["pictures"].items()}
        measured = saved["measured"]
        done = saved["step"]
        if first:
            print(f"resuming after step {done} of {p.steps}", file=sys.stderr)

    def save() -> None:
        # Of the losses first: they name the step, and come before the weights that they spoil.
        state = {"step": done, "log": log.state(), "pictures": pictures, "measured": measured}
        _check_finite(model, done)
        checkpoints.save(done, state | {"model": model.training_state()})

    def stop(why: tuple[str, int]) -> NoReturn:
        if first and checkpoints.last_step() != done:
            save()
        if why == LOST and not first:
            # The first may be the one that is gone: then whoever comes first of those left saves.
            with contextlib.suppress(UserError), checkpoints.alone():
                if checkpoints.last_step() != done:
                    save()
        reason, code = why
        raise Stopped(f"{reason}: stopped after step {done} of {p.steps}", code)

    drawn = batches(
        *(draws, done * p.batch_size, p.steps * p.batch_size, p.batch_size),
        workers=runtime.workers,
        accumulation=p.accumulation,
    )
    progress = Progress(done, p.steps, p.batch_size, shown=first)
    with progress as bar, Interruption(runtime.max_minutes) as interruption:
        for batch in drawn:
            done += 1
            model.set_learning_rate(p.learning_rate * p.learning_rate_factor(done))
            batch = {key: value.to(device, non_blocking=True) for key, value in batch.items()}
            before = copy.deepcopy(model.training_state()) if processes.count() > 1 else None
            try:
                losses = model.step(batch, done, randomness(seed, done))
            except processes.Lost:  # some weights have moved, others have not
                model.load_training_state(before)
                done -= 1
                stop(LOST)
            log.add(done, losses)

            if done % runtime.log_interval == 0 or done == p.steps:
                bar.show(done, log.close_row(done, done * p.batch_size))
            if done in snapshot_steps:
                pictures[done] = model.colorize_bytes(samples)
            if done in steps_to_measure:
                row = {"step": done, "images": done * p.batch_size}
                row["generator_updates"] = model.generator_updates
                measured.append(row | measure(model))
            stopping = interruption.reason
            # The last step too: outputs take a while to write.
            if first and (done % runtime.save_interval == 0 or done == p.steps):
                save()
            if first and log.rows and time.monotonic() >= next_showing:
                show_losses(log.frame())
                next_showing = time.monotonic() + SHOW_INTERVAL
            if first and done in snapshot_steps:
                show_snapshots(pictures)
            if first and done in steps_to_measure:
                show_measurements(pd.DataFrame(measured))
            if stopping:
                stop(stopping)
    if first:  # once more: this run may have had nothing left to do
        show_losses(log.frame())
        show_snapshots(pictures)
        show_measurements(pd.DataFrame(measured))


def measured_steps(steps: int, measurements: int) -> list[int]:
    """Closer together the earlier they are: a game changes most at its start."""
    return sorted(
        {max(1, round(steps * (i / measurements) ** 2)) for i in range(1, measurements + 1)}
    )


def _check_finite(model: Method, step: int) -> None:
    """Losses tell of the weights before their step: the last ones would pass."""
    lost = not_finite(model.state_dict())
    if lost:
        raise Diverged(f"step {step}: training has diverged ({lost} is not finite)")


def randomness(seed: int, step: int) -> torch.Generator:
    """A step's own randomness, on the CPU so that every device draws the same numbers.

    torch's own generators, which dropout draws from, start each step from it too.
    """
    state = np.random.SeedSequence((seed, step)).generate_state(2, np.uint64) >> 1
    torch.manual_seed(int(state[1]))
    return torch.Generator().manual_seed(int(state[0]))
