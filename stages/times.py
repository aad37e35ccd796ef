"""How long each stage took, and on what, in .scratch/times.jsonl, for `stages.publish` to state.

No output of a stage has a time in it: its bytes would be others each time.
"""

import contextlib
import json
import platform
import re
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import torch

from colorize.base.device import choose_device
from stages import common

FILE = common.SCRATCH / "times.jsonl"


@contextlib.contextmanager
def noted(stage: str) -> Iterator[None]:
    """Note the seconds of what is done inside, and whether it came to its end."""
    values, begun = _values(), time.monotonic()
    line = {"stage": stage, "done": False, "settings": _settings(stage, values)}
    try:
        yield
        machine = _machine(stage, values["runtime"]["device"])
        line |= {"done": True, "machine": machine, "torch": torch.__version__}
    finally:
        line["seconds"] = round(time.monotonic() - begun, 1)
        FILE.parent.mkdir(parents=True, exist_ok=True)
        with open(FILE, "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def taken(stages: Iterable[str]) -> dict[str, dict[str, Any] | None]:
    """By stage what the last time with params.yaml as it is took, and on what.

    Seconds before it was stopped count too; those of what was killed outright do not. None where a
    stage never came to its end here: its outputs come from DVC's cache.
    """
    values, lines = _values(), []
    if FILE.exists():
        lines = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]
    return {stage: _last(stage, _settings(stage, values), lines) for stage in stages}


def _last(
    stage: str, settings: dict[str, Any], lines: Iterable[dict[str, Any]]
) -> dict[str, Any] | None:
    last, total = None, 0.0
    for line in lines:
        if (line["stage"], line["settings"]) == (stage, settings):
            total += line["seconds"]
            if line["done"]:
                last = {"seconds": round(total, 1)}
                last |= {key: line.get(key, "") for key in ("machine", "torch")}
                total = 0.0
    return last


def _machine(stage: str, name: str) -> str:
    """The GPU, where the stage has networks and there is one, or else the processor.

    name: of the device, as `runtime.device` has it.
    """
    if stage.startswith(("train@", "evaluate@")):
        device = choose_device(name, "runtime.device")
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


def _settings(stage: str, values: dict[str, Any]) -> dict[str, Any]:
    """The sections of params.yaml that decide how much there is to do, as they stand there."""
    kind, _, name = stage.partition("@")
    sections = ["data"] if kind == "train" else ["data", "evaluate"]
    kept = {section: values[section] for section in sections}
    return kept | {"model": values["models"].get(name)}


def _values() -> dict[str, Any]:
    from stages import parameters  # as in common

    return parameters.load(common.PARAMS)
