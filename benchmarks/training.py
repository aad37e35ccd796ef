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

    python -m benchmarks.training --method M --processes N

Instead: one process beside N that share its batches, as `runtime.processes` has it. Without GPUs N
have the threads of one between them; how well N do is said beside one that has the threads of one
of them.
"""

import argparse
import contextlib
import resource
import statistics
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from benchmarks import results
from benchmarks.trainer import Trainer, parameters, turn_of, write_photographs
from colorize.base import distributed
from colorize.base.device import choose_device, keep_freed
from colorize.base.errors import UserError

ROUNDS = 5  # turns that each takes


def main() -> None:
    settings = vars(_arguments())
    output = settings.pop("output")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_photographs(folder, settings["image_size"])
        if settings["losses"]:
            result, table = _losses(settings, folder), _losses_table
        elif settings["processes"] > 1:
            result, table = _together(settings, folder), _together_table
        else:
            result, table = _speed(settings, folder), _speed_table
    results.show({"settings": settings | _machine(settings)} | result, table(result), output)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--method", required=True, help="whose first entry is taken")
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
    parser.add_argument("--processes", type=int, default=1, help="compare so many with one")
    parser.add_argument("--output", type=Path, help="a file for the JSON")
    return parser.parse_args()


def _speed(settings: dict[str, Any], folder: Path) -> dict:
    context = get_context("spawn")
    with contextlib.ExitStack() as stack:
        # A process for each: memory is its own, and how it is kept.
        running = {
            which: stack.enter_context(
                ProcessPoolExecutor(1, context, _start, (which, settings, folder))
            )
            for which in ("ours", "plain")
        }

        def run(which: str, steps: int) -> tuple[float, float]:
            return running[which].submit(_run, steps).result()

        p = parameters(settings)
        turn = turn_of(p)
        counts = {}
        for which in running:
            run(which, turn)  # allocations, algorithms, compiling
            seconds = run(which, turn)[0]
            counts[which] = turn * max(1, round(settings["seconds"] / 2 / ROUNDS / seconds))
        taken = {which: [] for which in running}
        waited = total = 0.0
        for _ in range(ROUNDS):
            for which in running:
                seconds, waiting = run(which, counts[which])
                taken[which].append(seconds / counts[which])
                if which == "ours":
                    waited, total = waited + waiting, total + seconds
        peaks = {which: process.submit(_end).result() for which, process in running.items()}
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


def _together(settings: dict[str, Any], folder: Path) -> dict:
    """One process, on the CPU with all threads and with its part of them, and several."""
    count, threads = settings["processes"], torch.get_num_threads()
    p = parameters(settings)
    if p.batch_size // p.accumulation % count:
        raise UserError(f"--processes {count}: cannot share {p.batch_size} images equally")
    device = choose_device(settings["device"], "--device")
    ways = [(1, threads), (count, max(1, threads // count))]
    if device.type == "cpu":
        ways.insert(1, (1, ways[-1][1]))
    turn = turn_of(p)
    steps = turn
    seconds: dict[tuple[int, int], list[float]] = {way: [] for way in ways}
    for number in range(ROUNDS + 1):
        for way in ways:
            taken = _launch(way, settings, folder, steps)
            if number:
                seconds[way].append(taken / steps)
            else:
                each = settings["seconds"] / ROUNDS / len(ways)
                steps = max(steps, turn * round(each / taken))
    medians = {way: statistics.median(values) for way, values in seconds.items()}
    alone, several = seconds[ways[-2]], seconds[ways[-1]]
    ratios = [a / b / count for a, b in zip(alone, several, strict=True)]
    return {
        "together": [
            {
                "processes": way[0],
                "threads": way[1],
                "step_ms": round(1000 * median, 2),
                "images_per_second": round(p.batch_size / median, 3),
                "times_one": round(medians[ways[0]] / median, 3),
            }
            for way, median in medians.items()
        ],
        "steps": steps,
        "efficiency": round(statistics.median(ratios), 3),
        "efficiency_range": [round(min(ratios), 3), round(max(ratios), 3)],
    }


def _launch(way: tuple[int, int], settings: dict[str, Any], folder: Path, steps: int) -> float:
    """Seconds that so many steps take, of the slowest."""
    count, threads = way
    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=count,
        run_id="benchmark",
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        max_restarts=0,
    )
    return max(elastic_launch(config, _share)(threads, settings, folder, steps).values())


def _share(threads: int, settings: dict[str, Any], folder: Path, steps: int) -> float:
    torch.set_num_threads(threads)
    keep_freed()
    with distributed.process_group():
        trainer = Trainer("ours", settings, folder)
        trainer.run(turn_of(trainer.p))  # allocations, algorithms, compiling
        return trainer.run(steps)[0]


def _losses(settings: dict[str, Any], folder: Path) -> dict:
    """Means over the last tenth of the steps, of both and for each seed."""
    found: dict[str, dict[str, list[float]]] = {}
    for which in ("ours", "plain"):
        for seed in range(settings["seeds"]):
            last = Trainer(which, settings, folder, seed).losses(settings["losses"])
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


_trainer: Trainer  # of a process that `_start` has made one


def _start(which: str, settings: dict[str, Any], folder: Path) -> None:
    global _trainer
    if which == "ours":
        keep_freed()
    _trainer = Trainer(which, settings, folder)


def _run(steps: int) -> tuple[float, float]:
    return _trainer.run(steps)


def _end() -> float:
    """Megabytes that this process needed at most, on the GPU if it trains there."""
    # Or else its loader would, told to at the exit, go on for half a minute.
    _trainer.batches.close()
    if _trainer.device.type == "cuda":
        return torch.cuda.max_memory_allocated() / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


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


def _together_table(result: dict) -> str:
    heading = f"{'processes':>9}{'threads each':>14}{'step ms':>10}{'images/s':>10}{'times':>8}"
    lines = [
        f"{row['processes']:9}{row['threads']:14}{row['step_ms']:10.1f}"
        f"{row['images_per_second']:10.2f}{row['times_one']:8.2f}"
        for row in result["together"]
    ]
    least, most = result["efficiency_range"]
    said = f"efficiency {result['efficiency']:.0%} ({least:.0%} to {most:.0%})"
    return "\n".join([heading, *lines, said])


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
