"""Plots for the page: losses and validation curves, as data URIs."""

import base64
import contextlib
import io

import matplotlib
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.rcsetup import cycler

STYLES = ("-", "--", ":", "-.")

# Okabe and Ito 2008: told apart by the color-blind, and on white and on black
PALETTE = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00")

INK = "#010203"  # stands for the color of text until the picture is seen
MODES = """<style>:root { color: #1d2126; }
@media (prefers-color-scheme: dark) { :root { color: #e6e9ed; } }</style>
"""

# What colorize/training/validation.py measures that ought to be 1, or 0 for made grays' chroma
RATIOS = ("projection", "change_ratio", "chroma")
MOST_SHOWN = 2  # ratios begin at several times that, before anything is learned


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
                style = STYLES[number // 2 % len(STYLES)]  # told apart without color too
                axis.plot(shown["step"], shown[loss], style, lw=1.4, label=loss)
            axis.grid(alpha=0.3)
            _legend_above(axis)
        axes[-1].set_xlabel("step")
        return embedded(figure)


def validation_curve(name: str, frame: pd.DataFrame) -> str:
    """How far a model moves, and how far the right way, for each domain that it makes: likewise."""
    with drawing(name):
        measured = "_projection"
        domains = [c.removesuffix(measured) for c in frame.columns if c.endswith(measured)]
        height = 2.4 if len(domains) <= 2 else 1.6
        figure = Figure(figsize=(5, height * len(domains)), layout="constrained")
        axes = figure.subplots(len(domains), sharex=True, squeeze=False)[:, 0]
        for axis, domain in zip(axes, domains, strict=True):
            for quantity, style in zip(RATIOS, STYLES, strict=False):
                label = f"{domain}_{quantity}"
                axis.plot(frame["generator_updates"], frame[label], style, lw=1.4, label=label)
            axis.axhline(1, color="gray", lw=0.8)
            axis.set_ylim(min(0, axis.get_ylim()[0]), min(MOST_SHOWN, axis.get_ylim()[1]))
            axis.grid(alpha=0.3)
            _legend_above(axis)
        axes[-1].set_xlabel("updates of the generator")
        return embedded(figure)


def _legend_above(axis: Axes) -> None:
    """Where it covers no curve."""
    axis.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, fontsize=7, frameon=False)


def drawing(name: str) -> contextlib.AbstractContextManager:
    """While a figure is drawn and saved: the same numbers give the same bytes."""
    of_ink = ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color")
    return matplotlib.rc_context(
        {
            "svg.hashsalt": name,
            "svg.fonttype": "none",
            "font.size": 9,
            "axes.prop_cycle": cycler(color=PALETTE),
            "legend.facecolor": "none",
            **dict.fromkeys(of_ink, INK),
        }
    )


def embedded(figure: Figure) -> str:
    """As an SVG, in a data URI."""
    return data_uri("svg+xml", svg(figure).encode())


def svg(figure: Figure) -> str:
    """With nothing behind it, and in an ink that the viewer's light or dark mode decides."""
    data = io.BytesIO()
    figure.savefig(data, format="svg", metadata={"Date": None}, transparent=True)
    head, start, rest = data.getvalue().decode().partition("<defs>")
    return head + MODES + start + rest.replace(INK, "currentColor")


def data_uri(kind: str, data: bytes) -> str:
    """What a page holds in place of a file beside it."""
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
