"""A model as rows of the tables: its own RGB, its colours on the true lightness, scaled ones."""

from pathlib import Path

import torch
from torch import Tensor

from colorize import color
from colorize.base.errors import UserError
from colorize.evaluation.fidelity import total
from colorize.evaluation.protocol import Batch, Photographs
from colorize.evaluation.quantities import chroma
from colorize.methods.base import Method


class Colors:
    """A model as colorers: its own RGB, and its colours on the photograph's own lightness.

    Each raises UserError where the model gives NaN or infinity: as bytes they would be a picture.
    """

    def __init__(self, model: Method, folder: Path):
        self.model, self.folder = model, folder

    @torch.inference_mode()
    def own(self, batch: Batch) -> Tensor:
        return color.to_uint8(self._rgb(batch))

    @torch.inference_mode()
    def pasted(self, batch: Batch) -> Tensor:
        return color.to_uint8(color.repaint(batch.gray, self._rgb(batch)))

    def scaled(self, batch: Batch, gain: float) -> Tensor:
        """Its ab times `gain`: what one scalar does for a model that is too gray."""
        ab = self._finite(self.model.predict_ab(color.to_float(batch.gray))) * gain
        return color.to_uint8(color.join(color.lightness_of(batch.gray), ab))

    def fit_gain(self, photographs: Photographs) -> float:
        """The gain that brings the chroma ratio on val to 1, within 0.001, at most 100.

        Each round divides by the ratio found; more than one because colours leave sRGB.
        """
        val = photographs.val
        wanted = max(sum(photographs.each(lambda b: _chroma(b.truth), val)), 1e-9)
        gain = 1.0
        for _ in range(8):
            found = photographs.each(lambda b, g=gain: _chroma(self.scaled(b, g)), val)
            ratio = sum(found) / wanted
            if abs(ratio - 1) < 1e-3:
                break
            gain = min(gain / max(ratio, 1e-3), 100.0)
        return round(gain, 6)

    def _rgb(self, batch: Batch) -> Tensor:
        return self._finite(self.model.colorize(color.to_float(batch.gray)))

    def _finite(self, output: Tensor) -> Tensor:
        if not output.isfinite().all():
            raise UserError(f"{self.folder}: the model's colours are not finite; train it again")
        return output


def _chroma(rgb: Tensor) -> float:
    return float(total(chroma(color.rgb_to_lab(rgb))).sum())
