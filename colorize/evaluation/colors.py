"""A model as rows of the tables: its own RGB, its colours on the true lightness, scaled ones."""

from pathlib import Path

import torch
from torch import Tensor

from colorize import color
from colorize.base.errors import UserError
from colorize.evaluation import metrics
from colorize.evaluation.protocol import Batch, Photographs
from colorize.methods.base import Method


class Colors:
    """A model as colorers: its own RGB, and its colours on the photograph's own lightness.

    Each raises UserError where the model gives NaN or infinity: as bytes they would be a picture.
    """

    def __init__(self, model: Method, device: torch.device, folder: Path):
        self.model, self.device, self.folder = model, device, folder

    @torch.inference_mode()
    def own(self, batch: Batch) -> Tensor:
        return color.to_uint8(self._rgb(batch)).cpu()

    @torch.inference_mode()
    def pasted(self, batch: Batch) -> Tensor:
        rgb = color.repaint(batch.gray.to(self.device), self._rgb(batch))
        return color.to_uint8(rgb).cpu()

    @torch.inference_mode()
    def scaled(self, batch: Batch, gain: float) -> Tensor:
        """Its ab times `gain`: what one scalar does for a model that is too gray."""
        gray = batch.gray.to(self.device)
        ab = self._finite(self.model.predict_ab(color.to_float(gray))) * gain
        return color.to_uint8(color.join(color.lightness_of(gray), ab)).cpu()

    def fit_gain(self, photographs: Photographs) -> float:
        """The gain that brings the chroma ratio on val to 1, within 0.001, at most 100.

        Each round divides by the ratio found; more than one because colours leave sRGB.
        """
        val = photographs.val
        wanted = max(sum(_chroma(batch.truth) for batch in photographs.batches(val)), 1e-9)
        gain = 1.0
        for _ in range(8):
            found = sum(_chroma(self.scaled(b, gain)) for b in photographs.batches(val))
            ratio = found / wanted
            if abs(ratio - 1) < 1e-3:
                break
            gain = min(gain / max(ratio, 1e-3), 100.0)
        return round(gain, 6)

    def _rgb(self, batch: Batch) -> Tensor:
        gray = color.to_float(batch.gray.to(self.device))
        return self._finite(self.model.colorize(gray))

    def _finite(self, output: Tensor) -> Tensor:
        if not output.isfinite().all():
            raise UserError(f"{self.folder}: the model's colours are not finite; train it again")
        return output


def _chroma(rgb: Tensor) -> float:
    return float(metrics.chroma(color.rgb_to_lab(rgb).double()).sum())
