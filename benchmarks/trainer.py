"""What benchmarks/training.py times: a step of ours, or the plain one, on photographs."""

import itertools
import statistics
import time
from pathlib import Path
from typing import Any

import torch
from PIL import Image, ImageOps

from benchmarks.photographs import photographs
from colorize.base import distributed
from colorize.base.device import choose_device
from colorize.base.errors import UserError
from colorize.data.reading.photographs import resize
from colorize.methods.shared import model
from colorize.methods.shared.base import ModelParameters
from colorize.training import dataset, loop
from stages.inputs import PARAMS
from studies import preset
from tests.plain import plain

WIDTHS = ("width", "discriminator_width")
PUBLISHED_DEPTH = {"resnet": 6, "stargan": 6, "zhang": 3}  # at 128 pixels


class Trainer:
    """Our step, fed by the stage's loader; or the plain one, fed with a batch from memory."""

    def __init__(self, which: str, settings: dict[str, Any], folder: Path, seed: int = 0):
        self.which, self.seed = which, seed
        self.device = distributed.local_device(choose_device(settings["device"], "--device"))
        self.p = parameters(settings)
        torch.manual_seed(seed)
        image_size = settings["image_size"]
        self.model = model.build(self.p, image_size).to(self.device).train()
        if which == "plain":
            self.stepper = plain(self.model)
        else:
            self.model.prepare_training(compiled=settings["compile"])
            self.stepper = self.model
        drawn = dataset.KINDS[self.model.sampling](
            {path.name: path.stem for path in sorted((folder / "color").iterdir())},
            domains=self.model.domains,
            shared=False,
            union=folder / "color",
            gray=folder / "gray",
            image_size=image_size,
            load_scale=self.p.load_scale,
            flip=self.p.flip,
            aging=self.p.aging,
            seed=seed,
        )
        self.batches = dataset.batches(
            *(drawn, 0, 10**9, self.p.batch_size),
            workers=settings["workers"] if which == "ours" else 0,
            accumulation=self.p.accumulation,
        )
        self.synchronize = torch.cuda.synchronize if self.device.type == "cuda" else (lambda: None)
        self.number = 0
        self.batch: dict | None = None  # of the plain step, when it is timed

    def run(self, steps: int) -> tuple[float, float]:
        """Seconds for so many steps, and how many of them were spent waiting for a batch."""
        waited = 0.0
        if self.which == "plain" and self.batch is None:
            self.batch = self._moved(next(self.batches))
        self.synchronize()
        start = time.perf_counter()
        for _ in range(steps):
            if self.which == "ours":
                before = time.perf_counter()
                batch = next(self.batches)
                waited += time.perf_counter() - before
                batch = self._moved(batch)
            else:
                batch = self.batch
            self._step(batch)
        self.synchronize()
        return time.perf_counter() - start, waited

    def losses(self, steps: int) -> dict[str, float]:
        """Of the last tenth of so many steps, each on a draw of its own, the mean."""
        last: dict[str, list[float]] = {}
        for done in range(1, steps + 1):
            losses = self._step(self._moved(next(self.batches)))
            if done > 0.9 * steps:
                for name, value in losses.items():
                    last.setdefault(name, []).append(float(value.detach()))
        return {name: statistics.mean(values) for name, values in last.items()}

    def _step(self, batch: dict) -> dict:
        self.number += 1
        return self.stepper.step(batch, self.number, loop.randomness(self.seed, self.number))

    def _moved(self, batch: dict) -> dict:
        return {key: value.to(self.device, non_blocking=True) for key, value in batch.items()}


def turn_of(p: ModelParameters) -> int:
    """Steps from one of the generator to the next, which takes longer."""
    return getattr(p, "n_critic", 1)


def parameters(settings: dict[str, Any]) -> ModelParameters:
    method = settings["method"]
    text = PARAMS.read_text(encoding="utf-8")
    models = preset.checked(preset.applied(text, preset.load("all")), "all").models
    of_method = [p for p in models.values() if p.method == method]
    if not of_method:
        raise UserError(f"--method {method}: no model in params.yaml or presets/all.yaml is of it")
    entry = of_method[0].model_dump()
    entry |= {key: settings["width"] for key in WIDTHS if key in entry}
    entry["depth"] = settings["depth"] or PUBLISHED_DEPTH[entry["network"]]
    entry["batch_size"] = settings["batch_size"] or entry["batch_size"]
    entry["precision"] = settings["precision"]
    return model.parse(entry, f"models.{method}")


def write_photographs(folder: Path, image_size: int) -> None:
    """Photographs of scikit-image as the union and its gray copies hold them."""
    for mode in ("color", "gray"):
        (folder / mode).mkdir()
    number = itertools.count()
    for photograph in photographs():
        image = resize(photograph, image_size, Image.Resampling.BICUBIC)
        for version in (image, ImageOps.mirror(image), ImageOps.flip(image)):
            file = f"{next(number):016x}.png"  # as the union names them: hexadecimal
            version.save(folder / "color" / file)
            version.convert("L").save(folder / "gray" / file)
