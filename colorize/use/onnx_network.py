"""A trained network, computed by ONNX Runtime: on the CPU, where torch is not installed."""

import os
from pathlib import Path

import numpy as np
from onnxruntime import InferenceSession, SessionOptions

from colorize.base.errors import UserError, one_line
from colorize.base.workers import threads
from colorize.color.domains import Domain
from colorize.methods.shared.folder import NETWORK, read_config

ERRORS = 3  # what ONNX Runtime calls severe enough to be said


class OnnxNetwork:
    """What Colorizer asks for colors. Images are (channels, h, w) float32, sRGB in [0, 1]."""

    domains: tuple[Domain, ...] = ("color",)

    def __init__(self, folder: Path):
        """Raises UserError where the model is broken, or can be computed by torch alone."""
        if not (folder / NETWORK).is_file():
            raise UserError(f"{folder}: without torch {NETWORK} is needed, which is missing")
        self.path = folder / NETWORK
        try:
            self.image_size: int = read_config(folder)["image_size"]
            self._start()
        except Exception as error:  # ONNX Runtime's have nothing else in common
            reason = one_line(error)[:300]
            raise UserError(f"{folder}: not a model that can be loaded ({reason})") from None

    def _start(self) -> None:
        options = SessionOptions()
        options.intra_op_num_threads = threads()
        options.log_severity_level = ERRORS
        self.session = InferenceSession(self.path, options, providers=["CPUExecutionProvider"])
        self.process = os.getpid()

    def chroma(self, gray: np.ndarray) -> np.ndarray:
        """CIE a and b (2, h, w) of gray (1, h, w)."""
        if os.getpid() != self.process:  # forked, without the threads that wait in its parent
            self._start()
        (ab,) = self.session.run(["ab"], {"gray": gray[None]})
        return ab[0]
