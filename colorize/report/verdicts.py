"""Verdicts: in words, a sentence a model; as a picture; and a table of the comparisons."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from matplotlib.figure import Figure

from colorize.comparison.verdicts import UNDECIDED
from colorize.report import curves
from colorize.report.columns import COLUMNS
from colorize.report.tables import Cell, Heading, Line, Table, text

Verdict = dict[str, Any]  # as colorize.comparison.verdicts.decide makes them

CLOSER = {
    "better": "is closer to the true photographs than {}",
    "worse": "is farther from the true photographs than {}",
    UNDECIDED: "is not decidedly closer to the true photographs, nor farther, than {}",
}
LIKELIER = {
    "better": "its colors together are more like theirs",
    "worse": "its colors together are less like theirs",
    UNDECIDED: "whether its colors together are more like theirs is not decided",
}
BESIDE_MEAN = {
    "better": "is better than the mean color",
    "worse": "is no better than the mean color",
    UNDECIDED: "is not shown to be better than the mean color",
}


class Clause(NamedTuple):
    """Part of a sentence: words, the metric with its difference and interval, and how it ends."""

    words: str
    numbers: str
    end: str
    warns: bool = False


def sentences(verdicts: Iterable[Verdict], baseline: str) -> dict[str, list[Clause]]:
    """By model, what to say of it beside the baseline, and beside the mean color."""
    of_model: dict[str, dict[tuple[str, str], Verdict]] = {}
    for verdict in verdicts:
        asked = (verdict["against"], verdict["metric"])
        of_model.setdefault(verdict["model"], {})[asked] = verdict
    said = {}
    for model, of in of_model.items():
        said[model] = []
        if model != baseline:
            close, like = of[baseline, "ciede2000"], of[baseline, "ab_histogram_js"]
            closer = CLOSER[close["verdict"]].format(baseline)
            said[model].append(Clause(closer, measured(close), ";"))
            said[model].append(Clause(LIKELIER[like["verdict"]], measured(like), "; it"))
        mean = of["mean_color", "ciede2000"]
        warns = mean["verdict"] != "better"
        said[model].append(Clause(BESIDE_MEAN[mean["verdict"]], measured(mean), ".", warns))
    return said


def figure(verdicts: Iterable[Verdict], baseline: str) -> str | None:
    """Each model beside the baseline by two metrics, with intervals, as an SVG in a data URI.

    None where there is no other model.
    """
    beside = [verdict for verdict in verdicts if verdict["against"] == baseline]
    models = list(dict.fromkeys(verdict["model"] for verdict in beside))[::-1]
    if not models:
        return None
    with curves.drawing("verdicts"):
        drawn = Figure(figsize=(8, 0.9 + 0.3 * len(models)), layout="constrained")
        axes = drawn.subplots(1, 2, sharey=True)
        for axis, metric in zip(axes, ("ciede2000", "ab_histogram_js"), strict=True):
            for verdict in beside:
                if verdict["metric"] == metric and verdict["difference"] is not None:
                    place = models.index(verdict["model"])
                    x, decided = verdict["difference"], verdict["verdict"] != UNDECIDED
                    if verdict["low"] is not None:
                        axis.plot([verdict["low"], verdict["high"]], [place] * 2, "-C0", lw=1.5)
                    axis.plot([x], [place], "oC0", fillstyle="full" if decided else "none", ms=6)
            axis.axvline(0, color="gray", lw=0.8)
            axis.set_title(f"{COLUMNS[metric].title} less that of {baseline}", fontsize=9)
            axis.set_xlabel("better ← 0 → worse")
            axis.grid(alpha=0.3, axis="x")
        axes[0].set_yticks(range(len(models)), models)
        axes[0].set_ylim(-0.6, len(models) - 0.4)
        return curves.embedded(drawn)


def measured(verdict: Verdict) -> str:
    """The metric, the difference and its interval."""
    title, difference, interval = _numbers(verdict)
    return f"{title} {difference}" + (f", {interval}" if interval else "")


def markdown(verdict: Verdict) -> str:
    """A line of a list: what is decided, over how many seeds."""
    ours, theirs = verdict["seeds"]
    return (
        f"- `{verdict['model']}` beside `{verdict['against']}`: {verdict['verdict']} "
        f"({measured(verdict)}; p {verdict['p']:.4f}; seeds {ours} and {theirs})"
    )


def comparisons(verdicts: Iterable[Verdict]) -> Table:
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
    for verdict in verdicts:
        title, difference, interval = _numbers(verdict)
        beside = Cell(verdict["against"]), Cell(title)
        found = Cell(difference, [interval] if interval else ()), Cell(f"{verdict['p']:.4f}")
        lines.append(Line(verdict["model"], (*beside, *found, Cell(verdict["verdict"]))))
    return Table(headings, lines)


def _numbers(verdict: Verdict) -> tuple[str, str, str]:
    column = COLUMNS.get(verdict["metric"])
    title, digits = (column.title, column.digits) if column else (verdict["metric"], 3)
    difference, low, high = (
        text(number, digits, "+")
        for number in (verdict["difference"], verdict["low"], verdict["high"])
    )
    return (
        title.removesuffix(", dB").removesuffix(", %"),
        difference,
        ("" if verdict["low"] is None else f"{low} to {high}"),
    )
