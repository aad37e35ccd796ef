"""Stage `controls`: measure the trivial colourings that every table shows beside the models."""

from colorize import evaluation
from colorize.files import write_json
from colorize.index import check_gray, statistics
from stages import common


def main() -> None:
    values = common.read_params()
    parameters = evaluation.EvaluateParameters.parse(common.section(values, "evaluate"), "evaluate")
    image_size = common.section(values, "data.image_size")
    mean_ab = statistics(common.UNION, image_size)["mean_ab"]
    check_gray(common.UNION, common.GRAY)
    photographs = evaluation.Photographs(common.UNION, common.GRAY, image_size)
    colorers = evaluation.controls(photographs, mean_ab)
    results = evaluation.evaluate(colorers, photographs, parameters.resamples)
    for name, result in results.items():
        write_json(common.METRICS / f"{name}.json", result | {"diagnostics": {}})


if __name__ == "__main__":
    common.run(main)
