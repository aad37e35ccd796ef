"""Endless random draws of photographs, for training.

Every draw is a function of (seed, number of the draw) alone. So a run that is resumed at step s
continues with draw s * batch_size, and neither workers nor processes change what is drawn.
"""

import functools
import signal
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from PIL.Image import Resampling
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from colorize.base import distributed, lifetime
from colorize.base.errors import UserError
from colorize.color.domains import Domain, made
from colorize.data.reading import photographs
from colorize.data.reading.index import Index, check_gray, parts
from colorize.data.reading.tensors import to_tensor
from colorize.methods.shared.base import Method
from colorize.training.aging import aged


class TrainingDataset(Dataset):
    """An endless series of random draws; item k depends on the seed and k alone.

    Photographs come in a fresh random order every time that all have been drawn once. Each is
    resized to `round(image_size * load_scale)` pixels (the short side), cropped at random to a
    square of `image_size`, and, with `flip`, mirrored half of the time. Of the gray ones the share
    `aging` is made to look old. Items are dictionaries of uint8 tensors.

    groups: the training photographs, and what group each belongs to (see data/reading/index.py).
    Methods that learn from pairs draw from all of them; others see each photograph in one of the
    `domains` alone, or in any of them where `shared`. Raises UserError where photographs are too
    few.
    """

    def __init__(
        self,
        groups: Mapping[str, str],
        *,
        domains: Sequence[Domain],
        shared: bool,
        union: Path,
        gray: Path,
        image_size: int,
        load_scale: float,
        flip: bool,
        aging: float,
        seed: int,
    ):
        self.names = names = list(groups)
        self.domains = domains
        count = len(domains)
        of_domains = [names] * count if shared else parts(groups, count)
        self.names_in = dict(zip(domains, of_domains, strict=True))
        if not all(of_domains):
            wanted = "" if shared else f" in {count} disjoint parts"
            raise UserError(
                f"{union}: {len(names)} training photographs are too few to train on{wanted}"
            )
        self.union = union
        self.gray = gray
        self.image_size = image_size
        self.load_size = round(image_size * load_scale)
        self.flip = flip
        self.aging = aging
        self.seed = seed

    def _drawn(self, names: Sequence[str], k: int, stream: int) -> str:
        """Draw k of a stream: each epoch is a permutation of the names."""
        epoch, position = divmod(k, len(names))
        return names[_permutation(len(names), self.seed, stream, epoch)[position]]

    def _crop(self, images: list[Image.Image], k: int, stream: int) -> list[Tensor]:
        """The same random crop and flip of each of the images, which are aligned."""
        rng = np.random.default_rng((self.seed, stream, k, 1))
        images = [photographs.resize(i, self.load_size, Resampling.BICUBIC) for i in images]
        width, height = images[0].size
        left = int(rng.integers(width - self.image_size + 1))
        top = int(rng.integers(height - self.image_size + 1))
        mirror = bool(rng.integers(2))
        box = (left, top, left + self.image_size, top + self.image_size)
        crops = [to_tensor(image.crop(box)) for image in images]
        return [crop.flip(-1) if mirror and self.flip else crop for crop in crops]

    def _aged(self, gray: Tensor, photograph: Tensor | None, k: int) -> Tensor:
        """(1, S, S), or as old; photograph: (3, S, S), the same in color, where that is known."""
        rng = np.random.default_rng((self.seed, k, 2))
        return aged(gray, photograph, rng) if rng.random() < self.aging else gray

    def _read_gray(self, name: str) -> Image.Image:
        return photographs.read((self.gray / name).with_suffix(".png"), "L")

    def _read_color(self, name: str) -> Image.Image:
        return photographs.read(self.union / name, "RGB")


class PairedDataset(TrainingDataset):
    """Gray (1, S, S) and color (3, S, S) of the same photograph, for methods trained on pairs."""

    def __getitem__(self, k: int) -> dict[str, Tensor]:
        name = self._drawn(self.names, k, stream=0)
        gray, color = self._crop([self._read_gray(name), self._read_color(name)], k, stream=0)
        return {"gray": self._aged(gray, color, k), "color": color}


