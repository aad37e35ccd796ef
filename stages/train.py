"""Stage `train@NAME`: train one entry of `models`; the same command again resumes it."""

import argparse
import sys

import torch

from colorize.base.files import replaced_file, replaced_folder, sha256_of, write_text
from colorize.data import tensors
from colorize.data.index import Index, check_gray, statistics
from colorize.methods import model
from colorize.report import grids
from colorize.training import loop
from colorize.training.checkpoint import Checkpoint, fingerprint
from colorize.training.draws import KINDS
from colorize.training.runtime import RuntimeParameters, choose_device
from stages import common


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", metavar="NAME", help="an entry of `models` in params.yaml")
    name = parser.parse_args().name

    values = common.read_params()
    where = f"models.{name}"
    parameters = model.parse(common.section(values, where), where)
    train = loop.TrainParameters.parse(common.section(values, "train"), "train")
    runtime = RuntimeParameters.parse(common.section(values, "runtime"), "runtime")
    seed = loop.SeedParameters.pick(values, "").seed
    if parameters.seed is not None:
        seed = parameters.seed
    image_size = common.section(values, "data.image_size")
    device = choose_device(runtime.device)
    statistics(common.UNION, image_size)
    check_gray(common.UNION, common.GRAY)
    model.check(parameters, image_size, where)

    torch.manual_seed(seed)
    network = model.build(parameters, image_size)
    rows = Index.read(common.UNION)
    draws = KINDS[network.draws](
        rows.groups(rows.split("train")),
        shared=parameters.shares_photographs,
        union=common.UNION,
        gray=common.GRAY,
        image_size=image_size,
        load_scale=parameters.load_scale,
        seed=seed,
    )
    chosen = grids.choose(rows.split("val", "photograph"), train.samples)
    samples = tensors.squares(common.GRAY, chosen, image_size, "L")

    facts = {
        "parameters": parameters.model_dump(),
        "seed": seed,
        "data": [sha256_of(common.UNION / "index.csv"), sha256_of(common.GRAY / "index.csv")],
        "device": str(device),
        "threads": torch.get_num_threads(),
    }
    folder = common.SCRATCH / "training" / f"{name}-{fingerprint(facts)}"
    with Checkpoint(folder) as checkpoint:
        try:
            trained = loop.train(
                network,
                parameters,
                draws,
                samples,
                seed=seed,
                snapshots=train.snapshots,
                runtime=runtime,
                device=device,
                checkpoint=checkpoint,
            )
        except loop.Stopped as stopped:
            print(f"{name}: {stopped}; saved. Run the same command to go on.", file=sys.stderr)
            sys.exit(130)
        with replaced_folder(common.MODELS / name) as partial:
            model.save(network, parameters, image_size, partial)
        csv = trained.losses.to_csv(index=False, float_format="%.6g", lineterminator="\n")
        write_text(common.CURVES / f"{name}.csv", csv)
        truth = tensors.squares(common.UNION, chosen, image_size, "RGB")
        with replaced_file(common.TRAINING_GRIDS / f"{name}.png") as partial:
            grids.training_grid(samples, trained.snapshots, truth).save(partial, "PNG")
        checkpoint.remove()


if __name__ == "__main__":
    common.run(main)
