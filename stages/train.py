"""Stage `train@NAME`: train one entry of `models`; the same command again resumes it."""

import sys
from pathlib import Path

import torch

from colorize.base.errors import UserError
from colorize.base.files import replaced_file, replaced_folder, sha256_of, write_text
from colorize.base.locks import only_one
from colorize.data import tensors
from colorize.data.index import Index, check_gray, statistics
from colorize.methods import model
from colorize.report import grids
from colorize.training import loop
from colorize.training.checkpoint import Checkpoint, fingerprint
from colorize.training.draws import KINDS
from colorize.training.runtime import choose_device
from stages import common, dependencies
from stages.common import GRAY, SCRATCH, UNION


def main() -> None:
    name = common.name_argument(__doc__)
    params = common.read_params()
    parameters = params.model(name)
    seed = params.seed if parameters.seed is None else parameters.seed
    image_size = params.data.image_size
    device = choose_device(params.runtime.device)

    model_folder = common.MODELS / name
    curve_file = common.CURVES / f"{name}.csv"
    grid_file = common.TRAINING_GRIDS / f"{name}.png"
    with common.only_writer(f"train@{name}", model_folder, curve_file, grid_file):
        statistics(UNION, image_size)
        check_gray(UNION, GRAY)
        torch.manual_seed(seed)
        network = model.build(parameters, image_size)
        rows = Index.read(UNION)
        draws = KINDS[network.draws](
            rows.groups(rows.split("train")),
            shared=parameters.shares_photographs,
            union=UNION,
            gray=GRAY,
            image_size=image_size,
            load_scale=parameters.load_scale,
            seed=seed,
        )
        chosen = grids.choose(rows.split("val", "photograph"), params.train.samples)
        samples = tensors.squares(GRAY, chosen, image_size, "L")

        # Everything that decides the result
        code = dependencies.files_of(
            Path(), "stages.train", f"colorize.methods.{parameters.method}"
        )
        facts = {
            "parameters": parameters.model_dump(),
            "seed": seed,
            "data": [sha256_of(UNION / "index.csv"), sha256_of(GRAY / "index.csv")],
            "code": {file: sha256_of(Path(file)) for file in sorted(code)},
            "device": str(device),
            "threads": torch.get_num_threads(),
        }
        checkpoint = Checkpoint(SCRATCH / "training" / f"{name}-{fingerprint(facts)}")
        # Experiments in copies of this folder share its checkpoints.
        with only_one(SCRATCH / "locks" / checkpoint.folder.name, "training this very run"):
            try:
                trained = loop.train(
                    network,
                    parameters,
                    draws,
                    samples,
                    seed=seed,
                    snapshots=params.train.snapshots,
                    runtime=params.runtime,
                    device=device,
                    checkpoint=checkpoint,
                )
            except loop.Diverged as error:
                raise UserError(f"models.{name}: {error}") from None
            except loop.Stopped as stopped:
                print(f"{name}: {stopped}; saved. Run the same command to go on.", file=sys.stderr)
                sys.exit(130)
            with replaced_folder(model_folder) as partial:
                model.save(network, parameters, image_size, partial)
            csv = trained.losses.to_csv(index=False, float_format="%.6g", lineterminator="\n")
            write_text(curve_file, csv)
            truth = tensors.squares(UNION, chosen, image_size, "RGB")
            with replaced_file(grid_file) as partial:
                grids.training_grid(samples, trained.snapshots, truth).save(partial, "PNG")
            checkpoint.remove()


if __name__ == "__main__":
    common.run(main)
