"""Metrics against scikit-image on real photographs, and against closed forms."""

import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest
import torch
from skimage import color as skcolor
from skimage import metrics as skmetrics

from colorize import color, quality
from colorize.color import bins
from colorize.evaluation import bootstrap, distributions, metrics, thumbnails
from colorize.evaluation.quantities import (
    Quantities,
    Rarity,
    colorfulness,
    measure,
    opponents,
)
from colorize.evaluation.results import Interval
from tests.test_color import PHOTOGRAPHS, photograph

# All colors weigh the same
ALIKE = Rarity(*2 * (torch.ones(len(bins.CENTERS), dtype=torch.float64),))


def pair(name: str) -> tuple[torch.Tensor, torch.Tensor]:
    """A photograph and its gray copy, uint8."""
    rgb = photograph(name)[:, :, :200, :240]
    return color.to_uint8(rgb), color.to_uint8(color.gray_of(rgb))


def of_pair(
    predicted: torch.Tensor, truth: torch.Tensor, gray: torch.Tensor, rarity: Rarity = ALIKE
) -> tuple[Quantities, Quantities]:
    """Quantities of pictures, and of the true ones."""
    found = measure({"row": predicted}, truth, gray, rarity)
    return found["row"], found[None]


def measured(
    predicted: torch.Tensor, truth: torch.Tensor, gray: torch.Tensor, rarity: Rarity = ALIKE
) -> Quantities:
    """All quantities that metrics are made of, of a set whose images are each a group."""
    made, of_truth = of_pair(predicted, truth, gray, rarity)
    found = made | of_truth
    thumbs = [found.pop(f"thumbnail{whose}") for whose in ("", "_of_truth", "_of_input")]
    groups = {f"{number:06}": str(number) for number in range(len(predicted))}
    return found | thumbnails.compare(*thumbs, groups)


def summarize_groups(quantities: Quantities, groups: list[str], resamples: int) -> dict[str, dict]:
    return bootstrap.summarize(metrics.METRICS, quantities, groups, resamples)


def summarize(quantities: Quantities, resamples: int) -> dict[str, dict]:
    """Every image a group of its own."""
    groups = [f"{number:06}" for number in range(len(quantities["images"]))]
    return summarize_groups(quantities, groups, resamples)


def one(quantities: Quantities) -> dict[str, float | None]:
    return {name: entry.mean for name, entry in summarize(quantities, 100).items()}


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_agrees_with_scikit_image(name):
    truth, gray = pair(name)
    noise = torch.randn(truth.shape, generator=torch.Generator().manual_seed(0)) * 12
    predicted = (truth + noise).clamp(0, 255).to(torch.uint8)
    ours, _ = of_pair(predicted, truth, gray)
    t, p = (x[0].permute(1, 2, 0).numpy() for x in (truth, predicted))
    assert ours["psnr"][0] == pytest.approx(skmetrics.peak_signal_noise_ratio(t, p), abs=1e-3)
    ssim = skmetrics.structural_similarity(
        t,
        p,
        channel_axis=2,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=255,
    )
    assert ours["ssim"][0] == pytest.approx(ssim, abs=1e-3)
    difference = skcolor.deltaE_ciede2000(skcolor.rgb2lab(t), skcolor.rgb2lab(p)).mean()
    assert ours["ciede2000"][0] == pytest.approx(difference, abs=1e-3)


def test_ciede2000_on_every_pair_of_colors():
    generator = torch.Generator().manual_seed(1)
    lab = torch.rand((2, 3, 200, 200), generator=generator, dtype=torch.float64)
    lab = (
        lab * torch.tensor([100.0, 220, 220])[:, None, None]
        - torch.tensor([0.0, 110, 110])[:, None, None]
    )
    lab[0, 1:, :20] = 0  # neutral against anything, and against neutral
    lab[1, 1:, 10:30] = 0
    ours = quality.ciede2000(lab[:1], lab[1:])[0].numpy()
    reference = skcolor.deltaE_ciede2000(*(x.permute(1, 2, 0).numpy() for x in lab))
    assert np.abs(ours - reference).max() < 1e-9


