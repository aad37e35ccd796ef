"""Stage `evaluate@NAME`: measure one trained model on val and test, and show its pictures."""

import sys

from colorize.base import command
from colorize.base.device import choose_device, keep_freed
from colorize.base.errors import UserError
from colorize.base.files import replaced_file, replaced_folder, write_parquet
from colorize.evaluation import cases, models
from colorize.evaluation.colors import Colors
from colorize.evaluation.metrics import failure
from colorize.methods.shared import model
from colorize.report import pictures
from stages import common
from stages.common import MODELS

IN_ALL_DOMAINS = 2  # photographs that are shown from each domain in each


def main() -> None:
    keep_freed()
    name = common.name_argument(__doc__)
    params = common.read_params()
    params.model(name)
    result_file = common.RESULTS / f"{name}.json"
    images_file = common.IMAGE_METRICS / f"{name}.parquet"
    pictures_folder = common.PICTURES / name
    grid_files = [folder / f"{name}.png" for folder in (common.SAMPLES, common.CASES)]
    outputs = (result_file, images_file, pictures_folder, *grid_files)
    with common.only_writer(f"evaluate@{name}", *outputs):
        image_size, splits = params.data.image_size, params.evaluate.splits
        device = choose_device(params.runtime.device, "runtime.device")
        photographs = common.measured(params, device)
        network = model.load(MODELS / name, device)
        if network.image_size != image_size:
            raise UserError(
                f"{MODELS / name}: trained at data.image_size = {network.image_size}, "
                f"params.yaml says {image_size}; run `dvc repro` to train it again"
            )
        colors = Colors(network, MODELS / name)
        result, images = models.evaluate(
            name, colors, photographs, splits, params.evaluate.resamples
        )
        for split in splits:
            if words := failure(result.on(split)):
                print(f"{name} {words}, on {split}", file=sys.stderr)
        result.write(result_file)
        write_parquet(images_file, images)

        fixed = cases.fixed(images, splits[-1], params.evaluate.grid)
        extremes = cases.extremes(images, splits[-1])
        shown = pictures.show(photographs, [*fixed, *extremes], colors.versions)
        with replaced_folder(pictures_folder) as folder:
            pictures.save(folder, shown)
            if len(network.domains) > 2:
                ways = pictures.show(photographs, fixed[:IN_ALL_DOMAINS], colors.every_way)
                (folder / pictures.DOMAINS).mkdir()
                pictures.save(folder / pictures.DOMAINS, ways)
        for of_kind, grid_file in zip((fixed, extremes), grid_files, strict=True):
            picture = pictures.grid([each for each in shown if each.case in of_kind])
            with replaced_file(grid_file) as file:
                picture.save(file, "PNG")


if __name__ == "__main__":
    command.run(main)
