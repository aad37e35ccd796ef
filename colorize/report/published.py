"""A run that is published: its results, what it ran on, and how to repeat it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from colorize.report import seeds
from colorize.report.columns import COLUMNS
from colorize.report.seeds import Spread
from colorize.report.tables import Row, headline, markdown_table, said
from colorize.report.verdicts import Verdict, markdown

# How close, how much like photographs, how much of it right, how strong
SHOWN = ("ciede2000", "ab_histogram_js", "projection", "chroma_ratio", "auc_rebalanced")


class Run(NamedTuple):
    """What stands in run.json."""

    name: str
    code: str  # the commit that has it
    note: str  # what else a reader has to know, in Markdown
    images: Mapping[str, Mapping[str, int]]  # of train, val and test: all, and photographs
    versions: Mapping[str, str]


def page(
    run: Run,
    rows: Iterable[Row],
    decided: Mapping[str, Sequence[Verdict]],
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
        *map(markdown, decided["contrasts"]),
        "",
        *(["## With other seeds", "", seeds.page(spread)] if spread else []),
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


def table(rows: Iterable[Row]) -> str:
    """Every row with its intervals, as Markdown; it ends with a line break."""
    lines = markdown_table(
        ("", *(COLUMNS[metric].title for metric in SHOWN)),
        [
            (f"`{row.name}`", *(said(headline(row.result), metric) for metric in SHOWN))
            for row in rows
        ],
    )
    return "\n".join(lines) + "\n"
