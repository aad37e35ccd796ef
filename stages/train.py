"""Stage `train@NAME`: train one entry of `models`; the same command again resumes it."""

import contextlib
import sys
from pathlib import Path

from colorize.base import command, distributed, lifetime
from colorize.base.device import choose_device, explained, keep_freed, memory_of
from colorize.base.files import replaced_folder
from colorize.data.reading.index import Index, statistics_to_learn_from
from colorize.methods.shared import model
from colorize.methods.shared.base import Method
from colorize.methods.shared.start import NOTHING, Start, save_training, start_from
from colorize.report import grids
from colorize.training import checkpoint, dataset, loop, watch
from colorize.training.keep import Kept
from colorize.training.runtime import processes_for
from stages import common
from stages.common import GRAY, MODELS, SCRATCH, UNION
from stages.inputs import Inputs
from stages.parameters import Params


def main() -> None:
    keep_freed()
    name = common.name_argument(__doc__)
    params = common.read_params()
    p, stage = params.model(name), f"train@{name}"
    if lifetime.under_torchrun():
        distributed.reporting(lambda: train(name, params, Inputs(stage)))
        return
    with common.only_writer(stage, MODELS / name, *_shown(name)) as inputs:
        count = processes_for(name, p, params.runtime)
        if count > 1:
            distributed.launch("stages.train", name, count)
        else:
            train(name, params, inputs)


def _shown(name: str) -> watch.Files:
    return watch.Files(
        losses=common.CURVES / f"{name}.csv",
        validation=common.VALIDATION / f"{name}.csv",
        pictures=common.TRAINING_GRIDS / f"{name}.png",
    )


def save(network: Method, start: Start, kept: Kept, folder: Path) -> None:
    """Write the weights to color with, and the state that another training can go on from."""
    p = network.p
    about = {"steps": start.steps + p.steps, "images": start.images + p.steps * p.batch_size}
    if start.config is not None:
        about["continues"] = start.config
    weights = None
    if kept.best is not None:
        about["kept"] = {"step": kept.best.step, p.keep: kept.best.value}
        weights = kept.best.weights
    config = model.save(network, folder, weights=weights, about=about)
    save_training(network, config, folder)


def train(name: str, params: Params, inputs: Inputs) -> None:
    """In the only process, or in each of those that train the model together."""
    p, runtime, image_size = params.model(name), params.runtime, params.data.image_size
    where, seed, shown = f"models.{name}", params.seed_of(name), _shown(name)
    device = distributed.local_device(choose_device(runtime.device, "runtime.device"))
    with (
        distributed.process_group(),
        explained(where, "its batch_size or width, or data.image_size"),
    ):
        colors, index = statistics_to_learn_from(UNION, image_size), Index.read(UNION)
        model.check_memory(p, image_size, memory_of(device), where)
        network, start = model.fresh(p, image_size, seed, colors), NOTHING
        if p.init_from is not None:
            path = common.from_root(p.init_from.path)
            start = start_from(network, p.init_from, path, where)
        photographs = dataset.of(network, index, UNION, GRAY, seed)
        val, draw = index.split("val", "photograph"), grids.training_grid
        watched = watch.Watch(params.train, network, val, UNION, GRAY, shown, draw)
        kept = Kept(network, *watched.few_of_val())
        files = [UNION / "index.csv", UNION / "statistics.json", GRAY / "index.csv"]
        files += inputs.code
        facts = checkpoint.facts(name, p, seed, device, runtime, files)
        checkpoints = checkpoint.Checkpoints(SCRATCH / "training", name, facts)

        first = distributed.rank() == 0
        with checkpoints.alone() if first else contextlib.nullcontext():
            if first:
                where_to = f"{shown.losses} (`dvc plots show`), {shown.pictures}"
                print(f"to watch: {where_to}", file=sys.stderr)
            how = {"seed": seed, "runtime": runtime, "device": device}
            loop.train(network, photographs, watched, checkpoints, start, kept, **how)
            if first:
                with replaced_folder(MODELS / name) as partial:
                    save(network, start, kept, partial)
                inputs.check_unchanged("Undo the change to go on from its last checkpoint, or run")
                checkpoints.remove()


if __name__ == "__main__":
    command.run(main)
