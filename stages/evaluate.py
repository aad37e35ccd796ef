"""Stage `evaluate@NAME`: measure one trained model on val and test, and show its pictures."""

import sys
from collections.abc import Callable
from functools import partial

import pandas as pd
from PIL import Image
from torch import Tensor

from colorize.base import command, memory
from colorize.base.device import choose_device
from colorize.base.errors import UserError
from colorize.base.files import replaced_file, replaced_folder, write_json, write_parquet
from colorize.color.domains import picture
from colorize.evaluation import cases, directions, protocol, translations
from colorize.evaluation.baselines import BASELINE
from colorize.evaluation.colors import Colors
from colorize.evaluation.failures import failure
from colorize.methods.shared import model
from colorize.report import pictures
from stages import common
from stages.common import MODELS

IN_ALL_DOMAINS = 2  # photographs that are shown from each domain in each


def main() -> None:
    memory.keep_freed()
    name = common.name_argument(__doc__)
    params = common.read_params()
    params.model(name)
    result_file = common.RESULTS / f"{name}.json"
    images_file = common.IMAGE_METRICS / f"{name}.parquet"
    pictures_folder = common.PICTURES / name
    grid_files = [folder / f"{name}.png" for folder in (common.SAMPLES, common.CASES)]
    outputs = (result_file, images_file, pictures_folder, *grid_files)
    with common.only_writer(f"evaluate@{name}", *outputs):
        image_size = params.data.image_size
        device = choose_device(params.runtime.device, "runtime.device")
        photographs = common.measured(params, device)
        network = model.load(MODELS / name, device)
        if network.image_size != image_size:
            raise UserError(
                f"{MODELS / name}: trained at data.image_size = {network.image_size}, "
                f"params.yaml says {image_size}; run `dvc repro` to train it again"
            )
        evaluate = params.evaluate
        colors = Colors(network, MODELS / name)
        result, images = all_rows(colors, photographs, evaluate, is_baseline=name == BASELINE)
        for split in evaluate.splits:
            if words := failure(result[split]):
                print(f"{name} {words}, on {split}", file=sys.stderr)
        write_json(result_file, result)
        write_parquet(images_file, images)

        of_kinds = (
            cases.fixed(images, evaluate.splits[-1], evaluate.grid),
            cases.extremes(images, evaluate.splits[-1]),
        )
        chosen = [case for of_kind in of_kinds for case in of_kind]
        shown = show(photographs, chosen, partial(colored_and_gray, colors))
        with replaced_folder(pictures_folder) as folder:
            pictures.save(folder, shown)
            if len(network.domains) > 2:
                chosen = of_kinds[0][:IN_ALL_DOMAINS]
                ways = show(photographs, chosen, partial(each_from_each, colors))
                (folder / pictures.DOMAINS).mkdir()
                pictures.save(folder / pictures.DOMAINS, ways)
        for of_kind, grid_file in zip(of_kinds, grid_files, strict=True):
            picture = pictures.grid([each for each in shown if each.case in of_kind])
            with replaced_file(grid_file) as file:
                picture.save(file, "PNG")


def all_rows(
    colors: Colors,
    photographs: protocol.Photographs,
    evaluate: protocol.EvaluateParameters,
    *,
    is_baseline: bool,
) -> tuple[dict, pd.DataFrame]:
    """What metrics/results/NAME.json holds of a model, and the lines of its photographs.

    All rows of `Colors.rows`, and the other direction, where the model has it.
    """
    splits, resamples = evaluate.splits, evaluate.resamples
    network, p = colors.model, colors.model.p
    at_a_time = 2 if network.draws == "unpaired" else 1
    gain = colors.fit_gain(photographs) if is_baseline else None
    rows = protocol.evaluate(lambda batch: colors.rows(batch, gain), photographs, splits, resamples)
    result, images = rows.pop("own")
    result["diagnostics"] = {
        "supervision": network.supervision,
        "output": network.output,
        "parameters": sum(weights.numel() for weights in network.parameters()),
        "multiply_adds": colors.multiply_adds(),
        "images_loaded": p.steps * p.batch_size * at_a_time,
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
    if len(network.domains) > 2:
        result["domains"] = translations.evaluate(colors, photographs, splits, resamples)
    return result, images


def show(
    photographs: protocol.Photographs,
    chosen: list[cases.Case],
    versions: Callable[[protocol.Batch], dict[str, Tensor]],
) -> list[pictures.Shown]:
    """The chosen photographs in all versions, each (n, 3 or 1, S, S) uint8.

    Coloured in the batches that they were measured in: all at once, large ones fill the memory.
    """

    def drawn(batch: protocol.Batch) -> dict[str, dict[str, Image.Image]]:
        found = versions(batch)
        return {
            name: {v: pictures.shrunk(images[i]) for v, images in found.items()}
            for i, name in enumerate(batch.names)
        }

    names = list(dict.fromkeys(case.photograph for case in chosen))
    by_name = {name: of for part in photographs.each(drawn, names) for name, of in part.items()}
    return [pictures.Shown(case, by_name[case.photograph]) for case in chosen]


def colored_and_gray(colors: Colors, batch: protocol.Batch) -> dict[str, Tensor]:
    found = {"gray": batch.gray, "truth": batch.truth} | colors.rows(batch)
    if "gray" in colors.model.targets:
        found["to_gray"] = colors.made(batch.truth, "gray")
    return found


def each_from_each(colors: Colors, batch: protocol.Batch) -> dict[str, Tensor]:
    """Every domain from every other; from the domain itself, the true one."""
    domains = colors.model.domains
    true = {domain: picture(domain, batch.truth, batch.gray) for domain in domains}
    return {
        pictures.WAY.join((source, target)): x if target == source else colors.made(x, target)
        for source, x in true.items()
        for target in domains
    }


def _own_quantities(images: pd.DataFrame) -> pd.DataFrame:
    """Without what is the same for all rows of a photograph."""
    return images.drop(columns=[c for c in images if c in protocol.KEYS or c.endswith("_of_truth")])


if __name__ == "__main__":
    command.run(main)
