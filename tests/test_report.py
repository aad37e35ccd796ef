"""The report, from results that are known."""

import base64
import itertools
import re

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from colorize.color.domains import WAY
from colorize.comparison.significance import ComparisonResult, Significance
from colorize.data import palette, union
from colorize.evaluation.cases import Case
from colorize.evaluation.metrics import DECIDING, deciding
from colorize.evaluation.perceptual import NOT_MEASURED
from colorize.evaluation.results import Interval, Result
from colorize.methods.shared import model
from colorize.methods.shared.base import ModelParameters
from colorize.report import claims, columns, gallery, tables
from colorize.report.curves import RATIOS, validation_curve
from colorize.report.page import page
from colorize.report.pictures import Shown
from studies import published_page, study_page
from tests.conftest import MODELS

COUNTS = {"images": 3, "groups": 2}
MANY = {"images": 45, "groups": 40}


def results(projection: float, counts: dict[str, int] = COUNTS) -> dict:
    entry = {"mean": 1.5, "low": 1.0, "high": 2.0}
    every = columns.CLOSENESS + columns.LIKENESS
    metrics = {column.metric: dict(entry) for column in every}
    metrics["projection"]["mean"] = projection
    return {
        "val": metrics,
        "test": metrics,
        "by_dataset": {
            "sample": COUNTS | {"ciede2000": entry},
            "maps": {"images": 1, "groups": 1, "ciede2000": entry},
        },
        **counts,
        "images_val": 3,
        "groups_val": 2,
        "not_measured": dict.fromkeys(("lpips", "fid", "kid"), NOT_MEASURED),
        "diagnostics": {
            "supervision": "unpaired",
            "output": "ab",
            "parameters": 5,
            "multiply_adds": 7,
            "images_loaded": 6,
        },
    }


def rows_of(models: dict[str, dict], trivial: dict[str, dict]) -> list[tables.Row]:
    """As `tables.rows_of`, of results like those above."""
    return tables.rows_of(
        *({n: Result.parse(r, n) for n, r in of.items()} for of in (models, trivial))
    )


def sheet_of(name: str) -> dict:
    """The datasheet of a dataset with one image, half of it neutral, and one file left out."""
    rows = [
        {
            "name": "a.png",
            "dataset": name,
            "split": "train",
            "kept": True,
            "reject_reason": "",
            "duplicate_of": "",
        },
        {
            "name": "",
            "dataset": name,
            "split": "train",
            "kept": False,
            "reject_reason": "gray",
            "duplicate_of": "",
        },
    ]
    rgb = np.zeros((16, 16, 3), np.uint8)
    rgb[:, 8:] = 255, 0, 0
    palettes = {"a.png": palette.palette(rgb)}
    return union.datasheet(pd.DataFrame(rows), palettes, {name: {}})


def compared(model: str, against: str, metric: str, said: str, *numbers: float | None) -> dict:
    difference, low, high = numbers
    asked = {"model": model, "against": against, "metric": metric, "seeds": [1, 1]}
    return asked | {"difference": difference, "low": low, "high": high, "p": 0.01, "result": said}


def shown_of(*versions: str) -> list[Shown]:
    """A fixed photograph of one dataset, and the best and the worst of another."""
    rng = np.random.default_rng(0)
    return [
        Shown(
            Case(f"{kind}.png", dataset, kind, ciede2000),
            {v: Image.fromarray(rng.integers(0, 256, (16, 16, 3), np.uint8)) for v in versions},
        )
        for kind, dataset, ciede2000 in (
            ("fixed", "one", 5.0),
            ("best", "two", 1.0),
            ("worst", "two", 9.0),
        )
    ]


def validation_of(*domains: str) -> pd.DataFrame:
    """Two points of a validation curve."""
    quantities = {f"{d}_{q}": [0.5, 3.0] for d in domains for q in RATIOS}
    return pd.DataFrame(
        {"step": [1, 2], "images": [3, 6], "generator_updates": [1, 2]} | quantities
    )


