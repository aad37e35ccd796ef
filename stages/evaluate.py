"""Stage `evaluate@NAME`: measure one trained model on val and test, and draw its grid."""

import pandas as pd

from colorize.base import memory
from colorize.base.errors import UserError
from colorize.base.files import replaced_file, write_json, write_parquet
from colorize.data.index import check_gray, statistics
from colorize.evaluation import protocol
from colorize.evaluation.baselines import BASELINE
from colorize.evaluation.colors import Colors
from colorize.methods import model
from colorize.report import grids
from colorize.training.runtime import choose_device
from stages import common
from stages.common import GRAY, MODELS, UNION


def main() -> None:
    memory.keep_freed()
    name = common.name_argument(__doc__)
    params = common.read_params()
    params.model(name)
    result_file = common.METRICS / f"{name}.json"
    images_file = common.IMAGE_METRICS / f"{name}.parquet"
    grid_file = common.SAMPLES / f"{name}.png"
    with common.only_writer(f"evaluate@{name}", result_file, images_file, grid_file):
        image_size = params.data.image_size
        device = choose_device(params.runtime.device)
        of_training = statistics(UNION, image_size)
        check_gray(UNION, GRAY)
        network = model.load(MODELS / name, device)
        if network.image_size != image_size:
            raise UserError(
                f"{MODELS / name}: trained at data.image_size = {network.image_size}, "
                f"params.yaml says {image_size}; run `dvc repro` to train it again"
            )
        measured = params.evaluate.validation_max
        photographs = protocol.Photographs(UNION, GRAY, of_training, image_size, measured, device)
        colors = Colors(network, MODELS / name)

        result, images = all_rows(colors, photographs, params.evaluate.resamples, name == BASELINE)
        write_json(result_file, result)
        write_parquet(images_file, images)

        chosen = grids.choose(photographs.index.split("test", "photograph"), params.evaluate.grid)
        batch = photographs.read(chosen)
        pasted = colors.pasted(batch) if network.output == "rgb" else None
        picture = grids.result_grid(batch.gray, batch.truth, colors.own(batch), pasted)
        with replaced_file(grid_file) as partial:
            picture.save(partial, "PNG")


def all_rows(
    colors: Colors, photographs: protocol.Photographs, resamples: int, is_baseline: bool
) -> tuple[dict, pd.DataFrame]:
    """All rows of a model: the method's own RGB; where the method may change lightness, its ab on
    the true L; of the baseline also its ab scaled.
    """
    network = colors.model
    colorers = {"own": colors.own}
    if network.output == "rgb":
        colorers["pasted"] = colors.pasted
    if is_baseline:
        gain = colors.fit_gain(photographs)
        colorers["scaled"] = lambda batch: colors.scaled(batch, gain)
    rows = protocol.evaluate(colorers, photographs, resamples)

    result, images = rows["own"]
    result["diagnostics"] = {
        "supervision": network.supervision,
        "output": network.output,
        "parameters": sum(p.numel() for p in network.parameters()),
    }
    if "pasted" in rows:
        result["pasted"] = rows["pasted"].result
        for split in ("val", "test"):
            result[split]["ciede2000_pasted"] = result["pasted"][split]["ciede2000"]
    if "scaled" in rows:
        result["scaled"] = rows["scaled"].result | {"diagnostics": {"gain": gain}}
    for row, evaluated in rows.items():
        if row != "own":
            quantities = evaluated.images.drop(columns=protocol.KEYS)
            images = images.join(quantities.add_prefix(f"{row}_"))
    return result, images


if __name__ == "__main__":
    common.run(main)
