"""One page that compares all models."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2
import pandas as pd
from PIL import Image

from colorize.comparison.significance import Significance
from colorize.data.union import REJECT_REASONS
from colorize.evaluation.metrics import COPY_BELOW, SAME_BELOW, failure
from colorize.report import claims, columns, comparisons, gallery, tables
from colorize.report.curves import curve, validation_curve
from colorize.report.pictures import Shown
from colorize.report.tables import Cell, Heading, Line, Row, Table

if TYPE_CHECKING:  # the report depends on no method's code
    from colorize.methods.shared.base import ModelParameters

TEMPLATES = Path(__file__).with_name("templates")


def page(
    rows: list[Row],
    *,
    baseline: str,
    significance: Significance,
    parameters: Mapping[str, "ModelParameters"],  # by model
    datasets: list[str],
    statistics: dict[str, Any],
    datasheet: dict[str, dict],  # by dataset: datasheet.json of the union
    sheets: dict[str, Image.Image],  # by dataset: contact sheets, of those that have images
    losses: dict[str, pd.DataFrame],  # by model
    validation: dict[str, pd.DataFrame],  # validation curves, by model
    pictures: dict[str, list[Shown]],  # by model
    domains: dict[str, list[Shown]],  # by model that knows more than two: each from each other
) -> str:
    """The report as one HTML page that needs nothing beside it."""
    named, order = claims.named(parameters), claims.in_order(parameters, baseline)
    asked = [baseline, *named.values()]
    rows = sorted(rows, key=lambda row: _place(row, order))
    pictures = {name: pictures[name] for name in order}
    reference = next(row.result for row in rows if row.name == baseline)
    not_measured = reference.not_measured  # of all rows: `evaluate.weights` is one
    main, more = columns.main_and_more(perception=not not_measured)
    split = {"test": "test", "val": "validation"}[reference.split]
    enough = reference.groups >= claims.ENOUGH
    best = claims.closest(rows) if enough else None
    others = [row for row in rows if row.name in order[len(asked) :]]
    other = claims.closest(others) or next(iter(others), None)
    number = gallery.most_colorful(pictures)
    blurred = named.get("cyclegan")
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html.jinja").render(
        baseline=baseline,
        split=split,
        datasets=datasets,
        statistics=statistics,
        images=reference.images,
        groups=reference.groups,
        # The first screen
        enough=enough,
        needed=claims.ENOUGH,
        answer=claims.answer(rows, parameters) if enough else [],
        best=best.name if best else "",
        photograph=number,
        first_row=gallery.first_row(pictures, number, [*asked, *([other.name] if other else [])]),
        failures={
            row.name: words
            for row in tables.models(rows)
            if (words := failure(row.result.headline))
        },
        # Pictures
        colored=gallery.colored(pictures),
        at_first=gallery.AT_FIRST,
        extremes=gallery.extremes(pictures),
        # Results
        results=tables.results(rows, main, more),
        columns=[*main, *more],
        not_measured=not_measured,
        by_dataset=tables.by_dataset(rows, split),
        claims=_claims(rows, parameters),
        limits={"pale": claims.PALE_BELOW, "same": SAME_BELOW, "copied": COPY_BELOW},
        edges=gallery.edges(pictures, blurred) if blurred else None,
        overview=comparisons.figure(significance.models, baseline) if enough else None,
        sentences=comparisons.sentences(significance.models, baseline),
        comparisons=comparisons.comparisons(significance.planned),
        to_gray=tables.to_gray(rows),
        of_gray=columns.TO_GRAY,
        made_gray=gallery.made_gray(pictures),
        domains={
            name: (table, gallery.from_each(domains[name]))
            for name, table in tables.domains(rows, split).items()
        },
        costs=tables.costs(rows, parameters),
        # Training and data
        curves={
            name: (curve(name, losses[name]), validation_curve(name, validation[name]))
            for name in order
            if name in losses
        },
        data=_data(datasheet),
        datasheet=datasheet,
        sheets={name: gallery.embedded(picture) for name, picture in sheets.items()},
        parameters={
            name: parameters[name].model_dump(mode="json", exclude_none=True) for name in order
        },
    )


def _place(row: Row, order: list[str]) -> int:
    """Of a model's rows that of the model, which they follow; trivial rows come last."""
    owner = row.name.removesuffix(f"_{row.kind}")
    return order.index(owner) if owner in order else len(order)


def _claims(rows: list[Row], parameters: Mapping[str, "ModelParameters"]) -> Table:
    headings = (
        Heading("the paper says"),
        Heading("in this run", is_text=True),
        Heading("so it", is_text=True),
    )
    checked = claims.claims(rows, parameters)
    return Table(headings, [Line(c.says, (Cell(c.shown), Cell(c.outcome))) for c in checked])


def _data(datasheet: dict[str, dict]) -> Table:
    titles = ("files", "train", "val", "test", *REJECT_REASONS, "leaks", "colorfulness")
    lines = []
    for name, entry in datasheet.items():
        counts = [entry["files"], *(entry["images"][split] for split in ("train", "val", "test"))]
        counts += [*(entry["left_out"][reason] for reason in REJECT_REASONS), entry["leaks"]]
        cells = [Cell(f"{count:,}") for count in counts]
        lines.append(Line(name, [*cells, Cell(tables.text(entry["colorfulness"], 1))]))
    return Table([Heading("dataset"), *map(Heading, titles)], lines)
