"""The numbers as tables: which lines there are, and what stands in their cells."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from colorize.comparison.significance import DERIVED
from colorize.evaluation.results import Diagnostics, Metrics, Result
from colorize.report.columns import COLUMNS, TO_GRAY, Column

if TYPE_CHECKING:  # the report depends on no method's code
    from colorize.methods.shared.base import ModelParameters

NO_VALUE = "–"
SUPERVISION = {"paired": "pairs", "unpaired": "no pairs", "paired in effect": "pairs in effect"}


class Row(NamedTuple):
    """One row of the results, and where it stands among them."""

    name: str
    kind: str  # model, input_L and chroma_scaled (what else its weights give), or trivial
    result: Result
    supervision: str = ""
    pretrained: bool = False  # it started from what ImageNet's labels teach


class Heading(NamedTuple):
    title: str
    detail: str = ""
    is_text: bool = False
    is_more: bool = False  # shown when it is asked for


class Cell(NamedTuple):
    text: str
    below: Sequence[str] = ()  # smaller, a line each


class Line(NamedTuple):
    name: str
    cells: Sequence[Cell]
    kind: str = ""


class Table(NamedTuple):
    headings: Sequence[Heading]  # of the names, then of the cells
    lines: Sequence[Line]


def rows_of(models: Mapping[str, Result], trivial: Mapping[str, Result]) -> list[Row]:
    """Every model, each followed by what else its weights give, then the trivial baselines."""
    rows = []
    for name, result in models.items():
        known = (result.diagnostics.supervision, result.diagnostics.pretrained)
        rows.append(Row(name, "model", result, *known))
        for kind in DERIVED:
            if (derived := getattr(result, kind)) is not None:
                rows.append(Row(f"{name}_{kind}", kind, derived, *known))
    return rows + [Row(name, "trivial", result) for name, result in trivial.items()]


def models(rows: Iterable[Row]) -> list[Row]:
    """Of each model its own row."""
    return [row for row in rows if row.kind == "model"]


def results(rows: Iterable[Row], columns: Sequence[Column], more: Sequence[Column]) -> Table:
    """Every row, what it was trained on, and its metrics, those of `more` last."""
    lines = []
    for row in rows:
        cells = [cell(row.result.headline, column) for column in (*columns, *more)]
        lines.append(Line(row.name, [Cell(_trained_on(row)), *cells], row.kind))
    hidden = [heading._replace(is_more=True) for heading in _headings(more)]
    trained_on = Heading("trained on", is_text=True)
    return Table([Heading("model"), trained_on, *_headings(columns), *hidden], lines)


def _trained_on(row: Row) -> str:
    supervision = SUPERVISION.get(row.supervision, "")
    return f"{supervision}, ImageNet labels" if row.pretrained else supervision


def to_gray(rows: Iterable[Row]) -> Table:
    """The models that make photographs gray too."""
    lines = []
    for row in rows:
        if row.result.to_gray is not None:
            metrics = row.result.to_gray[row.result.split].metrics
            lines.append(Line(row.name, [cell(metrics, column) for column in TO_GRAY], row.kind))
    return Table((Heading("model"), *_headings(TO_GRAY)), lines)


def domains(rows: Iterable[Row], split: str) -> dict[str, Table]:
    """By model that knows more domains than gray and color: a line a source, a cell a target."""
    tables = {}
    for row in rows:
        if row.result.domains is not None:
            ways = row.result.domains[row.result.split]
            tables[row.name] = Table(
                (
                    Heading(f"CIEDE2000 of the {split} photographs"),
                    *(Heading(f"to {target}") for target in ways),
                ),
                [
                    Line(
                        f"from {source}",
                        [Cell(NO_VALUE) if t == source else _way(of[t]) for t in ways],
                    )
                    for source, of in ways.items()
                ],
            )
    return tables


def _way(metrics: Metrics) -> Cell:
    close, projection = COLUMNS["ciede2000"], COLUMNS["projection"]
    shown = cell(metrics, close)
    of_copy = text(metrics["ciede2000_of_copy"].mean, close.digits)
    of_way = text(metrics["projection"].mean, projection.digits)
    return Cell(shown.text, (*shown.below, f"copy {of_copy}", f"projection {of_way}"))


def by_dataset(rows: Iterable[Row], split: str) -> Table | None:
    """CIEDE2000 of each model on each dataset, where there is more than one."""
    of_models = {row.name: row.result.by_dataset for row in models(rows)}
    first = next(iter(of_models.values()))
    if len(first) < 2:
        return None
    headings = (f"{split} images of", "images", "groups", *of_models)
    return Table(
        [Heading(title) for title in headings],
        [
            Line(
                name,
                [
                    Cell(f"{entry.images:,}"),
                    Cell(f"{entry.groups:,}"),
                    *(
                        cell(of[name].metrics, COLUMNS["ciede2000"])._replace(below=())
                        for of in of_models.values()
                    ),
                ],
            )
            for name, entry in first.items()
        ],
    )


def costs(rows: Iterable[Row], parameters: Mapping[str, "ModelParameters"]) -> Table:
    """Of each model what it is, what it was trained with, and what it takes to use it."""
    lines = []
    for row in models(rows):
        p, diagnostics = parameters[row.name], row.result.diagnostics
        numbers = (diagnostics.images_loaded, diagnostics.parameters, diagnostics.multiply_adds)
        lines.append(
            Line(
                row.name,
                [
                    *(Cell(p.method), Cell(f"{p.width:,}"), Cell(f"{p.depth:,}")),
                    Cell(f"{p.steps:,}", _steps_told(diagnostics)),
                    *(Cell(f"{number:,}") for number in numbers),
                    cell(row.result.headline, COLUMNS["ciede2000"]),
                ],
            )
        )
    titles = ("width", "depth", "steps", "images loaded", "weights", "multiply-adds", "CIEDE2000")
    details = {"weights": "of its generators", "multiply-adds": "a photograph"}
    details["CIEDE2000"] = COLUMNS["ciede2000"].better
    numeric = [Heading(title, details.get(title, "")) for title in titles]
    return Table([Heading("model"), Heading("method", is_text=True), *numeric], lines)


def _steps_told(diagnostics: Diagnostics) -> list[str]:
    """What the number of steps does not say."""
    told = []
    if diagnostics.steps_before:
        told.append(f"after {diagnostics.steps_before:,} of another training")
    if diagnostics.kept_step is not None:
        told.append(f"step {diagnostics.kept_step:,} was kept")
    return told


def cell(metrics: Metrics, column: Column) -> Cell:
    """Mean, and below it the interval."""
    value, digits = metrics[column.metric], column.digits
    if value.mean is None:
        return Cell(NO_VALUE)
    below = []
    if value.low is not None:
        below.append(f"{text(value.low, digits)} to {text(value.high, digits)}")
    return Cell(text(value.mean, digits), below)


def in_line(metrics: Metrics, metric: str) -> str:
    """The same in one line."""
    shown = cell(metrics, COLUMNS[metric])
    return " ".join([shown.text, *(f"({interval})" for interval in shown.below)])


def text(value: float | None, digits: int, sign: str = "") -> str:
    """As it is shown, a zero without minus; sign: `+` shows that of positive ones too."""
    return NO_VALUE if value is None else f"{value:{sign}z.{digits}f}".replace("-", "−")


def markdown_table(headings: Sequence[str], lines: Iterable[Sequence[str]]) -> list[str]:
    """A table as Markdown, line by line."""
    rule = ["---"] * len(headings)
    return [_markdown_line(headings), f"|{'|'.join(rule)}|", *map(_markdown_line, lines)]


def _markdown_line(cells: Sequence[str]) -> str:
    return f"|{'|'.join(f' {cell} ' if cell else ' ' for cell in cells)}|"


def _headings(columns: Iterable[Column]) -> list[Heading]:
    return [Heading(column.title, column.better) for column in columns]