def test_a_perfect_prediction():
    truth, gray = pair("coffee.png")
    m = one(measured(truth, truth, gray))
    assert m["psnr"] == pytest.approx(10 * np.log10(255**2 * 12), abs=1e-6)
    assert m["ssim"] == m["chroma_ratio"] == m["change_ratio"] == m["projection"] == 1
    assert m["sharpness"] == m["sharpness_ab"] == 1
    assert m["ciede2000"] == m["ab_rmse"] == m["colorfulness_gap"] == m["lightness_error"] == 0


def test_a_copy_of_the_input_and_a_noisy_copy():
    truth, gray = pair("coffee.png")
    copy = gray.expand(-1, 3, -1, -1)
    m = one(measured(copy, truth, gray))
    assert m["change_ratio"] == m["projection"] == m["colorfulness"] == 0
    assert m["chroma_ratio"] == pytest.approx(0, abs=1e-3)
    noise = torch.randn(truth.shape, generator=torch.Generator().manual_seed(0)) * 10
    noisy = (copy + noise).round().clamp(0, 255).to(torch.uint8)
    m = one(measured(noisy, truth, gray))
    # It changes a lot, but not toward the truth: that is what the projection is for.
    assert m["change_ratio"] > 0.1
    assert abs(m["projection"]) < 0.02


def test_scaled_chroma():
    rgb = photograph("chelsea.png")
    lab = color.rgb_to_lab(rgb)
    half = color.to_uint8(color.join(lab[:, :1], lab[:, 1:] / 2))
    m = one(measured(half, color.to_uint8(rgb), color.to_uint8(color.gray_of(rgb))))
    assert m["chroma_ratio"] == pytest.approx(0.5, abs=0.01)
    assert m["projection"] == pytest.approx(0.5, abs=0.05)
    assert 0.5 <= m["sharpness_ab"] < 0.6  # rounding to 8 bits adds edges of its own


def test_colorfulness_of_two_colors():
    # Half red, half blue: rg is 255 and 0, yb is 127.5 and -255.
    image = torch.zeros((1, 3, 4, 4), dtype=torch.float64)
    image[:, 0, :2], image[:, 2, 2:] = 255, 255
    expected = np.sqrt(127.5**2 + 191.25**2) + 0.3 * np.sqrt(127.5**2 + 63.75**2)
    assert colorfulness(*(opponents(image) / 16).unbind(1)).item() == pytest.approx(expected)


def test_lightness_metrics_of_a_constant_shift():
    truth = torch.full((1, 3, 16, 16), 100, dtype=torch.uint8)
    darker = torch.full((1, 3, 16, 16), 90, dtype=torch.uint8)
    m = one(measured(darker, truth, truth[:, :1]))
    shift = (
        skcolor.rgb2lab(np.full((1, 1, 3), 100, np.uint8))
        - skcolor.rgb2lab(np.full((1, 1, 3), 90, np.uint8))
    )[0, 0, 0]
    assert m["lightness_error"] == pytest.approx(shift, abs=1e-3)


def test_a_ratio_to_nothing_is_undefined_not_infinite():
    gray = torch.full((2, 3, 16, 16), 128, dtype=torch.uint8)
    summary = summarize(measured(gray, gray, gray[:, :1]), 100)
    assert summary["projection"] == Interval(mean=None, low=None, high=None)
    assert summary["psnr"].mean > 58


def test_ratios_are_of_sums_not_means_of_ratios():
    quantities = _of_images(2, np.ones)
    quantities |= {"chroma": np.array([1.0, 9.0]), "chroma_of_truth": np.array([10.0, 10.0])}
    assert summarize(quantities, 100)["chroma_ratio"].mean == 0.5
    quantities |= {"chroma_of_truth": np.array([1.0, 90.0])}
    assert summarize(quantities, 100)["chroma_ratio"].mean == round(10 / 91, 6)