class UnpairedDataset(TrainingDataset):
    """Gray (1, S, S) of one photograph and color (3, S, S) of another, drawn independently."""

    def __getitem__(self, k: int) -> dict[str, Tensor]:
        gray = self._read_gray(self._drawn(self.names_in["gray"], k, stream=0))
        color = self._read_color(self._drawn(self.names_in["color"], k, stream=1))
        return {
            "gray": self._aged(self._crop([gray], k, stream=0)[0], None, k),
            "color": self._crop([color], k, stream=1)[0],
        }


class DomainDataset(TrainingDataset):
    """An image (3, S, S) of one of the domains, and the domain's number.

    Domains take turns. Shuffled together, as the release of Choi et al. does, 13 % of all batches
    of 4 would hold one domain alone, and with it no target but that.
    """

    def __getitem__(self, k: int) -> dict[str, Tensor]:
        turn, number = divmod(k, len(self.domains))
        domain = self.domains[number]
        name = self._drawn(self.names_in[domain], turn, stream=number)
        if domain == "gray":
            (gray,) = self._crop([self._read_gray(name)], k, stream=0)
            image = self._aged(gray, None, k).expand(3, -1, -1)
        else:
            (photograph,) = self._crop([self._read_color(name)], k, stream=0)
            image = made(domain, photograph)
        return {"image": image, "domain": torch.tensor(number)}


# By `sampling` of the method
KINDS = {"paired": PairedDataset, "unpaired": UnpairedDataset, "domains": DomainDataset}


def of(model: Method, index: Index, union: Path, gray: Path, seed: int) -> TrainingDataset:
    """What a model is trained on.

    Raises UserError where photographs are too few, or the gray ones no copies of the union's.
    """
    check_gray(union, gray)
    return KINDS[model.sampling](
        index.groups(index.split("train")),
        domains=model.domains,
        shared=model.p.shares_photographs,
        union=union,
        gray=gray,
        image_size=model.image_size,
        load_scale=model.p.load_scale,
        flip=model.p.flip,
        aging=model.p.aging,
        seed=seed,
    )


def batches(
    dataset: TrainingDataset,
    start: int,
    stop: int,
    batch_size: int,
    workers: int,
    accumulation: int = 1,
) -> Iterator[dict[str, Tensor]]:
    """Batches of samples `start` to `stop`, in order, decoded by `workers` processes (0: in ours).

    Of batches that several processes share, each in `accumulation` parts, this process's shard (see
    colorize/base/distributed.py).

    Raises UserError for an image that cannot be read; OSError where a worker is killed.
    """
    loader = DataLoader(
        dataset,
        batch_sampler=(
            distributed.shard(
                torch.arange(first, min(first + batch_size, stop)), accumulation
            ).tolist()
            for first in range(start, stop, batch_size)
        ),
        num_workers=workers,
        worker_init_fn=_leave_signals_to_the_trainer,
        pin_memory=torch.cuda.is_available(),
    )
    try:
        yield from loader
    except UserError as error:
        # A worker's error arrives wrapped in its traceback; its last line is what was raised.
        line = str(error).strip().splitlines()[-1].split("UserError: ")[-1]
        error.__traceback__ = None  # holds the loader, whose workers are to end now, not at exit
        raise UserError(line) from None
    except RuntimeError as error:
        if "DataLoader worker" not in str(error):
            raise
        error.__traceback__ = None
        raise OSError(
            "a process that decodes images was killed, out of memory perhaps; fewer "
            "runtime.workers need less, 0 none"
        ) from None


def _leave_signals_to_the_trainer(worker: int) -> None:
    """Both may reach the whole process group, and the trainer still has a step to finish.

    So SIGTERM ends a worker half a minute later, unless the trainer has ended it before, or has
    itself ended.
    """
    lifetime.end_with_parent(signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: signal.alarm(30))


@functools.lru_cache(maxsize=4)
def _permutation(count: int, seed: int, stream: int, epoch: int) -> np.ndarray:
    return np.random.default_rng((seed, stream, epoch, 0)).permutation(count)
