"""How long each stage took, and on what, in .scratch/times.jsonl, for `stages.publish` to state.

No output of a stage has a time in it: its bytes would be others each time.
"""

import contextlib
import json
import platform
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from colorize.base.device import choose_device
from stages import common

FILE = common.SCRATCH / "times.jsonl"


@contextlib.contextmanager
def noted(stage: str) -> Iterator[None]:
    """Note the seconds of what is done inside, and whether it came to its end."""
    settings, begun, done = _settings(stage), time.monotonic(), False
    try:
        yield
        done = True
    finally:
        seconds = round(time.monotonic() - begun, 1)
        line = {"stage": stage, "seconds": seconds, "done": done, "settings": settings}
        if done:
            line |= {"machine": _machine(stage), "torch": torch.__version__}
        FILE.parent.mkdir(parents=True, exist_ok=True)
        with open(FILE, "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def taken(stage: str) -> dict[str, Any] | None:
    """What the last time with params.yaml as it is took, until it was stopped included; on what.

    None where it never came to its end here: its outputs come from DVC's cache. What was killed
    outright is not counted.
    """
    settings, lines = _settings(stage), []
    if FILE.exists():
        lines = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]
    last, total = None, 0.0
    for line in lines:
        if (line["stage"], line["settings"]) == (stage, settings):
            total += line["seconds"]
            if line["done"]:
                last = {key: line.get(key, "") for key in ("seconds", "machine", "torch")}
                last["seconds"], total = round(total, 1), 0.0
    return last


def _machine(stage: str) -> str:
    """The GPU, where the stage has networks and there is one, or else the processor."""
    if stage.startswith(("train@", "evaluate@")):
        runtime = _values()["runtime"]
        device = choose_device(runtime["device"], "runtime.device")
        if device.type == "cuda":
            return torch.cuda.get_device_name(device)
        if device.type != "cpu":
            return device.type
    return f"{_processor()}, {torch.get_num_threads()} threads"


def _processor() -> str:
    """As the system names it."""
    described = Path("/proc/cpuinfo")
    if described.exists():
        names = re.findall(r"model name\s*: (.+)", described.read_text(encoding="utf-8"))
        if names:
            return names[0]
    return platform.processor() or platform.machine()


def _settings(stage: str) -> dict[str, Any]:
    """The sections of params.yaml that decide how much there is to do, as they stand there."""
    values = _values()
    kind, _, name = stage.partition("@")
    sections = ["data"] if kind == "train" else ["data", "evaluate"]
    kept = {section: values[section] for section in sections}
    return kept | {"model": values["models"].get(name)}


def _values() -> dict[str, Any]:
    from stages import parameters  # as in common

    return parameters.load(common.PARAMS)