def test_the_interval_is_the_bootstraps():
    rng = np.random.default_rng(0)
    values = rng.normal(20, 2, 400)
    quantities = _of_images(400, np.ones) | {"psnr": values}
    entry = summarize(quantities, 4000)["psnr"]
    half = 1.96 * values.std() / np.sqrt(400)
    assert entry.mean == pytest.approx(values.mean(), abs=1e-6)
    assert entry.low == pytest.approx(values.mean() - half, abs=0.02)
    assert entry.high == pytest.approx(values.mean() + half, abs=0.02)
    assert summarize(quantities, 4000)["psnr"] == entry


def test_images_of_one_group_are_drawn_together():
    """Each photograph cut into nine equal tiles is as sure as the photographs alone."""
    values = np.random.default_rng(0).normal(20, 2, 12)
    alone = _of_images(12, np.ones) | {"psnr": values}
    tiles = _of_images(108, np.ones) | {"psnr": np.tile(values, 9)}
    names = [f"photograph {number:02}" for number in range(12)]
    expected = summarize_groups(alone, names, 1000)["psnr"]
    assert summarize_groups(tiles, names * 9, 1000)["psnr"] == pytest.approx(expected)
    apart = summarize(tiles, 1000)["psnr"]
    assert apart.high - apart.low < 0.4 * (expected.high - expected.low)


def test_a_single_group_has_no_interval():
    quantities = _of_images(5, np.ones) | {"psnr": np.arange(5.0)}
    found = summarize_groups(quantities, ["one"] * 5, 1000)
    assert found["psnr"] == Interval(mean=2, low=None, high=None)
    assert found["colorfulness_gap"] == Interval(mean=0, low=None, high=None)


def _of_images(count: int, fill: Callable[[tuple], np.ndarray]) -> Quantities:
    """All quantities that there are, each filled by its shape."""
    image = torch.zeros((1, 3, 16, 16), dtype=torch.uint8)
    image_quantities = measured(image, image, image[:, :1])
    return {name: fill((count, *values.shape[1:])) for name, values in image_quantities.items()}


def test_the_gap_between_means_has_the_interval_of_its_signed_value():
    rng = np.random.default_rng(0)
    for shift, count in ((0.0, 30), (0.3, 30), (-5.0, 30), (5.0, 30)):
        truth = rng.normal(20, 2, count)
        truth -= truth.mean() - 20
        predicted = rng.normal(20, 2, count)
        predicted -= predicted.mean() - 20 - shift
        quantities = _of_images(count, np.ones)
        quantities |= {"colorfulness": predicted, "colorfulness_of_truth": truth}
        entry = summarize(quantities, 2000)["colorfulness_gap"]
        half = 1.96 * (predicted - truth).std() / np.sqrt(count)
        assert entry.mean == pytest.approx(abs(shift), abs=1e-6)
        assert entry.low == pytest.approx(max(0, abs(shift) - half), abs=0.1)
        assert entry.high == pytest.approx(abs(shift) + half, abs=0.1)
        assert entry.low <= entry.mean <= entry.high


