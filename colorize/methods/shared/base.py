"""What a method is: the keys of its entry, its losses in one step, how its weights move, and how it
translates.
"""

import contextlib
import copy
import importlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, NamedTuple

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from colorize import color
from colorize.base import distributed
from colorize.base.parameters import Parameters
from colorize.color import in_full_precision
from colorize.color.domains import Domain
from colorize.networks.shared.layers import Norm, Pretrained, Upsampling, pretrained_parts

# The keys of an entry of `models` in params.yaml, which explains them

Seed = Annotated[int, Field(ge=0, lt=2**32)]
Count = Annotated[int, Field(ge=1, le=10**9)]
Width = Annotated[int, Field(ge=1, le=1024)]
Depth = Annotated[int, Field(ge=1, le=64)]
Rate = Annotated[float, Field(gt=0, le=1)]
Share = Annotated[float, Field(ge=0, le=1)]
Weight = Annotated[float, Field(ge=0)]

PUBLISHED_STEP = 1000  # steps from one lowering of StarGAN's published schedule to the next


class InitFrom(Parameters):
    """What to start from, and its SHA-256: a weights.safetensors, or a training.safetensors, whose
    training goes on.
    """

    path: str
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class ModelParameters(Parameters):
    """Keys of every entry."""

    method: str
    network: str
    width: Width
    depth: Depth
    steps: Count
    batch_size: Annotated[int, Field(ge=1, le=65_536)]
    accumulation: Count
    precision: Literal["fp32", "bf16"]
    learning_rate: Rate
    schedule: Literal["linear", "stargan"]
    decay_from: Share
    ema: Annotated[float, Field(ge=0, lt=1)]
    load_scale: Annotated[float, Field(ge=1, le=4)]
    flip: bool
    aging: Share = 0.0
    seed: Seed | None = None
    init_from: InitFrom | None = None
    keep: Literal["last", "ciede2000", "psnr"] = "last"

    def learning_rate_factor(self, step: int) -> float:
        """Of step 1, 2, ... `steps`: 1 up to the share `decay_from`, then lower."""
        constant = self.decay_from * self.steps
        if step <= constant:
            return 1.0
        if self.schedule == "linear":  # toward 0
            return 1 - (step - constant) / (self.steps - constant + 1)
        # As published: every 1000 steps it falls by what one step of a linear decay would take.
        return 1 - (step - constant) // PUBLISHED_STEP / (self.steps - constant)

    @property
    def shares_photographs(self) -> bool:
        """May the network see a photograph in both forms?"""
        return True

    def check(self, image_size: int) -> None:
        """Raise ValueError, naming the key to change, where values do not fit together."""
        if self.batch_size % self.accumulation:
            raise ValueError(
                f"accumulation: {self.accumulation} equal parts of a batch_size of "
                f"{self.batch_size} are not possible"
            )


def check_halvings(key: str, count: int, image_size: int) -> None:
    """Raise ValueError where an image cannot be halved so many times."""
    if image_size % 2**count:
        raise ValueError(
            f"{key}: {count} halvings need a multiple of {2**count} pixels, "
            f"data.image_size is {image_size}"
        )


class UnpairedParameters(ModelParameters):
    """Keys of methods that learn from gray and color photographs that do not belong together."""

    unpaired: Literal["disjoint", "shared"]

    @property
    def shares_photographs(self) -> bool:
        return self.unpaired == "shared"


class TranslationParameters(ModelParameters):
    """Keys of methods whose generator makes an image of the same size from an image."""

    norm: Norm
    upsampling: Upsampling


class EncoderParameters(ModelParameters):
    """Keys of methods whose network may be efficientnet_lite, and needed by that one alone."""

    encoder: Literal["lite0", "lite1", "lite2"] | None = None
    pretrained: bool | None = None

    def encoder_options(self) -> dict[str, str | bool]:
        """What the network is made with, besides its size."""
        if self.network != "efficientnet_lite":
            return {}
        return {"encoder": self.encoder, "pretrained": self.pretrained}

    def check(self, image_size: int) -> None:
        super().check(image_size)
        wanted = self.network == "efficientnet_lite"
        for key, value in (("encoder", self.encoder), ("pretrained", self.pretrained)):
            if (value is not None) != wanted:
                problem = "needs one" if wanted else "has none"
                raise ValueError(f"{key}: network {self.network} {problem}")


