"""Why does StarGAN copy its input, and what makes it color? studies/study.yaml asks it, variant by
variant, as DVC experiments on the photographs of params.yaml.

Each variant is trained with each of its seeds beside the workspace, which stays as it is. What
each gave is kept in reports/study/, with tables and curves of all. Run again, also where the folder
has been committed on another machine, it trains what is missing or was asked for otherwise.
"""

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from colorize.base import command
from colorize.base.errors import UserError
from colorize.base.files import (
    read_json,
    replaced_folder,
    sha256_of,
    write_json,
    write_parquet,
    write_text,
)
from colorize.base.parameters import Parameters
from colorize.comparison import significance
from colorize.comparison.significance import Comparison, ImageMetrics
from colorize.evaluation.bootstrap import WeightedSums
from colorize.evaluation.metrics import METRICS, PERCEPTUAL
from colorize.evaluation.results import Result
from colorize.methods.shared import model
from stages import common, parameters
from stages.parameters import Params
from studies import experiments, study_page
from studies.experiments import Experiment

STUDY = Path("studies/study.yaml")
RESULTS = Path("reports/study")
SETTINGS = "settings.json"  # beside what an experiment gave


class Variant(Parameters):
    """An entry of `models` with some of its keys changed."""

    model: str
    group: Literal["controls", "options", "per_domain"]
    asks: str
    set: dict[str, Any] = Field(default_factory=dict)
    seeds: list[int] = Field(default_factory=lambda: [0], min_length=1)


class StudyParameters(Parameters):
    comparisons: list[Comparison]
    variants: dict[str, Variant]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    experiments.add_jobs(parser)
    parser.add_argument("--again", action="store_true", help="run all again, as the code is now")
    arguments = parser.parse_args()
    params = common.read_params()
    p, split = read(params), params.evaluate.splits[-1]

    index = common.UNION / "index.csv"
    if not index.exists():
        raise UserError(f"{index}: missing; run `dvc repro grayscale` to make it")
    photographs = sha256_of(index)
    missing, wanted = [], {}
    for name, seed, settings in runs(params, p):
        folder, variant = folder_of(name, seed), p.variants[name]
        settings["photographs"] = photographs
        if arguments.again or settings_in(folder) != settings:
            experiment = Experiment(f"study-{name}-{seed}", variant.model, seed, variant.set)
            missing.append(experiment)
            wanted[experiment.name] = folder, settings
    experiments.run_all(missing, arguments.jobs, lambda done: keep(done, *wanted[done.name], split))

    variants = gathered(p)
    write_text(RESULTS / "tables.md", study_page.tables(variants, tested(p, split), split))
    write_text(RESULTS / "curves.svg", study_page.curves(variants))
    print(f"written to {RESULTS}")


def read(params: Params) -> StudyParameters:
    """studies/study.yaml. Raises UserError, before anything runs, for what no variant may have."""
    values = parameters.load(STUDY)
    try:
        p = StudyParameters.parse(values, "")
    except UserError as error:
        raise UserError(f"{STUDY}: {error}") from None
    for name, variant in p.variants.items():
        where = f"{STUDY}: variants.{name}"
        if variant.model not in params.models:
            raise UserError(f"{where}.model: params.yaml has no model {variant.model!r}")
        entry = params.model(variant.model).model_dump(mode="json") | variant.set
        model.check(model.parse(entry, where), params.data.image_size, where)
    for number, comparison in enumerate(p.comparisons):
        for row in significance.rows_of([comparison]):
            if row not in p.variants:
                raise UserError(f"{STUDY}: comparisons.{number}: there is no variant '{row}'")
    return p


def runs(params: Params, p: StudyParameters) -> Iterator[tuple[str, int, dict[str, Any]]]:
    """Variant, seed and settings of each run.

    The settings are what its result rests on, but for photographs and code: what all share, its
    own entry of `models`, and the metrics that comparisons compare it by.
    """
    shared = params.model_dump(mode="json", include={"seed", "data", "train", "evaluate"})
    for where in ("catalog", "mirror"):
        del shared["data"][where]  # what came from there is known
    for name, variant in p.variants.items():
        entry = params.model(variant.model).model_dump(mode="json") | variant.set
        metrics = {c.metric for c in p.comparisons if name in (c.model, c.against)}
        for seed in variant.seeds:
            of_model = {"model": entry | {"seed": seed}, "metrics": sorted(metrics)}
            yield name, seed, shared | of_model


def folder_of(name: str, seed: int) -> Path:
    return RESULTS / f"{name}-{seed}"


def settings_in(folder: Path) -> Any:
    """With what the results in it were made; None where there are none."""
    if not folder.exists():
        return None
    kept = read_json(folder / SETTINGS)
    where = f"{folder / SETTINGS}: model"
    kept["model"] = model.parse(kept["model"], where).model_dump(mode="json")  # with newer keys
    return kept


def keep(experiment: Experiment, folder: Path, settings: dict[str, Any], split: str) -> None:
    """Copy what an experiment gave to `folder`, in place of what is there."""
    name = experiment.model
    with replaced_folder(folder) as partial:
        for source, copy in (
            (common.RESULTS / f"{name}.json", "metrics.json"),
            (common.VALIDATION / f"{name}.csv", "validation.csv"),
        ):
            experiments.fetch(source, experiment.name, partial / copy)
        if settings["metrics"]:
            with tempfile.TemporaryDirectory() as scratch:
                whole = Path(scratch) / "images.parquet"
                experiments.fetch(common.IMAGE_METRICS / f"{name}.parquet", experiment.name, whole)
                write_parquet(partial / whole.name, only(settings["metrics"], whole, split))
        write_json(partial / SETTINGS, settings)


def only(metrics: list[str], path: Path, split: str) -> pd.DataFrame:
    """Of what was measured of each photograph what the metrics are made of: it fits into git."""
    row = ImageMetrics(path, split)
    sums = WeightedSums(np.ones((1, len(row.names))), row.__getitem__)
    for metric in metrics:
        (METRICS | PERCEPTUAL)[metric](sums)
    keys = ["name", "group", "side", "split"]
    frame = pd.read_parquet(path, columns=[*keys, *sorted(sums.keys() - {"images"})])
    return frame[frame["name"].isin(row.names)]


def gathered(p: StudyParameters) -> dict[str, study_page.VariantRuns]:
    """What each variant gave."""
    variants = {}
    for name, variant in p.variants.items():
        runs = []
        for seed in variant.seeds:
            folder = folder_of(name, seed)
            curve = pd.read_csv(folder / "validation.csv")
            runs.append(study_page.SeedRun(seed, Result.read(folder / "metrics.json"), curve))
        variants[name] = study_page.VariantRuns(variant.group, variant.asks, runs)
    return variants


def tested(p: StudyParameters, split: str) -> list[dict[str, Any]]:
    """The tests of the comparisons, seeds averaged."""
    rows = {
        name: [
            ImageMetrics(folder_of(name, seed) / "images.parquet", split)
            for seed in p.variants[name].seeds
        ]
        for name in significance.rows_of(p.comparisons)
    }
    return significance.test(p.comparisons, rows)


if __name__ == "__main__":
    command.run(main)
