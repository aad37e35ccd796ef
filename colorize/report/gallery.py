"""The pictures of the report: the same photographs for all models, and each model's extremes."""

import io
from collections.abc import Sequence
from typing import NamedTuple

from PIL import Image

from colorize.color.domains import WAY
from colorize.report import grids
from colorize.report.curves import data_uri
from colorize.report.pictures import Shown

DETAILS = {"own": "its RGB", "input_L": "lightness kept"}  # of a model that has both


class Tile(NamedTuple):
    picture: str  # data URI
    words: str  # below it


class Gallery(NamedTuple):
    columns: list[tuple[str, str]]  # heading and detail
    rows: list[tuple[str, list[Tile]]]  # a photograph's dataset, and a cell for each column


def colored(pictures: dict[str, list[Shown]]) -> Gallery:
    """The fixed photographs as each model colors them, with CIEDE2000; pictures by model."""
    return _gallery(pictures, ("gray", "truth"), ("own", "input_L"))


def made_gray(pictures: dict[str, list[Shown]]) -> Gallery:
    """The fixed photographs as each model makes them gray that does; without one, no rows."""
    able = {name: of for name, of in pictures.items() if "to_gray" in of[0].pictures}
    return _gallery(able, ("truth", "gray"), ("to_gray",)) if able else Gallery([], [])


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
    fixed = {name: [s for s in of if s.case.kind == "fixed"] for name, of in pictures.items()}
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
