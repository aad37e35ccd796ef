"""A trained model that colors photographs of any size, with their own lightness.

The network sees a photograph at the size that it was trained at, and a faded one with its contrast
stretched. Its chroma is enlarged and joined with the lightness of every pixel, some lines at a
time: detail is the photograph's own, and memory holds little besides its bytes.
"""

import os
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from colorize import color
from colorize.base.device import choose_device
from colorize.base.errors import UserError
from colorize.base.workers import one_thread_each
from colorize.color.domains import DARKER, Domain
from colorize.color.strips import strips
from colorize.data.photo import Unreadable, from_pillow, reasons
from colorize.methods.shared import model
from colorize.methods.shared.base import Method
from colorize.use import models

MULTIPLE = 8  # of the sides that networks see: all their halvings fit
LONGEST = 8  # times the short side that they were trained at: bounds what a panorama takes
CONTRAST = 0.9  # of [0, 1]: what networks see spans it, if less has to be stretched
DARK, BRIGHT = 0.01, 0.99  # shares of the pixels between which the span is measured
SLACK = 1e-3  # beyond [0, 1], of floats: what rounding adds
STRETCH = 4.0  # at most: beyond it a network would see grain and the steps of 8 bits

Picture = TypeVar("Picture", Image.Image, np.ndarray, Tensor)


class Colorizer:
    """Colors images as one model does.

    >>> from colorize import Colorizer
    >>> from skimage import data
    >>> colorizer = Colorizer.load(device="cpu")
    >>> colorizer(data.camera()).shape
    (512, 512, 3)
    """

    def __init__(self, method: Method, name: str = "the model"):
        self.method, self.name = method.eval(), name
        self.process = os.getpid()

    @classmethod
    def load(cls, name: str | Path = models.DEFAULT, device: str = "auto") -> "Colorizer":
        """Read a model: its folder, or its name in pretrained/ or models/.

        device: auto, cpu, cuda, cuda:1 or mps. Raises UserError where there is no such model or
        device, or the model is broken.
        """
        folder = models.find(str(name))
        return cls(model.load(folder, choose_device(device, "device")), folder.name)

    @property
    def domains(self) -> tuple[Domain, ...]:
        """What it can make: `color`, of some models others too."""
        return self.method.targets

    def __call__(
        self,
        image: Picture,
        *,
        domain: Domain = "color",
        strength: float = 1.0,
        raw: bool = False,
    ) -> Picture:
        """Color an image, of any size and of the kind that comes back, in RGB.

        image: a PIL image of any mode (laid on white, profile applied; turn it upright first with
        ImageOps.exif_transpose); an array (H, W), (H, W, 1 or 3) or, several at once, (n, H, W, 1
        or 3); a tensor (1 or 3, H, W) or (n, 1 or 3, H, W). Numbers are sRGB: uint8, uint16, or
        floats in [0, 1]. What it has of colors is not looked at, but for other domains.
        domain: one of `domains`. strength: of the colors, 1 as the network makes them, 0 gray.
        raw: the network's own picture, enlarged, instead of its chroma on the photograph's own
        lightness: blurred, and in some models' damaged. `night` is always that.

        Raises UserError for what is none of these, for floats outside [0, 1], and where the model
        gives what is no number. A process that was forked from the one that read the model works
        on one core.

        >>> import torch
        >>> colorizer = Colorizer.load("pretrained/nogan_lab", device="cpu")
        >>> colorizer(torch.rand(2, 1, 40, 60)).shape
        torch.Size([2, 3, 40, 60])
        """
        self.check(domain, strength)
        if os.getpid() != self.process:  # where OpenMP would wait for threads that it left behind
            torch.set_num_threads(1)
        if isinstance(image, Image.Image):
            shape = (image.height, image.width)
            painted = self._all_painted(_pixels(image), shape, domain, strength, raw)
            return Image.fromarray(painted)
        if isinstance(image, Tensor):
            whole = image.detach().cpu()
            whole = whole.float() if image.dtype == torch.bfloat16 else whole  # NumPy has none
            array = whole.movedim(-3, -1).numpy() if image.ndim in (3, 4) else None
            painted = self._all_painted(array, image.shape, domain, strength, raw)
            return torch.from_numpy(painted).movedim(-1, -3).to(image)
        if not isinstance(image, np.ndarray):
            raise UserError(
                f"image: an image of PIL, an array or a tensor, not {type(image).__name__} "
                "(PIL.Image.open reads files)"
            )
        array = image[..., None] if image.ndim == 2 else image
        return self._all_painted(array, image.shape, domain, strength, raw)

    def check(self, domain: str, strength: float) -> None:
        """Raise UserError for what the model cannot do."""
        if domain not in self.domains:
            raise UserError(f"domain: {self.name} makes {', '.join(self.domains)}, not {domain}")
        if not isinstance(strength, int | float) or not 0 <= strength <= 10:
            raise UserError(f"strength: {strength!r} is not a number from 0 to 10")

    def _all_painted(self, array: np.ndarray | None, shape: tuple[int, ...], *how) -> np.ndarray:
        """(H, W, c) or (n, H, W, c) to RGB; shape: as the user knows it."""
        if array is None or array.ndim not in (3, 4) or array.shape[-1] not in (1, 3):
            raise UserError(f"image: neither gray nor RGB, its shape is {tuple(shape)}")
        if 0 in shape:
            raise UserError(f"image: it has no pixels, its shape is {tuple(shape)}")
        if array.dtype not in (np.uint8, np.uint16) and array.dtype.kind != "f":
            raise UserError(f"image: uint8, uint16 or floats in [0, 1], not {array.dtype}")
        if array.dtype.kind == "f":
            least, most = float(array.min()), float(array.max())
            if not -SLACK <= least <= most <= 1 + SLACK:  # nor is NaN
                raise UserError(f"image: floats are in [0, 1], not from {least:g} to {most:g}")
        if array.ndim == 3:
            return self._painted(array, *how)
        return np.stack([self._painted(one, *how) for one in array])

    @torch.inference_mode()
    def _painted(
        self, pixels: np.ndarray, domain: Domain, strength: float, raw: bool
    ) -> np.ndarray:
        """(H, W, 1 or 3) to (H, W, 3)."""
        height, width = pixels.shape[:2]
        raw = raw or domain in DARKER  # which are not on the photograph's own lightness
        output = self._made(pixels, domain, raw)
        painted = np.empty((height, width, 3), pixels.dtype)

        @torch.inference_mode()
        def paint(strip: slice) -> None:
            enlarged = _enlarged(output, height, width, strip)
            if raw:
                lab = color.rgb_to_lab(enlarged.clamp(0, 1))
                lightness, ab = lab.split((1, 2), dim=1)
            else:
                lightness, ab = color.lightness_of(_tensor(pixels[strip])), enlarged
            painted[strip] = _array(color.join(lightness, strength * ab), pixels.dtype)

        # A strip on each core: twice as fast as each operation on all of them.
        with one_thread_each(torch.get_num_threads()) as pool:
            list(pool.map(paint, strips(height, width)))
        return painted

    def _made(self, pixels: np.ndarray, domain: Domain, raw: bool) -> Tensor:
        """What the network makes at its own size: ab (1, 2, h, w), raw its RGB (1, 3, h, w)."""
        rgb = color.to_float(_tensor(_reduced(pixels, self.method.image_size)))
        rgb = rgb.to(next(self.method.parameters()).device)
        gray = color.gray_of(rgb) if rgb.shape[1] == 3 else rgb
        if domain == "color" and not raw:
            made = self.method.predict_ab(stretched(gray))
        else:
            seen = gray if domain == "color" else rgb
            made = self.method.translate(seen.expand(-1, 3, -1, -1), domain)
            made = made if raw else color.rgb_to_lab(made)[:, 1:]
        if not made.isfinite().all():
            raise UserError(f"{self.name}: what it makes is not finite; train it again")
        return made.float().cpu()