def test_validation_curves_show_what_each_direction_does():
    def labels(*domains: str) -> set[str]:
        data = validation_curve("one", validation_of(*domains)).partition("base64,")[2]
        return set(re.findall(r">([a-z]+_[a-z_]+)<", base64.b64decode(data).decode()))

    for domains in [("color",), ("color", "gray"), ("color", "gray", "night")]:
        assert labels(*domains) == {f"{d}_{q}" for d in domains for q in RATIOS}


def parsed(name: str, **changes) -> ModelParameters:
    return model.parse(MODELS[name] | changes, f"models.{name}")


def render(rows, **changes) -> str:
    models = [row.name for row in rows if row.kind == "model"]
    parameters = parsed("gan", learning_rate=0.1)
    options = {
        "baseline": models[0],
        "parameters": dict.fromkeys(models, parameters),
        "significance": Significance(split="test", models=[], planned=[]),
        "datasets": ["<b>mine</b>"],
        "statistics": {"image_size": 16, "images": {"train": 4, "val": 2, "test": 3}},
        "datasheet": sheet_of("<b>mine</b>"),
        "sheets": {},
        "losses": {models[0]: pd.DataFrame({"step": [1], "images": [3], "loss": [0.5]})},
        "validation": {models[0]: validation_of("color")},
        "pictures": dict.fromkeys(models, shown_of("gray", "truth", "own")),
        "domains": {},
    }
    return page(rows, **options | changes)


def answers(models: list[dict], planned: list[dict]) -> Significance:
    return Significance.parse({"split": "test", "models": models, "planned": planned}, "")


def words(html: str) -> list[str]:
    """What a reader sees."""
    return re.sub(r"<[^>]*>|\s+", " ", html).split()


