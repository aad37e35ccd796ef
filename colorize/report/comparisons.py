"""Tests of differences: a sentence a model, a picture, and a table of the planned ones."""

from collections.abc import Iterable
from typing import NamedTuple

from matplotlib.figure import Figure

from colorize.comparison.significance import INCONCLUSIVE, ComparisonResult
from colorize.report import curves
from colorize.report.columns import COLUMNS
from colorize.report.tables import Cell, Heading, Line, Table, text

CLOSER = {
    "better": "is closer to the true photographs than {}",
    "worse": "is farther from the true photographs than {}",
    INCONCLUSIVE: "is not shown to be closer to the true photographs, nor farther, than {}",
}
LIKELIER = {
    "better": "its colors together are more like theirs",
    "worse": "its colors together are less like theirs",
    INCONCLUSIVE: "whether its colors together are more like theirs is inconclusive",
}
BESIDE_MEAN = {
    "better": "is better than the mean color",
    "worse": "is no better than the mean color",
    INCONCLUSIVE: "is not shown to be better than the mean color",
}


class Clause(NamedTuple):
    """Part of a sentence: words, the metric with its difference and interval, and how it ends."""

    words: str
    numbers: str
    end: str
    warns: bool = False


def sentences(results: Iterable[ComparisonResult], baseline: str) -> dict[str, list[Clause]]:
    """By model, what to say of it beside the baseline, and beside the mean color."""
    of_model: dict[str, dict[tuple[str, str], ComparisonResult]] = {}
    for result in results:
        question = (result.against, result.metric)
        of_model.setdefault(result.model, {})[question] = result
    clauses = {}
    for model, of in of_model.items():
        clauses[model] = []
        if model != baseline:
            close, like = of[baseline, "ciede2000"], of[baseline, "ab_histogram_js"]
            closer = CLOSER[close.result].format(baseline)
            clauses[model].append(Clause(closer, measured(close), ";"))
            clauses[model].append(Clause(LIKELIER[like.result], measured(like), "; it"))
        mean = of["mean_color", "ciede2000"]
        warns = mean.result != "better"
        clauses[model].append(Clause(BESIDE_MEAN[mean.result], measured(mean), ".", warns))
    return clauses


def figure(results: Iterable[ComparisonResult], baseline: str) -> str | None:
    """Each model beside the baseline by two metrics, with intervals, as an SVG in a data URI.

    None where there is no other model.
    """
    beside = [result for result in results if result.against == baseline]
    models = list(dict.fromkeys(result.model for result in beside))[::-1]
    if not models:
        return None
    with curves.drawing("significance"):
        plot = Figure(figsize=(8, 0.9 + 0.3 * len(models)), layout="constrained")
        axes = plot.subplots(1, 2, sharey=True)
        for axis, metric in zip(axes, ("ciede2000", "ab_histogram_js"), strict=True):
            for result in beside:
                if result.metric == metric and result.difference is not None:
                    place = models.index(result.model)
                    x, conclusive = result.difference, result.result != INCONCLUSIVE
                    if result.low is not None:
                        axis.plot([result.low, result.high], [place] * 2, "-C0", lw=1.5)
                    axis.plot([x], [place], "oC0", fillstyle="full" if conclusive else "none", ms=6)
            axis.axvline(0, color="gray", lw=0.8)
            axis.set_title(f"{COLUMNS[metric].title} less that of {baseline}", fontsize=9)
            axis.set_xlabel("better ← 0 → worse")
            axis.grid(alpha=0.3, axis="x")
        axes[0].set_yticks(range(len(models)), models)
        axes[0].set_ylim(-0.6, len(models) - 0.4)
        return curves.embedded(plot)


def measured(result: ComparisonResult) -> str:
    """The metric, the difference and its interval."""
    title, difference, interval = _numbers(result)
    return f"{title} {difference}" + (f", {interval}" if interval else "")


def markdown(result: ComparisonResult) -> str:
    """A line of a list: what it shows, over how many seeds."""
    ours, theirs = result.seeds
    return (
        f"- `{result.model}` beside `{result.against}`: {result.result} "
        f"({measured(result)}; p {result.p:.4f}; seeds {ours} and {theirs})"
    )


def comparisons(results: Iterable[ComparisonResult]) -> Table:
    """A line for each question that was asked beforehand."""
    headings = (
        Heading("first"),
        Heading("second", is_text=True),
        Heading("by", is_text=True),
        Heading("difference"),
        Heading("p"),
        Heading("first is", is_text=True),
    )
    lines = []
    for result in results:
        title, difference, interval = _numbers(result)
        beside = Cell(result.against), Cell(title)
        numbers = Cell(difference, [interval] if interval else ()), Cell(f"{result.p:.4f}")
        lines.append(Line(result.model, (*beside, *numbers, Cell(result.result))))
    return Table(headings, lines)


def _numbers(result: ComparisonResult) -> tuple[str, str, str]:
    column = COLUMNS.get(result.metric)
    title, digits = (column.title, column.digits) if column else (result.metric, 3)
    difference, low, high = (
        text(number, digits, "+") for number in (result.difference, result.low, result.high)
    )
    return (
        title.removesuffix(", dB").removesuffix(", %"),
        difference,
        ("" if result.low is None else f"{low} to {high}"),
    )
