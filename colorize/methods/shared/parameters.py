"""The keys of an entry of `models` in params.yaml that several methods share, and their ranges."""

from typing import Annotated, Literal

from pydantic import Field

from colorize.base.parameters import Parameters

Seed = Annotated[int, Field(ge=0, lt=2**32)]
Count = Annotated[int, Field(ge=1)]
Rate = Annotated[float, Field(gt=0, le=1)]
Weight = Annotated[float, Field(ge=0)]

PUBLISHED_STEP = 1000  # steps from one lowering of StarGAN's published schedule to the next


class InitFrom(Parameters):
    """Trained weights to start from: a weights.safetensors, and its SHA-256."""

    path: str
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class ModelParameters(Parameters):
    """Keys of every entry of `models`; params.yaml explains them."""

    method: str
    network: str
    width: Count
    depth: Count
    steps: Count
    batch_size: Count
    accumulation: Count
    precision: Literal["fp32", "bf16"]
    learning_rate: Rate
    schedule: Literal["linear", "stargan"]
    decay_from: Annotated[float, Field(ge=0, le=1)]
    ema: Annotated[float, Field(ge=0, lt=1)]
    load_scale: Annotated[float, Field(ge=1, le=4)]
    flip: bool
    aging: Annotated[float, Field(ge=0, le=1)] = 0.0
    seed: Seed | None = None
    init_from: InitFrom | None = None

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
                said = "needs one" if wanted else "has none"
                raise ValueError(f"{key}: network {self.network} {said}")


class UnpairedParameters(ModelParameters):
    """Keys of methods that learn from gray and color photographs that do not belong together."""

    unpaired: Literal["disjoint", "shared"]

    @property
    def shares_photographs(self) -> bool:
        return self.unpaired == "shared"
