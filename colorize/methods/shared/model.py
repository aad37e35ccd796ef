"""From parameters to a model, and models as folders: weights beside config.json."""

import importlib
from collections.abc import Collection, Mapping
from pathlib import Path
from types import ModuleType

import safetensors
import safetensors.torch
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from colorize.base.errors import UserError, one_line
from colorize.base.files import write_bytes, write_json
from colorize.methods.shared.base import Method, ModelParameters, Trained, not_finite
from colorize.methods.shared.folder import CONFIG, WEIGHTS, read_config
from colorize.networks.shared.layers import pretrained_parts

# What a config.json that somebody has edited, or weights of another model, may raise
UNLOADABLE = (LookupError, TypeError, ValueError, ArithmeticError, MemoryError, RuntimeError)
UNLOADABLE += (safetensors.SafetensorError,)


def method_names() -> list[str]:
    """The ways of coloring: one file each in colorize/methods/."""
    files = Path(__file__).parent.parent.glob("*.py")
    return sorted(file.stem for file in files if file.stem != "__init__")


def _module(method: str) -> ModuleType:
    # By name, not by a list of imports: a model depends on its own method's file alone.
    return importlib.import_module(f"colorize.methods.{method}")


def keys(methods: Collection[object]) -> set[str]:
    """Those that an entry of `models` of one of these methods may have."""
    known = [name for name in method_names() if name in methods]
    return {key for name in known for key in _module(name).Parameters.model_fields}


def parse(
    values: object, where: str, defaults: Mapping[str, object] | None = None
) -> ModelParameters:
    """Validate an entry of `models`, whose dotted key is `where`, by its own method's keys.

    defaults: the section of that name, for those of them that the entry lacks.
    """
    method = values.get("method") if isinstance(values, dict) else None
    if method not in method_names():
        known = ", ".join(method_names())
        raise UserError(f"{where}.method: one of {known} is needed, found {method!r}")
    of_method = _module(method).Parameters
    missing = of_method.model_fields.keys() - values.keys()
    inherited = {key: value for key, value in (defaults or {}).items() if key in missing}
    return of_method.parse(inherited | values, where, dict.fromkeys(inherited, "defaults"))


def check(parameters: ModelParameters, image_size: int, where: str) -> None:
    """Raise UserError where parameters do not fit each other, or images of `image_size`."""
    try:
        parameters.check(image_size)
    except ValueError as error:
        raise UserError(f"{where}.{error}") from None


def build(parameters: ModelParameters, image_size: int) -> Method:
    """A fresh model, its weights drawn from torch's global generator."""
    return _module(parameters.method).Method(parameters, image_size)


def fresh(parameters: ModelParameters, image_size: int, seed: int, colors: dict) -> Method:
    """A model as its training begins, unless it has something to start from (see start.py).

    colors: statistics.json of the union. Raises UserError where the published weights that a part
    of the network starts from are missing.
    """
    torch.manual_seed(seed)
    model = build(parameters, image_size)
    if parameters.init_from is None:
        for part in pretrained_parts(model):
            part.load_pretrained()
    model.set_color_statistics(colors)
    return model


def check_memory(parameters: ModelParameters, image_size: int, there: int, where: str) -> None:
    """Raise UserError where training needs more than `there` bytes of memory for certain.

    Weights, gradients and Adam's two moments do, and a batch of photographs. It is said before any
    is taken: an operating system that has none left ends other programs too.
    """
    weights = sum(each.numel() for each in _outline(parameters, image_size).parameters())
    images = parameters.batch_size // parameters.accumulation
    needed = 4 * (4 * weights + images * 3 * image_size**2)
    if needed > there:
        raise UserError(
            f"{where}: training needs {needed / 2**30:.3g} GiB of memory and more, "
            f"{there / 2**30:.3g} GiB are there; lower its width, depth or batch_size"
        )


def save(
    model: Method,
    folder: Path,
    *,
    weights: Mapping[str, Tensor] | None = None,
    about: Mapping[str, object] | None = None,
) -> dict[str, object]:
    """Write what colors and how to build it; returns what config.json says.

    weights: where those of its generators now are not to be kept. about: what else config.json
    says, see stages/train.py.
    """
    write_weights(model.generator_weights() if weights is None else weights, folder / WEIGHTS)
    parameters = model.p.model_dump(mode="json")
    config = {"image_size": model.image_size, "parameters": parameters, **(about or {})}
    write_json(folder / CONFIG, config)
    return config


