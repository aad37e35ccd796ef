"""Stage `baselines`: measure the trivial colourings that every table shows beside the models."""

from colorize.base import memory
from colorize.base.files import write_json, write_parquet
from colorize.data.index import check_gray, statistics
from colorize.evaluation import baselines, perceptual, protocol
from colorize.evaluation.baselines import TRIVIAL
from colorize.training.runtime import choose_device
from stages import common
from stages.common import GRAY, UNION


def main() -> None:
    memory.keep_freed()
    params = common.read_params()
    results = {name: common.METRICS / f"{name}.json" for name in TRIVIAL}
    images = {name: common.IMAGE_METRICS / f"{name}.parquet" for name in TRIVIAL}
    with common.only_writer("baselines", *results.values(), *images.values()):
        image_size = params.data.image_size
        of_training = statistics(UNION, image_size)
        check_gray(UNION, GRAY)
        evaluate = params.evaluate
        measured = evaluate.validation_max
        device = choose_device(params.runtime.device)
        networks = None
        if evaluate.weights is not None:
            networks = perceptual.read(common.from_root(evaluate.weights), device)
        photographs = protocol.Photographs(
            UNION, GRAY, of_training, image_size, measured, device, networks
        )
        trivial = baselines.trivial(photographs, of_training["mean_ab"])
        rows = protocol.evaluate(trivial, photographs, evaluate.splits, evaluate.resamples)
        for name, row in rows.items():
            write_json(results[name], row.result | {"diagnostics": {}})
            write_parquet(images[name], row.images)


if __name__ == "__main__":
    common.run(main)
