"""How far apart models are that differ in their seed alone, as Markdown."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from colorize.evaluation.metrics import DECIDING
from colorize.report.columns import COLUMNS
from colorize.report.tables import markdown_table, text
from colorize.report.verdicts import Verdict, markdown


class Spread(NamedTuple):
    """What models came to with each of several seeds."""

    seeds: Sequence[int]
    splits: Sequence[str]  # that were looked at; verdicts are of the last
    results: Mapping[str, Sequence[dict[str, Any]]]  # by model, the results of each seed
    verdicts: Sequence[Verdict]  # of the means over seeds


def page(found: Spread) -> str:
    """A table of metrics, and a line for each verdict."""
    columns = [COLUMNS[metric] for metric in DECIDING]
    lines = [
        f"Seeds {', '.join(map(str, found.seeds))}: mean ± standard deviation (least to largest).",
        "",
    ]
    cells = [
        (
            f"`{name}`",
            split,
            *(spread([of[split][c.metric]["mean"] for of in of_seeds], c.digits) for c in columns),
        )
        for name, of_seeds in found.results.items()
        for split in found.splits
    ]
    lines += markdown_table(("", "split", *(column.title for column in columns)), cells)
    lines += ["", f"On {found.splits[-1]}, of the means over seeds:", ""]
    lines += map(markdown, found.verdicts)
    return "\n".join(lines) + "\n"


def spread(values: Sequence[float | None], digits: int) -> str:
    """Mean, standard deviation and range of what is defined for every seed."""
    if None in values:
        return "–"
    numbers = (np.mean(values), np.std(values, ddof=1), min(values), max(values))
    mean, deviation, least, largest = (text(number, digits) for number in numbers)
    return f"{mean} ± {deviation} ({least} to {largest})"
