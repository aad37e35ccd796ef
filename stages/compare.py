"""Stage `compare`: val metrics of all rows, and which differences are significant."""

from colorize.base import command
from colorize.base.files import replaced_folder, write_json
from colorize.comparison import significance
from colorize.evaluation.baselines import BASELINE, TRIVIAL
from colorize.evaluation.metrics import deciding
from stages import common


def main() -> None:
    params = common.read_params()
    names = (*params.models, *TRIVIAL)
    for folder in (common.RESULTS, common.IMAGE_METRICS):
        common.remove_others(folder, names)
    with common.only_writer("compare", common.VAL, common.SIGNIFICANCE):
        results = common.results(names)
        of_val = {name: result.val for name, result in results.items()}
        of_val[f"{BASELINE}_chroma_scaled"] = results[BASELINE].chroma_scaled.val

        of_models = significance.standard_comparisons(params.models, BASELINE)
        comparisons = params.compare.comparisons
        split = params.evaluate.splits[-1]
        rows = {
            name: [significance.row_named(common.IMAGE_METRICS, name, split)]
            for name in significance.rows_of([*of_models, *comparisons])
        }
        answers = significance.Significance(
            split=split,
            models=significance.test(of_models, rows),
            planned=significance.test(comparisons, rows),
        )
        with replaced_folder(common.VAL) as partial:
            for name, metrics in of_val.items():
                write_json(partial / f"{name}.json", deciding(metrics))
        write_json(common.SIGNIFICANCE, answers.model_dump())


if __name__ == "__main__":
    command.run(main)
