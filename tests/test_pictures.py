"""Which photographs are shown, the pictures of them, and the grids."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from colorize import color
from colorize.base.errors import UserError
from colorize.data.reading.index import Index
from colorize.data.reading.tensors import squares, to_tensor
from colorize.evaluation import cases
from colorize.evaluation.cases import Case
from colorize.evaluation.colors import Colors
from colorize.evaluation.protocol import Batch
from colorize.methods.shared import model
from colorize.report import grids, pictures
from tests.conftest import Project
from tests.test_report import shown_of


def images(**datasets: list[float]) -> pd.DataFrame:
    """Photographs with these CIEDE2000, by dataset; names do not follow the datasets."""
    lines = [
        {"name": f"{place}{dataset}.png", "dataset": dataset, "ciede2000": value}
        for dataset, values in datasets.items()
        for place, value in enumerate(values)
    ]
    table = pd.DataFrame(lines).assign(side="photograph", split="test")
    return table.assign(group=table["name"])


def test_fixed_photographs_are_dealt_from_the_datasets_by_turns():
    table = images(b=[5.0, 1.0, 3.0], a=[9.0], c=[2.0, 8.0])
    others = [table.assign(split="val"), table.assign(side="painting")]
    others = pd.concat([other.assign(name="0" + other["name"]) for other in others])
    chosen = cases.fixed(pd.concat([others, table]), "test", 5)
    assert [case.photograph for case in chosen] == [
        "0a.png",
        "0b.png",
        "0c.png",
        "1b.png",
        "1c.png",
    ]
    assert chosen[1] == Case("0b.png", "b", "fixed", 5.0)
    assert chosen == cases.fixed(table[::-1], "test", 5)
    of_another_model = cases.fixed(table.assign(ciede2000=-table["ciede2000"]), "test", 5)
    assert [c.photograph for c in of_another_model] == [c.photograph for c in chosen]
    assert len(cases.fixed(table, "test", 50)) == 6


def test_fixed_photographs_are_dealt_from_the_groups_of_a_dataset_by_turns():
    table = images(a=[1.0, 2.0, 3.0, 4.0], b=[5.0]).assign(group=["x", "x", "y", "x", "z"])
    chosen = [case.photograph for case in cases.fixed(table, "test", 5)]
    assert chosen == ["0a.png", "0b.png", "2a.png", "1a.png", "3a.png"]


def test_the_extremes_of_each_dataset():
    table = images(five=[3.0, 1.0, 5.0, 4.0, 2.0], four=[4.0, 3.0, 2.0, 1.0], two=[1.0, 2.0])
    table = pd.concat([table, images(one=[7.0], same=[1.0, 1.0, 1.0])])
    better = table.assign(ciede2000=0.0, side="painting")
    found = cases.extremes(pd.concat([table, better])[::-1], "test")
    assert [(case.dataset, case.kind, case.photograph) for case in found] == [
        ("five", "best", "1five.png"),
        ("five", "median", "0five.png"),
        ("five", "worst", "2five.png"),
        ("four", "best", "3four.png"),
        ("four", "median", "2four.png"),
        ("four", "worst", "0four.png"),
        ("one", "best", "0one.png"),
        ("same", "best", "0same.png"),
        ("same", "median", "1same.png"),
        ("same", "worst", "2same.png"),
        ("two", "best", "0two.png"),
        ("two", "worst", "1two.png"),
    ]
    assert [case.ciede2000 for case in found[:3]] == [1.0, 3.0, 5.0]


def test_a_grid_has_each_picture_in_its_place():
    rng = np.random.default_rng(0)
    arrays = {
        name: rng.integers(0, 256, (3, 16, 16, *channels), dtype=np.uint8)
        for name, channels in (("gray", ()), ("truth", (3,)), ("result", (3,)))
    }
    columns = {name: [Image.fromarray(array) for array in of] for name, of in arrays.items()}
    for captions, above in (((), 0), (("one", "two", "three"), grids.CAPTION)):
        picture = np.array(grids.grid(columns, captions))
        side, step = grids.LEAST_SIDE, above + grids.LEAST_SIDE + grids.GAP
        assert picture.shape == (grids.HEADER + 3 * step - grids.GAP, 3 * (side + 4) - 4, 3)
        for column, of in enumerate(arrays.values()):
            for row, array in enumerate(of):
                top, left = grids.HEADER + row * step + above, column * (side + grids.GAP)
                cell = picture[top : top + side : 8, left : left + side : 8]  # 8 times as large
                assert (cell == (array if array.ndim == 3 else array[..., None])).all()
        for top in range(grids.HEADER, len(picture), step):  # what is said is dark on white
            assert (picture[top : top + above].min() < 100) if above else not captions


def test_large_pictures_are_shown_smaller():
    large = torch.zeros((3, 4 * grids.MOST_SIDE, 4 * grids.MOST_SIDE), dtype=torch.uint8)
    large[0] = 200
    small = pictures.shrunk(large)
    assert small.size == (grids.MOST_SIDE, grids.MOST_SIDE)
    assert small.getextrema() == ((200, 200), (0, 0), (0, 0))
    assert grids.grid({"a": [small]}).size == (grids.MOST_SIDE, grids.HEADER + grids.MOST_SIDE)
    assert pictures.shrunk(large[:, :64, :64]).size == (64, 64)


def test_what_is_saved_is_read_again(tmp_path):
    shown = shown_of("gray", "truth", "own", "input_L")
    pictures.save(tmp_path, shown)
    again = pictures.read(tmp_path)
    assert [each.case for each in again] == [each.case for each in shown]
    for one, other in zip(shown, again, strict=True):
        assert list(one.pictures) == list(other.pictures)
        for version, picture in one.pictures.items():
            assert (np.array(picture) == np.array(other.pictures[version])).all()
    next(tmp_path.glob("*_own.png")).unlink()
    with pytest.raises(UserError, match=r"_own\.png: missing; run `dvc repro`"):
        pictures.read(tmp_path)


def test_a_method_that_keeps_lightness_has_one_result_column():
    width = grids.LEAST_SIDE + grids.GAP
    for versions in (("gray", "truth", "own"), ("gray", "truth", "own", "input_L", "to_gray")):
        assert pictures.grid(shown_of(*versions)).width == len(versions) * width - grids.GAP


def of_network(project: Project, name: str, photograph: str) -> dict[str, Image.Image]:
    """What the trained network makes of a photograph, by version."""
    names, union, gray = [photograph], project.path("data/union"), project.path("data/gray")
    batch = Batch(names, squares(gray, names, 32, "L"), squares(union, names, 32, "RGB"))
    with torch.inference_mode():
        colors = Colors(model.load(project.path(f"models/{name}"), torch.device("cpu")), Path())
        found = {"gray": batch.gray, "truth": batch.truth} | colors.rows(batch)
        if name == "stargan":
            to_gray = colors.translate(color.to_float(batch.truth), "gray")
            found["to_gray"] = color.to_uint8(to_gray)
    return {version: images[0] for version, images in found.items()}


@pytest.mark.parametrize(
    ("name", "versions"),
    [
        ("zhang_l2", ["gray", "truth", "own"]),
        ("gan", ["gray", "truth", "own", "input_L"]),
        ("stargan", ["gray", "truth", "own", "input_L", "to_gray"]),
    ],
)
def test_the_pictures_of_a_model(project, name, versions):
    project.stage("train", name)
    project.stage("evaluate", name)
    table = pd.read_parquet(project.path(f"metrics/images/{name}.parquet")).set_index("name")
    of_test = table[(table["split"] == "test") & (table["side"] == "photograph")]
    folder = project.path(f"reports/pictures/{name}")
    manifest = json.loads((folder / "manifest.json").read_text())
    assert [entry["kind"] for entry in manifest] == ["fixed", "fixed", "best", "median", "worst"]
    for entry in manifest:
        assert table.loc[entry["photograph"], "ciede2000"] == pytest.approx(
            entry["ciede2000"], abs=1e-3
        )
        assert list(entry["pictures"]) == versions
        expected = of_network(project, name, entry["photograph"])
        for version, file in entry["pictures"].items():
            picture = to_tensor(Image.open(folder / file)).int()
            assert (picture - expected[version].int()).abs().max() <= 1, version
    assert manifest[2]["ciede2000"] == pytest.approx(of_test["ciede2000"].min(), abs=1e-3)
    assert manifest[4]["ciede2000"] == pytest.approx(of_test["ciede2000"].max(), abs=1e-3)
    below = (of_test["ciede2000"] < manifest[3]["ciede2000"] - 1e-3).sum()
    assert below == (len(of_test) - 1) // 2
    index = Index.read(project.path("data/union"))
    groups = index.groups(sorted(index.split("test", "photograph")))
    first = dict(reversed([(group, name) for name, group in groups.items()]))
    assert [entry["photograph"] for entry in manifest[:2]] == sorted(first.values())[:2]
    named = {file for entry in manifest for file in entry["pictures"].values()}
    assert {path.name for path in folder.iterdir()} == {"manifest.json", *named}
    sides = len(versions) * (128 + grids.GAP) - grids.GAP
    for kind, rows in (("samples", 2), ("cases", 3)):
        height = grids.HEADER + rows * (grids.CAPTION + 128 + grids.GAP) - grids.GAP
        assert Image.open(project.path(f"reports/{kind}/{name}.png")).size == (sides, height)
    before = project.contents_of("reports")
    project.stage("evaluate", name)
    assert project.contents_of("reports") == before
