"""One page that compares all models, and one small file of the numbers that decide."""

import base64
import io
from pathlib import Path
from typing import Any, NamedTuple

import jinja2
import matplotlib
import numpy as np
import pandas as pd
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from PIL import Image

from colorize import grids
from colorize.datasheet import CAUSES

TEMPLATE = Path(__file__).with_name("report.html.jinja")

# What metrics/summary.json holds for each row, on val.
DECIDING = ("ciede2000", "psnr", "chroma_ratio", "projection", "colorfulness_gap")

STYLES = ("-", "--", ":", "-.")

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
    kind: str  # model, pasted and scaled (what else its weights give), or control
    supervision: str
    result: dict[str, Any]


def rows_of(models: dict[str, dict], controls: dict[str, dict]) -> list[Row]:
    """Every model, each followed by what else its weights give, then the trivial rows."""
    rows = []
    for name, result in models.items():
        supervision = result["diagnostics"]["supervision"]
        rows.append(Row(name, "model", supervision, result))
        if "pasted" in result:
            rows.append(Row(f"{name}, lightness kept", "pasted", supervision, result["pasted"]))
        if "scaled" in result:
            rows.append(Row(f"{name}_scaled", "scaled", supervision, result["scaled"]))
    return rows + [Row(name, "control", "", result) for name, result in controls.items()]


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


def page(
    rows: list[Row],
    *,
    baseline: str,
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
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        baseline=baseline,
        columns=COLUMNS,
        lines=[
            (row, [_cell(row.result, column, reference["test"]) for column in COLUMNS])
            for row in rows
        ],
        copies=[row.name for row in rows if row.kind == "model" and _is_copy(row.result)],
        copy_below=COPY_BELOW,
        parameters=parameters,
        diagnostics={row.name: row.result["diagnostics"] for row in rows if row.kind == "model"},
        datasets=datasets,
        statistics=statistics,
        images={"val": reference["images_val"], "test": reference["images"]},
        by_dataset=_by_dataset(rows),
        datasheet=datasheet,
        causes=CAUSES,
        sheets={name: _embed(picture) for name, picture in sheets.items()},
        ab_histograms={
            name: _ab_histogram(entry["ab_histogram"])
            for name, entry in datasheet.items()
            if entry["ab_histogram"] is not None
        },
        strips=_strips(samples, statistics["image_size"]),
        curves={name: _curve(name, frame) for name, frame in curves.items()},
    )


def _is_copy(result: dict[str, Any]) -> bool:
    projection = result["test"]["projection"]["mean"]
    return projection is not None and projection < COPY_BELOW


def _cell(result: dict[str, Any], column: Column, reference: dict[str, Any]) -> dict[str, str]:
    """Mean, interval and difference to the baseline as text; a dash where it is not defined."""
    value = result["test"][column.metric]
    if value["mean"] is None:
        return {"mean": "–", "interval": "", "difference": ""}
    digits = column.digits
    base = reference[column.metric]["mean"]
    difference = "" if base is None else f"{value['mean'] - base:+.{digits}f}".replace("-", "−")
    return {
        "mean": f"{value['mean']:.{digits}f}".replace("-", "−"),
        "interval": f"{value['low']:.{digits}f} to {value['high']:.{digits}f}".replace("-", "−"),
        "difference": difference,
    }


def _by_dataset(rows: list[Row]) -> dict[str, list[tuple[str, int, str]]]:
    """CIEDE2000 of each model on each dataset, where there is more than one."""
    models = [row for row in rows if row.kind == "model"]
    groups = list(models[0].result["by_dataset"])
    if len(groups) < 2:
        return {}
    return {
        group: [
            (row.name, entry["images"], f"{entry['ciede2000']['mean']:.2f}")
            for row in models
            for entry in [row.result["by_dataset"][group]]
        ]
        for group in groups
    }


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
    return _data_uri("jpeg", data)


def _ab_histogram(histogram: dict[str, Any]) -> str:
    """The shares of the squares of the ab plane as a picture, logarithmic: gray outweighs all."""
    edge = histogram["centres"][-1] + (histogram["centres"][1] - histogram["centres"][0]) / 2
    figure = Figure(figsize=(2.4, 2), layout="constrained", dpi=120)
    axes = figure.subplots()
    image = axes.imshow(
        np.array(histogram["share"]),
        norm=LogNorm(1e-6, 1),
        origin="lower",
        extent=(-edge, edge, -edge, edge),
    )
    axes.set_facecolor("black")
    axes.set_xlabel("b", fontsize=7)
    axes.set_ylabel("a", fontsize=7)
    axes.tick_params(labelsize=6)
    figure.colorbar(image, label="share of pixels").ax.tick_params(labelsize=6)
    data = io.BytesIO()
    figure.savefig(data, format="png", metadata={"Software": None})
    return _data_uri("png", data)


def _curve(name: str, frame: pd.DataFrame) -> str:
    """All losses of a model over its steps, as an SVG that is the same for the same numbers."""
    with matplotlib.rc_context({"svg.hashsalt": name, "svg.fonttype": "none", "font.size": 9}):
        parts = [c for c in frame.columns if c not in ("step", "images", "loss")]
        figure = Figure(figsize=(5, 4.5 if parts else 2.4), layout="constrained")
        axes = figure.subplots(2 if parts else 1, sharex=True, squeeze=False)[:, 0]
        # The whole above its parts: on one axis the largest would hide the others.
        for axis, names in zip(axes, (["loss"], parts), strict=False):
            for number, loss in enumerate(names):
                shown = frame[["step", loss]].dropna()
                style = STYLES[number // 2 % len(STYLES)]  # told apart without colour too
                axis.plot(shown["step"], shown[loss], style, lw=1.4, label=loss)
            axis.grid(alpha=0.3)
            axis.legend(fontsize=7, framealpha=0.6, ncols=2)
        axes[-1].set_xlabel("step")
        data = io.BytesIO()
        figure.savefig(data, format="svg", metadata={"Date": None})
    return _data_uri("svg+xml", data)


def _data_uri(kind: str, data: io.BytesIO) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data.getvalue()).decode()}"