def test_resampling_holds_few_weights_at_a_time_and_gives_the_same(monkeypatch):
    rng = np.random.default_rng(0)
    quantities = _of_images(5000, rng.random)
    quantities["images"] = np.ones(5000)
    tracemalloc.start()
    found = summarize(quantities, 2000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40e6  # all of them would be 80 MB, and twice
    monkeypatch.setattr(bootstrap, "CHUNK", 10**9)
    again = summarize(quantities, 2000)
    assert all(again[name] == pytest.approx(entry, abs=1e-6) for name, entry in found.items())


def test_a_quantity_may_be_a_vector(monkeypatch):
    """Shares of a histogram: of the whole set, not the mean of the images' shares."""
    counts = np.array([[1.0, 3.0], [6.0, 0.0]])
    monkeypatch.setitem(
        metrics.METRICS, "first_share", lambda s: s["counts"][:, 0] / s["counts"].sum(1)
    )
    gray = torch.zeros((2, 1, 16, 16), dtype=torch.uint8)
    image = gray.expand(-1, 3, -1, -1)
    scalars = measured(image, image, gray)
    found = summarize(scalars | {"counts": counts}, 1000)["first_share"]
    assert found.mean == pytest.approx(0.7)
    assert (found.low, found.high) == (0.25, 1.0)  # one image drawn twice, or the other


def in_one_color(*lab: float) -> torch.Tensor:
    return color.to_uint8(
        color.lab_to_rgb(torch.tensor(lab)[None, :, None, None].expand(1, 3, 16, 16))
    )


def test_auc_is_the_area_under_the_curve_of_pixels_within_a_distance():
    """Half of the pixels are right, the others off by a known distance in ab."""
    truth = in_one_color(60, 20, 10)
    predicted = truth.clone()
    predicted[..., :8] = in_one_color(60, -20, 10)[..., :8]
    distance = torch.dist(*(color.rgb_to_lab(i)[0, 1:, 0, 0] for i in (truth, predicted)))
    thresholds = np.arange(151)
    area = np.mean([(1 + (float(distance) <= t)) / 2 for t in thresholds])
    found = one(measured(predicted, truth, truth[:, :1]))
    assert found["auc_raw"] == found["auc_rebalanced"] == pytest.approx(100 * area, abs=1e-4)
    exact = one(measured(truth, truth, truth[:, :1]))
    assert exact["auc_raw"] == 100


def test_rebalanced_a_pixel_counts_by_how_rare_its_true_color_is():
    common, rare = in_one_color(60, 20, 10), in_one_color(60, -30, 30)
    truth = torch.cat((common, rare))
    predicted = torch.cat((common, in_one_color(60, -30, -20)))
    bin_of_rare = torch.arange(len(bins.CENTERS)) == bins.CENTERS.index((-30, 30))
    rarity = Rarity(1 + 8.0 * bin_of_rare, 1 + 98.0 * bin_of_rare)
    found = one(measured(predicted, truth, truth[:, :1], rarity))
    wrong = 2 * found["auc_raw"] - 100  # of the rare one alone
    assert 0 < wrong < 90
    assert found["auc_rebalanced"] == pytest.approx((100 + 9 * wrong) / 10)
    assert found["auc_rebalanced_zhang"] == pytest.approx((100 + 99 * wrong) / 100)


def test_rarity_is_the_inverse_of_the_share_in_training():
    share = torch.zeros(313, dtype=torch.float64)
    share[:4] = torch.tensor([0.5, 0.25, 0.125, 0.125])
    rarity = Rarity.of(share)
    assert rarity.full[:4] / rarity.full[0] == pytest.approx([1, 2, 4, 4])
    halved = 1 / (share / 2 + 1 / 626)
    assert rarity.halved / rarity.halved[0] == pytest.approx((halved / halved[0]).numpy())
    assert rarity.full.isfinite().all()  # colors that training never showed
    assert float((share * rarity.halved).sum()) == pytest.approx(1)


def test_ab_histograms_are_compared_whatever_the_places():
    rng = np.random.default_rng(0)
    truth = torch.from_numpy(rng.integers(0, 256, (2, 3, 16, 16), dtype=np.uint8))
    gray = truth[:, :1]
    shuffled = truth.flip(0).flip(-1)
    assert one(measured(shuffled, truth, gray))["ab_histogram_js"] == 0
    copy = gray.expand(-1, 3, -1, -1)
    which = bins.index(color.rgb_to_lab(truth)[:, 1:])
    share = float((which == bins.CENTERS.index((0, 0))).double().mean())
    found = one(measured(copy, truth, gray))["ab_histogram_js"]
    middle = (1 + share) / 2  # of gray; the other bins have half of what they should
    expected = (-np.log2(middle) + share * np.log2(share / middle) + (1 - share)) / 2
    assert found == pytest.approx(expected, abs=1e-6)
    apart = distributions.jensen_shannon(np.array([[1.0, 0]]), np.array([[0, 2.0]]))
    assert apart.tolist() == [1]


def test_every_color_is_in_the_bin_nearest_to_it():
    rgb = torch.cartesian_prod(*[torch.arange(0, 256, 15)] * 3).to(torch.uint8)
    ab = color.rgb_to_lab(rgb.T[None, :, :, None])[:, 1:]
    _, nearest = bins.nearest(ab[0, :, :, 0].T.double(), 1)
    assert torch.equal(bins.index(ab)[0, :, 0], nearest[:, 0])
