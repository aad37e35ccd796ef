"""Why does StarGAN copy its input, and what makes it colour? stages/study.yaml asks it, variant by
variant, as DVC experiments on the photographs of params.yaml.

Each variant is trained with each of its seeds beside the workspace, which stays as it is.
Run again, it trains what is missing. Tables and curves go to reports/study/.
"""

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any, Literal

import pandas as pd
from pydantic import Field

from colorize.base import command
from colorize.base.errors import UserError
from colorize.base.files import replaced_folder, write_text
from colorize.base.parameters import Parameters
from colorize.evaluation import verdicts
from colorize.evaluation.images import Row
from colorize.evaluation.verdicts import Contrast
from colorize.methods import model
from colorize.report import study
from stages import common, experiments, parameters
from stages.experiments import Experiment
from stages.parameters import Params

STUDY = Path("stages/study.yaml")
RESULTS = Path("reports/study")


class Variant(Parameters):
    """An entry of `models` with some of its keys changed."""

    model: str
    group: Literal["controls", "options", "judges"]
    asks: str
    set: dict[str, Any] = Field(default_factory=dict)
    seeds: list[int] = Field(default_factory=lambda: [0], min_length=1)


class StudyParameters(Parameters):
    contrasts: list[Contrast]
    variants: dict[str, Variant]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--jobs", type=int, default=1, metavar="N", help="experiments at a time; 1 by default"
    )
    parser.add_argument("--again", action="store_true", help="run those too that have results")
    arguments = parser.parse_args()
    if arguments.jobs < 1:
        raise UserError(f"--jobs: at least 1 is needed, not {arguments.jobs}")
    params = common.read_params()
    asked, split = read(params), params.evaluate.splits[-1]

    done = set() if arguments.again else experiments.finished()
    missing = [
        Experiment(experiment_of(name, seed), variant.model, seed, variant.set)
        for name, variant in asked.variants.items()
        for seed in variant.seeds
        if experiment_of(name, seed) not in done
    ]
    if missing:
        experiments.run_all(missing, arguments.jobs)

    with tempfile.TemporaryDirectory() as folder:
        variants = gathered(asked, Path(folder))
        decided = decide(asked, Path(folder), split)
    with replaced_folder(RESULTS) as partial:
        write_text(partial / "tables.md", study.tables(variants, decided, split))
        write_text(partial / "curves.svg", study.curves(variants))
    print(f"written to {RESULTS}")


def read(params: Params) -> StudyParameters:
    """stages/study.yaml. Raises UserError, before anything runs, for what no variant may have."""
    values = parameters.load(STUDY)
    try:
        asked = StudyParameters.parse(values, "")
    except UserError as error:
        raise UserError(f"{STUDY}: {error}") from None
    for name, variant in asked.variants.items():
        where = f"{STUDY}: variants.{name}"
        if variant.model not in params.models:
            raise UserError(f"{where}.model: params.yaml has no model {variant.model!r}")
        entry = params.model(variant.model).model_dump(mode="json") | variant.set
        model.check(model.parse(entry, where), params.data.image_size, where)
    for number, contrast in enumerate(asked.contrasts):
        for row in verdicts.rows_of([contrast]):
            if row not in asked.variants:
                raise UserError(f"{STUDY}: contrasts.{number}: there is no variant '{row}'")
    return asked


def experiment_of(name: str, seed: int) -> str:
    return f"study-{name}-{seed}"


def gathered(asked: StudyParameters, folder: Path) -> dict[str, study.Variant]:
    """What each variant gave, with the files of those that contrasts ask for in NAME/SEED/."""
    compared = verdicts.rows_of(asked.contrasts)
    found = {}
    for name, variant in asked.variants.items():
        runs = []
        for seed in variant.seeds:
            copies, own = folder / name / str(seed), variant.model
            files = [common.METRICS / f"{own}.json", common.VALIDATION / f"{own}.csv"]
            if name in compared:
                files.append(common.IMAGE_METRICS / f"{own}.parquet")
            for file in files:
                experiments.fetch(file, experiment_of(name, seed), copies / file.name)
            result = json.loads((copies / files[0].name).read_text("utf-8"))
            runs.append(study.Run(seed, result, pd.read_csv(copies / files[1].name)))
        found[name] = study.Variant(variant.group, variant.asks, runs)
    return found


def decide(asked: StudyParameters, folder: Path, split: str) -> list[dict[str, Any]]:
    """The verdicts on the contrasts, seeds averaged."""
    rows = {
        name: [
            Row(folder / name / str(seed) / f"{asked.variants[name].model}.parquet", split)
            for seed in asked.variants[name].seeds
        ]
        for name in verdicts.rows_of(asked.contrasts)
    }
    return verdicts.decide(asked.contrasts, rows)


if __name__ == "__main__":
    command.run(main)
