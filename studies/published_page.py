"""A run that is published: its results, also with other seeds, and how to repeat it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from colorize.comparison.significance import ComparisonResult, Significance
from colorize.evaluation.metrics import DECIDING
from colorize.evaluation.results import Result, Split
from colorize.report.columns import COLUMNS
from colorize.report.comparisons import markdown
from colorize.report.tables import Row, in_line, markdown_table, text

# How close, how much like photographs, how much of it right, how strong
SHOWN = ("ciede2000", "ab_histogram_js", "projection", "chroma_ratio", "auc_rebalanced")


class PublishedRun(NamedTuple):
    """What stands in run.json."""

    name: str
    code: str  # the commit that has it
    note: str  # what else a reader has to know, in Markdown
    images: Mapping[str, Mapping[str, int]]  # of train, val and test: all, and photographs
    versions: Mapping[str, str]


class Spread(NamedTuple):
    """What models came to with each of several seeds."""

    seeds: Sequence[int]
    splits: Sequence[Split]  # that were looked at; tests are of the last
    results: Mapping[str, Sequence[Result]]  # by model, the results of each seed
    significance: Sequence[ComparisonResult]  # of the means over seeds


def page(
    run: PublishedRun,
    rows: Iterable[Row],
    significance: Significance,
    spread: Spread | None,
) -> str:
    """README.md of the folder of a run."""
    counts = ", ".join(
        f"{split} {of['all']:,} ({of['photographs']:,} photographs)"
        for split, of in run.images.items()
    )
    versions = ", ".join(f"{name} {version}" for name, version in run.versions.items())
    lines = [
        f"# {run.name}",
        "",
        *([run.note, ""] if run.note else []),
        f"Images: {counts}; what is measured are photographs.",
        "Parameters: [params.yaml](params.yaml). All metrics, with their intervals:",
        "[metrics.json](metrics.json). Curves over the steps: [training/](training),",
        "[validation/](validation). All of this page comes from these and from",
        "[run.json](run.json), by `python -m studies.publish`.",
        "",
        table(rows),
        "*Means of test with 95 % bootstrap intervals over groups of photographs;",
        "docs/protocol.md defines them.*",
        "",
        "## What was asked beforehand",
        "",
        *map(markdown, significance.planned),
        "",
        *(["## With other seeds", "", seeds_page(spread)] if spread else []),
        "## To repeat it",
        "",
        f"It was made with {versions}.",
        "With your own folder of zips in place of `/data/zips`, where params.yaml names that:",
        "",
        "```bash",
        f"cp reports/published/{run.name}/params.yaml /tmp/params.yaml",
        f"git checkout {run.code}",
        "mv /tmp/params.yaml params.yaml",
        "make repro",
        *(_seeds(spread) if spread else []),
        "```",
    ]
    return "\n".join(lines) + "\n"


def _seeds(spread: Spread) -> list[str]:
    """The commands that train the other seeds, after those for the run itself."""
    names, numbers = " ".join(spread.results), " ".join(map(str, spread.seeds))
    return ["source .venv/bin/activate", f"python -m studies.seeds {names} --seeds {numbers}"]


def table(rows: Iterable[Row], metrics: Sequence[str] = SHOWN) -> str:
    """Every row with its intervals, as Markdown; it ends with a line break."""
    lines = markdown_table(
        ("", *(COLUMNS[metric].title for metric in metrics)),
        [
            (f"`{row.name}`", *(in_line(row.result.headline, metric) for metric in metrics))
            for row in rows
        ],
    )
    return "\n".join(lines) + "\n"


def seeds_page(runs: Spread) -> str:
    """A table of metrics, and a line for each test."""
    columns = [COLUMNS[metric] for metric in DECIDING]
    lines = [
        f"Seeds {', '.join(map(str, runs.seeds))}: mean ± standard deviation (least to largest).",
        "",
    ]
    cells = [
        (
            f"`{name}`",
            split,
            *(spread([r.on(split)[c.metric].mean for r in of_seeds], c.digits) for c in columns),
        )
        for name, of_seeds in runs.results.items()
        for split in runs.splits
    ]
    lines += markdown_table(("", "split", *(column.title for column in columns)), cells)
    lines += ["", f"On {runs.splits[-1]}, of the means over seeds:", ""]
    lines += map(markdown, runs.significance)
    return "\n".join(lines) + "\n"


def spread(values: Sequence[float | None], digits: int) -> str:
    """Mean, standard deviation and range of what is defined for every seed."""
    if None in values:
        return "–"
    numbers = (np.mean(values), np.std(values, ddof=1), min(values), max(values))
    mean, deviation, least, largest = (text(number, digits) for number in numbers)
    return f"{mean} ± {deviation} ({least} to {largest})"
