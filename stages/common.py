"""What all stage scripts share: paths, reading params.yaml, and how a command ends."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from ruamel.yaml import YAML, YAMLError

from colorize.base.errors import UserError, one_line

PARAMS = Path("params.yaml")
RAW = Path("data/raw")
UNION = Path("data/union")
GRAY = Path("data/gray")
MODELS = Path("models")
METRICS = Path("metrics")
CURVES = METRICS / "training"
IMAGE_METRICS = METRICS / "images"  # of every photograph
SAMPLES = Path("reports/samples")
TRAINING_GRIDS = Path("reports/training")
REPORT = Path("reports/report.html")

# DVC_ROOT is the main checkout also where an experiment runs in a copy of it, so that a queued
# experiment that was stopped finds its checkpoint.
SCRATCH = Path(os.environ.get("DVC_ROOT", ".")) / ".scratch"


def read_params() -> dict[str, Any]:
    """params.yaml as plain values. YAML 1.2, so that 2e-4 is a number. Raises UserError."""
    try:
        values = YAML(typ="safe").load(PARAMS)
    except FileNotFoundError:
        raise UserError(f"{PARAMS}: missing; run this from the project's root") from None
    except YAMLError as error:
        raise UserError(f"{PARAMS}: not YAML: {one_line(error)}") from None
    if not isinstance(values, dict):
        raise UserError(f"{PARAMS}: expected sections of keys and values")
    return values


def section(values: dict[str, Any], dotted: str) -> Any:
    """The value under a dotted key; raises UserError where params.yaml lacks it."""
    for depth, key in enumerate(dotted.split("."), start=1):
        if not isinstance(values, dict) or key not in values:
            raise UserError(f"{PARAMS}: {'.'.join(dotted.split('.')[:depth])}: missing")
        values = values[key]
    return values


# Leaves of `data`; each stage reads and tracks its own, so none can tell a typo from another's.
DATA_KEYS = (
    *("datasets", "catalog", "mirror"),
    *("image_size", "encoding", "sides", "min_chroma", "validation", "validation_max"),
    "gray",
)


def data_section(values: dict[str, Any]) -> dict[str, Any]:
    """The section `data`; raises UserError for a key that no stage knows."""
    data = section(values, "data")
    for key in data if isinstance(data, dict) else ():
        if key not in DATA_KEYS:
            raise UserError(f"data.{key}: unknown key (known here: {', '.join(DATA_KEYS)})")
    return data


def run(main: Callable[[], None]) -> NoReturn:
    """Run a command and exit: 0 done, 2 bad input, 1 the system failed, 130 Ctrl-C."""
    code = 0
    try:
        main()
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        code = 2
    except OSError as error:  # disk full, no permission
        print(f"error: {error}", file=sys.stderr)
        code = 1
    except KeyboardInterrupt:
        print("interrupted; nothing half-written is left", file=sys.stderr)
        code = 130
    # Only here is the error forgotten, and with it what it held: the loader's worker processes.
    sys.exit(code)
