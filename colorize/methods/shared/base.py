"""What a method is: its losses in one step, how its weights move, and how it translates."""

import contextlib
import copy
import importlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from colorize import color
from colorize.base import processes
from colorize.color.domains import Domain
from colorize.methods.shared.adversarial import ImagePool
from colorize.methods.shared.parameters import EncoderParameters, ModelParameters
from colorize.networks.shared.layers import Norm, Pretrained, Upsampling, pretrained_parts

Supervision = Literal["paired", "unpaired", "paired in effect"]

Losses = dict[str, Tensor]  # by their names in the paper

# Of a part of a batch: the loss to minimize, the losses to log, and what later updates need
Computed = tuple[Tensor, Losses, tuple[Tensor, ...]]
LossFunction = Callable[..., Computed]


class TranslationParameters(ModelParameters):
    """Keys of methods whose generator makes an image of the same size from an image."""

    norm: Norm
    upsampling: Upsampling


@dataclass
class Update:
    """One of the updates of a step: which networks it moves, and by which loss."""

    networks: tuple[str, ...]
    loss: LossFunction
    betas: tuple[float, float]
    weight_decay: float
    optimizer: torch.optim.Optimizer | None = None  # only training needs one


class Method(nn.Module):
    """One way of coloring; its networks are attributes.

    A method says which updates one step has, and what they minimize; `update` alone moves weights.
    colorize/training/ owns steps, data, checkpoints and logs.
    """

    supervision: ClassVar[Supervision]  # may it see a photograph's gray and its true colors?
    output: ClassVar[Literal["rgb", "ab"]]  # what its network predicts
    draws: ClassVar[Literal["pairs", "unpaired", "domains"]]  # as colorize/training/draws.py does
    domains: tuple[Domain, ...] = ("gray", "color")  # of what it is trained on
    targets: tuple[Domain, ...]  # what it can translate to
    generators: ClassVar[tuple[str, ...]]  # the networks that translate; the others only train

    def __init__(self, p: ModelParameters, image_size: int):
        super().__init__()
        self.p = p
        self.image_size = image_size  # pixels, of the images it is trained on
        self.updates: dict[str, Update] = {}
        self.pools: dict[str, ImagePool] = {}
        self.averages: dict[str, nn.Module] = {}  # of the generators' weights, where p.ema > 0
        self.generator_updates = 0

    @property
    def pretrained(self) -> bool:
        """Has a part of it begun with what ImageNet's labels teach?"""
        return bool(pretrained_parts(self))

    # To be written by each method

    def step(self, batch: dict[str, Tensor], number: int, rng: torch.Generator) -> Losses:
        """Make the updates of one batch and return their losses; `number` counts from 1.

        batch: uint8 tensors as `draws` says, of a batch that several processes share our own. rng:
        this step's own source of randomness, the same in all of them and drawn from for the whole
        batch. Of the losses `loss` is what the coloring network minimizes.
        """
        raise NotImplementedError

    def translate(self, image: Tensor, target: Domain) -> Tensor:
        """(n, 3, H, W) sRGB in [0, 1] of another domain to `target`, one of `targets`, likewise."""
        raise NotImplementedError

    def learn_of(self, statistics: dict) -> None:
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
        with self.in_use():
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
                by_learning_rate(networks),
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
                self.averages[name] = copy.deepcopy(getattr(self, name)).requires_grad_(False)

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
        found, handed = [], []
        for part in zip(*(tensor.chunk(parts) for tensor in inputs), strict=True):
            with torch.autocast(
                part[0].device.type, torch.bfloat16, enabled=self.p.precision == "bf16"
            ):
                loss, losses, outputs = update.loss(*part)
            (loss / parts).backward()
            found.append({key: value.detach() for key, value in losses.items()})
            handed.append([output.detach() for output in outputs])
        means = {key: sum(losses[key] for losses in found) / parts for key in found[0]}
        weights = [w for group in update.optimizer.param_groups for w in group["params"]]
        gradients = [w.grad for w in weights if w.grad is not None]
        processes.average([*gradients, *means.values()])
        update.optimizer.step()
        if any(network in self.generators for network in update.networks):
            self.generator_updates += 1
            self._average(update.networks)
        return means, tuple(torch.cat(outputs) for outputs in zip(*handed, strict=True))

    def shown(self, pool: str, fake: Tensor, rng: torch.Generator) -> Tensor:
        """What a discriminator is to see: of the images just generated, and of the pool's."""
        return self.share(self.pools[pool].exchange(self.whole(fake), rng))

    def share(self, whole: Tensor) -> Tensor:
        """Of a whole batch what is ours; all of it, where there is one process."""
        return processes.share(whole, self.p.accumulation)

    def whole(self, own: Tensor) -> Tensor:
        """The whole batch that our share is of."""
        return processes.whole(own, self.p.accumulation)

    def set_learning_rate(self, rate: float) -> None:
        for update in self.updates.values():
            for group in update.optimizer.param_groups:
                group["lr"] = rate * group["share"]

    @torch.no_grad()
    def _average(self, networks: tuple[str, ...]) -> None:
        """Let averages follow: avg = d avg + (1 - d) weights, d rising to `ema` with time."""
        decay = min(self.p.ema, (1 + self.generator_updates) / (10 + self.generator_updates))
        for name in self.averages.keys() & networks:
            average, network = self.averages[name], getattr(self, name)
            torch._foreach_lerp_(list(average.parameters()), list(network.parameters()), 1 - decay)
            for kept, buffer in zip(average.buffers(), network.buffers(), strict=True):
                kept.copy_(buffer)

    @contextlib.contextmanager
    def averaged(self) -> Iterator[None]:
        """Let the averages, where there are any, stand for the generators: they color better."""
        own = {name: getattr(self, name) for name in self.averages}
        for name, average in self.averages.items():
            setattr(self, name, average)
        try:
            yield
        finally:
            for name, network in own.items():
                setattr(self, name, network)

    @contextlib.contextmanager
    def in_use(self) -> Iterator[None]:
        """As it will be once trained: averages stand for weights, nothing is dropped at random."""
        training = self.training
        with self.averaged():
            self.eval()
            try:
                yield
            finally:
                self.train(training)

    def training_state(self) -> dict:
        """All that the next step depends on; tensors, numbers and containers of them alone."""
        return {
            "networks": self.state_dict(),
            "optimizers": {name: u.optimizer.state_dict() for name, u in self.updates.items()},
            "averages": {name: average.state_dict() for name, average in self.averages.items()},
            "generator_updates": self.generator_updates,
            "pools": {name: pool.images for name, pool in self.pools.items()},
        }

    def load_training_state(self, state: dict) -> None:
        self.load_state_dict(state["networks"])
        for name, update in self.updates.items():
            update.optimizer.load_state_dict(state["optimizers"][name])
        for name, average in self.averages.items():
            average.load_state_dict(state["averages"][name])
        self.generator_updates = state["generator_updates"]
        for name, pool in self.pools.items():
            pool.images = state["pools"][name]


