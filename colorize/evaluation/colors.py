"""A model as rows of the tables: its own RGB, its colours on the true lightness, scaled ones."""

import torch
from torch import Tensor

from colorize import color
from colorize.evaluation.protocol import Batch, Photographs, measure
from colorize.methods.base import Method


class Colors:
    """A model as colorers: its own RGB, and its colours on the photograph's own lightness."""

    def __init__(self, model: Method, device: torch.device):
        self.model, self.device = model, device

    def own(self, batch: Batch) -> Tensor:
        return self.model.colorize_bytes(batch.gray)

    @torch.inference_mode()
    def pasted(self, batch: Batch) -> Tensor:
        gray = color.to_float(batch.gray.to(self.device))
        return color.to_uint8(color.repaint(gray, self.model.colorize(gray))).cpu()

    @torch.inference_mode()
    def scaled(self, batch: Batch, gain: float) -> Tensor:
        """Its ab times `gain`: what one scalar does for a model that is too gray."""
        gray = color.to_float(batch.gray.to(self.device))
        ab = self.model.predict_ab(gray) * gain
        return color.to_uint8(color.join(color.lightness_of(gray), ab)).cpu()

    def fit_gain(self, photographs: Photographs) -> float:
        """The gain that brings the chroma ratio on val to 1, within 0.001, at most 100.

        Each round divides by the ratio found; more than one because colours leave sRGB.
        """
        names = photographs.index.split("val", "photograph")
        gain = 1.0
        for _ in range(8):
            rows = {"scaled": lambda batch, gain=gain: self.scaled(batch, gain)}
            quantities = measure(rows, photographs, names)["scaled"]
            ratio = quantities["chroma"].sum() / max(quantities["chroma_of_truth"].sum(), 1e-9)
            if abs(ratio - 1) < 1e-3:
                break
            gain = min(gain / max(ratio, 1e-3), 100.0)
        return round(float(gain), 6)
