"""Validation curves: what a few val photographs say of a model while it trains.

GAN losses do not tell whether colors get better, nor in which way a generator fails. For each
domain that it makes, with y = G(x) of the input x, and T the target, as 8-bit RGB:

    change_ratio     how far it moves; see colorize/quality
    projection       how far it moves the right way
    chroma           sum of y's chroma / sum of the photograph's
    psnr             of y against T

Color is made of the gray photograph, all other domains of the one in color. A model that makes
gray too also has hidden color (see colorize/evaluation/directions.py), and tells how
much the domain asked for matters to it: the mean of |G(x, color) - G(x, gray)| in 0..255, in the
middle of the image and around it. Behind instance normalization it may be the padding alone that
shows a label, and then only the border depends on it.

A discriminator that classifies says what it takes y for, and a plain rule says it too: a picture is
gray where 95 % of its pixels have a chroma below GRAY_BELOW. Where D calls gray what the rule calls
colored, D is content with less than was asked for.
"""

import math

import torch
from torch import Tensor

from colorize import color
from colorize.color.domains import Domain, picture
from colorize.methods.shared.base import Method
from colorize.quality import chroma, mean, moved_toward, psnr, psnr_of_colors, total

MOST = 48  # photographs: for curves, which show where it goes, not for tables
BATCH = 16
GRAY_BELOW = 4  # CIE Lab, as data.min_chroma: few see the color of such a photograph

Shares = dict[str, tuple[Tensor, Tensor]]  # of each photograph, and what to divide the sum by


@torch.inference_mode()
def measure(model: Method, gray: Tensor, truth: Tensor) -> dict[str, float]:
    """Of photographs (n, 1, S, S) gray and (n, 3, S, S) in color, uint8.

    Named DOMAIN_QUANTITY by the domain that is made. NaN is a share of nothing: how much of the
    color of photographs that have none.
    """
    device = next(model.parameters()).device
    with model.evaluation_mode():
        parts = [
            _measure(model, g.to(device), t.to(device))
            for g, t in zip(gray.split(BATCH), truth.split(BATCH), strict=True)
        ]
    quantities = {}
    for name in parts[0]:
        above, below = (float(sum(part[name][i].sum() for part in parts)) for i in range(2))
        quantities[name] = above / below if below else math.nan
    return quantities


def _measure(model: Method, gray: Tensor, truth: Tensor) -> Shares:
    g, t = color.to_float(gray).expand(-1, 3, -1, -1), color.to_float(truth)
    colors = total(chroma(color.rgb_to_lab(truth)))
    colored = model.translate(g, "color")
    shares = _direction("color", model, g, t, colored, colors)
    others = [domain for domain in model.targets if domain != "color"]
    of_color = {domain: model.translate(t, domain) for domain in others}
    for domain, image in of_color.items():
        wanted = color.to_float(picture(domain, truth, gray))
        shares |= _direction(domain, model, t, wanted, image, colors)
    if "gray" not in of_color:
        return shares
    made_gray = of_color["gray"]
    one_channel = color.gray_of(made_gray, "rec601").expand(-1, 3, -1, -1)
    from_true_gray = psnr_of_colors(colored, gray, truth)
    hidden = {
        name: psnr_of_colors(model.translate(image, "color"), gray, truth) - from_true_gray
        for name, image in {"hidden_color": made_gray, "hidden_color_gray": one_channel}.items()
    }
    shares |= {name: _mean(of) for name, of in hidden.items()}
    by_label = (colored - model.translate(g, "gray"), model.translate(t, "color") - made_gray)
    middle, around = zip(*(_middle_and_around(255 * by.abs()) for by in by_label), strict=True)
    return shares | {
        "label_effect_center": _mean(sum(middle) / 2),
        "label_effect_border": _mean(sum(around) / 2),
    }


def _direction(
    target: Domain, model: Method, x: Tensor, wanted: Tensor, output: Tensor, colors: Tensor
) -> Shares:
    """x, wanted, output: (n, 3, S, S) in [0, 1]; colors: sum of the photographs' chroma, (n,)."""
    output_bytes = color.to_uint8(output)
    y, x255, t255 = output_bytes.float(), 255 * x, 255 * wanted
    sums = moved_toward(x255, t255, y)
    chroma_of_output = chroma(color.rgb_to_lab(output_bytes))
    shares = {
        "change_ratio": (sums["change"], sums["change_of_truth"]),
        "projection": (sums["projection"], sums["projection_of_truth"]),
        "chroma": (total(chroma_of_output), colors),
        "psnr": _mean(psnr(y, t255)),
    }
    classes = model.classify(output)
    if classes is not None:
        shares["classified"] = _mean(classes == model.domains.index(target))
    if target == "gray":
        is_gray = chroma_of_output.flatten(1).quantile(0.95, dim=1) < GRAY_BELOW
        shares["colorless"] = _mean(is_gray)
    return {f"{target}_{name}": share for name, share in shares.items()}


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
