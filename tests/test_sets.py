"""Metrics of sets, and of the way back, on outputs of which theory says what they should give."""

import re

import numpy as np
import pytest
import torch
from torch import Tensor

from colorize import color
from colorize.base.errors import UserError
from colorize.evaluation import bootstrap, directions, distributions
from colorize.evaluation.colors import Colors
from colorize.evaluation.metrics import failure
from colorize.evaluation.protocol import Batch
from colorize.evaluation.results import Interval, Metrics
from tests.test_color import PHOTOGRAPHS, photograph
from tests.test_metrics import measured, one

SIDE = 64


@pytest.fixture(scope="module")
def batch() -> Batch:
    """Pieces of scikit-image's photographs, and their gray copies."""
    pieces = []
    for name in PHOTOGRAPHS:
        rgb = photograph(name)
        pieces += [rgb[..., i : i + SIDE, j : j + SIDE] for i in (0, 90) for j in (0, 90)]
    truth = color.to_uint8(
        torch.cat([piece for piece in pieces if piece.shape[2:] == (SIDE, SIDE)])
    )
    return Batch([str(n) for n in range(len(truth))], color.to_uint8(color.gray_of(truth)), truth)


def on_lightness(batch: Batch, ab: Tensor) -> Tensor:
    return color.to_uint8(color.join(color.lightness_of(batch.gray), ab))


def metrics_of(batch: Batch, predicted: Tensor) -> dict[str, float]:
    return one(measured(predicted, batch.truth, batch.gray))


def test_a_perfect_output_depends_on_its_input_and_is_found_again(batch):
    m = metrics_of(batch, batch.truth)
    assert m["dependence"] == m["diversity"] == 1
    assert m["retrieval"] == 1
    assert m["patch_swd"] == m["ab_histogram_js"] == 0
    assert failure(summaries(m)) is None


def test_a_constant_tint_depends_on_nothing(batch):
    tint = torch.tensor([1.0, 4.0])[:, None, None].expand(len(batch.truth), -1, SIDE, SIDE)
    tint = on_lightness(batch, tint)
    m = metrics_of(batch, tint)
    assert m["dependence"] == pytest.approx(0, abs=0.02)  # rounding to bytes
    assert m["diversity"] < 0.05
    assert m["retrieval"] == 1
    assert "copies its input, but for a tint or noise" in failure(summaries(m))
    sepia = summaries(m | {"projection": 0.17})
    assert "the same colors" in failure(sepia)


def test_a_copy_of_the_input_is_called_a_copy(batch):
    noise = torch.randn(batch.truth.shape, generator=torch.Generator().manual_seed(0)) * 6
    for predicted in (batch.gray.expand(-1, 3, -1, -1), (batch.gray + noise).clamp(0, 255).byte()):
        m = metrics_of(batch, predicted)
        assert m["retrieval"] == 1
        assert "copies its input" in failure(summaries(m))


