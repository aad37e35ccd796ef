"""The report, from results that are known."""

import base64
import io
import re

import numpy as np
import pandas as pd
import torch
from PIL import Image

from colorize.data import palette, sheet
from colorize.evaluation.metrics import DECIDING, deciding
from colorize.report import columns, grids, seeds, tables
from colorize.report.page import page


def test_grids_come_apart_again():
    rng = np.random.default_rng(0)
    columns = {
        name: torch.from_numpy(rng.integers(0, 256, (3, channels, 16, 16), dtype=np.uint8))
        for name, channels in (("gray", 1), ("truth", 3), ("result", 3))
    }
    strips = grids.columns_of(grids.grid(columns), 16)
    assert len(strips) == 3
    for strip, images in zip(strips, columns.values(), strict=True):
        second = np.array(strip)[128 + grids.GAP :: 8, ::8][:16]  # shown 8 times as large
        assert (second == images[1].expand(3, -1, -1).permute(1, 2, 0).numpy()).all()


def test_the_largest_grid_fits_into_a_report():
    """50 photographs as large as they are shown: a JPEG has at most 65,500 pixels to a side."""
    side = grids.MOST_SIDE
    column = torch.zeros((1, 3, side, side), dtype=torch.uint8).expand(50, -1, -1, -1)
    picture = grids.grid({"gray": column, "truth": column, "result": column})
    rows = tables.rows_of({"one": results(0.5)}, {})
    statistics = {"image_size": side, "images": {"train": 4, "val": 2, "test": 50}}
    html = render(rows, samples={"one": picture}, statistics=statistics)
    strip = Image.open(io.BytesIO(base64.b64decode(re.search(r"jpeg;base64,([^\"]+)", html)[1])))
    assert strip.height == 50 * (side + grids.GAP) - grids.GAP
    larger = torch.zeros((1, 3, 4 * side, 4 * side), dtype=torch.uint8)
    assert grids.grid({"gray": larger}).size == (side, grids.HEADER + side)


def test_a_method_that_keeps_lightness_has_one_result_column():
    images = torch.zeros((2, 3, 16, 16), dtype=torch.uint8)
    one = grids.result_grid(images[:, :1], images, images, None)
    two = grids.result_grid(images[:, :1], images, images, images)
    assert len(grids.columns_of(one, 16)) == 3
    assert len(grids.columns_of(two, 16)) == 4


def results(projection: float) -> dict:
    entry = {"mean": 1.5, "low": 1.0, "high": 2.0}
    every = columns.CLOSENESS + columns.LIKENESS
    metrics = {column.metric: dict(entry) for column in every}
    metrics["projection"]["mean"] = projection
    return {
        "val": metrics,
        "test": metrics,
        "by_dataset": {
            "sample": {"images": 3, "groups": 2, "ciede2000": entry},
            "maps": {"images": 1, "groups": 1, "ciede2000": entry},
        },
        "images": 3,
        "groups": 2,
        "diagnostics": {"supervision": "unpaired", "parameters": 5},
    }


def sheet_of(name: str) -> dict:
    """The datasheet of a dataset with one image, half of it neutral, and one file left out."""
    rows = [
        {"name": "a.png", "dataset": name, "split": "train", "kept": True, "cause": "", "twin": ""},
        {"name": "", "dataset": name, "split": "train", "kept": False, "cause": "gray", "twin": ""},
    ]
    rgb = np.zeros((16, 16, 3), np.uint8)
    rgb[:, 8:] = 255, 0, 0
    palettes = {"a.png": palette.palette(rgb)}
    return sheet.datasheet(pd.DataFrame(rows), palettes.get, {name: {}})


def verdict(model: str, against: str, metric: str, said: str, *numbers: float | None) -> dict:
    difference, low, high = numbers
    asked = {"model": model, "against": against, "metric": metric, "seeds": [1, 1]}
    return asked | {"difference": difference, "low": low, "high": high, "p": 0.01, "verdict": said}


def render(rows, **changes) -> str:
    picture = grids.grid({name: torch.zeros((2, 3, 16, 16), dtype=torch.uint8) for name in "abc"})
    models = [row.name for row in rows if row.kind == "model"]
    entry = {"method": "gan", "width": 1, "depth": 1, "steps": 2, "batch_size": 3}
    options = {
        "baseline": models[0],
        "parameters": {name: entry | {"learning_rate": 0.1} for name in models},
        "verdicts": {"split": "test", "models": [], "contrasts": []},
        "datasets": ["<b>mine</b>"],
        "statistics": {"image_size": 16, "images": {"train": 4, "val": 2, "test": 3}},
        "datasheet": sheet_of("<b>mine</b>"),
        "sheets": {},
        "curves": {models[0]: pd.DataFrame({"step": [1], "images": [3], "loss": [0.5]})},
        "samples": dict.fromkeys(models, picture),
    }
    return page(rows, **options | changes)


def test_a_model_that_copies_its_input_is_called_a_copy():
    rows = tables.rows_of({"honest": results(0.5), "lazy": results(0.04)}, {})
    html = render(rows)
    assert "<b>lazy</b> copies its input (projection 0.04)" in html
    assert "honest</b> copies" not in html


def test_the_report_is_safe_deterministic_and_has_a_dash_for_what_is_undefined():
    lacking = results(0.5)
    lacking["test"]["sharpness"] = {"mean": None, "low": None, "high": None}
    lacking["test"]["psnr"] = {"mean": 1.5, "low": None, "high": None}  # of a single group
    rows = tables.rows_of({"one": lacking}, {"gray_copy": results(0)})
    html = render(rows)
    assert html == render(rows)
    assert "&lt;b&gt;mine" in html
    assert "<td>–" in html
    assert "<td>1.50</td>" in html
    assert "the 2 groups of the 3 images" in " ".join(html.split())
    assert "maps</th><td>1</td><td>1</td><td>1.50</td>" in html
    assert "This run proves little" not in html
    assert "This run proves little" in render(rows, datasets=["sample"])