def line_of(html: str, label: str, name: str) -> list[list[str]]:
    """Of the table with that label the line of that name: the words of each cell."""
    table = html.split(f'aria-labelledby="{label}"')[1].split("</table>")[0]
    line = re.search(rf"<th[^>]*>{re.escape(name)}</th>(.*?)</tr>", table, re.DOTALL)[1]
    return [words(cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", line, re.DOTALL)]


def test_a_model_that_copies_its_input_is_called_a_copy():
    of = {"honest": results(0.5), "lazy": results(0.04), "blind": results(0.04)}
    of["lazy"]["test"]["chroma_ratio"]["mean"] = 0.01
    html = render(rows_of(of, {}))
    assert "<li><b>lazy</b> copies its input (projection 0.04).</li>" in html
    assert "<b>blind</b> copies its input, or gives it noise or another" in html
    assert "honest</b> copies" not in html


def test_what_began_with_imagenets_labels_is_told_apart():
    known = results(0.5) | {"chroma_scaled": results(0.5)}
    known["diagnostics"] = known["diagnostics"] | {"supervision": "paired", "pretrained": True}
    html = render(rows_of({"one": results(0.5), "known": known}, {}))
    for name, wanted in {
        "one": "no pairs",
        "known": "pairs, ImageNet labels",
        "known_chroma_scaled": "pairs, ImageNet labels",
    }.items():
        assert " ".join(line_of(html, "results", name)[0]) == wanted


def test_the_report_is_safe_deterministic_and_has_a_dash_for_what_is_undefined():
    lacking = results(0.5)
    lacking["test"]["sharpness"] = {"mean": None, "low": None, "high": None}
    lacking["test"]["psnr"] = {"mean": 1.5, "low": None, "high": None}  # of a single group
    rows = rows_of({"one": lacking}, {"grayscale": results(0)})
    html = render(rows)
    assert html == render(rows)
    assert "&lt;b&gt;mine" in html
    cells = line_of(html, "results", "one")
    shown = [column.metric for column in itertools.chain(*columns.main_and_more(perception=False))]
    assert sorted(shown) == sorted(columns.COLUMNS)
    assert cells[0] == ["no", "pairs"]
    assert cells[1:][shown.index("sharpness")] == ["–"]
    assert cells[1:][shown.index("psnr")] == ["1.50"]
    assert cells[1:][shown.index("ciede2000")] == ["1.50", "1.00", "to", "2.00"]
    assert html.count('scope="col" class="more"') == len(shown) - 6
    assert "over 2 groups of photographs" in " ".join(html.split())
    assert line_of(html, "by-dataset", "maps") == [["1"], ["1"], ["1.50"]]


def test_what_is_not_defined_is_left_out_of_what_dvc_compares():
    of_val = Result.parse(results(0.5), "").val
    assert deciding(of_val) == dict.fromkeys(DECIDING, 1.5) | {"projection": 0.5}
    undefined = {"projection": Interval(mean=None, low=None, high=None)}
    assert "projection" not in deciding(of_val | undefined)


def test_the_report_shows_what_the_union_took():
    rows = rows_of({"one": results(0.5)}, {})
    sheets = {"shown": Image.new("RGB", (16, 16))}
    shown = sheet_of("shown")["shown"]
    empty = shown | {"ab_histogram": None, "colorfulness": None, "ignored": {"__MACOSX": 1234}}
    html = render(rows, datasheet={"shown": shown, "empty": empty}, sheets=sheets)
    counts = [count for (count,) in line_of(html, "data", "shown")]
    # files; train, val, test; duplicate, near-duplicate, group, gray, small, side, rejected; leaks
    assert counts[:12] == ["2", "1", "0", "0", "0", "0", "0", "1", "0", "0", "0", "0"]
    assert len(re.findall(r'alt="Some images of', html)) == 1
    assert "__MACOSX (1,234)" in html


NUMBERS = "(CIEDE2000 −1.00, −2.00 to −0.50)"


def test_significance_are_sentences():
    models = [compared("zhang_l2", "mean_color", "ciede2000", "inconclusive", 0.1, -0.25, 0.3)]
    for name, close, like, mean in (
        ("good", "better", "worse", "better"),
        ("bad", "worse", "better", "worse"),
        ("so_so", "inconclusive", "inconclusive", "inconclusive"),
    ):
        models += [
            compared(name, "zhang_l2", "ciede2000", close, -1.005, -2, -0.5),
            compared(name, "zhang_l2", "ab_histogram_js", like, None, None, None),
            compared(name, "mean_color", "ciede2000", mean, 3, 2, 4),
        ]
    comparisons = [compared("good", "grayscale", "auc_raw", "worse", -0.5, -1, 0)]
    names = ("zhang_l2", "good", "bad", "so_so")
    rows = rows_of({name: results(0.5, MANY) for name in names}, {})
    html = render(rows, significance=answers(models, comparisons))
    listed = re.findall(r"<li>(.*?)</li>", html.split('<ul class="significance">')[1])
    text = [re.sub("<[^>]*>", "", item) for item in listed]
    assert text == [
        "zhang_l2 is not shown to be better than the mean color "
        + "(CIEDE2000 +0.10, −0.25 to +0.30).",
        f"good is closer to the true photographs than zhang_l2 {NUMBERS}; "
        + "its colors together are less like theirs (ab-histogram JS –); "
        + "it is better than the mean color (CIEDE2000 +3.00, +2.00 to +4.00).",
        f"bad is farther from the true photographs than zhang_l2 {NUMBERS}; "
        + "its colors together are more like theirs (ab-histogram JS –); "
        + "it is no better than the mean color (CIEDE2000 +3.00, +2.00 to +4.00).",
        "so_so is not shown to be closer to the true photographs, nor farther, than zhang_l2 "
        + f"{NUMBERS}; whether its colors together are more like theirs is inconclusive "
        + "(ab-histogram JS –); it is not shown to be better than the mean color "
        + "(CIEDE2000 +3.00, +2.00 to +4.00).",
    ]
    assert "<strong>is not shown to be better than the mean color</strong>" in listed[0]
    assert "<strong>" not in listed[1]
    difference = ["−0.500", "−1.000", "to", "+0.000"]
    cells = [["grayscale"], ["auc_raw"], difference, ["0.0100"], ["worse"]]
    assert line_of(html, "comparisons", "good") == cells
    assert "Planned comparisons" not in render(rows)


def test_of_few_photographs_nothing_is_concluded():
    models = [compared("zhang_l2", "mean_color", "ciede2000", "better", -1, -2, -0.5)]
    planned = [compared("zhang_l2", "grayscale", "ciede2000", "better", -0.5, -1, -0.1)]
    said = {}
    for name, counts in (("few", COUNTS), ("many", MANY)):
        rows = rows_of({"zhang_l2": results(0.5, counts)}, {"grayscale": results(0, counts)})
        said[name] = " ".join(words(render(rows, significance=answers(models, planned))))
    assert (
        "This run cannot tell: it measured only 2 independent test photographs (3 images)"
        in (said["few"])
    )
    assert "comes closest" not in said["few"]
    assert "better" not in said["few"].split("Significance No tests")[1].split("What the")[0]
    assert "zhang_l2 comes closest to the true photographs (CIEDE2000 1.5)" in said["many"]
    assert "zhang_l2 grayscale CIEDE2000 −0.50 −1.00 to −0.10 0.0100 better" in said["many"]


def interval(mean: float, low: float, high: float) -> dict[str, float]:
    return {"mean": mean, "low": low, "high": high}


@pytest.mark.parametrize(
    ("method", "changes", "shown", "outcome"),
    [
        ("zhang_l2", {"chroma_ratio": (0.5, 0.4, 0.6)}, "0.50 (0.40 to 0.60) of", claims.HOLDS),
        ("zhang_l2", {"chroma_ratio": (0.9, 0.85, 1)}, "0.90 (0.85 to 1.00) of", claims.FAILS),
        ("zhang_l2", {"chroma_ratio": (0.8, 0.7, 0.9)}, "0.80", claims.INCONCLUSIVE),
        ("gan", {"diversity": (0.01, 0, 0.02)}, "by 0.01 (0.00 to 0.02) of", claims.HOLDS),
        ("gan_bottleneck", {"diversity": (0.5, 0.4, 0.6)}, "by 0.50", claims.FAILS),
        (
            "cyclegan",
            {"projection": (0.5, 0.4, 0.6), "sharpness": (0.8, 0.7, 0.9)},
            "with 0.80 (0.70 to 0.90) of its sharpness",
            claims.HOLDS,
        ),
        (
            "cyclegan",
            {"projection": (0.05, 0, 0.09), "sharpness": (0.8, 0.7, 0.9)},
            "it goes 0.05",
            claims.FAILS,
        ),
        ("stargan", {"projection": (0.01, 0, 0.02)}, "0.03 (0.02 to 0.04) from", claims.HOLDS),
        ("stargan", {"projection": (0.3, 0.2, 0.4)}, "it goes 0.30 (0.20 to 0.40)", claims.FAILS),
        ("stargan", {"projection": (0.1, 0, 0.2)}, "it goes 0.10", claims.INCONCLUSIVE),
    ],
)
def test_the_papers_claims_are_held_against_the_run(method, changes, shown, outcome):
    result = results(0.5)
    result["test"] |= {metric: interval(*values) for metric, values in changes.items()}
    result["to_gray"] = {"test": COUNTS | {"projection": interval(0.03, 0.02, 0.04)}}
    rows = rows_of({"other": results(0.5), "it": result}, {"grayscale": results(0)})
    parameters = {"other": parsed("nogan_lab"), "it": parsed(method)}
    (found,) = claims.claims(rows, parameters)
    assert found.shown.startswith("it: ")
    assert shown in found.shown
    assert found.outcome == outcome


BOTH_WAYS = {"to_gray": {"test": COUNTS | {"projection": interval(0.5, 0.4, 0.6)}}}
BOTH_WAYS["to_gray"]["test"] |= {
    column.metric: interval(0.5, 0.4, 0.6) for column in columns.TO_GRAY
}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (
            {"zhang_l2": 9, "cyclegan": 7, "stargan": 8.04, "grayscale": 10},
            (
                "cyclegan comes closest to the true photographs (CIEDE2000 7.0), closer than the "
                "gray input (10.0). stargan has 8.0."
            ),
        ),
        (
            {"zhang_l2": 9, "cyclegan": 17, "stargan": 18, "stargan_rgb": 14, "grayscale": 8},
            (
                "zhang_l2 comes closest to the true photographs (CIEDE2000 9.0), but no closer "
                "than the gray input (8.0). Without pairs, stargan_rgb comes closest (14.0); "
                "cyclegan has 17.0 and stargan has 18.0."
            ),
        ),
    ],
)
def test_the_answer_comes_first(values, said):
    of = {name: results(0.5, MANY) for name in values}
    for name, ciede2000 in values.items():
        of[name]["test"] |= {"ciede2000": interval(ciede2000, 0, 20)}
    of["zhang_l2"]["diagnostics"] = of["zhang_l2"]["diagnostics"] | {"supervision": "paired"}
    of["stargan"] |= BOTH_WAYS
    copy = results(0.05, MANY)  # its pictures are no colorings
    copy["test"] |= {"ciede2000": interval(1, 0, 2)}
    trivial = {"grayscale": of.pop("grayscale")}
    rows = rows_of(of | {"gan": copy}, trivial)
    parameters = {name: parsed(name) for name in [*of, "gan"]}
    html = render(rows, baseline="zhang_l2", parameters=parameters)
    answer = html.split('<p class="answer">')[1].split("</p>")[0]
    assert " ".join(words(answer)) == said


