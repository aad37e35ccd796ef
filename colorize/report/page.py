"""One page that compares all models."""

from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
from PIL import Image

from colorize.data.sheet import CAUSES
from colorize.evaluation.failures import failure
from colorize.report import columns, gallery, tables
from colorize.report.curves import ab_histogram, curve, validation_curve
from colorize.report.pictures import Shown
from colorize.report.verdicts import lines, sentences

TABLES = (
    ("How close to the true photograph?", columns.CLOSENESS),
    ("Do the colours look like those of photographs?", columns.LIKENESS),
)
PERCEPTION = ("What do trained networks see?", columns.PERCEPTION)  # where it was measured

TEMPLATE = Path(__file__).with_name("page.html.jinja")


def page(
    rows: list[tables.Row],
    *,
    baseline: str,
    verdicts: dict[str, Any],  # metrics/verdicts.json
    parameters: dict[str, dict],  # the section `models`
    datasets: list[str],
    statistics: dict[str, Any],
    datasheet: dict[str, dict],  # by dataset: datasheet.json of the union
    sheets: dict[str, Image.Image],  # by dataset: contact sheets, of those that have images
    curves: dict[str, pd.DataFrame],  # losses, by model
    validation: dict[str, pd.DataFrame],  # validation curves, by model
    pictures: dict[str, list[Shown]],  # by model
    domains: dict[str, Image.Image],  # by model: the grid of every domain from every other
) -> str:
    """The report as one HTML page that needs nothing beside it."""
    reference = next(row.result for row in rows if row.name == baseline)
    compared = tables.headline(reference)
    not_measured = reference["not_measured"]  # of all rows: `evaluate.weights` is one
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        baseline=baseline,
        split="test" if "test" in reference else "validation",
        tables=[
            (
                heading,
                shown,
                [(row, tables.cells(tables.headline(row.result), shown, compared)) for row in rows],
            )
            for heading, shown in (TABLES if not_measured else (*TABLES, PERCEPTION))
        ],
        not_measured=not_measured,
        to_gray=(columns.TO_GRAY, tables.to_gray(rows)),
        domains={
            name: (lines, gallery.embedded(domains[name]))
            for name, lines in tables.domains(rows).items()
        },
        failures={
            row.name: words
            for row in rows
            if row.kind == "model" and (words := failure(tables.headline(row.result)))
        },
        sentences=sentences(verdicts["models"], baseline),
        contrasts=lines(verdicts["contrasts"]),
        parameters=parameters,
        diagnostics={row.name: row.result["diagnostics"] for row in rows if row.kind == "model"},
        datasets=datasets,
        statistics=statistics,
        images=reference["images"],
        groups=reference["groups"],
        by_dataset=tables.by_dataset(rows),
        datasheet=datasheet,
        causes=CAUSES,
        sheets={name: gallery.embedded(picture) for name, picture in sheets.items()},
        ab_histograms={
            name: ab_histogram(entry["ab_histogram"])
            for name, entry in datasheet.items()
            if entry["ab_histogram"] is not None
        },
        colored=gallery.colored(pictures),
        made_gray=gallery.made_gray(pictures),
        extremes=gallery.extremes(pictures),
        curves={
            name: (curve(name, frame), validation_curve(name, validation[name]))
            for name, frame in curves.items()
        },
    )
