"""Validation curves: what a few val photographs say of a model while it trains.

Losses of a game do not tell whether colours get better, nor in which way a generator fails. For
each direction, with x the input, T what is wanted and y = G(x) what the model makes, as 8-bit RGB:

    identity_index   sum |y - x| / sum |T - x|              how far it moves; a literal copy: 0
    projection       <y - x, T - x> / ||T - x||^2           how far it moves the right way
    chroma           sum of y's chroma / sum of the photograph's
    psnr             of y against T

A model with both directions also has a leak (see colorize/evaluation/directions.py), and tells how
much the domain asked for matters to it: the mean of |G(x, color) - G(x, gray)| in 0..255, in the
middle of the image and around it. Behind instance normalisation it may be the padding alone that
shows a label, and then only the border depends on it.

A discriminator that classifies says what it takes y for, and a plain rule says it too: a picture is
gray where 95 % of its pixels have a chroma below GRAY_BELOW. Where D calls gray what the rule calls
coloured, D is content with less than was asked for.
"""

import math

import torch
from torch import Tensor

from colorize import color
from colorize.evaluation.fidelity import chroma, mean, psnr, total
from colorize.methods.base import Domain, Method

MOST = 48  # photographs: for curves, which show where it goes, not for tables
BATCH = 16
GRAY_BELOW = 4  # CIE Lab, as data.min_chroma: few see the colour of such a photograph

Shares = dict[str, tuple[Tensor, Tensor]]  # of each photograph, and what to divide the sum by


@torch.inference_mode()
def measure(model: Method, gray: Tensor, truth: Tensor) -> dict[str, float]:
    """Of photographs (n, 1, S, S) gray and (n, 3, S, S) in colour, uint8.

    Named DIRECTION_QUANTITY by the domain that is made. NaN is a share of nothing: how much of the
    colour of photographs that have none.
    """
    device = next(model.parameters()).device
    with model.in_use():
        parts = [
            _measure(model, g.to(device), t.to(device))
            for g, t in zip(gray.split(BATCH), truth.split(BATCH), strict=True)
        ]
    found = {}
    for name in parts[0]:
        above, below = (float(sum(part[name][i].sum() for part in parts)) for i in range(2))
        found[name] = above / below if below else math.nan
    return found


def _measure(model: Method, gray: Tensor, truth: Tensor) -> Shares:
    g, t = color.to_float(gray).expand(-1, 3, -1, -1), color.to_float(truth)
    colors = total(chroma(color.rgb_to_lab(truth)))
    made = model.translate(g, "color")
    found = _direction("color", model, g, t, made, colors)
    if "gray" not in model.targets:
        return found
    made_gray = model.translate(t, "gray")
    found |= _direction("gray", model, t, g, made_gray, colors)

    def fidelity(rgb: Tensor) -> Tensor:
        """PSNR of colours, on the true lightness."""
        return psnr(color.to_uint8(color.repaint(gray, rgb)).float(), truth.float())

    one_channel = color.gray_of(made_gray, "rec601").expand(-1, 3, -1, -1)
    honest = fidelity(made)
    leaks = {
        "leak": fidelity(model.translate(made_gray, "color")) - honest,
        "leak_gray": fidelity(model.translate(one_channel, "color")) - honest,
    }
    found |= {name: _mean(of) for name, of in leaks.items()}
    told = (made - model.translate(g, "gray"), model.translate(t, "color") - made_gray)
    middle, around = zip(*(_middle_and_around(255 * by.abs()) for by in told), strict=True)
    return found | {"told_middle": _mean(sum(middle) / 2), "told_around": _mean(sum(around) / 2)}


def _direction(
    target: Domain, model: Method, x: Tensor, wanted: Tensor, made: Tensor, colors: Tensor
) -> Shares:
    """x, wanted and made: (n, 3, S, S) in [0, 1]; colors: sum of the photographs' chroma, (n,)."""
    made_bytes = color.to_uint8(made)
    y, x255, t255 = made_bytes.float(), 255 * x, 255 * wanted
    change, change_wanted = y - x255, t255 - x255
    chroma_made = chroma(color.rgb_to_lab(made_bytes))
    found = {
        "identity_index": (total(change.abs()), total(change_wanted.abs())),
        "projection": (total(change * change_wanted), total(change_wanted * change_wanted)),
        "chroma": (total(chroma_made), colors),
        "psnr": _mean(psnr(y, t255)),
    }
    taken_for = model.classify(made)
    if taken_for is not None:
        found["classified"] = _mean(taken_for == model.targets.index(target))
    if target == "gray":
        is_gray = chroma_made.flatten(1).quantile(0.95, dim=1) < GRAY_BELOW
        found["colorless"] = _mean(is_gray)
    return {f"{target}_{name}": share for name, share in found.items()}


def _mean(of_images: Tensor) -> tuple[Tensor, Tensor]:
    values = of_images.double()
    return values, torch.ones_like(values)


def _middle_and_around(pixels: Tensor) -> tuple[Tensor, Tensor]:
    """Means of each (n, c, S, S): over the square of half the side, and over the rest."""
    quarter = pixels.shape[-1] // 4
    middle = pixels[..., quarter:-quarter, quarter:-quarter]
    number = middle[0].numel()
    around = (total(pixels) - total(middle)) / (pixels[0].numel() - number)
    return mean(middle), around
