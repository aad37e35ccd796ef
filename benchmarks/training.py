"""Speed and memory of a training step, beside the same step written out in plain torch.

    python -m benchmarks.training --method M [--image-size PX] [--width W] [--depth N]
        [--batch-size B] [--device D] [--precision P] [--compile] [--seconds S]

Ours trains as the stage does: photographs are decoded by a worker process, cropped, mirrored, and
moved to the device while it works. The plain step (tests/plain.py: the authors' order of
operations, eager, float32) gets one batch that is in memory already. Both take turns on the same
networks, each in a process of its own; what counts is the ratio.

    python -m benchmarks.training --method M --losses STEPS [--seeds N]

Instead: the losses of both after so many steps on the same draws, the mean over the last tenth,
and how far seeds lie apart.
"""

import argparse
import contextlib
import itertools
import resource
import statistics
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch
from PIL import Image, ImageOps

from benchmarks import results
from benchmarks.photographs import photographs
from colorize.base import memory
from colorize.base.device import choose_device
from colorize.base.errors import UserError
from colorize.data.photographs import resize
from colorize.methods import model
from colorize.methods.parameters import ModelParameters
from colorize.training import draws, loop
from stages import common
from tests.plain import plain

ROUNDS = 5  # turns that each takes
WIDTHS = ("width", "discriminator_width")
PUBLISHED_DEPTH = {"resnet": 6, "stargan": 6, "zhang": 3}  # at 128 pixels


def main() -> None:
    settings = vars(_arguments())
    output = settings.pop("output")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write_photographs(folder, settings["image_size"])
        result = (_losses if settings["losses"] else _speed)(settings, folder)
    table = _losses_table(result) if settings["losses"] else _speed_table(result)
    results.show({"settings": settings | _machine(settings)} | result, table, output)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--method", required=True, help="whose first entry in params.yaml is taken")
    parser.add_argument("--image-size", type=int, default=128, help="pixels (128)")
    parser.add_argument("--width", type=int, default=64, help="of all networks (64)")
    parser.add_argument("--depth", type=int, help="of the generator (as published)")
    parser.add_argument("--batch-size", type=int, help="images (as in params.yaml)")
    parser.add_argument("--device", default="auto", help="as runtime.device (auto)")
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32", help="ours (fp32)")
    parser.add_argument("--compile", action="store_true", help="ours, as runtime.compile")
    parser.add_argument("--workers", type=int, default=1, help="as runtime.workers (1)")
    parser.add_argument("--seconds", type=float, default=60, help="of both together (60)")
    parser.add_argument("--losses", type=int, metavar="STEPS", help="compare losses instead")
    parser.add_argument("--seeds", type=int, default=3, help="for --losses (3)")
    parser.add_argument("--output", type=Path, help="a file for the JSON")
    return parser.parse_args()


def _speed(settings: dict[str, Any], folder: Path) -> dict:
    context = get_context("spawn")
    with contextlib.ExitStack() as stack:
        # A process for each: memory is its own, and how it is kept.
        processes = {
            which: stack.enter_context(
                ProcessPoolExecutor(1, context, _start, (which, settings, folder))
            )
            for which in ("ours", "plain")
        }

        def run(which: str, steps: int) -> tuple[float, float]:
            return processes[which].submit(_run, steps).result()

        # Whole turns of n_critic steps: that of the generator takes longer.
        p = _parameters(settings)
        turn = getattr(p, "n_critic", 1)
        counts = {}
        for which in processes:
            run(which, turn)  # allocations, algorithms, compiling
            seconds = run(which, turn)[0]
            counts[which] = turn * max(1, round(settings["seconds"] / 2 / ROUNDS / seconds))
        taken = {which: [] for which in processes}
        waited = total = 0.0
        for _ in range(ROUNDS):
            for which in processes:
                seconds, waiting = run(which, counts[which])
                taken[which].append(seconds / counts[which])
                if which == "ours":
                    waited, total = waited + waiting, total + seconds
        peaks = {which: process.submit(_peak).result() for which, process in processes.items()}
    rows = {
        which: {
            "step_ms": round(1000 * statistics.median(values), 2),
            "images_per_second": round(p.batch_size / statistics.median(values), 3),
            "peak_mb": round(peaks[which]),
        }
        for which, values in taken.items()
    }
    rows["ours"]["waiting_for_data"] = round(waited / total, 4)
    ratios = [b / a for a, b in zip(taken["ours"], taken["plain"], strict=True)]
    return {
        "rows": rows,
        "times_plain": round(statistics.median(ratios), 3),
        "times_plain_range": [round(min(ratios), 3), round(max(ratios), 3)],
    }


def _losses(settings: dict[str, Any], folder: Path) -> dict:
    """Means over the last tenth of the steps, of both and for each seed."""
    found: dict[str, dict[str, list[float]]] = {}
    for which in ("ours", "plain"):
        for seed in range(settings["seeds"]):
            last = _Trainer(which, settings, folder, seed).losses(settings["losses"])
            for name, value in last.items():
                found.setdefault(name, {}).setdefault(which, []).append(round(value, 5))
    rows = {}
    for name, values in found.items():
        means = {which: statistics.mean(v) for which, v in values.items()}
        rows[name] = {
            **values,
            "difference": round(means["ours"] - means["plain"], 5),
            "spread_of_seeds": round(max(values["plain"]) - min(values["plain"]), 5),
        }
    return {"losses": rows}


