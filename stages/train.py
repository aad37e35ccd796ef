"""Stage `train@NAME`: train one entry of `models`; the same command again resumes it."""

import contextlib
import functools
import sys
from pathlib import Path

import pandas as pd
import torch
from torch import Tensor

from colorize.base import command, lifetime, memory, processes
from colorize.base.device import choose_device
from colorize.base.errors import UserError
from colorize.base.files import replaced_file, replaced_folder, sha256_of, write_text
from colorize.base.parameters import from_yaml
from colorize.data.reading import tensors
from colorize.data.reading.index import Index, check_colors, check_gray, statistics
from colorize.methods.shared import model
from colorize.methods.shared.parameters import ModelParameters
from colorize.report import grids
from colorize.training import loop, validation
from colorize.training.checkpoint import Checkpoints
from colorize.training.draws import KINDS
from colorize.training.interruption import Stopped
from colorize.training.log import Diverged
from stages import common, together
from stages.common import GRAY, SCRATCH, UNION
from stages.parameters import Params


def main() -> None:
    memory.keep_freed()
    name = common.name_argument(__doc__)
    params = common.read_params()
    if lifetime.under_torchrun():
        together.reporting(lambda: train(name, params))
        return
    with common.only_writer(f"train@{name}", *_outputs(name)):
        count = together.count(name, params.model(name), params.runtime)
        if count > 1:
            together.run("stages.train", name, count)
        else:
            train(name, params)


def _outputs(name: str) -> tuple[Path, Path, Path, Path]:
    """The model, its curves, of the losses and on val, and the grid."""
    folders = (common.CURVES, common.VALIDATION)
    curves = (folder / f"{name}.csv" for folder in folders)
    return common.MODELS / name, *curves, common.TRAINING_GRIDS / f"{name}.png"


def train(name: str, params: Params) -> None:
    parameters = params.model(name)
    image_size = params.data.image_size
    device = processes.own_device(choose_device(params.runtime.device, "runtime.device"))
    model_folder, curve_file, validation_file, grid_file = _outputs(name)
    with (
        processes.joined(),
        memory.explained(f"models.{name}", "its batch_size or width, or data.image_size"),
    ):
        first = processes.number() == 0
        colors = statistics(UNION, image_size)
        check_colors(UNION, colors)
        check_gray(UNION, GRAY)
        seed = params.seed_of(name)
        torch.manual_seed(seed)
        network = model.build(parameters, image_size)
        if parameters.init_from is not None:
            model.start_from(network, parameters.init_from, f"models.{name}")
        network.learn_of(colors)
        rows = Index.read(UNION)
        draws = KINDS[network.draws](
            rows.groups(rows.split("train")),
            domains=network.domains,
            shared=parameters.shares_photographs,
            union=UNION,
            gray=GRAY,
            image_size=image_size,
            load_scale=parameters.load_scale,
            flip=parameters.flip,
            seed=seed,
        )
        val = rows.split("val", "photograph")
        chosen = grids.choose(val, params.train.samples)
        samples, truth = _photographs(chosen, image_size)
        measured = _photographs(val[: validation.MOST], image_size)

        def show_snapshots(snapshots: dict[int, Tensor]) -> None:
            with replaced_file(grid_file) as partial:
                grids.training_grid(samples, snapshots, truth).save(partial, "PNG")

        facts = _facts(name, parameters, seed, device, params.runtime.compile)
        checkpoints = Checkpoints(SCRATCH / "training", name, facts)
        with checkpoints.alone() if first else contextlib.nullcontext():
            if first:
                print(f"to watch: {curve_file} (`dvc plots show`), {grid_file}", file=sys.stderr)
            try:
                loop.train(
                    network,
                    parameters,
                    draws,
                    samples,
                    seed=seed,
                    snapshots=params.train.snapshots,
                    measurements=params.train.measurements,
                    measure=lambda method: validation.measure(method, *measured),
                    runtime=params.runtime,
                    device=device,
                    checkpoints=checkpoints,
                    show_losses=functools.partial(_write_table, curve_file),
                    show_snapshots=show_snapshots,
                    show_measurements=functools.partial(_write_table, validation_file),
                )
            except Diverged as error:
                saved = checkpoints.last_step()
                before = (
                    "nothing was saved before" if saved is None else f"saved after step {saved}"
                )
                raise UserError(f"models.{name}: {error}; {before}") from None
            except Stopped as stopped:
                if first or stopped.code == command.FAILED:
                    print(
                        f"{name}: {stopped}; saved. Run the same command to go on.", file=sys.stderr
                    )
                sys.exit(stopped.code)
            if first:
                with replaced_folder(model_folder) as partial:
                    model.save(network, parameters, image_size, partial)
                checkpoints.remove()


def _photographs(names: list[str], image_size: int) -> tuple[Tensor, Tensor]:
    """In gray (n, 1, S, S) and in colour (n, 3, S, S), uint8."""
    in_gray = tensors.squares(GRAY, names, image_size, "L")
    return in_gray, tensors.squares(UNION, names, image_size, "RGB")


def _write_table(file: Path, table: pd.DataFrame) -> None:
    write_text(file, table.to_csv(index=False, float_format="%.6g", lineterminator="\n"))


def _facts(
    name: str, parameters: ModelParameters, seed: int, device: torch.device, compiled: bool
) -> dict:
    """All that decides the result, by the names that users know."""
    values = {f"models.{name}.{key}": v for key, v in parameters.model_dump(mode="json").items()}
    data = (UNION / "index.csv", UNION / "statistics.json", GRAY / "index.csv")
    files = {str(path): sha256_of(path) for path in (*data, *_code(parameters))}
    machine = {"device": device.type}  # which of several, and with how many threads, is rounding
    return values | {"seed": seed} | files | machine | {"runtime.compile": compiled}


def _code(parameters: ModelParameters) -> list[Path]:
    """The files of code that dvc.yaml has the training of a model depend on."""
    text = common.PIPELINE.read_text(encoding="utf-8")
    found = []
    for path in from_yaml(text, str(common.PIPELINE))["stages"]["train"]["do"]["deps"]:
        for key in ("method", "network"):
            path = path.replace(f"${{item.{key}}}", getattr(parameters, key))
        if not path.startswith("data/"):
            found += sorted(Path(path).rglob("*.py")) if Path(path).is_dir() else [Path(path)]
    return found


if __name__ == "__main__":
    command.run(main)
