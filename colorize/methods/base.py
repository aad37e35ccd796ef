"""What a method is: its keys in params.yaml, its losses in one step, and how it translates."""

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from colorize import color
from colorize.base.parameters import Parameters
from colorize.methods.pool import ImagePool

Seed = Annotated[int, Field(ge=0, lt=2**32)]
Count = Annotated[int, Field(ge=1)]
Rate = Annotated[float, Field(gt=0, le=1)]
Weight = Annotated[float, Field(ge=0)]

Domain = Literal["gray", "color"]


class ModelParameters(Parameters):
    """Keys of every entry of `models`; params.yaml explains them."""

    method: str
    network: str
    width: Count
    depth: Count
    steps: Count
    batch_size: Count
    learning_rate: Rate
    decay_from: Annotated[float, Field(ge=0, le=1)]
    load_scale: Annotated[float, Field(ge=1, le=4)]
    seed: Seed | None = None

    def learning_rate_factor(self, step: int) -> float:
        """Of step 1, 2, ... `steps`: 1 up to the share `decay_from`, then linearly towards 0."""
        constant = self.decay_from * self.steps
        if step <= constant:
            return 1.0
        return 1 - (step - constant) / (self.steps - constant + 1)

    @property
    def shares_photographs(self) -> bool:
        """May the network see a photograph in both forms?"""
        return True

    def check(self, image_size: int) -> None:
        """Raise ValueError, naming the key to change, where values do not fit together."""


class UnpairedParameters(ModelParameters):
    """Keys of methods that learn from gray and colour photographs that do not belong together."""

    unpaired: Literal["disjoint", "shared"]

    @property
    def shares_photographs(self) -> bool:
        return self.unpaired == "shared"


class PatchGANParameters(ModelParameters):
    """Keys of methods whose discriminator is a PatchGAN."""

    discriminator_width: Count
    discriminator_layers: Annotated[int, Field(ge=1, le=5)]
    pool: Annotated[int, Field(ge=0)]

    def check(self, image_size: int) -> None:
        layers = self.discriminator_layers
        if image_size < 3 * 2**layers:  # not one patch would be left
            raise ValueError(
                f"discriminator_layers: {layers} layers need images of {3 * 2**layers} pixels, "
                f"data.image_size is {image_size}"
            )


class Method(nn.Module):
    """One way of colouring; its networks are attributes.

    A method says which losses one step has and calls `update` with them; weights move nowhere
    else. colorize/training/ owns steps, data, checkpoints and logs.
    """

    supervision: ClassVar[Literal["paired", "unpaired"]]
    output: ClassVar[Literal["rgb", "ab"]]  # what its network predicts
    draws: ClassVar[Literal["pairs", "unpaired", "domains"]]  # as colorize/training/draws.py does
    targets: ClassVar[tuple[Domain, ...]]  # what it can translate to
    generators: ClassVar[tuple[str, ...]]  # the networks that translate; the others only train

    image_size: int  # pixels, of the images it is trained on

    def __init__(self):
        super().__init__()
        self.optimizers: dict[str, torch.optim.Optimizer] = {}
        self.pools: dict[str, ImagePool] = {}

    # To be written by each method

    def step(
        self, batch: dict[str, Tensor], number: int, rng: torch.Generator
    ) -> dict[str, Tensor]:
        """The losses of one batch, each update made; `number` counts from 1.

        batch: uint8 tensors as `draws` says. rng: this step's own source of randomness.
        Returns the losses by their names; `loss` is what the colouring network minimises.
        """
        raise NotImplementedError

    def translate(self, image: Tensor, target: Domain) -> Tensor:
        """(n, 3, H, W) sRGB in [0, 1] of another domain to `target`, one of `targets`, likewise."""
        raise NotImplementedError

    # The same for all

    def colorize(self, gray: Tensor) -> Tensor:
        """(n, 1, H, W) gray to (n, 3, H, W) sRGB, both in [0, 1]: the method's own RGB."""
        return self.translate(gray.expand(-1, 3, -1, -1), "color")

    @torch.inference_mode()
    def colorize_bytes(self, gray: Tensor, batch_size: int = 16) -> Tensor:
        """(n, 1, H, W) to (n, 3, H, W), both uint8 and on the CPU; the model may be elsewhere."""
        training, device = self.training, next(self.parameters()).device
        self.eval()
        colored = [
            color.to_uint8(self.colorize(color.to_float(part.to(device)))).cpu()
            for part in gray.split(batch_size)
        ]
        self.train(training)
        return torch.cat(colored)

    def predict_ab(self, gray: Tensor) -> Tensor:
        """(n, 1, H, W) gray in [0, 1] to the chroma (n, 2, H, W) that the method gives it."""
        return color.rgb_to_lab(self.colorize(gray))[..., 1:, :, :]

    def add_optimizer(
        self,
        name: str,
        networks: Sequence[nn.Module],
        learning_rate: float,
        betas: tuple[float, float] = (0.5, 0.999),  # of most GANs since DCGAN (Radford et al. 2016)
        weight_decay: float = 0.0,
    ) -> None:
        """Adam, under `name`, for all weights of `networks`."""
        weights = [weight for network in networks for weight in network.parameters()]
        self.optimizers[name] = torch.optim.Adam(
            weights, learning_rate, betas, weight_decay=weight_decay
        )

    def update(self, name: str, loss: Tensor) -> None:
        """One step of the optimiser `name` down the gradient of `loss`.

        Only its own weights get a gradient: a generator's loss, which goes through the
        discriminator, leaves no trace there.
        """
        optimizer = self.optimizers[name]
        weights = [weight for group in optimizer.param_groups for weight in group["params"]]
        optimizer.zero_grad()
        loss.backward(inputs=weights)
        optimizer.step()

    def set_learning_rate(self, rate: float) -> None:
        for optimizer in self.optimizers.values():
            for group in optimizer.param_groups:
                group["lr"] = rate

    def training_state(self) -> dict:
        """All that the next step depends on; tensors, numbers and containers of them alone."""
        return {
            "networks": self.state_dict(),
            "optimizers": {name: o.state_dict() for name, o in self.optimizers.items()},
            "pools": {name: pool.images for name, pool in self.pools.items()},
        }

    def load_training_state(self, state: dict) -> None:
        self.load_state_dict(state["networks"])
        for name, optimizer in self.optimizers.items():
            optimizer.load_state_dict(state["optimizers"][name])
        for name, pool in self.pools.items():
            pool.images = state["pools"][name]


def signed(image: Tensor) -> Tensor:
    """uint8 image (n, 1 or 3, H, W) to the RGB networks' input: (n, 3, H, W) in [-1, 1]."""
    return (image.float() / 127.5 - 1).expand(-1, 3, -1, -1)
