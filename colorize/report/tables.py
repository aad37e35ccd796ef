"""The numbers as tables: which metrics, what they mean, and which rows there are."""

from typing import Any, NamedTuple

# What metrics/summary.json holds for each row, on val.
DECIDING = ("ciede2000", "psnr", "chroma_ratio", "projection", "colorfulness_gap")

COPY_BELOW = 0.1  # projection under which an output is called a copy of its input


class Column(NamedTuple):
    """A metric as a column of the table: its key, heading, and what a reader should wish for."""

    metric: str
    title: str
    better: str
    digits: int
    meaning: str


COLUMNS = (
    Column(
        "ciede2000",
        "CIEDE2000",
        "lower",
        2,
        "Perceived difference in colour from the true photograph; about 1 is just noticeable. Gray "
        "and brown guesses do well here, because they are never far off.",
    ),
    Column(
        "psnr",
        "PSNR, dB",
        "higher",
        2,
        "Pixelwise likeness to the true photograph. A model that may repaint lightness loses most "
        "here, whatever its colours.",
    ),
    Column(
        "ssim",
        "SSIM",
        "higher",
        3,
        "Likeness of structure. Nearly 1 for any method that keeps the photograph's own lightness: "
        "it says little about colour.",
    ),
    Column(
        "chroma_ratio",
        "chroma ratio",
        "near 1",
        2,
        "Colour in the outputs over colour in the photographs: 0 is gray, above 1 is gaudy. It "
        "does not ask whether the colours are right; random colours have 1.",
    ),
    Column(
        "projection",
        "projection",
        "near 1",
        2,
        "The share of the way from the gray input to the true photograph that the output goes: 0 "
        f"for any copy of the input, even a noisy one, 1 for the truth. Below {COPY_BELOW} a model "
        "is called a copy.",
    ),
    Column(
        "colorfulness_gap",
        "colorfulness gap",
        "lower",
        1,
        "How far the mean colorfulness (Hasler and Süsstrunk) of the outputs is from that of the "
        "photographs.",
    ),
    Column(
        "sharpness",
        "sharpness",
        "near 1",
        2,
        "Edges in lightness, outputs over photographs: below 1 is blurred, above 1 is patterned or "
        "noisy. 1 by construction where the photograph's own lightness is kept.",
    ),
)


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


def summary(rows: list[Row]) -> dict[str, dict[str, float]]:
    """{row: {metric: mean on val}} for `dvc metrics diff`; undefined metrics are left out."""
    return {
        row.name: {
            metric: row.result["val"][metric]["mean"]
            for metric in DECIDING
            if row.result["val"][metric]["mean"] is not None
        }
        for row in rows
        if row.kind != "pasted"
    }


def is_copy(result: dict[str, Any]) -> bool:
    projection = result["test"]["projection"]["mean"]
    return projection is not None and projection < COPY_BELOW


def cell(result: dict[str, Any], column: Column, reference: dict[str, Any]) -> dict[str, str]:
    """Mean, interval and difference to the baseline as text; a dash where it is not defined."""
    value = result["test"][column.metric]
    if value["mean"] is None:
        return {"mean": "–", "interval": "", "difference": ""}
    digits = column.digits
    base = reference[column.metric]["mean"]
    difference = "" if base is None else f"{value['mean'] - base:+.{digits}f}".replace("-", "−")
    mean, *bounds = (
        "" if number is None else f"{number:.{digits}f}".replace("-", "−")
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
