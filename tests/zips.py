"""Small datasets in CycleGAN's zip form, and a catalog that describes them."""

import hashlib
import io
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image
from ruamel.yaml import YAML

from colorize.data.archive import FOLDERS


def image(seed: int, width: int = 48, height: int = 40) -> Image.Image:
    """A colorful picture that no other seed gives."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (5, 6, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


def encoded(picture: Image.Image, form: str = "PNG", **options) -> bytes:
    data = io.BytesIO()
    picture.save(data, form, **options)
    return data.getvalue()


def dataset(folder: Path, name: str, files: dict[str, bytes], sides: dict | None = None) -> dict:
    """Write NAME.zip with `files` ("trainA/x.png": bytes); returns its entry of a catalog."""
    path = folder / f"{name}.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for member, data in files.items():
            archive.writestr(f"{name}/{member}", data)
    counts = {folder: sum(m.startswith(folder) for m in files) for folder in FOLDERS}
    entry = {
        "file": path.name,
        "bytes": path.stat().st_size,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "images": counts,
    }
    return entry | ({"sides": sides} if sides else {})


def catalog(folder: Path, entries: dict[str, dict]) -> Path:
    path = folder / "catalog.yaml"
    YAML().dump(entries, path)
    return path