def generator(p: EncoderParameters, inputs: int, outputs: int, **options: object) -> nn.Module:
    """The network that `p` names; options: what it is made with where it has no encoder."""
    # By name: a model depends on its own network's file alone.
    network = importlib.import_module(f"colorize.networks.{p.network}")
    options = p.encoder_options() or options
    return network.Generator(inputs, outputs, p.width, p.depth, **options)


def by_learning_rate(networks: list[nn.Module]) -> list[dict]:
    """The weights of networks in groups for an optimizer, each with its share of the rate."""
    slow = [w for net in networks for part in pretrained_parts(net) for w in part.parameters()]
    known = set(map(id, slow))
    others = [w for net in networks for w in net.parameters() if id(w) not in known]
    groups = [{"params": others, "share": 1.0}]
    if slow:
        groups.append({"params": slow, "share": Pretrained.learning_rate_share})
    return groups


def not_finite(weights: Mapping[str, Tensor]) -> str | None:
    """The name of the first that holds a number which is not finite."""
    return next((name for name, value in weights.items() if not value.isfinite().all()), None)


def signed(image: Tensor) -> Tensor:
    """uint8 image (n, 1 or 3, H, W) to (n, 3, H, W) in [-1, 1], as generators of RGB see it."""
    return (image / 127.5 - 1).expand(-1, 3, -1, -1)


def translated(generator: nn.Module, image: Tensor, *domain: Tensor) -> Tensor:
    """(n, 3, H, W) to (n, 3, H, W), both sRGB in [0, 1]."""
    return (generator(image * 2 - 1, *domain) + 1) / 2
