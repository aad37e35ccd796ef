"""The pictures of the report: the same photographs for all models, and each model's extremes."""

import io
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image

from colorize.color.domains import WAY
from colorize.report import grids
from colorize.report.curves import data_uri
from colorize.report.pictures import Shown

AT_FIRST = 4  # photographs that are shown before anybody asks for more
HIDDEN = 5  # times larger: what made gray differs by from gray
MIDDLE = 3  # of the side of a photograph, the part in whose middle edges are shown

DETAILS = {
    "own": "its RGB",
    "input_L": "lightness kept",
    "to_gray": "made gray",
    "hidden": f"differs by, x {HIDDEN}",
}  # of a model that has several


class Tile(NamedTuple):
    picture: str  # data URI
    words: str  # below it


class Gallery(NamedTuple):
    columns: list[tuple[str, str]]  # heading and detail
    rows: list[tuple[str, list[Tile]]]  # a photograph's dataset, and a cell for each column


def most_colorful(pictures: dict[str, list[Shown]]) -> int:
    """Which of the fixed photographs it is."""
    truths = [shown.pictures["truth"] for shown in _fixed(next(iter(pictures.values())))]
    return max(range(len(truths)), key=lambda i: _colorfulness(truths[i]))


def first_row(
    pictures: dict[str, list[Shown]], number: int, models: Sequence[str]
) -> list[tuple[str, Tile]]:
    """One of the fixed photographs: in gray, the truth, and as some models color it."""
    any_model = _fixed(next(iter(pictures.values())))[number].pictures
    row = [(version, _cell(any_model[version])) for version in ("gray", "truth")]
    for name in models:
        case, versions = _fixed(pictures[name])[number]
        row.append((name, _cell(versions["own"], f"CIEDE2000 {case.ciede2000:.1f}")))
    return row


def _fixed(shown: list[Shown]) -> list[Shown]:
    return [each for each in shown if each.case.kind == "fixed"]


def _colorfulness(picture: Image.Image) -> float:
    """How far red, green and blue of a pixel are apart, of 255 levels."""
    return float(np.ptp(np.asarray(picture, dtype=np.int16), axis=2).mean())


def colored(pictures: dict[str, list[Shown]]) -> Gallery:
    """The fixed photographs as each model colors them, with CIEDE2000; pictures by model."""
    return _gallery(pictures, ("gray", "truth"), ("own", "input_L"))


def made_gray(pictures: dict[str, list[Shown]]) -> Gallery:
    """The fixed photographs as each model makes them gray that does, and what that differs by from
    their gray, strengthened; without such a model, no rows.
    """
    able = {name: of for name, of in pictures.items() if "to_gray" in of[0].pictures}
    if not able:
        return Gallery([], [])
    differing = {name: [_with_difference(each) for each in of] for name, of in able.items()}
    return _gallery(differing, ("truth", "gray"), ("to_gray", "hidden"))


def _with_difference(shown: Shown) -> Shown:
    gray, made = (
        np.asarray(shown.pictures[v].convert("RGB"), dtype=np.int16) for v in ("gray", "to_gray")
    )
    difference = np.clip(128 + HIDDEN * (made - gray), 0, 255).astype(np.uint8)
    return Shown(shown.case, shown.pictures | {"hidden": Image.fromarray(difference)})


def edges(pictures: dict[str, list[Shown]], model: str) -> Gallery:
    """Of two photographs the middle, enlarged: the truth, a model's own picture, and its colors on
    the photograph's lightness; of a model that has both.
    """
    shown = [each for each in _fixed(pictures[model]) if "input_L" in each.pictures][:2]
    versions = {"truth": "truth", "own": f"{model}, its RGB", "input_L": "lightness kept"}
    return Gallery(
        [(heading, "") for heading in versions.values()],
        [(s.case.dataset, [_cell(_middle(s.pictures[v])) for v in versions]) for s in shown],
    )


def _middle(picture: Image.Image) -> Image.Image:
    side = picture.width
    margin = (side - side // MIDDLE) // 2
    part = picture.crop((margin, margin, side - margin, side - margin))
    return part.resize((part.width * 2, part.height * 2), Image.Resampling.NEAREST)


def extremes(pictures: dict[str, list[Shown]]) -> dict[str, list[tuple[str, list[Tile]]]]:
    """By model and dataset the best, median and worst photograph: the truth, and what it made."""
    rows: dict[str, list[tuple[str, list[Tile]]]] = {}
    for name, shown in pictures.items():
        by_dataset: dict[str, list[Tile]] = {}
        for case, versions in shown:
            if case.kind != "fixed":
                captions = {"truth": case.kind, "own": f"{case.ciede2000:.1f}"}
                cells = [
                    _cell(versions[v], words, grids.LEAST_SIDE) for v, words in captions.items()
                ]
                by_dataset.setdefault(case.dataset, []).extend(cells)
        rows[name] = list(by_dataset.items())
    return rows


def from_each(shown: list[Shown]) -> Gallery:
    """Every domain, a column each, from every other, a row each for every photograph."""
    domains = list(dict.fromkeys(way.split(WAY)[0] for way in shown[0].pictures))
    return Gallery(
        [(f"to {target}", "") for target in domains],
        [
            (
                f"{case.dataset}, from {source}",
                [_cell(pictures[WAY.join((source, target))]) for target in domains],
            )
            for case, pictures in shown
            for source in domains
        ],
    )


def _gallery(
    pictures: dict[str, list[Shown]], common: Sequence[str], own: Sequence[str]
) -> Gallery:
    """common: versions that are the same for all models; own: those that each model makes."""
    fixed = {name: _fixed(shown) for name, shown in pictures.items()}
    first = next(iter(fixed.values()))
    columns = [(version, "", version, first) for version in common]
    for name, shown in fixed.items():
        versions = [version for version in own if version in shown[0].pictures]
        detailed = len(versions) > 1
        columns += [(name, DETAILS[v] if detailed else "", v, shown) for v in versions]

    def cell(version: str, each: Shown) -> Tile:
        words = f"{each.case.ciede2000:.1f}" if version == "own" else ""
        return _cell(each.pictures[version], words)

    return Gallery(
        [(heading, detail) for heading, detail, _, _ in columns],
        [
            (each.case.dataset, [cell(version, shown[i]) for _, _, version, shown in columns])
            for i, each in enumerate(first)
        ],
    )


def _cell(picture: Image.Image, words: str = "", most: int = grids.MOST_SIDE) -> Tile:
    return Tile(embedded(grids.fitted(picture, most)), words)


def embedded(picture: Image.Image) -> str:
    """As a JPEG, in a data URI."""
    data = io.BytesIO()
    picture.save(data, "JPEG", quality=92, subsampling=0)
    return data_uri("jpeg", data.getvalue())