def working_size(height: int, width: int, image_size: int) -> tuple[int, int]:
    """The size at which a network that was trained at `image_size` sees a photograph.

    Its short side as long as in training, its shape as far as multiples of 8 allow; what is longer
    than eight times that is seen smaller.
    """
    scale = min(image_size / min(height, width), LONGEST * image_size / max(height, width))
    return tuple(max(2, round(side * scale / MULTIPLE)) * MULTIPLE for side in (height, width))


def stretched(gray: Tensor) -> Tensor:
    """Gray (1, 1, h, w) in [0, 1] with the contrast of a photograph that has not faded.

    It is stretched around the middle of its span, which moves as little as it must.
    """
    dark, bright = torch.quantile(gray, torch.tensor([DARK, BRIGHT]).to(gray)).tolist()
    span, middle = bright - dark, (dark + bright) / 2
    if span >= CONTRAST:
        return gray
    gain = STRETCH if span * STRETCH < CONTRAST else CONTRAST / span
    half = gain * span / 2
    moved = min(max(middle, half), 1 - half)
    return (moved + gain * (gray - middle)).clamp(0, 1)


def _reduced(pixels: np.ndarray, image_size: int) -> np.ndarray:
    """(H, W, c) to bytes (h, w, c) of the size that the network sees, by the union's kernel."""
    height, width = working_size(*pixels.shape[:2], image_size)
    if pixels.dtype != np.uint8:
        full = np.empty(pixels.shape, np.uint8)
        for strip in strips(*pixels.shape[:2]):
            full[strip] = _array(_tensor(pixels[strip]), np.uint8)
        pixels = full
    image = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    small = image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)
    return np.asarray(small).reshape(height, width, -1)


def _enlarged(made: Tensor, height: int, width: int, strip: slice) -> Tensor:
    """The lines `strip` of (1, c, h, w) enlarged bilinearly to (1, c, height, width)."""
    lines = made.shape[2]
    at = (torch.arange(strip.start, strip.stop) + 0.5) * lines / height - 0.5
    at = at.clamp(0, lines - 1)
    above = at.floor().long()
    below = (above + 1).clamp(max=lines - 1)
    share = (at - above)[:, None]
    rows = torch.lerp(made[:, :, above], made[:, :, below], share.expand(-1, made.shape[3]))
    return F.interpolate(rows, (len(at), width), mode="bilinear", align_corners=False)


def _pixels(image: Image.Image) -> np.ndarray:
    """(H, W, 1 or 3) bytes."""
    if 0 in image.size:
        return np.empty((image.height, image.width, 3), np.uint8)
    try:
        with reasons():
            return from_pillow(image).on_white()
    except Unreadable as error:
        raise UserError(f"image: {error}") from None


def _tensor(pixels: np.ndarray) -> Tensor:
    """(h, w, c) to (1, c, h, w): bytes, or float32 in [0, 1]."""
    if pixels.dtype == np.uint16:
        pixels = pixels.astype(np.float32) / 65535
    elif pixels.dtype != np.uint8:
        pixels = pixels.astype(np.float32).clip(0, 1)
    return torch.from_numpy(np.array(pixels.transpose(2, 0, 1), order="C"))[None]


def _array(image: Tensor, dtype: np.dtype) -> np.ndarray:
    """(1, c, h, w) in [0, 1] to (h, w, c)."""
    values = image[0].permute(1, 2, 0).numpy()
    if np.dtype(dtype).kind == "f":
        return values.astype(dtype)
    return np.rint(values * np.iinfo(dtype).max).astype(dtype)
