"""A model as rows of the tables: its own RGB, its colors on the true lightness, scaled ones."""

from pathlib import Path

import torch
from torch import Tensor, nn

from colorize import color
from colorize.base.errors import UserError
from colorize.color.domains import WAY, Domain, picture
from colorize.color.strips import by_strips, on_lightness
from colorize.evaluation.protocol import Batch, Photographs
from colorize.methods.shared.base import Method
from colorize.quality import chroma, total

SIDE = 64  # pixels of a photograph, each way at most, that the gain is fitted on


class Colors:
    """A model that gives a batch its colors, and says so where they are none.

    folder: where the model was read from. Raises UserError where its output is not finite, which as
    bytes would be a picture, or not of the input's size.
    """

    def __init__(self, model: Method, folder: Path):
        self.model, self.folder = model, folder

    def rows(self, batch: Batch, gain: float | None = None) -> dict[str, Tensor]:
        """Its pictures of a batch, each (n, 3, S, S) uint8, by row of the tables.

        `own`: what it makes. `input_L`, of a method that may change lightness: its colors on the
        photograph's own. `chroma_scaled`, where there is a gain: its ab times that.
        """
        gray = color.to_float(batch.gray)
        if self.model.output == "rgb":
            rgb = self._checked(self.model.colorize(gray), 3, gray)
            return {"own": color.to_uint8(rgb), "input_L": by_strips(_input_L, batch.gray, rgb)}
        ab = self._ab(batch)
        gains = {"own": 1.0} if gain is None else {"own": 1.0, "chroma_scaled": gain}
        return {row: on_lightness(batch.gray, times * ab) for row, times in gains.items()}

    def translate(self, image: Tensor, target: Domain) -> Tensor:
        """Of (n, 3, S, S) in [0, 1] what the model makes for `target`, unrounded and unclipped."""
        return self._checked(self.model.translate(image, target), 3, image, "its pictures")

    def made(self, image: Tensor, target: Domain) -> Tensor:
        """The same, from uint8 to uint8."""
        return color.to_uint8(self.translate(color.to_float(image), target))

    def versions(self, batch: Batch) -> dict[str, Tensor]:
        """The photographs in gray and true, all rows, and what is made of the true ones in gray.

        Each (n, 3 or 1, S, S) uint8.
        """
        pictures = {"gray": batch.gray, "truth": batch.truth} | self.rows(batch)
        if "gray" in self.model.targets:
            pictures["to_gray"] = self.made(batch.truth, "gray")
        return pictures

    def every_way(self, batch: Batch) -> dict[str, Tensor]:
        """Every domain from every other; from the domain itself, the true one."""
        domains = self.model.domains
        true = {domain: picture(domain, batch.truth, batch.gray) for domain in domains}
        return {
            WAY.join((source, target)): x if target == source else self.made(x, target)
            for source, x in true.items()
            for target in domains
        }

    def fit_gain(self, photographs: Photographs) -> float:
        """The gain that brings the chroma ratio on val to 1, within 0.001, at most 100.

        Each round divides by the ratio found; more than one because colors leave sRGB. Found on
        every k-th pixel each way, so that all photographs of val stay in memory.
        """
        k = max(1, photographs.image_size // SIDE)

        def sparse(batch: Batch) -> tuple[Tensor, Tensor, float]:
            images = (batch.gray, self._ab(batch), batch.truth)
            # Copies: as parts of whole photographs they would keep those.
            gray, ab, truth = (image[..., ::k, ::k].contiguous() for image in images)
            return gray, ab, _chroma(truth)

        val = list(photographs.each(sparse, photographs.val))
        wanted = max(sum(chroma_of_truth for _, _, chroma_of_truth in val), 1e-9)
        gain = 1.0
        for _ in range(8):
            ratio = sum(_chroma(on_lightness(gray, gain * ab)) for gray, ab, _ in val) / wanted
            if abs(ratio - 1) < 1e-3:
                break
            gain = min(gain / max(ratio, 1e-3), 100.0)
        return round(gain, 6)

    def multiply_adds(self) -> int:
        """What coloring a photograph of the model's own size takes, in its convolutions.

        torch's FlopCounterMode knows them too, and takes seconds to import what that does not need.
        """
        counts = []

        def count(layer: nn.Module, inputs: tuple[Tensor], output: Tensor) -> None:
            image = inputs[0] if isinstance(layer, nn.ConvTranspose2d) else output
            counts.append(layer.weight.numel() * image[0, 0].numel())

        layers = [m for m in self.model.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)]
        hooks = [layer.register_forward_hook(count) for layer in layers]
        size = self.model.image_size
        gray = torch.full((1, 1, size, size), 0.5, device=next(self.model.parameters()).device)
        with torch.no_grad():
            self.model.colorize(gray)
        for hook in hooks:
            hook.remove()
        return sum(counts)

    def _ab(self, batch: Batch) -> Tensor:
        gray = color.to_float(batch.gray)
        return self._checked(self.model.predict_ab(gray), 2, gray)

    def _checked(
        self, output: Tensor, channels: int, image: Tensor, what: str = "the model's colors"
    ) -> Tensor:
        """What the model has made of an image."""
        n, _, height, width = image.shape
        if output.shape != (n, channels, height, width):
            shape = " x ".join(map(str, output.shape[1:]))
            raise UserError(
                f"{self.folder}: the model gives {shape} numbers for a photograph of {height} x "
                f"{width} pixels; {channels} x {height} x {width} are needed"
            )
        if not output.isfinite().all():
            raise UserError(f"{self.folder}: {what} are not finite; train it again")
        return output


def _input_L(gray: Tensor, rgb: Tensor) -> Tensor:
    return color.to_uint8(color.repaint(gray, rgb))


def _chroma(rgb: Tensor) -> float:
    return float(total(chroma(color.rgb_to_lab(rgb))).sum())
