"""What models make beside color: gray, and what a cycle hides in it; other domains.

Of models that also make photographs gray. With x the photograph, g its true gray, F the way to
gray and G the way to color, both unrounded:

    to gray   F(x) against g
    cycle     G(F(x)) against x, and F(G(g)) against g
    hidden    PSNR of G(F(x)) minus PSNR of G(g), both as colors on the true lightness

A model that colors its own gray better than the true one has hidden color in it (Chu et al. 2017,
"CycleGAN, a Master of Steganography"). What of it outlives 8 bits, or one channel, says how.

Of models that know more domains than gray and color, every domain from every other. The true
picture of a photograph is known in each (see colorize/color/domains.py). From a source to a target
a model gives y of x, where T is true:

    ciede2000            of y against T
    ciede2000_of_copy    of x against T: what doing nothing costs
    projection           <y - x, T - x> / ||T - x||^2
    change_ratio         sum |y - x| / sum |T - x|

From gray and sepia colors have to be guessed; all other ways can be learned as they are.
"""

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from colorize import color
from colorize.color.domains import Domain, picture
from colorize.evaluation.bootstrap import summarize
from colorize.evaluation.colors import Colors
from colorize.evaluation.metrics import MOVED, Formulas, mean_of, ratio_of
from colorize.evaluation.protocol import Batch, Key, Photographs, counts, gathered
from colorize.evaluation.quantities import Quantities
from colorize.evaluation.results import Metrics, SetMetrics, Split
from colorize.quality import chroma, ciede2000, mean, moved_toward, psnr, psnr_of_colors, total

MOST = 200  # photographs of each split, the first by content: seven passes through the model each

HIDDEN_COLOR = ("hidden_color", "hidden_color_rounded", "hidden_color_gray")


def evaluate_gray(
    colors: Colors, photographs: Photographs, splits: Sequence[Split], resamples: int
) -> tuple[dict[Split, SetMetrics], pd.DataFrame]:
    """Metrics of each split, and a line of quantities for each photograph, by name."""
    result, tables = {}, []
    for split in splits:
        names, groups, quantities = measured(photographs, split, lambda b: measure_gray(colors, b))
        metrics = summarize(GRAY_METRICS, quantities, groups, resamples)
        result[split] = SetMetrics(**counts(groups), **metrics)
        tables.append(pd.DataFrame(quantities, index=names).drop(columns="images"))
    return result, pd.concat(tables)


def measured(
    photographs: Photographs, split: str, measure: Callable[[Batch], dict[Key, np.ndarray]]
) -> tuple[list[str], list[str], dict[Key, np.ndarray]]:
    """Names and groups of the photographs of a split that are looked at, and what `measure` gives
    of them.
    """
    names = photographs.headline(split)[:MOST]
    quantities = gathered(photographs.each(measure, names), len(names))
    return names, list(photographs.index.groups(names).values()), quantities


def measure_gray(colors: Colors, batch: Batch) -> Quantities:
    """Of a batch of photographs; what GRAY_METRICS below are made of."""
    x, g = color.to_float(batch.truth), color.to_float(batch.gray).expand(-1, 3, -1, -1)
    made_gray, made_color = colors.translate(x, "gray"), colors.translate(g, "color")
    rounded = _rounded(made_gray)
    gray = 255 * rounded

    def colored(gray_picture: Tensor) -> Tensor:
        """PSNR of the colors that the model gives it, on the true lightness."""
        made = colors.translate(gray_picture, "color")
        return psnr_of_colors(made, batch.gray, batch.truth)

    back = colors.translate(made_gray, "color")
    from_own_gray, from_true_gray = (
        psnr_of_colors(rgb, batch.gray, batch.truth) for rgb in (back, made_color)
    )
    quantities = {
        "images": torch.ones(len(x), dtype=torch.float64),
        "psnr": psnr(gray, 255 * g),
        "chroma": total(chroma(color.rgb_to_lab(color.to_uint8(made_gray)))),
        "chroma_of_truth": total(chroma(color.rgb_to_lab(batch.truth))),
        **moved_toward(255 * x, 255 * g, gray),
        "color_psnr": psnr(255 * _rounded(back), 255 * x),
        "gray_psnr": psnr(255 * _rounded(colors.translate(made_color, "gray")), 255 * g),
        "hidden_color": from_own_gray - from_true_gray,
        "hidden_color_rounded": colored(rounded) - from_true_gray,
        "hidden_color_gray": colored(_one_channel(made_gray)) - from_true_gray,
    }
    return {name: value.cpu().numpy() for name, value in quantities.items()}


GRAY_METRICS: Formulas = {
    "psnr": mean_of("psnr"),
    "residual_chroma": ratio_of("chroma", "chroma_of_truth"),
    **MOVED,
    "cycle_color_psnr": mean_of("color_psnr"),
    "cycle_gray_psnr": mean_of("gray_psnr"),
    **{name: mean_of(name) for name in HIDDEN_COLOR},
}


def _rounded(rgb: Tensor) -> Tensor:
    return color.to_float(color.to_uint8(rgb))


def _one_channel(rgb: Tensor) -> Tensor:
    """All three channels their Rec. 601 luma: a picture without chroma."""
    return color.gray_of(rgb, "rec601").expand(-1, 3, -1, -1)


DOMAIN_METRICS: Formulas = {
    "ciede2000": mean_of("ciede2000"),
    "ciede2000_of_copy": mean_of("ciede2000_of_copy"),
    **MOVED,
}

Way = tuple[str, str]  # source and target


def evaluate_domains(
    colors: Colors, photographs: Photographs, splits: Sequence[Split], resamples: int
) -> dict[Split, dict[Domain, dict[Domain, Metrics]]]:
    """By split, source and target the metrics, of the same photographs."""
    result = {}
    for split in splits:
        _, groups, parts = measured(photographs, split, lambda b: measure_domains(colors, b))
        by_way: dict[Way, Quantities] = {}
        for (way, name), values in parts.items():
            by_way.setdefault(way, {})[name] = values
        of_split = result[split] = {}
        for (source, target), quantities in by_way.items():
            metrics = summarize(DOMAIN_METRICS, quantities, groups, resamples)
            of_split.setdefault(source, {})[target] = metrics
    return result


def measure_domains(colors: Colors, batch: Batch) -> dict[tuple[Way, str], Any]:
    """By way and name what DOMAIN_METRICS are made of, for each photograph of the batch."""
    domains = colors.model.domains
    pictures = {domain: picture(domain, batch.truth, batch.gray) for domain in domains}
    labs = {domain: color.rgb_to_lab(image) for domain, image in pictures.items()}
    copied = {  # either way the same
        frozenset((one, other)): mean(ciede2000(labs[one], labs[other]))
        for one, other in itertools.combinations(domains, 2)
    }
    of_all_ways = {}
    for source, target in itertools.permutations(domains, 2):
        x, wanted = pictures[source], pictures[target]
        output = colors.made(x, target)
        quantities = {
            "images": torch.ones(len(x), dtype=torch.float64),
            "ciede2000": mean(ciede2000(color.rgb_to_lab(output), labs[target])),
            "ciede2000_of_copy": copied[frozenset((source, target))],
            **moved_toward(x.float(), wanted.float(), output.float()),
        }
        of_all_ways |= {((source, target), n): v.cpu().numpy() for n, v in quantities.items()}
    return of_all_ways
