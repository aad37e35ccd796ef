"""A trained network, computed by torch: on the CPU or a GPU, with all that its method can make."""

import os
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from colorize.base.device import choose_device
from colorize.color.domains import Domain
from colorize.methods.shared import model
from colorize.methods.shared.base import Method


class TorchNetwork:
    """What Colorizer asks for colors. Images are (channels, h, w) float32, sRGB in [0, 1]."""

    def __init__(self, method: Method):
        self.method = method.eval()
        self.process = os.getpid()

    @classmethod
    def load(cls, folder: Path, device: str) -> "TorchNetwork":
        """Raises UserError where there is no such device, or the model is broken."""
        return cls(model.load(folder, choose_device(device, "device")))

    @property
    def image_size(self) -> int:
        return self.method.image_size

    @property
    def domains(self) -> tuple[Domain, ...]:
        return self.method.targets

    def chroma(self, gray: np.ndarray) -> np.ndarray:
        """CIE a and b (2, h, w) of gray (1, h, w)."""
        return self._made(gray, self.method.predict_ab)

    def picture(self, rgb: np.ndarray, domain: Domain) -> np.ndarray:
        """The network's own picture (3, h, w) of a photograph (3, h, w), gray for `color`."""
        return self._made(rgb, lambda image: self.method.translate(image, domain))

    @torch.inference_mode()
    def _made(self, image: np.ndarray, make) -> np.ndarray:
        if os.getpid() != self.process:  # forked: OpenMP would wait for threads it left behind
            torch.set_num_threads(1)
        device = next(self.method.parameters()).device
        made: Tensor = make(torch.from_numpy(image)[None].to(device))
        return made[0].float().cpu().numpy()
