"""What all stage scripts share: paths, parameters, and being alone."""

import argparse
import contextlib
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from colorize.base.files import expanded, only_one, remove_leftovers
from stages.inputs import PARAMS, Inputs

if TYPE_CHECKING:
    import torch

    from colorize.evaluation.protocol import Photographs
    from colorize.evaluation.results import Result
    from stages.parameters import Params

RAW = Path("data/raw")
UNION = Path("data/union")
GRAY = Path("data/gray")
MODELS = Path("models")
METRICS = Path("metrics")
RESULTS = METRICS / "results"  # of every row
VAL = METRICS / "val"  # of every row what decides, on val
SIGNIFICANCE = METRICS / "significance.json"
CURVES = METRICS / "training"  # losses over the steps
VALIDATION = METRICS / "validation"  # of a few val photographs, over the steps
IMAGE_METRICS = METRICS / "images"  # of every photograph
SAMPLES = Path("reports/samples")  # grids of the same photographs for every model
CASES = Path("reports/cases")  # and of its own best, median and worst
PICTURES = Path("reports/pictures")  # the pictures in both, by themselves
TRAINING_GRIDS = Path("reports/training")
REPORT = Path("reports/report.html")
SEEDS = Path("reports/seeds.md")

# The main checkout, also where an experiment runs in a copy of it.
ROOT = Path(os.environ.get("DVC_ROOT", "."))
SCRATCH = ROOT / ".scratch"  # so that a queued experiment that was stopped finds its checkpoint


def read_params() -> "Params":
    """params.yaml, checked as a whole: whichever stage runs first finds every mistake in it.

    Raises UserError, one line that names the dotted key.
    """
    # Only here: worker processes of the data stages import this module, but need no torch.
    from stages import parameters

    return parameters.read(PARAMS)


def measured(params: "Params", device: "torch.device") -> "Photographs":
    """The photographs that rows are measured on. Raises what `Photographs.of_union` raises."""
    from colorize.evaluation.protocol import Photographs  # as above

    evaluate, image_size = params.evaluate, params.data.image_size
    weights = None if evaluate.weights is None else from_root(evaluate.weights)
    most = evaluate.validation_max
    return Photographs.of_union(UNION, GRAY, image_size, most, device, weights)


def results(names: Iterable[str]) -> "dict[str, Result]":
    """What each row came to. Raises UserError where a file is missing or broken."""
    from colorize.evaluation.results import Result  # as above

    return {name: Result.read(RESULTS / f"{name}.json") for name in names}


def remove_others(folder: Path, names: Iterable[str]) -> None:
    """Remove what models have left in a folder of outputs that are in params.yaml no more.

    Stages depend on the folder: with leftovers it would be another one than on other machines.
    """
    kept = {*names}
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.stem in kept or path.name.startswith("."):
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def from_root(path: str) -> Path:
    """A path in params.yaml to what git and DVC do not keep: from the main checkout, or from ~."""
    return ROOT / expanded(path)


def name_argument(description: str) -> str:
    """The NAME of `python -m stages.STAGE NAME`, an entry of `models`.

    dvc.yaml passes "$DVC_STAGE", which is STAGE@NAME: a shell would run commands that stand in a
    name, and what refuses such names comes after it.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("name", metavar="NAME", help="an entry of `models` in params.yaml")
    return parser.parse_args().name.rpartition("@")[2]


@contextlib.contextmanager
def only_writer(stage: str, *outputs: Path) -> Iterator[Inputs]:
    """Hold `stage` alone while it writes its outputs; what killed writers left goes.

    An earlier run may not have ended yet: its dvc was killed, or somebody runs it by hand. Raises
    UserError where that takes long, and, at the end, where what the stage uses has changed
    meanwhile: DVC then records no result.
    """
    with only_one(Path(".scratch/locks") / stage, f"running the stage {stage}"):
        for output in outputs:
            remove_leftovers(output)
        inputs = Inputs(stage)
        yield inputs
        inputs.check_unchanged()