# Methods

Supervision = Literal["paired", "unpaired", "paired in effect"]

Losses = dict[str, Tensor]  # by their names in the paper

# Of a part of a batch: the loss to minimize, the losses to log, and what later updates need
Computed = tuple[Tensor, Losses, tuple[Tensor, ...]]
LossFunction = Callable[..., Computed]


@dataclass
class Update:
    """One of the updates of a step: which networks it moves, and by which loss."""

    networks: tuple[str, ...]
    loss: LossFunction
    betas: tuple[float, float]
    weight_decay: float
    optimizer: torch.optim.Optimizer | None = None  # only training needs one


class Trained(NamedTuple):
    """How a model has been trained that is there to color."""

    steps_before: int  # of the training that its own went on from
    images: int  # drawn in all, by that too
    kept_step: int | None  # of its own steps, the one whose weights these are; None: the last


class Method(nn.Module):
    """One way of coloring; its networks are attributes.

    A method says which updates one step has, and what they minimize; `update` alone moves weights.
    colorize/training/ owns steps, data, checkpoints and logs.
    """

    supervision: ClassVar[Supervision]  # may it see a photograph's gray and its true colors?
    output: ClassVar[Literal["rgb", "ab"]]  # what its network predicts
    sampling: ClassVar[Literal["paired", "unpaired", "domains"]]  # see training/dataset.py
    domains: tuple[Domain, ...] = ("gray", "color")  # of what it is trained on
    targets: tuple[Domain, ...]  # what it can translate to
    generators: ClassVar[tuple[str, ...]]  # the networks that translate; the others only train

    def __init__(self, p: ModelParameters, image_size: int):
        super().__init__()
        self.p = p
        self.image_size = image_size  # pixels, of the images it is trained on
        self.updates: dict[str, Update] = {}
        self.ema: dict[str, nn.Module] = {}  # of the generators' weights, where p.ema > 0
        self.generator_updates = 0
        self.trained: Trained | None = None

    @property
    def pretrained(self) -> bool:
        """Has a part of it begun with what ImageNet's labels teach?"""
        return bool(pretrained_parts(self))

    # To be written by each method

    def step(self, batch: dict[str, Tensor], number: int, rng: torch.Generator) -> Losses:
        """Make the updates of one batch and return their losses; `number` counts from 1.

        batch: uint8 tensors as `sampling` says; where several processes share a batch, this one's
        shard. rng: this step's own source of randomness, the same in all of them and drawn from for
        the whole batch. Of the losses `loss` is what the coloring network minimizes.
        """
        raise NotImplementedError

    def translate(self, image: Tensor, target: Domain) -> Tensor:
        """(n, 3, H, W) sRGB in [0, 1] of another domain to `target`, one of `targets`, likewise."""
        raise NotImplementedError

    def set_color_statistics(self, statistics: dict) -> None:
        """Take what it needs of the training photographs' colors (data/union/statistics.json)."""

    def classify(self, image: Tensor) -> Tensor | None:
        """Which of `targets` its discriminator takes images for: (n, 3, H, W) sRGB in [0, 1] to
        (n,) of their indices; None where it does not classify.
        """
        return None

    # The same for all: coloring

    def colorize(self, gray: Tensor) -> Tensor:
        """(n, 1, H, W) gray to (n, 3, H, W) sRGB, both in [0, 1]: the method's own RGB."""
        return self.translate(gray.expand(-1, 3, -1, -1), "color")

    @torch.inference_mode()
    def colorize_bytes(self, gray: Tensor, batch_size: int = 16) -> Tensor:
        """(n, 1, H, W) to (n, 3, H, W), both uint8 and on the CPU; the model may be elsewhere."""
        device = next(self.parameters()).device
        with self.evaluation_mode():
            colored = [
                color.to_uint8(self.colorize(color.to_float(part.to(device)))).cpu()
                for part in gray.split(batch_size)
            ]
        return torch.cat(colored)

    def predict_ab(self, gray: Tensor) -> Tensor:
        """(n, 1, H, W) gray in [0, 1] to the chroma (n, 2, H, W) that the method gives it."""
        return color.rgb_to_lab(self.colorize(gray))[..., 1:, :, :]

    # The same for all: training

    def add_update(
        self,
        name: str,
        loss: LossFunction,
        *networks: str,
        betas: tuple[float, float] = (0.5, 0.999),  # of most GANs since DCGAN (Radford et al. 2016)
        weight_decay: float = 0.0,
    ) -> None:
        """Let `update(name, ...)` move all weights of `networks` down the gradient of `loss`."""
        self.updates[name] = Update(networks, loss, betas, weight_decay)

    def prepare_training(self, *, compiled: bool = False) -> None:
        """Make what only training needs: optimizers, averages; compile the losses if told to."""
        for update in self.updates.values():
            networks = [getattr(self, name) for name in update.networks]
            update.optimizer = torch.optim.Adam(
                _parameter_groups(networks),
                self.p.learning_rate,
                update.betas,
                weight_decay=update.weight_decay,
                fused=True,
            )
            if compiled:
                update.loss = torch.compile(update.loss, dynamic=False)
        self.set_learning_rate(self.p.learning_rate)
        if self.p.ema:
            for name in self.generators:
                self.ema[name] = copy.deepcopy(getattr(self, name)).requires_grad_(False)

    def update(self, name: str, *inputs: Tensor) -> tuple[Losses, tuple[Tensor, ...]]:
        """One step of the optimizer `name` down the gradient of its loss for `inputs`.

        Only its own networks get a gradient: a generator's loss, which goes through the
        discriminator, leaves no trace there. The batch passes in `accumulation` equal parts, so
        that memory holds one part's activations. Networks run in `precision`, losses in float32.
        Several processes, which share the batch, all move by the gradient of the whole. Returns
        losses (means over the batch) and what the loss hands to later updates, detached.
        """
        update, parts = self.updates[name], self.p.accumulation
        for child, network in self.named_children():
            network.requires_grad_(child in update.networks)
        update.optimizer.zero_grad()
        losses_of_parts, outputs_of_parts = [], []
        for part in zip(*(tensor.chunk(parts) for tensor in inputs), strict=True):
            with torch.autocast(
                part[0].device.type, torch.bfloat16, enabled=self.p.precision == "bf16"
            ):
                loss, losses, outputs = update.loss(*part)
            (loss / parts).backward()
            losses_of_parts.append({key: value.detach() for key, value in losses.items()})
            outputs_of_parts.append([output.detach() for output in outputs])
        means = {
            key: sum(losses[key] for losses in losses_of_parts) / parts
            for key in losses_of_parts[0]
        }
        weights = [w for group in update.optimizer.param_groups for w in group["params"]]
        gradients = [w.grad for w in weights if w.grad is not None]
        distributed.all_mean([*gradients, *means.values()])
        update.optimizer.step()
        if any(network in self.generators for network in update.networks):
            self.generator_updates += 1
            self._update_ema(update.networks)
        return means, tuple(torch.cat(outputs) for outputs in zip(*outputs_of_parts, strict=True))

    def shard(self, batch: Tensor) -> Tensor:
        """This process's shard of a whole batch; all of it, where there is one process."""
        return distributed.shard(batch, self.p.accumulation)

    def gather(self, shard: Tensor) -> Tensor:
        """The whole batch that this process has a shard of."""
        return distributed.gather(shard, self.p.accumulation)

    def set_learning_rate(self, rate: float) -> None:
        for update in self.updates.values():
            for group in update.optimizer.param_groups:
                group["lr"] = rate * group["share"]

    @torch.no_grad()
    def _update_ema(self, networks: tuple[str, ...]) -> None:
        """avg = d avg + (1 - d) weights, d rising to `ema` with time."""
        decay = min(self.p.ema, (1 + self.generator_updates) / (10 + self.generator_updates))
        for name in self.ema.keys() & networks:
            average, network = self.ema[name], getattr(self, name)
            torch._foreach_lerp_(list(average.parameters()), list(network.parameters()), 1 - decay)
            for average_buffer, buffer in zip(average.buffers(), network.buffers(), strict=True):
                average_buffer.copy_(buffer)

    @contextlib.contextmanager
    def ema_weights(self) -> Iterator[None]:
        """Let the averages, where there are any, stand for the generators: they color better."""
        networks = {name: getattr(self, name) for name in self.ema}
        for name, average in self.ema.items():
            setattr(self, name, average)
        try:
            yield
        finally:
            for name, network in networks.items():
                setattr(self, name, network)

    @contextlib.contextmanager
    def evaluation_mode(self) -> Iterator[None]:
        """As it will be once trained: averages stand for weights, nothing is dropped at random."""
        training = self.training
        with self.ema_weights():
            self.eval()
            try:
                yield
            finally:
                self.train(training)

    def generator_weights(self) -> dict[str, Tensor]:
        """All that coloring needs, by name: of averages, where there are any."""
        with self.ema_weights():
            state = self.state_dict()
        return {name: of for name, of in state.items() if name.split(".")[0] in self.generators}

    def training_state(self) -> dict[str, Tensor]:
        """All that the next step depends on, by dotted names."""
        parts = {"networks": self.state_dict()}
        for name, average in self.ema.items():
            parts[f"ema.{name}"] = average.state_dict()
        for name, update in self.updates.items():  # Adam's two moments and its count of steps
            for number, of_weight in update.optimizer.state_dict()["state"].items():
                parts[f"optimizers.{name}.{number}"] = of_weight
        state = {
            f"{part}.{name}": of for part, named in parts.items() for name, of in named.items()
        }
        return state | {"generator_updates": torch.tensor(self.generator_updates)}

    def load_training_state(self, state: Mapping[str, Tensor]) -> None:
        """Take what `training_state` of a model of the same networks gave.

        Learning rate, betas and decay of weights are this model's own. Where only this one has
        averages, they begin with the weights.
        """
        self.load_state_dict(within(state, "networks"))
        for name, average in self.ema.items():
            weights = within(state, f"ema.{name}") or getattr(self, name).state_dict()
            average.load_state_dict(weights)
        for name, update in self.updates.items():
            of_weights = defaultdict(dict)
            for key, tensor in within(state, f"optimizers.{name}").items():
                number, _, quantity = key.partition(".")
                of_weights[int(number)][quantity] = tensor
            options = update.optimizer.state_dict() | {"state": of_weights}
            update.optimizer.load_state_dict(options)
        self.generator_updates = int(state["generator_updates"])


