"""Train models again with other seeds, as DVC experiments, and say how far apart the results are.

Every seed is an experiment of its own, run beside the workspace: that stays as it is, and no other
model is trained. Run again, it trains what is missing. The table goes to reports/seeds.md.
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

from colorize.base import command
from colorize.base.errors import UserError
from colorize.base.files import write_text
from colorize.comparison import significance
from colorize.comparison.significance import parts_of, row_named
from colorize.evaluation.baselines import BASELINE
from colorize.evaluation.results import Result
from colorize.training.loop import SeedParameters
from stages import common
from stages.parameters import Params
from studies import experiments
from studies.experiments import Experiment
from studies.published_page import Spread, seeds_page


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="+", metavar="NAME", help="entries of `models`")
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3], metavar="SEED")
    experiments.add_jobs(parser)
    arguments = parser.parse_args()
    params = common.read_params()
    of_each_seed = of_seeds(params, arguments.names, arguments.seeds, arguments.jobs)
    text = seeds_page(of_each_seed)
    write_text(common.SEEDS, text)
    print(f"\n{text}\nwritten to {common.SEEDS}")


def of_seeds(params: Params, names: Sequence[str], numbers: Sequence[int], jobs: int) -> Spread:
    """Train what DVC's cache does not hold. Raises UserError for no model, and for no seed."""
    names, numbers = list(dict.fromkeys(names)), list(dict.fromkeys(numbers))
    for name in names:
        params.model(name)
    for number in numbers:
        SeedParameters.parse({"seed": number}, "--seeds")
    if len(numbers) < 2:
        raise UserError("--seeds: at least two are needed to tell how far apart they are")

    runs = []
    for name in names:
        for number in numbers:
            seed = None if number == params.seed_of(name) else number
            runs.append(Experiment(experiment_of(name, number), name, seed))
    with tempfile.TemporaryDirectory() as folder:
        experiments.run_all(runs, jobs, lambda done: fetch(done, Path(folder, done.name)))
        return gathered(params, names, numbers, Path(folder))


def fetch(experiment: Experiment, copies: Path) -> None:
    """Copy what an experiment measured: of the whole, and of each photograph."""
    for source in (
        common.RESULTS / f"{experiment.model}.json",
        common.IMAGE_METRICS / f"{experiment.model}.parquet",
    ):
        experiments.fetch(source, experiment.name, copies / source.name)


def gathered(params: Params, names: list[str], numbers: list[int], copies: Path) -> Spread:
    """The results of all, and the tests with seeds averaged."""
    folders = {name: [copies / experiment_of(name, n) for n in numbers] for name in names}
    results = {
        name: [Result.read(folder / f"{name}.json") for folder in folders[name]] for name in names
    }

    comparisons = significance.standard_comparisons(names, BASELINE)
    for comparison in params.compare.comparisons:
        models = {parts_of(row)[0] for row in significance.rows_of([comparison])}
        if comparison not in comparisons and models & {*names}:
            comparisons.append(comparison)
    split = params.evaluate.splits[-1]
    rows = {
        row: [
            row_named(folder, row, split)
            for folder in folders.get(parts_of(row)[0], [common.IMAGE_METRICS])
        ]
        for row in significance.rows_of(comparisons)
    }
    return Spread(numbers, params.evaluate.splits, results, significance.test(comparisons, rows))


def experiment_of(name: str, number: int) -> str:
    return f"{name}-seed{number}"


if __name__ == "__main__":
    command.run(main)
