"""Every domain from every other, by models that know more domains than gray and colour.

The true picture of a photograph is known in each domain (see colorize/color/domains.py). From a
source to a target a model gives y of x, where T is true:

    ciede2000            of y against T
    ciede2000_of_copy    of x against T: what doing nothing costs
    projection           <y - x, T - x> / ||T - x||^2
    identity_index       sum |y - x| / sum |T - x|

From gray and sepia colours have to be guessed; all other ways can be learnt as they are.
"""

import itertools
from collections.abc import Sequence
from typing import Any

import torch

from colorize import color
from colorize.color.domains import picture
from colorize.evaluation.bootstrap import summarize
from colorize.evaluation.colors import Colors
from colorize.evaluation.directions import MOST
from colorize.evaluation.metrics import MOVED, Metrics, mean_of
from colorize.evaluation.protocol import Batch, Photographs, gathered
from colorize.evaluation.quantities import Quantities
from colorize.quality.fidelity import ciede2000, mean
from colorize.quality.moved import moved

METRICS: Metrics = {
    "ciede2000": mean_of("ciede2000"),
    "ciede2000_of_copy": mean_of("ciede2000_of_copy"),
    **MOVED,
}

Way = tuple[str, str]  # source and target


def evaluate(
    colors: Colors, photographs: Photographs, splits: Sequence[str], resamples: int
) -> dict[str, dict[str, dict[str, Any]]]:
    """By split, source and target the metrics, of the photographs that directions.py looks at."""
    result = {}
    for split in splits:
        names = photographs.headline(split)[:MOST]
        parts = photographs.each(lambda batch: measure(colors, batch), names)
        found: dict[Way, Quantities] = {}
        for (way, name), values in gathered(parts, len(names)).items():
            found.setdefault(way, {})[name] = values
        groups = list(photographs.index.groups(names).values())
        of_split = result[split] = {}
        for (source, target), quantities in found.items():
            metrics = summarize(METRICS, quantities, groups, resamples)
            of_split.setdefault(source, {})[target] = metrics
    return result


def measure(colors: Colors, batch: Batch) -> dict[tuple[Way, str], Any]:
    """By way and name what METRICS are made of, for each photograph of the batch."""
    domains = colors.model.domains
    pictures = {domain: picture(domain, batch.truth, batch.gray) for domain in domains}
    labs = {domain: color.rgb_to_lab(image) for domain, image in pictures.items()}
    copied = {  # either way the same
        frozenset((one, other)): mean(ciede2000(labs[one], labs[other]))
        for one, other in itertools.combinations(domains, 2)
    }
    found = {}
    for source, target in itertools.permutations(domains, 2):
        x, wanted = pictures[source], pictures[target]
        made = colors.made(x, target)
        quantities = {
            "images": torch.ones(len(x), dtype=torch.float64),
            "ciede2000": mean(ciede2000(color.rgb_to_lab(made), labs[target])),
            "ciede2000_of_copy": copied[frozenset((source, target))],
            **moved(x.float(), wanted.float(), made.float()),
        }
        found |= {((source, target), n): v.cpu().numpy() for n, v in quantities.items()}
    return found
