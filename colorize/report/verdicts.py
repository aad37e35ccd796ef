"""Verdicts in words: one sentence a model, and a line for each contrast."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from colorize.report.columns import COLUMNS
from colorize.report.tables import text

Verdict = dict[str, Any]  # as colorize.evaluation.verdicts.decide makes them

CLOSER = {
    "better": "is closer to the true photographs than {}",
    "worse": "is farther from the true photographs than {}",
    "not decided": "is not decidedly closer to the true photographs, nor farther, than {}",
}
LIKELIER = {
    "better": "its colours together are more like theirs",
    "worse": "its colours together are less like theirs",
    "not decided": "whether its colours together are more like theirs is not decided",
}
BESIDE_MEAN = {
    "better": "is better than the mean colour",
    "worse": "is no better than the mean colour",
    "not decided": "is not shown to be better than the mean colour",
}


class Clause(NamedTuple):
    """Part of a sentence: words, the metric with its difference and interval, and how it ends."""

    words: str
    numbers: str
    end: str
    warns: bool = False


def sentences(verdicts: Iterable[Verdict], baseline: str) -> dict[str, list[Clause]]:
    """By model, what to say of it beside the baseline, and beside the mean colour."""
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


def lines(verdicts: Iterable[Verdict]) -> list[dict[str, Any]]:
    """Cells of the table of contrasts."""
    return [
        verdict | dict(zip(("title", "difference", "interval"), _numbers(verdict), strict=True))
        for verdict in verdicts
    ]


def _numbers(verdict: Verdict) -> tuple[str, str, str]:
    column = COLUMNS.get(verdict["metric"])
    title, digits = (column.title, column.digits) if column else (verdict["metric"], 3)
    difference, low, high = (
        "–" if number is None else text(number, digits, "+")
        for number in (verdict["difference"], verdict["low"], verdict["high"])
    )
    return (
        title.removesuffix(", dB").removesuffix(", %"),
        difference,
        ("" if verdict["low"] is None else f"{low} to {high}"),
    )
