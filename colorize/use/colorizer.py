"""A trained model that colors photographs of any size, with their own lightness.

The network sees a photograph at the size that it was trained at, and a faded one with its contrast
stretched. Its chroma is enlarged and joined with the lightness of every pixel, some lines at a
time: detail is the photograph's own, and memory holds little besides its bytes.
"""

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np
from PIL import Image

from colorize import color
from colorize.base.errors import UserError
from colorize.base.workers import one_thread_each, threads
from colorize.color.domains import DARKER, Domain
from colorize.color.strips import strips
from colorize.data.photo import Unreadable, from_pillow, reasons
from colorize.methods.shared.folder import LARGEST
from colorize.use import models

if TYPE_CHECKING:
    from torch import Tensor

MULTIPLE = 8  # of the sides that networks see: all their halvings fit
LEAST = 32  # pixels of their short side: what is smaller, networks do not recognize
LONGEST = 8  # times the short side that they were trained at: bounds what a panorama takes
CONTRAST = 0.9  # of [0, 1]: what networks see spans it, if less has to be stretched
DARK, BRIGHT = 0.01, 0.99  # shares of the pixels between which the span is measured
SLACK = 1e-3  # beyond [0, 1], of floats: what rounding adds
STRETCH = 4.0  # at most: beyond it a network would see grain and the steps of 8 bits

Picture = TypeVar("Picture", Image.Image, np.ndarray, "Tensor")


class Network(Protocol):
    """What guesses colors, by torch or by ONNX Runtime. Images are (channels, h, w) float32."""

    image_size: int  # pixels: the short side of the photographs that it was trained on
    domains: tuple[Domain, ...]  # what it can make: `color`, of some models others too

    def chroma(self, gray: np.ndarray) -> np.ndarray:
        """CIE a and b (2, h, w) of gray (1, h, w), sRGB in [0, 1]."""

    # By torch alone: picture(rgb, domain), its own picture (3, h, w) of a photograph (3, h, w)


