"""Plots for the page: losses and validation curves, and colours in the ab plane, as data URIs."""

import base64
import contextlib
import io
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

STYLES = ("-", "--", ":", "-.")

# What colorize/evaluation/validation.py measures that ought to be 1, or 0 for made grays' chroma
RATIOS = ("projection", "identity_index", "chroma")
MOST_SHOWN = 2  # ratios begin at several times that, before anything is learnt


def ab_histogram(histogram: dict[str, Any]) -> str:
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
    return data_uri("png", data)


def curve(name: str, frame: pd.DataFrame) -> str:
    """All losses of a model over its steps, as an SVG that is the same for the same numbers."""
    with drawing(name):
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
        return data_uri("svg+xml", svg(figure))


def validation_curve(name: str, frame: pd.DataFrame) -> str:
    """How far a model moves, and how far the right way, for each domain that it makes: likewise."""
    with drawing(name):
        measured = "_projection"
        made = [c.removesuffix(measured) for c in frame.columns if c.endswith(measured)]
        height = 2.4 if len(made) <= 2 else 1.6
        figure = Figure(figsize=(5, height * len(made)), layout="constrained")
        axes = figure.subplots(len(made), sharex=True, squeeze=False)[:, 0]
        for axis, domain in zip(axes, made, strict=True):
            for quantity, style in zip(RATIOS, STYLES, strict=False):
                label = f"{domain}_{quantity}"
                axis.plot(frame["generator_updates"], frame[label], style, lw=1.4, label=label)
            axis.axhline(1, color="gray", lw=0.8)
            axis.set_ylim(min(0, axis.get_ylim()[0]), min(MOST_SHOWN, axis.get_ylim()[1]))
            axis.grid(alpha=0.3)
            axis.legend(fontsize=7, framealpha=0.6, ncols=3)
        axes[-1].set_xlabel("updates of the generator")
        return data_uri("svg+xml", svg(figure))


def drawing(name: str) -> contextlib.AbstractContextManager:
    """While a figure is drawn and saved: the same numbers give the same bytes."""
    return matplotlib.rc_context({"svg.hashsalt": name, "svg.fonttype": "none", "font.size": 9})


def svg(figure: Figure) -> io.BytesIO:
    data = io.BytesIO()
    figure.savefig(data, format="svg", metadata={"Date": None})
    return data


def data_uri(kind: str, data: io.BytesIO) -> str:
    """What a page holds in place of a file beside it."""
    return f"data:image/{kind};base64,{base64.b64encode(data.getvalue()).decode()}"
