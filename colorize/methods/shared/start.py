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
    source: str  # the dotted key and the file, for messages
    state: dict[str, Tensor]  # as `Method.training_state`; of plain weights the networks alone
    steps: int  # that were trained before, in all
    images: int  # that were drawn for them
    method: str
    config: dict[str, Any] | None  # config.json of the model whose training goes on


NOTHING = Start("", {}, 0, 0, "", None)


def save_training(model: Method, config: dict[str, object], folder: Path) -> None:
    """Write what another training can go on from; config: what config.json says."""
    write_weights(model.training_state(), folder / TRAINING, {CONFIG: json.dumps(config)})


def read_start(init_from: InitFrom, path: Path, where: str) -> Start:
    """What `init_from` names, found at `path`; where: the dotted key of the model.

    Raises UserError where the file is missing, another than its checksum says, or holds no numbers.
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
        config = json.loads(about[CONFIG]) if CONFIG in about else None
        steps, images, method = 0, 0, ""
        if config is not None:
            steps, images = int(config["steps"]), int(config["images"])
            method = config["parameters"]["method"]
    except UNLOADABLE as error:
        raise UserError(f"{of_file}: {one_line(error)}") from None
    if not tensors:
        raise UserError(f"{of_file} holds no weights")
    check_finite(tensors, of_file)
    if config is None:
        tensors = {f"networks.{name}": tensor for name, tensor in tensors.items()}
    return Start(of_file, tensors, steps, images, method, config)


def load_weights(model: Method, start: Start) -> None:
    """Give a model's networks the weights of `start`; those that it does not name stay fresh.

    Raises UserError where they are of other networks, or a training is one of another method.
    """
    weights = within(start.state, "networks")
    if start.config is not None and start.method != model.p.method:
        raise UserError(
            f"{start.source} is the training of a {start.method}; a {model.p.method} may start "
            "from the weights.safetensors beside it"
        )
    there, wanted = _shapes(weights), _shapes(model.state_dict())
    for name in there if start.config is None else sorted(there.keys() | wanted.keys()):
        of_file, of_model = there.get(name, "none"), wanted.get(name, "none")
        if of_file != of_model:
            raise UserError(f"{start.source} has {name} {of_file}, the model {of_model}")
    check_kinds(weights, model, start.source)
    model.load_state_dict(weights, strict=False)


def _shapes(state: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in state.items()}