def test_models_come_in_the_order_of_the_question():
    names = ["gan", "stargan", "nogan_lab", "cyclegan", "zhang_l2"]
    of = {name: results(0.5, MANY) for name in names}
    of["cyclegan"] |= {"input_L": results(0.5, MANY)}
    of["stargan"] |= BOTH_WAYS
    parameters = {name: parsed(name) for name in names}
    html = render(
        rows_of(of, {"grayscale": results(0, MANY)}),
        baseline="zhang_l2",
        parameters=parameters,
        pictures=dict.fromkeys(names, shown_of("gray", "truth", "own")),
    )
    table = html.split('aria-labelledby="results"')[1].split("</table>")[0]
    assert re.findall(r'<th scope="row">(\w+)</th>', table) == [
        *("zhang_l2", "cyclegan", "cyclegan_input_L", "stargan", "gan", "nogan_lab"),
        "grayscale",
    ]
    first = html.split('<ul class="first">')[1].split("</ul>")[0]
    assert re.findall("<b>(.*?)</b>", first)[:5] == [
        *("gray", "truth", "zhang_l2", "cyclegan", "stargan")
    ]


def drawn(html: str, alt: str) -> str:
    """The SVG in a page whose alternative text begins so."""
    data = re.search(rf'<img src="data:image/svg\+xml;base64,([^"]+)" alt="{alt}', html)[1]
    return base64.b64decode(data).decode()


