"""Stage `baselines`: measure the trivial colorings that every table shows beside the models."""

from colorize.base import command
from colorize.base.device import choose_device, keep_freed
from colorize.base.files import write_parquet
from colorize.evaluation import baselines, protocol
from colorize.evaluation.baselines import TRIVIAL
from stages import common


def main() -> None:
    keep_freed()
    params = common.read_params()
    results = {name: common.RESULTS / f"{name}.json" for name in TRIVIAL}
    images = {name: common.IMAGE_METRICS / f"{name}.parquet" for name in TRIVIAL}
    with common.only_writer("baselines", *results.values(), *images.values()):
        evaluate = params.evaluate
        device = choose_device(params.runtime.device, "runtime.device")
        photographs = common.measured(params, device)
        trivial = baselines.trivial(photographs, photographs.mean_ab)
        rows = protocol.evaluate(trivial, photographs, evaluate.splits, evaluate.resamples)
        for name, row in rows.items():
            row.result.write(results[name])
            write_parquet(images[name], row.images)


if __name__ == "__main__":
    command.run(main)
