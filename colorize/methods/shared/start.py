"""What a model starts from: nothing, the weights of another (`init_from`), or a whole training.

A finished training leaves its last state beside the weights that color: networks, what the
optimizers remember, averages, image pools. One that starts from that file goes on where it ended,
with its own `steps` and learning rate, whose schedule begins anew, and with the photographs that
would have been drawn next. With the same seed, and while the rate stays what it was, it comes to
the same as if it had been trained on in one go.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import safetensors
from torch import Tensor

from colorize.base.errors import UserError, one_line
from colorize.base.files import sha256_of
from colorize.methods.shared.base import InitFrom, Method, within
from colorize.methods.shared.model import UNLOADABLE, check_finite, check_kinds, write_weights

TRAINING = "training.safetensors"
CONFIG = "config"  # of the trained model, in the file's metadata


class Start(NamedTuple):
    """The training that goes on; all empty where there is none."""

    state: Mapping[str, Tensor]  # as `Method.training_state`
    steps: int  # that were trained before, in all
    images: int  # that were drawn for them
    config: dict[str, Any] | None  # config.json of the model


NOTHING = Start({}, 0, 0, None)


def save_training(model: Method, config: dict[str, object], folder: Path) -> None:
    """Write what another training can go on from; config: what config.json says."""
    write_weights(model.training_state(), folder / TRAINING, {CONFIG: json.dumps(config)})


def start_from(model: Method, init_from: InitFrom, path: Path, where: str) -> Start:
    """Give a model's networks the weights that `init_from` names; those that it lacks stay fresh.

    path: where they are found. where: the dotted key of the model. Raises UserError where the file
    is missing, another than its checksum says, of other networks or no numbers, or where it is the
    training of another method.
    """
    try:
        sha256 = sha256_of(path)
    except OSError as error:
        raise UserError(f"{where}.init_from.path: {path}: {error.strerror}") from None
    if sha256 != init_from.sha256:
        raise UserError(f"{where}.init_from.sha256: {path} has {sha256}")
    of_file = f"{where}.init_from.path: {path}"
    try:
        with safetensors.safe_open(path, "pt") as file:
            about = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  it is no dict
        start, method = NOTHING, model.p.method
        if CONFIG in about:
            config = json.loads(about[CONFIG])
            start = Start(tensors, int(config["steps"]), int(config["images"]), config)
            method = config["parameters"]["method"]
    except UNLOADABLE as error:
        raise UserError(f"{of_file}: {one_line(error)}") from None
    if not tensors:
        raise UserError(f"{of_file} holds no weights")
    check_finite(tensors, of_file)
    if method != model.p.method:
        raise UserError(
            f"{of_file} is the training of a {method}; a {model.p.method} may start from the "
            "weights.safetensors beside it"
        )
    weights = within(tensors, "networks") if start.config else tensors
    there, wanted = _shapes(weights), _shapes(model.state_dict())
    for name in sorted(there.keys() | wanted.keys()) if start.config else there:
        shape, of_model = there.get(name, "none"), wanted.get(name, "none")
        if shape != of_model:
            raise UserError(f"{of_file} has {name} {shape}, the model {of_model}")
    check_kinds(weights, model, of_file)
    model.load_state_dict(weights, strict=False)
    return start


def _shapes(state: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in state.items()}