def test_figures_show_every_model_in_the_ink_of_the_page():
    of = {name: results(0.5, MANY) for name in ("zhang_l2", "one", "two")}
    of["two"]["diagnostics"] = of["two"]["diagnostics"] | {"multiply_adds": 5_000_000}
    models = [
        compared(name, "zhang_l2", metric, said, *numbers)
        for name, said, *numbers in (("one", "better", -1, -2, -0.5), ("two", "worse", 1, 0.5, 2))
        for metric in ("ciede2000", "ab_histogram_js")
    ]
    models += [compared(n, "mean_color", "ciede2000", "better", -1, -2, -1) for n in ("one", "two")]
    html = render(rows_of(of, {}), significance=answers(models, []))
    beside = drawn(html, "Each model")
    assert all(f">{name}</text>" in beside for name in ("one", "two"))
    for svg in (beside, drawn(html, "Loss curves")):
        assert "prefers-color-scheme: dark" in svg
        assert "fill: currentColor" in svg
        assert "#010203" not in svg
        assert "fill: #ffffff" not in svg  # nothing behind it
    assert line_of(html, "costs", "two")[6] == ["5,000,000"]
    alone = render(rows_of({"zhang_l2": results(0.5, MANY)}, {}))
    assert 'alt="Each model' not in alone


