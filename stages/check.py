"""Check params.yaml as a whole before any work: keys, types, ranges, names, datasets."""

import re
from typing import Any

from colorize import catalog, model
from colorize.download import DownloadParameters
from colorize.errors import UserError
from colorize.evaluation import EvaluateParameters
from colorize.grayscale import GrayscaleParameters
from colorize.rows import BASELINE, CONTROLS
from colorize.runtime import RuntimeParameters
from colorize.training import SeedParameters, TrainParameters
from colorize.union import UnionParameters
from stages import common


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
REFUSED = ("summary", "training", f"{BASELINE}_scaled", *CONTROLS)

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


def main() -> None:
    params = check(common.read_params())
    print(
        f"params.yaml: {len(params.models)} models ({', '.join(params.models)}) on "
        f"{', '.join(params.data.datasets)} at {params.data.image_size} px"
    )


if __name__ == "__main__":
    common.run(main)