def generator(p: EncoderParameters, inputs: int, outputs: int, **options: object) -> nn.Module:
    """The network that `p` names; options: what it is made with where it has no encoder."""
    # By name: a model depends on its own network's file alone.
    network = importlib.import_module(f"colorize.networks.{p.network}")
    options = p.encoder_options() or options
    return network.Generator(inputs, outputs, p.width, p.depth, **options)


def _parameter_groups(networks: list[nn.Module]) -> list[dict]:
    """The weights of networks in groups for an optimizer, each with its share of the rate."""
    slow = [w for net in networks for part in pretrained_parts(net) for w in part.parameters()]
    slow_ids = set(map(id, slow))
    others = [w for net in networks for w in net.parameters() if id(w) not in slow_ids]
    groups = [{"params": others, "share": 1.0}]
    if slow:
        groups.append({"params": slow, "share": Pretrained.learning_rate_share})
    return groups


def within(state: Mapping[str, Tensor], part: str) -> dict[str, Tensor]:
    """Those whose dotted names begin with `part`, by the rest of their names."""
    start = f"{part}."
    return {k.removeprefix(start): of for k, of in state.items() if k.startswith(start)}


def not_finite(weights: Mapping[str, Tensor]) -> str | None:
    """The name of the first that holds a number which is not finite."""
    return next((name for name, value in weights.items() if not value.isfinite().all()), None)


def signed(image: Tensor) -> Tensor:
    """uint8 image (n, 1 or 3, H, W) to (n, 3, H, W) in [-1, 1], as generators of RGB see it."""
    return (image / 127.5 - 1).expand(-1, 3, -1, -1)


def translated(generator: nn.Module, image: Tensor, *domain: Tensor) -> Tensor:
    """(n, 3, H, W) to (n, 3, H, W), both sRGB in [0, 1]."""
    return (generator(image * 2 - 1, *domain) + 1) / 2


# Losses that compare images; all are means over the batch, in float32


@in_full_precision
def l1(image: Tensor, target: Tensor) -> Tensor:
    """Mean absolute difference."""
    return functional.l1_loss(image, target)


@in_full_precision
def half_squared_distance(ab: Tensor, target: Tensor) -> Tensor:
    """1/2 ||Y - Yhat||^2 of a pixel's color, (n, 2, H, W); the mean over pixels."""
    return (ab - target).square().sum(1).mean() / 2
