"""A run that is published: its results, what it ran on, how long it took and how to repeat it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from colorize.report.columns import COLUMNS
from colorize.report.tables import NO_VALUE, Row, cell, headline
from colorize.report.verdicts import Verdict, markdown

# How close, how much like photographs, how much of it right, how strong
SHOWN = ("ciede2000", "ab_histogram_js", "projection", "chroma_ratio", "auc_rebalanced")


class Run(NamedTuple):
    """What stands in run.json."""

    name: str
    code: str  # the commit that has it
    photographs: Mapping[str, int]  # train, val and test
    machine: Mapping[str, Any]
    versions: Mapping[str, str]
    seconds: Mapping[str, float | None]  # by stage; None: its outputs came from a cache


def page(run: Run, rows: Iterable[Row], decided: Mapping[str, Sequence[Verdict]]) -> str:
    """README.md of the folder of a run."""
    counts = ", ".join(f"{count:,} {split}" for split, count in run.photographs.items())
    machine = ", ".join(f"{key} {value}" for key, value in run.machine.items())
    versions = ", ".join(f"{name} {version}" for name, version in run.versions.items())
    lines = [
        f"# {run.name}",
        "",
        f"Photographs: {counts}. Parameters: [params.yaml](params.yaml). All metrics, with their",
        "intervals: [metrics.json](metrics.json). Curves over the steps: [training/](training),",
        "[validation/](validation). All of this page comes from these and from",
        "[run.json](run.json), by `python -m stages.publish`.",
        "",
        table(rows),
        "*Means of test with 95 % bootstrap intervals over groups of photographs;",
        "docs/protocol.md defines them.*",
        "",
        "## What was asked beforehand",
        "",
        *map(markdown, decided["contrasts"]),
        "",
        "## What it took",
        "",
        f"{machine}; {versions}. Seconds of each stage:",
        "",
        "| stage | seconds |",
        "|---|---|",
        *(f"| `{stage}` | {_seconds(taken)} |" for stage, taken in run.seconds.items()),
        f"| all | {_seconds(_total(run.seconds.values()))} |",
        "",
        "## To repeat it",
        "",
        "With your own folder of zips in place of `/data/zips`, where params.yaml names that:",
        "",
        "```bash",
        f"cp reports/published/{run.name}/params.yaml /tmp/params.yaml",
        f"git checkout {run.code}",
        "mv /tmp/params.yaml params.yaml",
        "make repro",
        "```",
    ]
    return "\n".join(lines) + "\n"


def table(rows: Iterable[Row]) -> str:
    """Every row with its intervals, as Markdown; it ends with a line break."""
    columns = [COLUMNS[metric] for metric in SHOWN]
    lines = [f"| | {' | '.join(column.title for column in columns)} |"]
    lines.append("|---|" + "---|" * len(columns))
    for row in rows:
        cells = (cell(headline(row.result), column) for column in columns)
        told = (" ".join([c.text, *(f"({below})" for below in c.below)]) for c in cells)
        lines.append(f"| `{row.name}` | {' | '.join(told)} |")
    return "\n".join(lines) + "\n"


def _seconds(taken: float | None) -> str:
    return NO_VALUE if taken is None else f"{taken:,.0f}"


def _total(seconds: Iterable[float | None]) -> float | None:
    """None where one is not known."""
    known = list(seconds)
    return None if None in known else sum(known)