class _Trainer:
    """Our step, fed by the stage's loader; or the plain one, fed with a batch from memory."""

    def __init__(self, which: str, settings: dict[str, Any], folder: Path, seed: int = 0):
        self.which, self.seed = which, seed
        self.device = choose_device(settings["device"], "--device")
        self.p = _parameters(settings)
        torch.manual_seed(seed)
        image_size = settings["image_size"]
        self.model = model.build(self.p, image_size).to(self.device).train()
        if which == "plain":
            self.stepper = plain(self.model)
        else:
            self.model.prepare_training(compiled=settings["compile"])
            self.stepper = self.model
        drawn = draws.KINDS[self.model.draws](
            {path.name: path.stem for path in sorted((folder / "color").iterdir())},
            shared=False,
            union=folder / "color",
            gray=folder / "gray",
            image_size=image_size,
            load_scale=self.p.load_scale,
            flip=self.p.flip,
            seed=seed,
        )
        self.batches = draws.batches(
            drawn, 0, 10**9, self.p.batch_size, settings["workers"] if which == "ours" else 0
        )
        self.synchronize = torch.cuda.synchronize if self.device.type == "cuda" else (lambda: None)
        self.number = 0
        self.batch: dict | None = None  # of the plain step, when it is timed

    def run(self, steps: int) -> tuple[float, float]:
        """Seconds for so many steps, and how many of them were spent waiting for a batch."""
        waited = 0.0
        if self.which == "plain" and self.batch is None:
            self.batch = self._moved(next(self.batches))
        self.synchronize()
        start = time.perf_counter()
        for _ in range(steps):
            if self.which == "ours":
                before = time.perf_counter()
                batch = next(self.batches)
                waited += time.perf_counter() - before
                batch = self._moved(batch)
            else:
                batch = self.batch
            self._step(batch)
        self.synchronize()
        return time.perf_counter() - start, waited

    def losses(self, steps: int) -> dict[str, float]:
        """Of the last tenth of so many steps, each on a draw of its own, the mean."""
        last: dict[str, list[float]] = {}
        for done in range(1, steps + 1):
            losses = self._step(self._moved(next(self.batches)))
            if done > 0.9 * steps:
                for name, value in losses.items():
                    last.setdefault(name, []).append(float(value.detach()))
        return {name: statistics.mean(values) for name, values in last.items()}

    def _step(self, batch: dict) -> dict:
        self.number += 1
        return self.stepper.step(batch, self.number, loop.randomness(self.seed, self.number))

    def _moved(self, batch: dict) -> dict:
        return {key: value.to(self.device, non_blocking=True) for key, value in batch.items()}


_trainer: _Trainer  # of a process that `_start` has made one


def _start(which: str, settings: dict[str, Any], folder: Path) -> None:
    global _trainer
    if which == "ours":
        memory.keep_freed()
    _trainer = _Trainer(which, settings, folder)


def _run(steps: int) -> tuple[float, float]:
    return _trainer.run(steps)


def _peak() -> float:
    """Megabytes that this process needed at most, on the GPU if it trains there."""
    if _trainer.device.type == "cuda":
        return torch.cuda.max_memory_allocated() / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def _parameters(settings: dict[str, Any]) -> ModelParameters:
    method = settings["method"]
    of_method = [e for e in common.read_params().models.values() if e["method"] == method]
    if not of_method:
        raise UserError(f"--method {method}: no model in params.yaml is of it")
    entry = of_method[0]
    entry |= {key: settings["width"] for key in WIDTHS if key in entry}
    entry["depth"] = settings["depth"] or PUBLISHED_DEPTH[entry["network"]]
    entry["batch_size"] = settings["batch_size"] or entry["batch_size"]
    entry["precision"] = settings["precision"]
    return model.parse(entry, f"models.{method}")


def _write_photographs(folder: Path, image_size: int) -> None:
    """Photographs of scikit-image as the union and its gray copies hold them."""
    for mode in ("color", "gray"):
        (folder / mode).mkdir()
    number = itertools.count()
    for photograph in photographs():
        image = resize(photograph, image_size, Image.Resampling.BICUBIC)
        for version in (image, ImageOps.mirror(image), ImageOps.flip(image)):
            file = f"{next(number):016x}.png"  # as the union names them: hexadecimal
            version.save(folder / "color" / file)
            version.convert("L").save(folder / "gray" / file)


def _machine(settings: dict[str, Any]) -> dict[str, str]:
    device = choose_device(settings["device"], "--device")
    named = (
        torch.cuda.get_device_name()
        if device.type == "cuda"
        else torch.backends.cpu.get_cpu_capability()
    )
    return {"torch": torch.__version__, "threads": str(torch.get_num_threads()), "machine": named}


def _losses_table(result: dict) -> str:
    lines = [f"{'':22}{'ours':>10}{'plain':>10}{'difference':>12}{'spread of seeds':>17}"]
    for name, row in result["losses"].items():
        ours, of_plain = (statistics.mean(row[which]) for which in ("ours", "plain"))
        lines.append(
            f"{name:22}{ours:10.4f}{of_plain:10.4f}{row['difference']:12.4f}"
            f"{row['spread_of_seeds']:17.4f}"
        )
    return "\n".join(lines)


def _speed_table(result: dict) -> str:
    lines = [f"{'':8}{'step ms':>10}{'images/s':>10}{'peak MB':>10}{'waiting':>10}{'times':>8}"]
    for which, row in result["rows"].items():
        waiting = f"{row['waiting_for_data']:.1%}" if "waiting_for_data" in row else ""
        times = result["times_plain"] if which == "ours" else 1
        lines.append(
            f"{which:8}{row['step_ms']:10.1f}{row['images_per_second']:10.2f}"
            f"{row['peak_mb']:10.0f}{waiting:>10}{times:8.2f}"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