def test_colors_that_are_not_its_own_are_told_from_a_plain_copy(batch):
    others = color.rgb_to_lab(batch.truth.roll(len(batch.truth) // 2, 0))[:, 1:]
    m = metrics_of(batch, on_lightness(batch, others))
    assert m["chroma_ratio"] > 0.5
    assert "another photograph's colors" in failure(summaries(m))
    plain = metrics_of(batch, batch.gray.expand(-1, 3, -1, -1))
    assert re.fullmatch(r"copies its input \(projection 0\.00\)", failure(summaries(plain)))


def test_one_picture_for_all_is_no_coloring(batch):
    one_picture = batch.truth[:1].expand_as(batch.truth)
    uniform = torch.full_like(batch.truth, 90)
    for predicted in (one_picture, uniform):
        m = metrics_of(batch, predicted)
        assert m["diversity"] == 0
        assert m["retrieval"] <= 1 / len(batch.truth)
        assert "the same picture" in failure(summaries(m))


def test_another_photographs_colors_are_as_diverse_and_do_not_depend_on_the_input(batch):
    shifted = on_lightness(batch, color.rgb_to_lab(batch.truth)[:, 1:].roll(5, 0))
    true, m = metrics_of(batch, batch.truth), metrics_of(batch, shifted)
    assert m["diversity"] == pytest.approx(true["diversity"], abs=0.15)
    assert m["dependence"] < 0.3 < true["dependence"]
    copied = metrics_of(batch, batch.gray.expand(-1, 3, -1, -1))
    assert m["ab_histogram_js"] < copied["ab_histogram_js"] / 5
    assert m["patch_swd"] < copied["patch_swd"]


def test_scaled_colors_are_that_much_less_diverse(batch):
    half = on_lightness(batch, color.rgb_to_lab(batch.truth)[:, 1:] / 2)
    assert metrics_of(batch, half)["diversity"] == pytest.approx(0.5, abs=0.01)


def summaries(means: dict[str, float]) -> Metrics:
    return {name: Interval(mean=value, low=None, high=None) for name, value in means.items()}


def test_patches_that_are_brighter_by_a_constant():
    """All patches move by the same along each direction: by c times the sum of its 49 weights of
    lightness. Of a unit vector of 147 weights in any direction that is about c sqrt(49 / 147) times
    a normal variate, so its size is c sqrt(49 / 147 * 2 / pi) on average.
    """
    torch.manual_seed(0)
    lab = torch.rand((3, 3, 96, 96), dtype=torch.float64) * 60 - 30
    lab[:, 0] += 50

    def distance(brighter: float) -> float:
        moved = lab.clone()
        moved[:, 0] += brighter
        p, q = (distributions.patch_histograms(i).sum(0).numpy()[None] for i in (lab, moved))
        return distributions.sliced_wasserstein(p, q)[0]

    assert distance(0) == 0
    near, far = distance(8), distance(16)
    assert near == pytest.approx(8 * (49 / 147 * 2 / np.pi) ** 0.5, rel=0.25)  # of 32 directions
    assert far == pytest.approx(2 * near, rel=0.02)


def test_the_interval_of_a_divergence_holds_what_the_set_itself_gives():
    """A resample is further from the truth than the set; that must not push the interval up."""
    rng = np.random.default_rng(0)
    made, true = rng.poisson(3.0, (2, 60, 40))
    metrics = {
        "ab_histogram_js": lambda s: distributions.jensen_shannon(s["made"], s["true"]),
    }
    groups = [str(number) for number in range(60)]
    entry = bootstrap.summarize(metrics, {"made": made, "true": true}, groups, 2000)
    assert entry["ab_histogram_js"].low <= entry["ab_histogram_js"].mean
    assert entry["ab_histogram_js"].mean <= entry["ab_histogram_js"].high


class TwoWays:
    """A model made of two functions of pictures (n, 3, S, S) in [0, 1]."""

    def __init__(self, to_gray, to_color):
        self.ways = {"gray": to_gray, "color": to_color}

    def translate(self, image, target):
        return self.ways[target](image)


def tinted(image: Tensor) -> Tensor:
    """Colors by lightness alone, an honest model: dark is blue, bright is yellow."""
    lightness = color.lightness_of(color.gray_of(image.clamp(0, 1)))
    ab = torch.cat((torch.zeros_like(lightness), (lightness - 50) / 2), dim=1)
    return color.join(lightness, ab)


def gray(image: Tensor) -> Tensor:
    return color.gray_of(image).expand(-1, 3, -1, -1)


def way_back(batch: Batch, to_gray, to_color) -> dict[str, float]:
    found = directions.measure_gray(Colors(TwoWays(to_gray, to_color), None), batch)
    groups = batch.names
    summary = bootstrap.summarize(directions.GRAY_METRICS, found, groups, 100)
    return {name: entry.mean for name, entry in summary.items()}


def test_an_honest_cycle_leaks_nothing(batch):
    m = way_back(batch, gray, tinted)
    assert m["psnr"] > 50
    assert m["residual_chroma"] < 0.01
    assert m["change_ratio"] == pytest.approx(1, abs=0.02)
    assert m["projection"] == pytest.approx(1, abs=0.02)
    assert m["cycle_gray_psnr"] > 40
    for name in directions.HIDDEN_COLOR:
        assert m[name] == pytest.approx(0, abs=0.05), name


def test_a_copy_in_the_other_direction(batch):
    m = way_back(batch, lambda image: image, lambda image: image)
    assert m["residual_chroma"] == 1
    assert m["change_ratio"] == m["projection"] == 0
    assert m["cycle_color_psnr"] > 58
    assert (
        m["hidden_color"] > 20
    )  # the truth comes back from "gray", which is the photograph itself
    assert m["hidden_color_gray"] < 1  # and nothing of it from its luma


FAINT = 0.02  # of the color stays in the gray, too little to see


def hiding(image: Tensor) -> Tensor:
    return gray(image) + FAINT * (image - gray(image))


def finding(image: Tensor) -> Tensor:
    luma = image.mean(1, keepdim=True)
    return luma + (image - luma) / FAINT


def test_a_cycle_that_hides_color_is_found_out(batch):
    """What is too faint for 8 bits comes back from the unrounded gray, and is lost by rounding."""
    m = way_back(batch, hiding, finding)
    assert m["residual_chroma"] < 0.05
    assert m["psnr"] > 35
    assert m["hidden_color"] > 5
    assert m["hidden_color_rounded"] < m["hidden_color"] - 3
    assert m["hidden_color_gray"] == pytest.approx(0, abs=0.2)


def test_a_picture_of_another_size_is_named(batch):
    smaller = TwoWays(lambda image: image[..., 1:], tinted)
    with pytest.raises(
        UserError, match=f"models/one: the model gives 3 x {SIDE} x {SIDE - 1} numb"
    ):
        directions.measure_gray(Colors(smaller, "models/one"), batch)


def test_a_picture_that_is_not_finite_is_named(batch):
    with pytest.raises(UserError, match="models/one: its pictures are not finite"):
        directions.measure_gray(
            Colors(TwoWays(lambda image: image / 0 * 0, tinted), "models/one"), batch
        )
