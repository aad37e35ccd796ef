"""A run that is published: its results, also with other seeds, and how to repeat it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from colorize.comparison.significance import ComparisonResult, Significance
from colorize.evaluation.metrics import DECIDING
from colorize.evaluation.results import Result, Split
from colorize.report import curves as report_curves
from colorize.report.columns import COLUMNS
from colorize.report.comparisons import markdown
from colorize.report.tables import Row, in_line, markdown_table, text

PICTURE, CURVES = "colored.jpg", "projection.svg"  # files beside the page

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
    answer: Iterable[str],
    rows: Iterable[Row],
    significance: Significance,
    spread: Spread | None,
) -> str:
    """README.md of the folder of a run; answer: its first sentences."""
    counts = ", ".join(
        f"{split} {of['all']:,} ({of['photographs']:,} photographs)"
        for split, of in run.images.items()
    )
    versions = ", ".join(f"{name} {version}" for name, version in run.versions.items())
    planned = [*map(markdown, significance.planned)]
    lines = [
        f"# {run.name}",
        "",
        *answer,
        "",
        f"![Photographs of scikit-image, colored by each model]({PICTURE})",
        "",
        "*Photographs that come with scikit-image. The models add colors to the lightness that the",
        "photographs have.*",
        "",
        table(rows),
        "*Means over the test photographs, with 95 % bootstrap intervals over groups of them.",
        "docs/protocol.md defines the metrics.*",
        "",
        f"![Projection on validation photographs during training]({CURVES})",
        "",
        "*How far colors move from gray toward the truth, on a few validation photographs during",
        "training: 0 is gray, 1 is the truth.*",
        "",
        *(["## Planned comparisons", "", *planned, ""] if planned else []),
        *(["## Other seeds", "", seeds_page(spread)] if spread else []),
        "## Files",
        "",
        "[params.yaml](params.yaml) has the parameters, [metrics.json](metrics.json) all metrics",
        "with their intervals, [training/](training) and [validation/](validation) the curves, and",
        "[run.json](run.json) the rest. `python -m studies.publish` made this page from them.",
        "",
        "## Repeat it",
        "",
        f"Images: {counts}. Only photographs are measured. Versions: {versions}.",
        "If params.yaml names `/data/zips`, put your own folder of zips in its place.",
        "",
        "```bash",
        f"cp reports/published/{run.name}/params.yaml /tmp/params.yaml",
        f"git checkout {run.code}",
        "mv /tmp/params.yaml params.yaml",
        "make repro",
        *(_seeds(spread) if spread else []),
        "```",
        *(["", "## Notes", "", run.note] if run.note else []),
    ]
    return "\n".join(lines) + "\n"


def curves(validation: Mapping[str, pd.DataFrame]) -> str:
    """The projection of each model on validation photographs over the images seen, as an SVG."""
    with report_curves.drawing("published"):
        figure = Figure(figsize=(8, 4), layout="constrained")
        axes = figure.subplots()
        for number, (name, frame) in enumerate(validation.items()):
            style = report_curves.STYLES[number // len(report_curves.PALETTE)]
            axes.plot(frame["images"], frame["color_projection"], style, lw=1.4, label=name)
        axes.set_xlabel("images seen")
        axes.set_ylabel("projection")
        axes.set_ylim(-0.25, 1)
        axes.grid(alpha=0.3)
        figure.legend(loc="outside right upper", fontsize=8, frameon=False)
        return report_curves.svg(figure)


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