def test_the_spread_over_seeds_is_that_of_a_sample():
    assert published_page.spread([1.0, 2.0, 4.5], 1) == "2.5 ± 1.8 (1.0 to 4.5)"
    assert published_page.spread([-1.0, 1.0], 0) == "0 ± 1 (−1 to 1)"
    assert published_page.spread([1.0, None], 1) == "–"
    assert published_page.spread([-0.04, 0.04], 1) == "0.0 ± 0.1 (0.0 to 0.0)"
    of_seeds = [Result.parse(results(projection), "") for projection in (0.25, 0.75)]
    result = compared("gan", "zhang_l2", "ciede2000", "worse", 1, 0.5, 1.5) | {"seeds": [2, 1]}
    results_of = ({"gan": of_seeds}, [ComparisonResult(**result)])
    text = published_page.seeds_page(published_page.Spread([1, 2], ["val", "test"], *results_of))
    assert "Seeds 1, 2: mean ± standard deviation (least to largest)." in text
    same = "1.50 ± 0.00 (1.50 to 1.50) | 1.500 ± 0.000 (1.500 to 1.500)"
    assert f"| `gan` | val | {same} | 0.50 ± 0.35 (0.25 to 0.75) |" in text
    numbers = "CIEDE2000 +1.00, +0.50 to +1.50; p 0.0100; seeds 2 and 1"
    assert f"- `gan` beside `zhang_l2`: worse ({numbers})\n" in text


def test_each_domain_from_each_other_is_a_table_and_a_grid():
    def way(ciede2000: float) -> dict:
        values = {"ciede2000": ciede2000, "ciede2000_of_copy": 9.25, "projection": 0.5}
        return {name: {"mean": v, "low": v - 1, "high": v + 1} for name, v in values.items()}

    ways = {"gray": {"color": way(8), "night": way(3)}, "color": {"gray": way(2), "night": way(4)}}
    ways["night"] = {"gray": way(5), "color": way(6)}
    able = results(0.5) | {"domains": {"test": ways}}
    rows = rows_of({"one": able, "two": results(1)}, {})
    names = list(ways)
    made = {WAY.join((s, t)): Image.new("RGB", (32, 32)) for s in names for t in names}
    html = render(rows, domains={"one": [Shown(Case("a.png", "x", "fixed", 1.0), made)]})
    assert "one: each domain from each other" in html
    assert "two: each domain" not in html
    assert line_of(html, "domains-one", "from gray") == [
        ["–"],
        ["8.00", "7.00", "to", "9.00", "copy", "9.25", "projection", "0.50"],
        ["3.00", "2.00", "to", "4.00", "copy", "9.25", "projection", "0.50"],
    ]
    section = html.split('id="domains-one"')[1].split("</table>")[0]
    assert section.count("copy 9.25") == 6
    grid = html.split('aria-labelledby="made-one"')[1].split("</table>")[0]
    assert re.findall('<th scope="row">(.+?)</th>', grid) == [f"x, from {n}" for n in names]
    assert [grid.count(f'alt="to {name}"') for name in names] == [3, 3, 3]


def run_of(seed: int, projection: float, updates: int) -> study_page.SeedRun:
    values = {"mean": 0.25, "low": 0, "high": 1}
    to_gray = {m: dict(values) for m in ("psnr", "residual_chroma")}
    to_gray |= {m: {"mean": seed, "low": 0, "high": 9} for m in ("projection", "change_ratio")}
    to_gray |= {
        m: {"mean": None, "low": None, "high": None} for m in ("hidden_color", "hidden_color_gray")
    }
    curve = validation_of("color", "gray").assign(
        label_effect_center=[1, 2.5], label_effect_border=[1, 7]
    )
    curve["generator_updates"] = [1, updates]
    result = results(projection) | {"to_gray": {"test": COUNTS | to_gray}}
    result["test"]["change_ratio"] = values
    return study_page.SeedRun(seed, Result.parse(result, ""), curve)


