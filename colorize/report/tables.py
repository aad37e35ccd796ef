"""The numbers as tables: which rows there are, and what stands in their cells."""

from typing import Any, NamedTuple

from colorize.report.columns import COLUMNS, TO_GRAY, Column


class Row(NamedTuple):
    """One line of the table, and where it stands in it."""

    name: str
    kind: str  # model, pasted and scaled (what else its weights give), or trivial
    supervision: str
    result: dict[str, Any]


def rows_of(models: dict[str, dict], trivial: dict[str, dict]) -> list[Row]:
    """Every model, each followed by what else its weights give, then the trivial baselines."""
    rows = []
    for name, result in models.items():
        supervision = result["diagnostics"]["supervision"]
        rows.append(Row(name, "model", supervision, result))
        if "pasted" in result:
            rows.append(Row(f"{name}, lightness kept", "pasted", supervision, result["pasted"]))
        if "scaled" in result:
            rows.append(Row(f"{name}_scaled", "scaled", supervision, result["scaled"]))
    return rows + [Row(name, "trivial", "", result) for name, result in trivial.items()]


def headline(result: dict[str, Any]) -> dict[str, dict]:
    """Metrics of test, or of val where test was not looked at."""
    return result["test"] if "test" in result else result["val"]


def to_gray(rows: list[Row]) -> list[tuple[Row, list[dict[str, str]]]]:
    """Cells of the models that make photographs gray too."""
    return [
        (row, cells(headline(row.result["to_gray"]), TO_GRAY))
        for row in rows
        if "to_gray" in row.result
    ]


def domains(rows: list[Row]) -> dict[str, list[tuple[str, list[dict[str, str] | None]]]]:
    """By model that knows more domains than gray and colour, a line for each source.

    In it a cell for each target, in the order of the lines; none on the diagonal.
    """
    found = {}
    for row in rows:
        if "domains" in row.result:
            ways = headline(row.result["domains"])
            found[row.name] = [
                (source, [None if target == source else _way(of[target]) for target in ways])
                for source, of in ways.items()
            ]
    return found


def _way(metrics: dict[str, dict]) -> dict[str, str]:
    close, projection = COLUMNS["ciede2000"], COLUMNS["projection"]
    return cell(metrics["ciede2000"], close, None) | {
        "of_copy": cell(metrics["ciede2000_of_copy"], close, None)["mean"],
        "projection": cell(metrics["projection"], projection, None)["mean"],
    }


def cells(
    metrics: dict[str, dict], columns: tuple[Column, ...], reference: dict[str, dict] | None = None
) -> list[dict[str, str]]:
    return [cell(metrics[column.metric], column, reference) for column in columns]


def text(number: float, digits: int, sign: str = "") -> str:
    """A number as it is shown; sign: `+` shows that of positive ones too."""
    return f"{number:{sign}.{digits}f}".replace("-", "−")


def cell(
    value: dict[str, float | None], column: Column, reference: dict[str, dict] | None
) -> dict[str, str]:
    """Mean, interval and difference to the baseline as text; a dash where it is not defined."""
    if value["mean"] is None:
        return {"mean": "–", "interval": "", "difference": ""}
    digits = column.digits
    base = None if reference is None else reference[column.metric]["mean"]
    difference = "" if base is None else text(value["mean"] - base, digits, "+")
    mean, *bounds = (
        "" if number is None else text(number, digits)
        for number in (value["mean"], value["low"], value["high"])
    )
    return {"mean": mean, "interval": " to ".join(filter(None, bounds)), "difference": difference}


class OfDataset(NamedTuple):
    """CIEDE2000 of each model on one dataset."""

    images: int
    groups: int
    ciede2000: dict[str, str]  # by model


def by_dataset(rows: list[Row]) -> dict[str, OfDataset]:
    """A line for each dataset, where there is more than one."""
    results = {row.name: row.result["by_dataset"] for row in rows if row.kind == "model"}
    datasets = next(iter(results.values()))
    if len(datasets) < 2:
        return {}
    return {
        name: OfDataset(
            entry["images"],
            entry["groups"],
            {model: f"{of[name]['ciede2000']['mean']:.2f}" for model, of in results.items()},
        )
        for name, entry in datasets.items()
    }
