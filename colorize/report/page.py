"""One page that compares all models."""

import io
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
from PIL import Image

from colorize.data.sheet import CAUSES
from colorize.evaluation.failures import failure
from colorize.report import columns, grids, tables
from colorize.report.curves import ab_histogram, curve, data_uri
from colorize.report.verdicts import lines, sentences

TABLES = (
    ("How close to the true photograph?", columns.CLOSENESS),
    ("Do the colours look like those of photographs?", columns.LIKENESS),
)

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
    curves: dict[str, pd.DataFrame],  # by model
    samples: dict[str, Image.Image],  # by model: what grids.result_grid drew
) -> str:
    """The report as one HTML page that needs nothing beside it."""
    reference = next(row.result for row in rows if row.name == baseline)
    compared = tables.headline(reference)
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
            for heading, shown in TABLES
        ],
        to_gray=(columns.TO_GRAY, tables.to_gray(rows)),
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
        sheets={name: _embed(picture) for name, picture in sheets.items()},
        ab_histograms={
            name: ab_histogram(entry["ab_histogram"])
            for name, entry in datasheet.items()
            if entry["ab_histogram"] is not None
        },
        strips=_strips(samples, statistics["image_size"]),
        curves={name: curve(name, frame) for name, frame in curves.items()},
    )


def _strips(samples: dict[str, Image.Image], side: int) -> list[tuple[str, str, str]]:
    """(heading, detail, picture) of the columns of all grids side by side, input and truth once."""
    strips = []
    for name, picture in samples.items():
        gray, truth, *results = grids.columns_of(picture, side)
        if not strips:
            strips += [("input", "gray", _embed(gray)), ("truth", "photograph", _embed(truth))]
        details = ("",) if len(results) == 1 else ("its RGB", "lightness kept")
        strips += [(name, detail, _embed(r)) for detail, r in zip(details, results, strict=True)]
    return strips


def _embed(picture: Image.Image) -> str:
    data = io.BytesIO()
    picture.save(data, "JPEG", quality=92, subsampling=0)
    return data_uri("jpeg", data)