def studied() -> dict[str, study_page.VariantRuns]:
    return {
        "default": study_page.VariantRuns("controls", "as published", [run_of(1, 0.5, 4000)]),
        "other": study_page.VariantRuns(
            "options", "is it?", [run_of(1, 0.25, 20), run_of(3, 0.75, 20)]
        ),
    }


def test_a_study_says_what_each_variant_gave():
    variants = studied()
    asked = ("other", "default", "projection")
    result = ComparisonResult(**compared(*asked, "better", -0.1, -0.2, -0.05) | {"seeds": [2, 1]})
    text = study_page.tables(variants, [result], "test")
    assert "- `other` beside `default`: better (projection −0.10, −0.20 to −0.05; p 0.0100;" in text
    results_of_other, diagnostics_of_other, effort_of_other = (
        line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| `other`")
    )
    assert results_of_other[2] == "0.50 (0.25 to 0.75)"
    assert results_of_other[7] == "2.00 (1.00 to 3.00)"
    assert diagnostics_of_other[2:] == ["–", "–", "2.5 (2.5 to 2.5)", "7.0 (7.0 to 7.0)", "–", "–"]
    assert effort_of_other[1:] == ["20", "0.1%", "6", "0.00%"]
    assert "| `default` | 4,000 | 10.0% | 6 | 0.00% |" in text


def test_a_study_draws_a_line_for_each_run():
    variants = studied()
    svg = study_page.curves(variants)
    assert svg == study_page.curves(variants)
    for said in ("default", "other", "controls", "options", "updates of the generator"):
        assert f">{said}</text>" in svg
    other = variants["other"]
    both, one = (
        study_page.curves({"other": other._replace(runs=runs)}).count("stroke: #0072b2")
        for runs in (other.runs, other.runs[:1])
    )
    assert both > one


def pictures_in(html: str) -> list[tuple[str, str]]:
    """What is said of each picture, and below it, in the sections that show models' pictures."""
    return re.findall(
        r'<img src="data:image/jpeg[^"]+" alt="([^"]+)"[^>]*></button><small>([^<]*)</small>', html
    )


def test_the_same_photographs_by_every_model_and_each_at_its_extremes():
    rows = rows_of({"honest": results(0.5), "rgb": results(0.4) | BOTH_WAYS}, {})
    pictures = {
        "honest": shown_of("gray", "truth", "own"),
        "rgb": shown_of("gray", "truth", "own", "input_L", "to_gray"),
    }
    html = render(rows, pictures=pictures, datasets=["one", "two"])
    extremes = [("best", "1.0"), ("worst", "9.0")]
    own, kept, gray, differs = (f"rgb, {detail}" for detail in gallery.DETAILS.values())
    assert pictures_in(html) == [
        *[("gray", ""), ("truth", ""), ("honest", "CIEDE2000 5.0"), ("rgb", "CIEDE2000 5.0")],
        *[("gray", ""), ("truth", ""), ("honest", "5.0"), (own, "5.0"), (kept, "")],
        *[("truth", ""), ("gray", ""), (gray, ""), (differs, "")],
        *[(name, words) for name in pictures for pair in extremes for words in pair],
    ]
    heads = [f'<th scope="col">rgb<small>{d}</small></th>' for d in ("its RGB", "lightness kept")]
    assert "".join(heads) in html
    assert html.count('<th scope="row">one</th>') == 2
    assert html.count('<th scope="row">two</th>') == 2
    alone = render(rows[:1], pictures={"honest": pictures["honest"]}, datasets=["one"])
    assert "made gray" not in alone
    assert '<th scope="row">one</th>' not in alone
