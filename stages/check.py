"""Check params.yaml as a whole before any work: keys, types, ranges, names, datasets.

And that dvc.yaml is up to date with it; --fix writes the lists that follow from it and the code.
"""

import argparse
import re
from pathlib import Path
from typing import Any

from colorize.base.errors import UserError
from colorize.base.files import write_text
from colorize.data import catalog
from colorize.data.download import DownloadParameters
from colorize.data.grayscale import GrayscaleParameters
from colorize.data.union import UnionParameters
from colorize.evaluation.baselines import BASELINE, TRIVIAL
from colorize.evaluation.protocol import EvaluateParameters
from colorize.methods import model
from colorize.training.loop import SeedParameters, TrainParameters
from colorize.training.runtime import RuntimeParameters
from stages import common, dependencies

PIPELINE = Path("dvc.yaml")


class DataParameters(DownloadParameters, UnionParameters, GrayscaleParameters):
    """The section `data`, whose leaves the first three stages share."""


class Params(SeedParameters):
    """params.yaml; the entries of `models` are checked by their own method's keys."""

    data: DataParameters
    train: TrainParameters
    evaluate: EvaluateParameters
    models: dict[str, dict[str, Any]]
    runtime: RuntimeParameters


# These would write over outputs of the pipeline, or stand for a trivial row of the tables.
REFUSED = ("summary", "training", f"{BASELINE}_scaled", *TRIVIAL)

# DVC's run cache ignores keys with these names, and gives back old outputs when they change.
FORBIDDEN_KEYS = ("size", "nfiles")


def check(values: dict[str, Any]) -> Params:
    """Validate all of params.yaml; raises UserError, one line that names the dotted key."""
    _check_keys(values, "")
    params = Params.parse(values, "")
    for name, entry in params.models.items():
        where = f"models.{name}"
        if name in REFUSED or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name):
            raise UserError(
                f"{where}: not a name for a model (letters, digits and _; not {', '.join(REFUSED)})"
            )
        model.check(model.parse(entry, where), params.data.image_size, where)
    if params.models.get(BASELINE, {}).get("method") != BASELINE:
        raise UserError(f"models.{BASELINE}: the baseline, of the method '{BASELINE}', is missing")
    known = catalog.load(params.data.catalog)
    catalog.select(params.data.datasets, known, params.data.catalog)
    return params


def _check_keys(values: dict[str, Any], where: str) -> None:
    for key, value in values.items():
        if key in FORBIDDEN_KEYS:
            raise UserError(f"{where}{key}: a key may not be called {' or '.join(FORBIDDEN_KEYS)}")
        if isinstance(value, dict):
            _check_keys(value, f"{where}{key}.")


def check_pipeline(models: dict[str, dict[str, Any]], fix: bool) -> None:
    """Compare the generated lists of dvc.yaml with what they should be, or write them.

    Raises UserError, one line that names what is missing and what is too much.
    """
    text = PIPELINE.read_text(encoding="utf-8")
    wanted = dependencies.generated(text, models)
    if text == wanted:
        return
    found = dependencies.difference(text, wanted)
    if not fix:
        raise UserError(f"{PIPELINE}: it {found}; run `python -m stages.check --fix`")
    write_text(PIPELINE, wanted)
    print(f"{PIPELINE}: it {found}: mended")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fix", action="store_true", help="write the generated lists of dvc.yaml")
    fix = parser.parse_args().fix
    params = check(common.read_params())
    check_pipeline(params.models, fix)
    print(
        f"params.yaml: {len(params.models)} models ({', '.join(params.models)}) on "
        f"{', '.join(params.data.datasets)} at {params.data.image_size} px"
    )


if __name__ == "__main__":
    common.run(main)
