"""What training keeps of its speed beside other work, by the way its threads wait.

    python -m benchmarks.threads [--seconds S] [--image-size PX] [--width W]

CycleGAN steps alone, beside a process that does nothing but count, and beside a second trainer:
with OpenMP's default, where a thread that waits spins for milliseconds before it sleeps; with
OMP_WAIT_POLICY=passive, where it sleeps at once; and as every command of this project sets it.
"""

import argparse
import itertools
import json
import os
import time
from multiprocessing import get_context
from multiprocessing.sharedctypes import Synchronized

from colorize.base import command

# GOMP_SPINCOUNT: what libgomp takes where nobody sets it, for OMP_WAIT_POLICY=passive, and here.
SPINS = {"default": 300_000, "passive": 0, "ours": command.SPINS}

BESIDE = ("nothing", "counting", "training")
WARM_UP = 3  # seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=20, help="of each measurement (20)")
    parser.add_argument("--image-size", type=int, default=64, help="pixels (64)")
    parser.add_argument("--width", type=int, default=16, help="of all networks (16)")
    arguments = parser.parse_args()

    rates = {beside: {} for beside in BESIDE}
    for policy, spins in SPINS.items():
        os.environ["GOMP_SPINCOUNT"] = str(spins)  # for the processes that are started from here
        for beside in BESIDE:
            rates[beside][policy] = round(_rate(beside, arguments), 2)
    print(json.dumps({"images_per_second": rates} | vars(arguments), indent=2))
    print(f"{'beside':10}" + "".join(f"{p:>16}" for p in SPINS) + "   images/s (share of alone)")
    for beside, of_policy in rates.items():
        cells = [f"{r:.2f} ({r / rates['nothing'][p]:.0%})" for p, r in of_policy.items()]
        print(f"{beside:10}" + "".join(f"{cell:>16}" for cell in cells))


def _rate(beside: str, arguments: argparse.Namespace) -> float:
    """Images/s of a trainer, while another process keeps the machine busy or none does."""
    context = get_context("spawn")
    settings = (arguments.image_size, arguments.width)
    rate = context.Value("d", 0)
    trainer = context.Process(target=train, args=(*settings, arguments.seconds, rate))
    match beside:
        case "counting":
            others = [context.Process(target=_count, daemon=True)]
        case "training":
            forever = (*settings, float("inf"), context.Value("d", 0))
            others = [context.Process(target=train, args=forever, daemon=True)]
        case _:
            others = []
    for process in (*others, trainer):
        process.start()
    trainer.join()
    for process in others:
        process.kill()
    if trainer.exitcode != 0:
        raise RuntimeError(f"the trainer ended with {trainer.exitcode}")
    return rate.value


def train(image_size: int, width: int, seconds: float, rate: Synchronized) -> None:
    """Take steps of `cyclegan` for so many seconds, and put the images/s into `rate`."""
    # Imported here: torch reads the policy when it is loaded, and the parent needs none of it.
    import torch

    from colorize.methods.shared import model
    from stages import common

    p = common.read_params().model("cyclegan")
    p = p.model_copy(update={"width": width, "discriminator_width": width})
    network = model.build(p, image_size).train()
    network.prepare_training()
    rng = torch.Generator().manual_seed(0)
    shape = (p.batch_size, 3, image_size, image_size)
    color = torch.randint(0, 256, shape, generator=rng, dtype=torch.uint8)
    batch = {"gray": color[:, :1], "color": color}

    def steps(seconds: float) -> float:
        """Images/s."""
        start, spent, done = time.perf_counter(), 0.0, 0
        while spent < seconds:
            done += 1
            network.step(batch, done, rng)
            spent = time.perf_counter() - start
        return done * len(color) / spent

    steps(WARM_UP)
    rate.value = steps(seconds)


def _count() -> None:
    for _ in itertools.count():
        pass


if __name__ == "__main__":
    main()
