"""The training loop, one for all ways of coloring.

To resume, run the same command again: the loop goes on from the last checkpoint, and ends with the
same weights, to the byte, as a run that was never stopped.
"""

import sys

import numpy as np
import torch

from colorize.base import distributed
from colorize.base.parameters import Parameters
from colorize.methods.shared.base import Method, Seed, not_finite
from colorize.methods.shared.start import Start
from colorize.training.checkpoint import Checkpoints
from colorize.training.dataset import TrainingDataset, batches
from colorize.training.interruption import Interruption, Stopped
from colorize.training.keep import Kept
from colorize.training.runtime import RuntimeParameters, can_compile
from colorize.training.watch import Diverged, Watch


class SeedParameters(Parameters):
    """The top-level key `seed`."""

    seed: Seed


def train(
    model: Method,
    dataset: TrainingDataset,
    watch: Watch,
    checkpoints: Checkpoints,
    start: Start,
    kept: Kept,
    *,
    seed: int,
    runtime: RuntimeParameters,
    device: torch.device,
) -> None:
    """Train `model` in place for `model.p.steps` steps, from a checkpoint if there is one.

    start: the training that goes on, if it is one. kept: takes weights on the way, where the last
    ones are not to be kept.

    Exits with everything saved, and one line, on SIGINT, on SIGTERM, when the process that started
    the stage is gone and after `runtime.max_minutes`; with one line alone where another process
    that trains the model is gone, in the middle of a step perhaps. Raises UserError when a loss or
    a weight is infinite or no number, which no checkpoint ever holds.
    """
    p, done = model.p, 0
    if device.type == "cpu":
        torch.use_deterministic_algorithms(True)
        # All memory is written before it is read; to fill it first takes a seventh of a step.
        torch.utils.deterministic.fill_uninitialized_memory = False
    model.to(device).train()
    model.prepare_training(compiled=runtime.compile and can_compile(device))

    with distributed.rank_zero_first():  # what is corrupt is removed
        saved = checkpoints.load(device)
    if saved is not None:
        done = saved["step"]
        model.load_training_state(saved["model"])
        watch.load_state(saved["watch"])
        kept.load_state(saved["kept"])
        if distributed.rank() == 0:
            print(f"resuming after step {done} of {p.steps}", file=sys.stderr)
    elif start.config is not None:
        model.load_training_state(start.state)

    first, last = (start.images + steps * p.batch_size for steps in (done, p.steps))
    shuffled = batches(
        *(dataset, first, last, p.batch_size),
        workers=runtime.workers,
        accumulation=p.accumulation,
    )
    with (
        checkpoints.telling_what_is_left(),
        watch.bar(done, runtime.log_interval),
        Interruption(runtime.max_minutes) as interruption,
    ):
        for batch in shuffled:
            done += 1
            model.set_learning_rate(p.learning_rate * p.learning_rate_factor(done))
            batch = {key: value.to(device, non_blocking=True) for key, value in batch.items()}
            losses = model.step(batch, done, randomness(seed, start.steps + done))
            watch.step(done, losses)
            kept.step(done)

            stopping = interruption.reason
            # The last step too: outputs take a while to write.
            if stopping or done % runtime.save_interval == 0 or done == p.steps:
                _save(checkpoints, done, model, watch, kept)
            watch.show(done)
            if stopping:
                reason, code = stopping
                raise Stopped(f"{reason}: stopped after step {done} of {p.steps}", code)
    watch.finish()


def _save(checkpoints: Checkpoints, step: int, model: Method, watch: Watch, kept: Kept) -> None:
    """All processes come to the same; the first one saves."""
    if distributed.rank() == 0:
        # Of the losses first: they name the step, and come before the weights that they corrupt.
        state = {"step": step, "watch": watch.state(), "kept": kept.state()}
        _check_finite(model, step)
        checkpoints.save(step, state | {"model": model.training_state()})


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
