"""What all ways of colouring share: keys, base class, and the pieces that several GANs need."""

from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from colorize import color
from colorize.data import Draws
from colorize.parameters import Parameters

Seed = Annotated[int, Field(ge=0, lt=2**32)]
Count = Annotated[int, Field(ge=1)]
Rate = Annotated[float, Field(gt=0, le=1)]
Weight = Annotated[float, Field(ge=0)]


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

    def check(self, image_size: int) -> None:
        """Raise ValueError, naming the key to change, where values do not fit together."""


class Method(nn.Module):
    """One way of colouring: its networks are attributes, its optimisers stand in `optimizers`.

    A method knows one update and how it colours; the loop in colorize/training.py owns steps,
    data, checkpoints and logs.
    """

    supervision: ClassVar[Literal["paired", "unpaired"]]
    output: ClassVar[Literal["rgb", "ab"]]  # what its network predicts
    draws: ClassVar[type[Draws]]  # how its training data are drawn

    optimizers: dict[str, torch.optim.Optimizer]
    image_size: int  # pixels, of the images it is trained on

    def step(
        self, batch: dict[str, Tensor], number: int, rng: torch.Generator
    ) -> dict[str, Tensor]:
        """One batch and one update; `number` counts from 1.

        batch: uint8 tensors as `draws` makes them. rng: this step's own source of randomness.
        Returns the losses by their names, detached; `loss` is what the colouring network minimises.
        """
        raise NotImplementedError

    def colorize(self, gray: Tensor) -> Tensor:
        """(n, 1, H, W) gray to (n, 3, H, W) sRGB, both in [0, 1]: the method's own RGB."""
        raise NotImplementedError

    def predict_ab(self, gray: Tensor) -> Tensor:
        """(n, 1, H, W) gray in [0, 1] to the chroma (n, 2, H, W) that the method gives it."""
        return color.rgb_to_lab(self.colorize(gray))[..., 1:, :, :]

    def training_state(self) -> dict:
        """All that the next step depends on; tensors, numbers and containers of them alone."""
        optimizers = {name: o.state_dict() for name, o in self.optimizers.items()}
        return {"networks": self.state_dict(), "optimizers": optimizers}

    def load_training_state(self, state: dict) -> None:
        self.load_state_dict(state["networks"])
        for name, optimizer in self.optimizers.items():
            optimizer.load_state_dict(state["optimizers"][name])

    def set_learning_rate(self, rate: float) -> None:
        for optimizer in self.optimizers.values():
            for group in optimizer.param_groups:
                group["lr"] = rate


def signed(image: Tensor) -> Tensor:
    """uint8 image (n, 1 or 3, H, W) to the RGB networks' input: (n, 3, H, W) in [-1, 1]."""
    return (image.float() / 127.5 - 1).expand(-1, 3, -1, -1)


def check_patches(layers: int, image_size: int) -> None:
    """Raise ValueError where a PatchGAN of so many layers has no patch left to judge."""
    if image_size < 3 * 2**layers:
        raise ValueError(
            f"discriminator_layers: {layers} layers need images of {3 * 2**layers} pixels, "
            f"data.image_size is {image_size}"
        )


def lsgan(scores: Tensor, real: bool) -> Tensor:
    """Least-squares GAN loss (Mao et al. 2017): mean squared distance of the scores to 1 or 0."""
    return F.mse_loss(scores, torch.full_like(scores, float(real)))


class ImagePool:
    """History of generated images that a discriminator is shown (Shrivastava et al. 2017).

    Until `capacity` images are stored, each image is stored and shown. From then on each is, with
    probability 1/2, shown as it is, or exchanged for a stored one, which is shown instead.
    """

    def __init__(self, capacity: int):
        self.capacity = capacity
        self.images: list[Tensor] = []

    def exchange(self, images: Tensor, rng: torch.Generator) -> Tensor:
        """(n, 3, H, W) just generated to as many that the discriminator is to see."""
        if self.capacity == 0:
            return images.detach()
        shown = []
        for image in images.detach():
            if len(self.images) < self.capacity:
                self.images.append(image.clone())  # a view would keep its whole batch alive
                shown.append(image)
            elif torch.rand((), generator=rng) < 0.5:
                place = int(torch.randint(self.capacity, (), generator=rng))
                shown.append(self.images[place])
                self.images[place] = image.clone()
            else:
                shown.append(image)
        return torch.stack(shown)
