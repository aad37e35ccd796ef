"""Tests of differences on constructed photographs, whose differences are known."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from colorize.base.errors import UserError
from colorize.base.files import write_parquet
from colorize.comparison import significance
from colorize.comparison.significance import Comparison, ImageMetrics, holm, row_named
from colorize.evaluation.metrics import BETTER, METRICS, PERCEPTUAL


def row(
    folder: Path, name: str, groups: Sequence[object] | None = None, **quantities: np.ndarray
) -> ImageMetrics:
    """What an evaluation might have left of a model: a photograph a value."""
    count = len(next(iter(quantities.values())))
    table = {
        "name": [f"{number:04}.png" for number in range(count)],
        "group": [str(group) for group in (range(count) if groups is None else groups)],
        "side": "photograph",
        "split": "test",
    }
    table |= {key: list(values) for key, values in quantities.items()}
    write_parquet(folder / f"{name}.parquet", pd.DataFrame(table))
    return ImageMetrics(folder / f"{name}.parquet", "test")


def result_of(
    metric: str,
    model: ImageMetrics | list[ImageMetrics],
    against: ImageMetrics | list[ImageMetrics],
) -> dict:
    rows = {"a": model, "b": against}
    rows = {name: of if isinstance(of, list) else [of] for name, of in rows.items()}
    return significance.test([Comparison(model="a", against="b", metric=metric)], rows)[0]


def difficulty(count: int) -> np.ndarray:
    """Errors that photographs differ in by far more than models do."""
    return np.random.default_rng(0).uniform(2, 30, count)


def test_a_small_difference_on_each_photograph_is_decided(tmp_path):
    """One that intervals of the two rows, each 4 wide, would not show."""
    errors = difficulty(60)
    rival = row(tmp_path, "b", ciede2000=errors)
    found = result_of("ciede2000", row(tmp_path, "a", ciede2000=errors - 0.1), rival)
    assert found.difference == found.low == found.high == pytest.approx(-0.1)
    assert found.result == "better"
    assert found.p == pytest.approx(2 / (significance.RESAMPLES + 1), rel=1e-2)
    found = result_of("ciede2000", rival, row(tmp_path, "a", ciede2000=errors - 0.1))
    assert (found.difference, found.result) == (pytest.approx(0.1), "worse")


def test_the_interval_of_a_mean_is_that_of_theory(tmp_path):
    rng = np.random.default_rng(1)
    errors = difficulty(400)
    less = rng.normal(0.5, 2, 400)
    rival = row(tmp_path, "b", ciede2000=errors)
    found = result_of("ciede2000", row(tmp_path, "a", ciede2000=errors - less), rival)
    half = 1.96 * less.std() / 20
    assert found.difference == pytest.approx(-less.mean(), abs=1e-6)
    assert found.low == pytest.approx(-less.mean() - half, abs=0.01)
    assert found.high == pytest.approx(-less.mean() + half, abs=0.01)


@pytest.mark.parametrize("scale", [pytest.param(1, marks=pytest.mark.soak), 1.5])
def test_of_models_that_do_not_differ_few_are_told_apart(tmp_path, monkeypatch, scale):
    """5 % of them, were there infinitely many photographs; here 40, of which some count more."""
    monkeypatch.setattr(significance, "RESAMPLES", 1000)
    decided = 0
    for draw in range(200):
        rng = np.random.default_rng(draw)
        errors, noise = difficulty(40), rng.normal(0, scale, 40) * rng.uniform(0.5, 2, 40)
        model = row(tmp_path, "a", ciede2000=errors + noise)
        rival = row(tmp_path, "b", ciede2000=errors)
        decided += result_of("ciede2000", model, rival).result != "inconclusive"
    assert 4 <= decided <= 20


def test_tiles_of_one_photograph_are_one_piece_of_evidence(tmp_path):
    """33 tiles of 3 photographs, which differ by -1, 3.4 and 0."""
    of = np.repeat([0, 1, 2], 11)
    errors = difficulty(33)
    difference = np.array([-1.03, 3.44, 0.02])[of] + np.random.default_rng(2).normal(0, 0.5, 33)
    tiles = [
        row(tmp_path, "a", ciede2000=errors + difference),
        row(tmp_path, "b", ciede2000=errors),
    ]
    assert result_of("ciede2000", *tiles).result == "worse"
    tiles = [
        row(tmp_path, "a", of, ciede2000=errors + difference),
        row(tmp_path, "b", of, ciede2000=errors),
    ]
    found = result_of("ciede2000", *tiles)
    assert found.low < 0 < found.high
    assert found.result == "inconclusive"


@pytest.mark.parametrize(
    ("groups", "result"), [(1, "inconclusive"), (5, "inconclusive"), (6, "better")]
)
def test_few_groups_decide_nothing(tmp_path, groups, result):
    """Of five coins all show the same side one time in sixteen."""
    of = np.arange(60) % groups
    errors = difficulty(60)
    found = result_of(
        "ciede2000",
        row(tmp_path, "a", of, ciede2000=errors - 1),
        row(tmp_path, "b", of, ciede2000=errors),
    )
    assert found.p >= 2.0 ** (1 - groups)
    assert found.result == result


def test_metrics_of_the_whole_set_are_made_anew_of_each_resample(tmp_path):
    """A ratio of sums, not a mean of ratios; and that should be near 1, not large."""
    true = np.random.default_rng(3).uniform(1, 100, 80)
    rows = {
        name: row(tmp_path, name, chroma=chroma, chroma_of_truth=true)
        for name, chroma in (
            ("pale", 0.9 * true),
            ("gaudy", 1.3 * true),
            ("flat", true.mean() / true),
        )
    }
    found = result_of("chroma_ratio", rows["gaudy"], rows["pale"])
    assert found.difference == pytest.approx(0.2)
    assert found.result == "worse"
    assert result_of("chroma_ratio", rows["pale"], rows["gaudy"]).result == "better"
    ratio = (true.mean() / true).sum() / true.sum()
    found = result_of("chroma_ratio", rows["flat"], rows["pale"])
    assert found.difference == pytest.approx(abs(ratio - 1) - 0.1)
    assert found.low < found.difference < found.high


def test_higher_is_better_where_it_is(tmp_path):
    psnr = difficulty(50)
    rival = row(tmp_path, "b", psnr=psnr)
    assert result_of("psnr", row(tmp_path, "a", psnr=psnr + 1), rival).result == "better"


def test_the_gap_of_colorfulness_is_a_size(tmp_path):
    """Too much by 5 and too little by 5 are as far off."""
    true = difficulty(100) * 2
    rows = {
        name: row(tmp_path, name, colorfulness=true + by, colorfulness_of_truth=true)
        for name, by in (("more", 5), ("less", -5), ("little_less", -1))
    }
    found = result_of("colorfulness_gap", rows["more"], rows["less"])
    assert found.difference == pytest.approx(0, abs=1e-6)
    assert found.result == "inconclusive"
    found = result_of("colorfulness_gap", rows["little_less"], rows["more"])
    assert (found.difference, found.result) == (pytest.approx(-4), "better")


def test_resamples_that_contradict_the_set_decide_nothing(tmp_path):
    """Too much here is as much as too little there, so the set has no gap; its resamples have."""
    true = np.full(40, 200.0)
    rows = {
        name: row(tmp_path, name, colorfulness=true + by, colorfulness_of_truth=true)
        for name, by in (("even", np.resize([150, -150], 40)), ("near", np.full(40, 0.5)))
    }
    found = result_of("colorfulness_gap", rows["even"], rows["near"])
    assert found.difference == pytest.approx(-0.5)
    assert found.p > 0.9
    assert found.result == "inconclusive"


def test_the_interval_of_a_difference_of_divergences_holds_it(tmp_path):
    """Of small sets both are too large in every resample, and the smaller by more."""
    rng = np.random.default_rng(4)
    share = rng.dirichlet(np.ones(20))
    true = rng.multinomial(50, share, 30).astype(float)
    like = rng.multinomial(50, share, 30).astype(float)
    other = rng.multinomial(50, np.roll(share, 7), 30).astype(float)
    rows = [
        row(tmp_path, name, ab_histogram=made, ab_histogram_of_truth=true)
        for name, made in (("a", like), ("b", other))
    ]
    found = result_of("ab_histogram_js", *rows)
    assert found.result == "better"
    assert found.low < found.difference < found.high < 0


def test_seeds_are_averaged_and_must_agree(tmp_path):
    errors = difficulty(60)
    rival = row(tmp_path, "b", ciede2000=errors)

    def seeds(*differences: float) -> list[ImageMetrics]:
        return [
            row(tmp_path, f"a{number}", ciede2000=errors + by)
            for number, by in enumerate(differences)
        ]

    found = result_of("ciede2000", seeds(-1, -2, -0.3), rival)
    assert found.difference == pytest.approx(-1.1)
    assert found.seeds == [3, 1]
    assert found.result == "better"
    found = result_of("ciede2000", seeds(-1, -2, 0.3), rival)
    assert found.difference == pytest.approx(-0.9)
    assert found.high < 0
    assert found.result == "inconclusive"


def test_what_photographs_do_not_define_is_not_decided(tmp_path):
    gray = np.zeros(20)
    rows = [row(tmp_path, name, chroma=gray, chroma_of_truth=gray) for name in "ab"]
    found = result_of("chroma_ratio", *rows)
    assert (found.difference, found.low, found.p) == (None, None, 1)
    assert found.result == "inconclusive"


def test_what_few_resamples_define_is_not_decided(tmp_path):
    """A third of the resamples lack the only photograph with color: they tell nothing."""
    true = np.zeros(30)
    true[0] = 10.0
    rows = [
        row(tmp_path, name, chroma=chroma, chroma_of_truth=true)
        for name, chroma in (("a", true), ("b", true / 2))
    ]
    found = result_of("chroma_ratio", *rows)
    assert found.difference == pytest.approx(-0.5)
    assert found.p == pytest.approx(2 * (29 / 30) ** 30, abs=0.02)
    assert found.result == "inconclusive"


def test_holms_correction():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.6]) == [1, 1]
    assert holm([]) == []


def test_the_more_is_asked_the_surer_an_answer_has_to_be(tmp_path):
    errors = difficulty(100)
    by = np.random.default_rng(5).normal(size=100)
    by = 0.22 + (by - by.mean()) / by.std()
    rows = {"rival": [row(tmp_path, "rival", ciede2000=errors)]}
    rows["model"] = [row(tmp_path, "model", ciede2000=errors - by)]
    one = Comparison(model="model", against="rival", metric="ciede2000")
    alone = significance.test([one], rows)[0]
    among = significance.test([one] * 10, rows)[0]
    assert alone.result == "better"
    assert among.p == pytest.approx(10 * alone.p, abs=1e-5)
    assert among.result == "inconclusive"
    assert (among.low, among.high) == (alone.low, alone.high)


def test_every_metric_but_one_has_better_values():
    """How colorful pictures are says nothing without the photographs."""
    assert (METRICS | PERCEPTUAL).keys() - BETTER.keys() == {"colorfulness"}
    assert BETTER.keys() <= (METRICS | PERCEPTUAL).keys()
    with pytest.raises(ValidationError, match="one of psnr, ssim"):
        Comparison(model="a", against="b", metric="colorfulness")


def test_rows_beside_a_models_own(tmp_path):
    errors = difficulty(10)
    on_input = {"input_L_ciede2000": errors - 1, "input_L_chroma": errors}
    row(tmp_path, "gan", ciede2000=errors, chroma=errors + 1, chroma_of_truth=errors, **on_input)
    assert row_named(tmp_path, "gan", "test")["ciede2000"] == pytest.approx(errors)
    assert row_named(tmp_path, "gan_input_L", "test")["ciede2000"] == pytest.approx(errors - 1)
    assert row_named(tmp_path, "gan_input_L", "test")["chroma_of_truth"] == pytest.approx(errors)
    row(tmp_path, "zhang_l2", ciede2000=errors)  # it keeps lightness
    assert row_named(tmp_path, "zhang_l2_input_L", "test")["ciede2000"] == pytest.approx(errors)


def test_only_photographs_of_the_split_count(tmp_path):
    of = {"name": list("abcd"), "group": list("abcd"), "ciede2000": [1.0, 2, 3, 4]}
    of |= {"side": ["photograph", "painting", "photograph", "photograph"]}
    of |= {"split": ["val", "test", "test", "test"]}
    write_parquet(tmp_path / "a.parquet", pd.DataFrame(of))
    found = ImageMetrics(tmp_path / "a.parquet", "test")
    assert found.names == found.groups == ["c", "d"]
    assert list(found["ciede2000"]) == [3, 4]
    assert list(found["images"]) == [1, 1]


def test_faults_are_named(tmp_path):
    with pytest.raises(UserError, match=r"gan\.parquet: missing; run `dvc repro`"):
        row_named(tmp_path, "gan", "test")
    (tmp_path / "gan.parquet").write_bytes(b"no table")
    with pytest.raises(UserError, match=r"gan\.parquet: not the result of an evaluation: \S.*"):
        row_named(tmp_path, "gan_input_L", "test")
    pd.DataFrame({"name": ["a"]}).to_parquet(tmp_path / "gan.parquet")
    with pytest.raises(UserError, match=r"gan\.parquet: not the result of an evaluation: \S.*"):
        row_named(tmp_path, "gan", "test")
    rows = [row(tmp_path, name, ciede2000=difficulty(n)) for name, n in (("a", 5), ("b", 6))]
    with pytest.raises(UserError, match=r"b\.parquet and .*a\.parquet: measured on different"):
        result_of("ciede2000", *rows)
