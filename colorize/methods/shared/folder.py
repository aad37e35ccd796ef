"""A model's folder: what its files are called, and what its config.json has to say."""

import json
from pathlib import Path
from typing import Any

CONFIG = "config.json"  # how the model is built, and how it was trained
WEIGHTS = "weights.safetensors"  # of the generators: all that coloring needs
NETWORK = "network.onnx"  # how they compute, where torch is not to be needed; see use/onnx.py

LARGEST = 2048  # pixels that a network sees of an image's short side


def read_config(folder: Path) -> dict[str, Any]:
    """Raises what a file that somebody has edited may: OSError, TypeError, KeyError, ValueError."""
    config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    image_size = config["image_size"]
    if type(image_size) is not int or not 0 < image_size <= LARGEST:
        raise ValueError(f"image_size: {image_size!r:.50} is not from 1 to {LARGEST}")
    return config
