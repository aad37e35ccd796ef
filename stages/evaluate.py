"""Stage `evaluate@NAME`: measure one trained model on val and test, and draw its grid."""

import sys

import pandas as pd

from colorize.base import memory
from colorize.base.errors import UserError
from colorize.base.files import replaced_file, write_json, write_parquet
from colorize.data.index import check_gray, statistics
from colorize.evaluation import directions, protocol
from colorize.evaluation.baselines import BASELINE
from colorize.evaluation.colors import Colors
from colorize.evaluation.failures import failure
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
        evaluate = params.evaluate
        measured = evaluate.validation_max
        photographs = protocol.Photographs(UNION, GRAY, of_training, image_size, measured, device)
        colors = Colors(network, MODELS / name)
        result, images = all_rows(colors, photographs, evaluate, is_baseline=name == BASELINE)
        for split in evaluate.splits:
            if words := failure(result[split]):
                print(f"{name} {words}, on {split}", file=sys.stderr)
        write_json(result_file, result)
        write_parquet(images_file, images)

        batch = photographs.read(
            grids.choose(photographs.headline(evaluate.splits[-1]), evaluate.grid)
        )
        shown = colors.rows(batch)
        picture = grids.result_grid(batch.gray, batch.truth, shown["own"], shown.get("pasted"))
        with replaced_file(grid_file) as partial:
            picture.save(partial, "PNG")


def all_rows(
    colors: Colors,
    photographs: protocol.Photographs,
    evaluate: protocol.EvaluateParameters,
    *,
    is_baseline: bool,
) -> tuple[dict, pd.DataFrame]:
    """What metrics/NAME.json holds of a model, and the lines of its photographs.

    All rows of `Colors.rows`, and the other direction, where the model has it.
    """
    splits, resamples = evaluate.splits, evaluate.resamples
    network = colors.model
    gain = colors.fit_gain(photographs) if is_baseline else None
    rows = protocol.evaluate(lambda batch: colors.rows(batch, gain), photographs, splits, resamples)
    result, images = rows.pop("own")
    result["diagnostics"] = {
        "supervision": network.supervision,
        "output": network.output,
        "parameters": sum(p.numel() for p in network.parameters()),
    }
    for row, evaluated in rows.items():
        result[row] = evaluated.result
        images = images.join(_own_quantities(evaluated.images).add_prefix(f"{row}_"))
    if "pasted" in result:
        for split in splits:
            result[split]["ciede2000_pasted"] = result["pasted"][split]["ciede2000"]
    if gain is not None:
        result["scaled"]["diagnostics"] = {"gain": gain}
    if "gray" in network.targets:
        result["to_gray"], quantities = directions.evaluate(colors, photographs, splits, resamples)
        images = images.join(quantities.add_prefix("to_gray_"), on="name")
    return result, images


def _own_quantities(images: pd.DataFrame) -> pd.DataFrame:
    """Without what is the same for all rows of a photograph."""
    return images.drop(columns=[c for c in images if c in protocol.KEYS or c.endswith("_of_truth")])


if __name__ == "__main__":
    common.run(main)
