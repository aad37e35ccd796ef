"""params.yaml as a whole: keys, types, ranges, names, and what does not fit together."""

import os
import re
from pathlib import Path
from typing import Any

from pydantic import Field

from colorize.base.errors import UserError
from colorize.base.files import read_text
from colorize.base.parameters import from_yaml
from colorize.comparison.significance import DERIVED, CompareParameters, parts_of
from colorize.data import catalog
from colorize.data.download import DownloadParameters
from colorize.data.grayscale import GrayscaleParameters
from colorize.data.union import UnionParameters
from colorize.evaluation.baselines import BASELINE, TRIVIAL
from colorize.evaluation.protocol import EvaluateParameters
from colorize.methods.shared import model
from colorize.methods.shared.base import ModelParameters
from colorize.training.loop import SeedParameters
from colorize.training.runtime import RuntimeParameters
from colorize.training.watch import TrainParameters
from stages.common import MODELS


class DataParameters(DownloadParameters, UnionParameters, GrayscaleParameters):
    """The section `data`, whose leaves the first three stages share."""


class Sections(SeedParameters):
    """params.yaml as it is written."""

    data: DataParameters
    train: TrainParameters
    evaluate: EvaluateParameters
    compare: CompareParameters
    runtime: RuntimeParameters
    defaults: dict[str, Any]
    models: dict[str, dict[str, Any]] = Field(min_length=1)


class Params(Sections):
    """params.yaml with all keys of each entry of `models`, those from `defaults` too."""

    models: dict[str, ModelParameters]

    def model(self, name: str) -> ModelParameters:
        """The parameters of an entry of `models`. Raises UserError where there is none."""
        if name not in self.models:
            raise UserError(f"models: no entry {name!r} (there are {', '.join(self.models)})")
        return self.models[name]

    def seed_of(self, name: str) -> int:
        """That of an entry of `models`, which may have its own. Raises UserError as `model`."""
        seed = self.model(name).seed
        return self.seed if seed is None else seed


# These would write over outputs of the pipeline, stand for another row of the tables, or, as keys,
# be ignored by DVC's run cache.
REFUSED = ("significance", "training", "size", "nfiles", *TRIVIAL)


def read(path: Path) -> Params:
    """Read and check params.yaml. Raises UserError, one line that names the dotted key."""
    return check(load(path))


def load(path: Path) -> Any:
    """What params.yaml holds. Raises UserError where it is missing or no YAML in UTF-8."""
    return from_yaml(read_text(path), str(path))


def check(values: Any) -> Params:
    """Validate all of params.yaml; raises UserError, one line that names the dotted key."""
    sections = Sections.parse(values, "")
    _check_defaults(sections)
    models = {}
    for name, entry in sections.models.items():
        _check_name(name)
        models[name] = model.parse(entry, f"models.{name}", sections.defaults)
    params = Params(**(dict(sections) | {"models": models}))
    for name, entry in params.models.items():
        model.check(entry, params.data.image_size, f"models.{name}")
        _check_start(name, entry)
    if BASELINE not in params.models or params.models[BASELINE].method != BASELINE:
        raise UserError(f"models.{BASELINE}: the baseline, of the method '{BASELINE}', is missing")
    _check_contrasts(params)
    return params


def _check_defaults(sections: Sections) -> None:
    used = [entry.get("method") for entry in sections.models.values()]
    # Others are looked at only for a key that none of these has: a broken method stops no other.
    for methods in (used, model.method_names()):
        known = model.keys(methods) - {"method", "network"}  # dvc.yaml reads these of each entry
        unknown = [key for key in sections.defaults if key not in known]
        if not unknown:
            return
    listed = ", ".join(sorted(known))
    raise UserError(f"defaults.{unknown[0]}: not a key that models share (known here: {listed})")


def _check_name(name: str) -> None:
    if (
        name in REFUSED
        or parts_of(name)[1] in DERIVED
        or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name)
    ):
        raise UserError(
            f"models.{name}: not a name for a model (letters, digits and _; no "
            f"{', '.join(REFUSED)}, and nothing that ends with {' or '.join(DERIVED)})"
        )


def _check_start(name: str, entry: ModelParameters) -> None:
    """DVC removes what a stage has written before it runs the stage again."""
    if entry.init_from is None:
        return
    path = Path(os.path.normpath(entry.init_from.path))
    if path.is_relative_to(MODELS):
        raise UserError(
            f"models.{name}.init_from.path: {path} goes when it is trained again; copy it to "
            "another folder first (after `dvc checkout`, if it is gone)"
        )


def _check_contrasts(params: Params) -> None:
    rows = [*params.models, f"{BASELINE}_chroma_scaled", *TRIVIAL]
    rows += [f"{name}_input_L" for name in params.models]
    for number, comparison in enumerate(params.compare.comparisons):
        for key, row in (("model", comparison.model), ("against", comparison.against)):
            if row not in rows:
                known = ", ".join(rows)
                raise UserError(
                    f"compare.comparisons.{number}.{key}: no row {row!r} (there are {known})"
                )
        if comparison.model == comparison.against:
            where = f"compare.comparisons.{number}"
            raise UserError(f"{where}: {comparison.model!r} compared with itself")


def sources(data: DataParameters) -> list[str]:
    """What the datasets come from on this machine, for DVC to watch: `catalog.local_sources`.

    Raises UserError unless the catalog has all datasets. Apart from the rest: a catalog may be far
    away, and only the download needs it.
    """
    chosen = catalog.select(data.datasets, catalog.load(data.catalog), data.catalog)
    return catalog.local_sources(data.catalog, chosen)
