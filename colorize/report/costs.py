"""What the models cost, as a table and beside how close they come."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from colorize.methods.shared.parameters import ModelParameters
from colorize.report import curves
from colorize.report.columns import COLUMNS
from colorize.report.tables import (
    SUPERVISION,
    Cell,
    Heading,
    Line,
    Row,
    Table,
    cell,
    headline,
    models,
)

MARKERS = {"pairs": "s", "pairs in effect": "D", "no pairs": "o"}

# Of the names in the figure
LINE_HEIGHT = 10  # points
LINES = 25  # that the axes are high
WIDTH = 0.18  # decades, of a long one


def table(rows: list[Row], parameters: Mapping[str, ModelParameters]) -> Table:
    """Of each model what it is, what it was trained with, and what it takes to use it."""
    headings = (
        Heading("model"),
        Heading("method", is_text=True),
        Heading("width"),
        Heading("depth"),
        Heading("steps"),
        Heading("images loaded"),
        Heading("weights", "of its generators"),
        Heading("multiply-adds", "a photograph"),
        Heading("CIEDE2000", "lower"),
    )
    lines = []
    for row in models(rows):
        p, diagnostics = parameters[row.name], row.result["diagnostics"]
        lines.append(
            Line(
                row.name,
                (
                    Cell(p.method),
                    Cell(str(p.width)),
                    Cell(str(p.depth)),
                    Cell(f"{p.steps:,}"),
                    Cell(f"{diagnostics['images_loaded']:,}"),
                    Cell(f"{diagnostics['parameters']:,}"),
                    Cell(f"{diagnostics['multiply_adds']:,}"),
                    cell(headline(row.result), COLUMNS["ciede2000"]),
                ),
            )
        )
    return Table(headings, lines)


def figure(rows: list[Row]) -> str:
    """CIEDE2000 over the multiply-adds of colouring a photograph, as an SVG in a data URI."""
    with curves.drawing("costs"):
        drawn = Figure(figsize=(8, 4.2), layout="constrained")
        axis = drawn.subplots()
        points = []
        for supervision, marker in MARKERS.items():
            of_kind = [
                (row.name, row.result["diagnostics"]["multiply_adds"], mean)
                for row in models(rows)
                if SUPERVISION[row.supervision] == supervision
                and (mean := headline(row.result)["ciede2000"]["mean"]) is not None
            ]
            if of_kind:
                _, costs, means = zip(*of_kind, strict=True)
                axis.plot(costs, means, marker, label=supervision)
            points += of_kind
        axis.set_xscale("log")
        axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value / 1e6:g}"))
        axis.xaxis.set_minor_locator(NullLocator())
        axis.margins(x=0.2)
        axis.set_xlabel("million multiply-adds a photograph")
        axis.set_ylabel("CIEDE2000")
        axis.grid(alpha=0.3)
        axis.legend(title="trained on", fontsize=8)
        _name(axis, points)
        return curves.embedded(drawn)


def _name(axis: Axes, points: list[tuple[str, float, float]]) -> None:
    """Write the names beside their points, one above the other where they would overlap."""
    low, high = axis.get_ylim()
    placed: list[tuple[float, float]] = []  # x in decades, y in lines of text
    for name, x, y in sorted(points, key=lambda point: point[2]):
        decade, own = np.log10(x), (y - low) / (high - low) * LINES
        line = own
        for other, taken in placed:  # from below
            if abs(other - decade) < WIDTH and line - taken < 1:
                line = max(line, taken + 1)
        placed.append((decade, line))
        shift = (7, (line - own) * LINE_HEIGHT)
        pointer = {"arrowstyle": "-", "color": "gray", "lw": 0.6, "shrinkA": 0, "relpos": (0, 0.5)}
        axis.annotate(
            name,
            (x, y),
            shift,
            textcoords="offset points",
            arrowprops=pointer if line > own else None,
            va="center",
            fontsize=8,
        )
