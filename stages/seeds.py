"""Train models again with other seeds, as DVC experiments, and say how far apart the results are.

Every seed is an experiment of its own, run beside the workspace: that stays as it is, and no other
model is trained. Run again, it trains what is missing. The table goes to reports/seeds.md.
"""

import argparse
import json
import tempfile
from pathlib import Path

from colorize.base import command
from colorize.base.errors import UserError
from colorize.base.files import write_text
from colorize.evaluation import verdicts
from colorize.evaluation.baselines import BASELINE
from colorize.evaluation.images import parts_of, row_named
from colorize.report import seeds
from colorize.training.loop import SeedParameters
from stages import common, experiments
from stages.experiments import Experiment
from stages.parameters import Params


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="+", metavar="NAME", help="entries of `models`")
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3], metavar="SEED")
    arguments = parser.parse_args()
    names, numbers = list(dict.fromkeys(arguments.names)), list(dict.fromkeys(arguments.seeds))
    params = common.read_params()
    for name in names:
        params.model(name)
    for number in numbers:
        SeedParameters.parse({"seed": number}, "--seeds")
    if len(numbers) < 2:
        raise UserError("--seeds: at least two are needed to tell how far apart they are")

    for name in names:
        for number in numbers:
            experiments.run(Experiment(experiment_of(name, number), name, number))
    with tempfile.TemporaryDirectory() as folder:
        text = gathered(params, names, numbers, Path(folder))
    write_text(common.SEEDS, text)
    print(f"\n{text}\nwritten to {common.SEEDS}")


def gathered(params: Params, names: list[str], numbers: list[int], folder: Path) -> str:
    """The table of all results, and the verdicts with seeds averaged, as Markdown."""
    results, folders = {}, {}
    for name in names:
        results[name], folders[name] = [], []
        for number in numbers:
            copies = folder / str(number)
            for file in (f"{name}.json", f"{name}.parquet"):
                source = common.METRICS / ("images" if file.endswith("parquet") else "") / file
                experiments.fetch(source, experiment_of(name, number), copies / file)
            results[name].append(json.loads((copies / f"{name}.json").read_text("utf-8")))
            folders[name].append(copies)

    asked = verdicts.of_models(names, BASELINE)
    for contrast in params.compare.contrasts:
        models = {parts_of(row)[0] for row in verdicts.rows_of([contrast])}
        if contrast not in asked and models & {*names}:
            asked.append(contrast)
    split = params.evaluate.splits[-1]
    rows = {
        row: [
            row_named(folder, row, split)
            for folder in folders.get(parts_of(row)[0], [common.IMAGE_METRICS])
        ]
        for row in verdicts.rows_of(asked)
    }
    return seeds.page(results, numbers, params.evaluate.splits, verdicts.decide(asked, rows))


def experiment_of(name: str, number: int) -> str:
    return f"{name}-seed{number}"


if __name__ == "__main__":
    command.run(main)
