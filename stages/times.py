"""How long each stage took on this machine, in .scratch/times.jsonl, for `stages.publish` to state.

No output of a stage has a time in it: its bytes would be others each time.
"""

import contextlib
import json
import time
from collections.abc import Iterator
from typing import Any

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
        FILE.parent.mkdir(parents=True, exist_ok=True)
        with open(FILE, "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def seconds(stage: str) -> float | None:
    """What it took the last time with params.yaml as it is, until it was stopped included.

    None where it never came to its end here: its outputs come from DVC's cache. What was killed
    outright is not counted.
    """
    settings, lines = _settings(stage), []
    if FILE.exists():
        lines = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]
    taken, total = None, 0.0
    for line in lines:
        if (line["stage"], line["settings"]) == (stage, settings):
            total += line["seconds"]
            if line["done"]:
                taken, total = total, 0.0
    return taken


def _settings(stage: str) -> dict[str, Any]:
    """The sections of params.yaml that decide how much there is to do, as they stand there."""
    from stages import parameters  # as in common

    values = parameters.load(common.PARAMS)
    kind, _, name = stage.partition("@")
    sections = ["data"] if kind == "train" else ["data", "evaluate"]
    kept = {section: values[section] for section in sections}
    return kept | {"model": values["models"].get(name)}
