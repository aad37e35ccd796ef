"""Stage `evaluate@NAME`: measure one trained model on val and test, and draw its grid."""

import argparse

from colorize.base.errors import UserError
from colorize.base.files import replaced_file, write_json, write_parquet
from colorize.data.index import check_gray, statistics
from colorize.evaluation import protocol
from colorize.evaluation.baselines import BASELINE
from colorize.evaluation.colors import Colors
from colorize.methods import model
from colorize.report import grids
from colorize.training.runtime import RuntimeParameters, choose_device
from stages import common


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", metavar="NAME", help="an entry of `models` in params.yaml")
    name = parser.parse_args().name

    values = common.read_params()
    parameters = protocol.EvaluateParameters.parse(common.section(values, "evaluate"), "evaluate")
    runtime = RuntimeParameters.parse(common.section(values, "runtime"), "runtime")
    image_size = common.section(values, "data.image_size")
    device = choose_device(runtime.device)
    statistics(common.UNION, image_size)
    check_gray(common.UNION, common.GRAY)
    network = model.load(common.MODELS / name, device)
    if network.image_size != image_size:
        raise UserError(
            f"{common.MODELS / name}: trained at data.image_size = {network.image_size}, "
            f"params.yaml says {image_size}; run `dvc repro` to train it again"
        )
    photographs = protocol.Photographs(common.UNION, common.GRAY, image_size)

    # Rows: the method's own RGB, and, where the method may change lightness, its ab on the true L.
    colors = Colors(network, device)
    colorers = {"own": colors.own}
    if network.output == "rgb":
        colorers["pasted"] = colors.pasted
    if name == BASELINE:
        gain = colors.fit_gain(photographs)
        colorers["scaled"] = lambda batch: colors.scaled(batch, gain)
    rows = protocol.evaluate(colorers, photographs, parameters.resamples)

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
    write_json(common.METRICS / f"{name}.json", result)
    write_parquet(common.IMAGE_METRICS / f"{name}.parquet", images)

    chosen = grids.choose(photographs.index.split("test", "photograph"), parameters.grid)
    batch = photographs.read(chosen)
    pasted = colors.pasted(batch) if network.output == "rgb" else None
    picture = grids.result_grid(batch.gray, batch.truth, colors.own(batch), pasted)
    with replaced_file(common.SAMPLES / f"{name}.png") as partial:
        picture.save(partial, "PNG")


if __name__ == "__main__":
    common.run(main)
