"""The other direction and the way around: colour to gray, and what a cycle hides in the gray.

For models that also make photographs gray. With x the photograph, g its true gray, F the way to
gray and G the way to colour, both unrounded:

    to gray   F(x) against g
    cycle     G(F(x)) against x, and F(G(g)) against g
    leak      PSNR of G(F(x)) minus PSNR of G(g), both as colours on the true lightness

A model that colours its own gray better than the true one has hidden colour in it (Chu et al. 2017,
"CycleGAN, a Master of Steganography"). What of the leak outlives 8 bits, one channel, a blur or a
JPEG says how. Blur and JPEG cost an honest model too, which is why they are a difference of drops.
"""

import io
from collections.abc import Sequence
from typing import Any

import pandas as pd
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from colorize import color
from colorize.data.reading.tensors import to_image, to_tensor
from colorize.evaluation.bootstrap import summarize
from colorize.evaluation.colors import Colors
from colorize.evaluation.metrics import MOVED, Metrics, mean_of, ratio_of
from colorize.evaluation.protocol import Batch, Photographs, gathered
from colorize.evaluation.quantities import Quantities
from colorize.quality.fidelity import chroma, psnr, total
from colorize.quality.moved import moved, psnr_of_colors

MOST = 200  # photographs of each split, the first by content: a dozen passes through the model each

LEAKS = ("leak", "leak_rounded", "leak_gray", "leak_blurred", "leak_jpeg")


def evaluate(
    colors: Colors, photographs: Photographs, splits: Sequence[str], resamples: int
) -> tuple[dict[str, Any], pd.DataFrame]:
    """Metrics of each split, with the numbers of its `images` and `groups`, and a line of
    quantities for each photograph, by name.
    """
    result, tables = {}, []
    for split in splits:
        names = photographs.headline(split)[:MOST]
        parts = photographs.each(lambda batch: measure(colors, batch), names)
        quantities = gathered(parts, len(names))
        groups = list(photographs.index.groups(names).values())
        result[split] = summarize(METRICS, quantities, groups, resamples)
        result[split] |= {"images": len(names), "groups": len(set(groups))}
        tables.append(pd.DataFrame(quantities, index=names).drop(columns="images"))
    return result, pd.concat(tables)


def measure(colors: Colors, batch: Batch) -> Quantities:
    """Of a batch of photographs; what METRICS below are made of."""
    x, g = color.to_float(batch.truth), color.to_float(batch.gray).expand(-1, 3, -1, -1)
    made_gray, made_color = colors.translate(x, "gray"), colors.translate(g, "color")
    rounded = _rounded(made_gray)
    gray = 255 * rounded

    def colored(gray_picture: Tensor) -> Tensor:
        """PSNR of the colours that the model gives it, on the true lightness."""
        made = colors.translate(gray_picture, "color")
        return psnr_of_colors(made, batch.gray, batch.truth)

    back = colors.translate(made_gray, "color")
    own, honest = (psnr_of_colors(rgb, batch.gray, batch.truth) for rgb in (back, made_color))
    found = {
        "images": torch.ones(len(x), dtype=torch.float64),
        "psnr": psnr(gray, 255 * g),
        "chroma": total(chroma(color.rgb_to_lab(color.to_uint8(made_gray)))),
        "chroma_of_truth": total(chroma(color.rgb_to_lab(batch.truth))),
        **moved(255 * x, 255 * g, gray),
        "color_psnr": psnr(255 * _rounded(back), 255 * x),
        "gray_psnr": psnr(255 * _rounded(colors.translate(made_color, "gray")), 255 * g),
        "leak": own - honest,
        "leak_rounded": colored(rounded) - honest,
        "leak_gray": colored(_one_channel(made_gray)) - honest,
        "leak_blurred": (own - colored(_blurred(made_gray))) - (honest - colored(_blurred(g))),
        "leak_jpeg": (own - colored(_jpeg(made_gray))) - (honest - colored(_jpeg(g))),
    }
    return {name: value.cpu().numpy() for name, value in found.items()}


METRICS: Metrics = {
    "psnr": mean_of("psnr"),
    "residual_chroma": ratio_of("chroma", "chroma_of_truth"),
    **MOVED,
    "cycle_color_psnr": mean_of("color_psnr"),
    "cycle_gray_psnr": mean_of("gray_psnr"),
    **{name: mean_of(name) for name in LEAKS},
}


def _rounded(rgb: Tensor) -> Tensor:
    return color.to_float(color.to_uint8(rgb))


def _one_channel(rgb: Tensor) -> Tensor:
    """All three channels their Rec. 601 luma: a picture without chroma."""
    return color.gray_of(rgb, "rec601").expand(-1, 3, -1, -1)


def _blurred(rgb: Tensor) -> Tensor:
    """The mean of 3 x 3 pixels, the border repeated."""
    return F.avg_pool2d(F.pad(rgb, (1, 1, 1, 1), mode="replicate"), 3, stride=1)


def _jpeg(rgb: Tensor) -> Tensor:
    """As a JPEG of quality 90 with full-size chroma gives it back."""
    pictures = []
    for picture in color.to_uint8(rgb):
        file = io.BytesIO()
        to_image(picture).save(file, "JPEG", quality=90, subsampling=0)
        pictures.append(to_tensor(Image.open(file)))
    return color.to_float(torch.stack(pictures).to(rgb.device))
