"""Stage `baselines`: measure the trivial colourings that every table shows beside the models."""

from colorize.base.files import write_json, write_parquet
from colorize.data.index import check_gray, statistics
from colorize.evaluation import baselines, protocol
from stages import common


def main() -> None:
    values = common.read_params()
    parameters = protocol.EvaluateParameters.parse(common.section(values, "evaluate"), "evaluate")
    image_size = common.section(values, "data.image_size")
    mean_ab = statistics(common.UNION, image_size)["mean_ab"]
    check_gray(common.UNION, common.GRAY)
    photographs = protocol.Photographs(common.UNION, common.GRAY, image_size)
    colorers = baselines.trivial(photographs, mean_ab)
    for name, row in protocol.evaluate(colorers, photographs, parameters.resamples).items():
        write_json(common.METRICS / f"{name}.json", row.result | {"diagnostics": {}})
        write_parquet(common.IMAGE_METRICS / f"{name}.parquet", row.images)


if __name__ == "__main__":
    common.run(main)