class Colorizer:
    """Colors images as one model does.

    >>> from colorize import Colorizer
    >>> from skimage import data
    >>> colorizer = Colorizer.load(device="cpu")
    >>> colorizer(data.camera()).shape
    (512, 512, 3)
    """

    def __init__(self, network: Network, name: str = "the model"):
        self.network, self.name = network, name

    @classmethod
    def load(cls, name: str | Path = models.DEFAULT, device: str = "auto") -> "Colorizer":
        """Read a model: its folder, or the name of one of ours or of one in models/.

        device: auto, cpu, cuda, cuda:1 or mps. Without torch there is the CPU alone. Raises
        UserError where there is no such model or device, or the model is broken.
        """
        folder = models.find(str(name))
        if find_spec("torch"):
            from colorize.use.torch_network import TorchNetwork

            return cls(TorchNetwork.load(folder, device), folder.name)
        if device not in ("auto", "cpu"):
            raise UserError(f"device: {device} needs torch, which is not installed")
        from colorize.use.onnx_network import OnnxNetwork

        return cls(OnnxNetwork(folder), folder.name)

    @property
    def domains(self) -> tuple[Domain, ...]:
        """What it can make: `color`, of some models others too."""
        return self.network.domains

    def __call__(
        self,
        image: Picture,
        *,
        domain: Domain = "color",
        strength: float = 1.0,
        size: int | None = None,
        raw: bool = False,
    ) -> Picture:
        """Color an image, of any size and of the kind that comes back, in RGB.

        image: a PIL image of any mode (laid on white, profile applied; turn it upright first with
        ImageOps.exif_transpose); an array (H, W), (H, W, 1 or 3) or, several at once, (n, H, W, 1
        or 3); a tensor (1 or 3, H, W) or (n, 1 or 3, H, W). Numbers are sRGB: uint8, uint16, or
        floats in [0, 1]. What it has of colors is not looked at, but for other domains.
        domain: one of `domains`. strength: of the colors, 1 as the network makes them, 0 gray.
        size: pixels of the short side of what the network sees, as it was trained by default.
        raw: the network's own picture, enlarged, instead of its chroma on the photograph's own
        lightness: blurred, and in some models' damaged. `night` is always that.

        Raises UserError for what is none of these, for floats outside [0, 1], and where the model
        gives what is no number. A process that was forked from the one that read the model works
        on one core.

        >>> import torch
        >>> colorizer = Colorizer.load("nogan_lab", device="cpu")
        >>> colorizer(torch.rand(2, 1, 40, 60)).shape
        torch.Size([2, 3, 40, 60])
        """
        how = {"domain": domain, "strength": strength, "size": size, "raw": raw}
        self.check(**how)
        if isinstance(image, Image.Image):
            shape = (image.height, image.width)
            painted = self._all_painted(_of_pillow(image), shape, **how)
            return Image.fromarray(painted)
        torch = sys.modules.get("torch")  # who has a tensor has imported it
        if torch is not None and isinstance(image, torch.Tensor):
            whole = image.detach().cpu()
            whole = whole.float() if image.dtype == torch.bfloat16 else whole  # NumPy has none
            array = whole.movedim(-3, -1).numpy() if image.ndim in (3, 4) else None
            painted = self._all_painted(array, image.shape, **how)
            return torch.from_numpy(painted).movedim(-1, -3).to(image)
        if not isinstance(image, np.ndarray):
            raise UserError(
                f"image: an image of PIL, an array or a tensor, not {type(image).__name__} "
                "(PIL.Image.open reads files)"
            )
        array = image[..., None] if image.ndim == 2 else image
        return self._all_painted(array, image.shape, **how)

    def check(self, domain: str, strength: float, size: int | None, raw: bool) -> None:
        """Raise UserError for what the model cannot do."""
        if domain not in self.domains:
            raise UserError(f"domain: {self.name} makes {', '.join(self.domains)}, not {domain}")
        if not isinstance(strength, int | float) or not 0 <= strength <= 10:
            raise UserError(f"strength: {strength!r} is not a number from 0 to 10")
        if size is not None and (type(size) is not int or not LEAST <= size <= LARGEST):
            raise UserError(f"size: {size!r} is not a number from {LEAST} to {LARGEST}")
        if raw and not hasattr(self.network, "picture"):
            raise UserError("raw: the network's own picture needs torch, which is not installed")

    def _all_painted(self, array: np.ndarray | None, shape: tuple[int, ...], **how) -> np.ndarray:
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
            return self._painted(array, **how)
        return np.stack([self._painted(one, **how) for one in array])

    def _painted(
        self, pixels: np.ndarray, domain: Domain, strength: float, size: int | None, raw: bool
    ) -> np.ndarray:
        """(H, W, 1 or 3) to (H, W, 3)."""
        height, width = pixels.shape[:2]
        raw = raw or domain in DARKER  # which are not on the photograph's own lightness
        made = [Image.fromarray(channel) for channel in self._made(pixels, domain, size, raw)]
        painted = np.empty((height, width, 3), pixels.dtype)

        def paint(strip: slice) -> None:
            enlarged = _enlarged(made, height, width, strip)
            if raw:
                lab = color.rgb_to_lab(enlarged.clip(0, 1))
                lightness, ab = lab[:1], lab[1:]
            else:
                lightness, ab = color.lightness_of(_planes(pixels[strip])), enlarged
            painted[strip] = _pixels(color.join(lightness, float(strength) * ab), pixels.dtype)

        with one_thread_each(threads()) as pool:
            list(pool.map(paint, strips(height, width)))
        return painted

    def _made(self, pixels: np.ndarray, domain: Domain, size: int | None, raw: bool) -> np.ndarray:
        """What the network makes at its own size: ab (2, h, w), raw its RGB (3, h, w)."""
        rgb = color.to_float(_planes(_reduced(pixels, size or self.network.image_size)))
        gray = color.gray_of(rgb) if len(rgb) == 3 else rgb
        if domain == "color" and not raw:
            made = self.network.chroma(stretched(gray))
        else:
            seen = gray if domain == "color" else rgb
            made = self.network.picture(seen.repeat(3 // len(seen), axis=0), domain)
            made = made if raw else color.rgb_to_lab(made)[1:]
        if not np.isfinite(made).all():
            raise UserError(f"{self.name}: what it makes is not finite; train it again")
        return made


def working_size(height: int, width: int, image_size: int) -> tuple[int, int]:
    """The size at which a network that was trained at `image_size` sees a photograph.

    Its short side as long as in training, its shape as far as multiples of 8 allow; what is longer
    than eight times that is seen smaller.
    """
    scale = min(image_size / min(height, width), LONGEST * image_size / max(height, width))
    return tuple(max(2, round(side * scale / MULTIPLE)) * MULTIPLE for side in (height, width))


def stretched(gray: np.ndarray) -> np.ndarray:
    """Gray (1, h, w) in [0, 1] with the contrast of a photograph that has not faded.

    It is stretched around the middle of its span, which moves as little as it must.
    """
    dark, bright = np.quantile(gray, (DARK, BRIGHT)).tolist()
    span, middle = bright - dark, (dark + bright) / 2
    if span >= CONTRAST:
        return gray
    gain = STRETCH if span * STRETCH < CONTRAST else CONTRAST / span
    half = gain * span / 2
    moved = min(max(middle, half), 1 - half)
    return (moved + gain * (gray - middle)).clip(0, 1)


def _reduced(pixels: np.ndarray, image_size: int) -> np.ndarray:
    """(H, W, c) to bytes (h, w, c) of the size that the network sees, by the union's kernel."""
    height, width = working_size(*pixels.shape[:2], image_size)
    if pixels.dtype != np.uint8:
        full = np.empty(pixels.shape, np.uint8)
        for strip in strips(*pixels.shape[:2]):
            full[strip] = _pixels(_planes(pixels[strip]), np.uint8)
        pixels = full
    image = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    small = image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)
    return np.asarray(small).reshape(height, width, -1)


def _enlarged(made: list[Image.Image], height: int, width: int, strip: slice) -> np.ndarray:
    """The lines `strip` of channels (h, w), enlarged bilinearly to (channels, height, width)."""
    across, down = made[0].size
    seen = (0, strip.start * down / height, across, strip.stop * down / height)
    size = (width, strip.stop - strip.start)
    return np.stack([each.resize(size, Image.Resampling.BILINEAR, seen) for each in made])


def _of_pillow(image: Image.Image) -> np.ndarray:
    """(H, W, 1 or 3) bytes."""
    if 0 in image.size:
        return np.empty((image.height, image.width, 3), np.uint8)
    try:
        with reasons():
            return from_pillow(image).on_white()
    except Unreadable as error:
        raise UserError(f"image: {error}") from None


def _planes(pixels: np.ndarray) -> np.ndarray:
    """(h, w, c) to (c, h, w): bytes, or float32 in [0, 1]."""
    if pixels.dtype == np.uint16:
        pixels = pixels.astype(np.float32) / 65535
    elif pixels.dtype != np.uint8:
        pixels = pixels.astype(np.float32).clip(0, 1)
    return np.ascontiguousarray(pixels.transpose(2, 0, 1))


def _pixels(image: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """(c, h, w) in [0, 1] to (h, w, c)."""
    values = image.transpose(1, 2, 0)
    if np.dtype(dtype).kind == "f":
        return values.astype(dtype)
    return np.rint(values * np.iinfo(dtype).max).astype(dtype)
