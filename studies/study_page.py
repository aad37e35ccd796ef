"""A study of variants of one model: what each gave, and how it got there."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from colorize.comparison.significance import ComparisonResult
from colorize.evaluation.results import Result, Split
from colorize.report.comparisons import markdown
from colorize.report.curves import PALETTE, STYLES, drawing, svg
from colorize.report.tables import NO_VALUE, markdown_table, text

PUBLISHED_UPDATES = 40_000  # of the generator, in 200,000 steps of 16 images
PUBLISHED_IMAGES = 3_200_000


class SeedRun(NamedTuple):
    seed: int
    result: Result
    curve: pd.DataFrame  # metrics/validation/NAME.csv


class VariantRuns(NamedTuple):
    group: str
    asks: str
    runs: list[SeedRun]


Value = Callable[[SeedRun, Split], float | None]  # of a run, on a split

# What the two tables show: heading, digits, and where it stands
Column = tuple[str, int, Value]


def _color(metric: str) -> Value:
    return lambda run, split: run.result.on(split)[metric].mean


def _gray(metric: str) -> Value:
    return lambda run, split: run.result.to_gray[split].metrics[metric].mean


def _last(quantity: str) -> Value:
    """At the end of the validation curve; None where it was not measured."""

    def value(run: SeedRun, _split: str) -> float | None:
        last = run.curve[quantity].iloc[-1] if quantity in run.curve else np.nan
        return None if np.isnan(last) else float(last)

    return value


RESULTS: tuple[Column, ...] = (
    ("to color: projection", 2, _color("projection")),
    ("change ratio", 2, _color("change_ratio")),
    ("chroma ratio", 2, _color("chroma_ratio")),
    ("CIEDE2000", 1, _color("ciede2000")),
    ("ab-histogram JS", 3, _color("ab_histogram_js")),
    ("to gray: projection", 2, _gray("projection")),
    ("change ratio", 2, _gray("change_ratio")),
    ("residual chroma", 2, _gray("residual_chroma")),
    ("PSNR, dB", 1, _gray("psnr")),
)
DIAGNOSTICS: tuple[Column, ...] = (
    ("hidden color, dB", 2, _gray("hidden_color")),
    ("in one channel", 2, _gray("hidden_color_gray")),
    ("label, middle", 1, _last("label_effect_center")),
    ("label, around", 1, _last("label_effect_border")),
    ("gray to D", 2, _last("gray_classified")),
    ("gray to a plain rule", 2, _last("gray_colorless")),
)

# Of the curves: a column of the validation curve, what it is, and what it should come to
SHOWN = (
    ("color_projection", "to color: projection", 1),
    ("color_change_ratio", "to color: change ratio", 1),
    ("gray_change_ratio", "to gray: change ratio", 1),
    ("gray_chroma", "to gray: residual chroma", 0),
)
MOST_SHOWN = 3


def tables(
    variants: Mapping[str, VariantRuns], tests: Sequence[ComparisonResult], split: str
) -> str:
    """Markdown: the tests of the comparisons, then what each variant gave."""
    lines = [f"On {split}, of the means over seeds:", "", *map(markdown, tests)]
    for cells, of in ((RESULTS, f"On {split}"), (DIAGNOSTICS, "What shows why")):
        lines += ["", f"{of}; of several seeds the mean (least to largest):", ""]
        lines += markdown_table(
            ("variant", "asks", *(heading for heading, _, _ in cells)),
            [
                (f"`{name}`", variant.asks, *(_cell(variant, split, *cell[1:]) for cell in cells))
                for name, variant in variants.items()
            ],
        )
    lasts = {name: variant.runs[0].curve.iloc[-1] for name, variant in variants.items()}
    headings = ("variant", "updates of the generator", "of those published", "images", "of those")
    lines += ["", *markdown_table(headings, [(f"`{n}`", *_budget(v)) for n, v in lasts.items()])]
    return "\n".join(lines) + "\n"


def _budget(last: pd.Series) -> tuple[str, str, str, str]:
    """Updates of the generator and images, and what share of those published these are."""
    updates, images = int(last["generator_updates"]), int(last["images"])
    shares = f"{updates / PUBLISHED_UPDATES:.1%}", f"{images / PUBLISHED_IMAGES:.2%}"
    return f"{updates:,}", shares[0], f"{images:,}", shares[1]


def _cell(variant: VariantRuns, split: str, digits: int, value: Value) -> str:
    values = [value(run, split) for run in variant.runs]
    if None in values:
        return NO_VALUE
    mean = text(float(np.mean(values)), digits)
    if len(values) == 1:
        return mean
    return f"{mean} ({text(min(values), digits)} to {text(max(values), digits)})"


def curves(variants: Mapping[str, VariantRuns]) -> str:
    """What SHOWN names over updates of the generator, as an SVG that is the same for the same
    numbers: a row for each group, a line for each run.
    """
    groups = list(dict.fromkeys(variant.group for variant in variants.values()))
    with drawing("study"):
        figure = Figure(figsize=(4 * len(SHOWN), 3.4 * len(groups)), layout="constrained")
        axes = figure.subplots(len(groups), len(SHOWN), squeeze=False)
        for row, group in zip(axes, groups, strict=True):
            members = {name: v for name, v in variants.items() if v.group == group}
            for axis, (quantity, title, wanted) in zip(row, SHOWN, strict=True):
                for number, (name, variant) in enumerate(members.items()):
                    for run in variant.runs:
                        label = name if run is variant.runs[0] else None
                        x, y = run.curve["generator_updates"], run.curve[quantity]
                        style = STYLES[number // len(PALETTE) % len(STYLES)]
                        axis.plot(x, y, style, color=f"C{number}", lw=1.2, label=label)
                axis.axhline(wanted, color="gray", lw=0.8)
                axis.set_xscale("log")  # without what was measured before the first
                axis.set_xlim(left=1)
                axis.set_ylim(-0.1, min(MOST_SHOWN, axis.get_ylim()[1]))
                axis.set_title(title, fontsize=9)
                axis.grid(alpha=0.3)
            row[0].set_ylabel(group)
            row[-1].legend(fontsize=6.5, framealpha=0.6)
        for axis in axes[-1]:
            axis.set_xlabel("updates of the generator")
        return svg(figure)