def test_what_is_not_defined_is_left_out_of_what_dvc_compares():
    of_val = results(0.5)["val"]
    assert deciding(of_val) == dict.fromkeys(DECIDING, 1.5) | {"projection": 0.5}
    of_val["projection"]["mean"] = None
    assert "projection" not in deciding(of_val)


def test_the_report_shows_what_the_union_took():
    rows = tables.rows_of({"one": results(0.5)}, {})
    sheets = {"shown": grids.grid({"a": torch.zeros((1, 3, 16, 16), dtype=torch.uint8)})}
    shown = sheet_of("shown")["shown"]
    empty = shown | {"ab_histogram": None, "colorfulness": None, "ignored": {"__MACOSX": 1234}}
    html = render(rows, datasheet={"shown": shown, "empty": empty}, sheets=sheets)
    cells = re.findall(r"<th[^>]*>shown</th>(.*?)</tr>", html, re.DOTALL)[0]
    counts = re.findall(r"<td>([^<]*)</td>", cells)
    # files; train, val, test; duplicate, near-duplicate, group, gray, small, side, rejected; leaks
    assert counts[:12] == ["2", "1", "0", "0", "0", "0", "0", "1", "0", "0", "0", "0"]
    assert len(re.findall(r'alt="Some images of', html)) == 1
    assert len(re.findall(r'alt="Share of pixels', html)) == 1
    assert "__MACOSX (1,234)" in html


NUMBERS = "(CIEDE2000 −1.00, −2.00 to −0.50)"


def test_verdicts_are_sentences():
    models = [verdict("zhang_l2", "mean_color", "ciede2000", "not decided", 0.1, -0.25, 0.3)]
    for name, close, like, mean in (
        ("good", "better", "worse", "better"),
        ("bad", "worse", "better", "worse"),
        ("so_so", "not decided", "not decided", "not decided"),
    ):
        models += [
            verdict(name, "zhang_l2", "ciede2000", close, -1.005, -2, -0.5),
            verdict(name, "zhang_l2", "ab_histogram_js", like, None, None, None),
            verdict(name, "mean_color", "ciede2000", mean, 3, 2, 4),
        ]
    contrasts = [verdict("good", "gray_copy", "auc_raw", "worse", -0.5, -1, 0)]
    rows = tables.rows_of({name: results(0.5) for name in ("zhang_l2", "good", "bad", "so_so")}, {})
    html = render(rows, verdicts={"split": "test", "models": models, "contrasts": contrasts})
    listed = re.findall(r"<li>(.*?)</li>", html)
    text = [re.sub("<[^>]*>", "", item) for item in listed]
    assert text == [
        "zhang_l2 is not shown to be better than the mean colour "
        + "(CIEDE2000 +0.10, −0.25 to +0.30).",
        f"good is closer to the true photographs than zhang_l2 {NUMBERS}; "
        + "its colours together are less like theirs (ab-histogram JS –); "
        + "it is better than the mean colour (CIEDE2000 +3.00, +2.00 to +4.00).",
        f"bad is farther from the true photographs than zhang_l2 {NUMBERS}; "
        + "its colours together are more like theirs (ab-histogram JS –); "
        + "it is no better than the mean colour (CIEDE2000 +3.00, +2.00 to +4.00).",
        "so_so is not decidedly closer to the true photographs, nor farther, than zhang_l2 "
        + f"{NUMBERS}; whether its colours together are more like theirs is not decided "
        + "(ab-histogram JS –); it is not shown to be better than the mean colour "
        + "(CIEDE2000 +3.00, +2.00 to +4.00).",
    ]
    assert "<strong>is not shown to be better than the mean colour</strong>" in listed[0]
    assert "<strong>" not in listed[1]
    cells = re.findall(r"<tr><td class=\"text\">good</td>(.*?)</tr>", html, re.DOTALL)[0]
    assert re.sub(r"<[^>]*>|\s+", " ", cells).split() == (
        ["gray_copy", "auc_raw", "−0.500", "−1.000", "to", "+0.000", "0.0100", "worse"]
    )
    assert "With\n2 groups p is at least 0.5 before" in html
    assert "Asked beforehand" not in render(rows)


def test_the_spread_over_seeds_is_that_of_a_sample():
    assert seeds.spread([1.0, 2.0, 4.5], 1) == "2.5 ± 1.8 (1.0 to 4.5)"
    assert seeds.spread([-1.0, 1.0], 0) == "0 ± 1 (−1 to 1)"
    assert seeds.spread([1.0, None], 1) == "–"
    of_seeds = [results(projection) for projection in (0.25, 0.75)]
    decided = verdict("gan", "zhang_l2", "ciede2000", "worse", 1, 0.5, 1.5) | {"seeds": [2, 1]}
    text = seeds.page({"gan": of_seeds}, [1, 2], ["val", "test"], [decided])
    assert "Seeds 1, 2: mean ± standard deviation (least to largest)." in text
    same = "1.50 ± 0.00 (1.50 to 1.50) | 1.500 ± 0.000 (1.500 to 1.500)"
    assert f"| `gan` | val | {same} | 0.50 ± 0.35 (0.25 to 0.75) |" in text
    numbers = "CIEDE2000 +1.00, +0.50 to +1.50; p 0.0100; seeds 2 and 1"
    assert f"- `gan` beside `zhang_l2`: worse ({numbers})\n" in text