def write_weights(
    weights: Mapping[str, Tensor], path: Path, about: dict[str, str] | None = None
) -> None:
    """about: one key at most. Several would be written in any order, and the bytes would differ."""
    weights = {name: tensor.cpu().contiguous() for name, tensor in weights.items()}
    write_bytes(path, safetensors.torch.save(weights, about))


def load(folder: Path, device: torch.device | str = "cpu") -> Method:
    """Read a model to color with: its generators alone.

    Raises UserError where there is none, or a broken one.
    """
    for file in (CONFIG, WEIGHTS):
        if not (folder / file).is_file():
            raise UserError(f"{folder}: no model here ({file} is missing)")
    try:
        config = read_config(folder)
        image_size = config["image_size"]
        parameters = parse(config["parameters"], f"{folder / CONFIG}: parameters")
        check(parameters, image_size, f"{folder / CONFIG}: parameters")
        _check_shapes(parameters, image_size, folder)
        with torch.random.fork_rng(devices=[]):  # which draws weights that are then replaced
            model = build(parameters, image_size)
        # What only training needs would take several times as much memory as what colors.
        for name, _ in list(model.named_children()):
            if name not in model.generators:
                delattr(model, name)
        weights = safetensors.torch.load_file(folder / WEIGHTS)
        check_kinds(weights, model, str(folder / WEIGHTS))
        model.load_state_dict(weights)
        model.trained = _trained(config, parameters)
    except UNLOADABLE as error:
        reason = one_line(error)[:300]
        raise UserError(f"{folder}: not a model that can be loaded ({reason})") from None
    check_finite(weights, str(folder / WEIGHTS))
    return model.to(device).eval()


def _trained(config: dict, p: ModelParameters) -> Trained:
    steps = config.get("steps", p.steps) - p.steps
    images = config.get("images", p.steps * p.batch_size)
    return Trained(steps, images, config["kept"]["step"] if "kept" in config else None)


class _Undrawn(TorchFunctionMode):
    """Fresh weights stay as they are: torch would take seconds to learn how to draw none."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        if function in (Tensor.normal_, Tensor.uniform_):
            return args[0]
        return function(*args, **(kwargs or {}))


def _outline(parameters: ModelParameters, image_size: int) -> Method:
    """A model with shapes, but without weights: it takes no memory."""
    with torch.device("meta"), _Undrawn():
        return build(parameters, image_size)


def _check_shapes(parameters: ModelParameters, image_size: int, folder: Path) -> None:
    """Compare the networks with the header of the weights' file, before either takes memory.

    Raises ValueError.
    """
    model = _outline(parameters, image_size)
    wanted = {name: list(of.shape) for name, of in model.generator_weights().items()}
    with safetensors.safe_open(folder / WEIGHTS, "pt") as file:
        shapes = {name: file.get_slice(name).get_shape() for name in file.keys()}  # noqa: SIM118  it is no dict
    for name in sorted(wanted.keys() | shapes.keys()):
        if wanted.get(name) != shapes.get(name):
            raise ValueError(
                f"{WEIGHTS} has {name} {shapes.get(name)}, {CONFIG} asks for {wanted.get(name)}"
            )


def check_kinds(weights: dict[str, Tensor], model: Method, where: str) -> None:
    """Integers would be taken for weights without a word: quantized ones are from -128 to 127."""
    state = model.state_dict()
    for name, tensor in weights.items():
        if state[name].is_floating_point() > tensor.is_floating_point():
            kind = str(tensor.dtype).removeprefix("torch.")
            raise UserError(f"{where}: {name} is {kind}, not floating-point")


def check_finite(weights: dict[str, Tensor], where: str) -> None:
    """Training never saves others, but in half precision all above 65,504 is infinite: a batch's
    variance may be, and what it divides is then silently 0.
    """
    lost = not_finite(weights)
    if lost:
        raise UserError(f"{where}: {lost} is not finite")
