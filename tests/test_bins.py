"""The 313 bins of ab, and how colors are weighed by them."""

import itertools

import numpy as np
import pytest
import torch
from scipy.spatial import Delaunay

from colorize import color
from colorize.color import bins
from colorize.methods.zhang_class import encoded


def faces_of_the_cube() -> torch.Tensor:
    """All sRGB bytes with a channel at 0 or 255, the surface of the colors: (n, 3)."""
    plane = torch.cartesian_prod(torch.arange(256), torch.arange(256))
    faces = []
    for axis, level in itertools.product(range(3), (0, 255)):
        constant = torch.full((len(plane), 1), level)
        faces.append(torch.cat((plane[:, :axis], constant, plane[:, axis:]), 1))
    return torch.cat(faces).to(torch.uint8)


def ab_of(rgb: torch.Tensor) -> torch.Tensor:
    """(n, 3) sRGB bytes to (n, 2)."""
    return color.rgb_to_lab(rgb.T[:, :, None])[1:, :, 0].T


def test_the_bins_are_the_published_ones():
    """By the rule: a diagonal neighbor lies in the hull of all sRGB colors."""
    hull = Delaunay(ab_of(faces_of_the_cube()).double().numpy())
    multiples = range(-130, 131, 10)
    expected = [
        (a, b)
        for a, b in itertools.product(multiples, multiples)
        if (hull.find_simplex([(a + i, b + j) for i in (-10, 10) for j in (-10, 10)]) >= 0).any()
    ]
    assert list(bins.CENTERS) == expected
    assert len(expected) == 313
    # As in the authors' pts_in_hull.npy
    assert [b for a, b in expected if a == -90] == [50, 60, 70, 80, 90]
    assert [b for a, b in expected if a == 100] == list(range(-90, 1, 10))


def test_no_srgb_color_is_nearest_to_52_of_the_bins():
    ab = ab_of(faces_of_the_cube())
    _, which = bins.nearest(ab[::7], 1)
    _, gray = bins.nearest(torch.zeros(1, 2), 1)
    inner = torch.cartesian_prod(*[torch.arange(0, 256, 5)] * 3).to(torch.uint8)
    _, others = bins.nearest(ab_of(inner), 1)
    found = set(which.flatten().tolist()) | set(others.flatten().tolist())
    assert bins.CENTERS[int(gray)] == (0, 0)
    assert 313 - len(found) == 52


def test_a_color_is_shared_by_its_five_nearest_bins():
    ab = torch.tensor([[12.0, -3.0], [100.0, -90.0]], dtype=torch.float64)
    share, which = encoded(ab.T[None, :, :, None])  # (1, 5, 2, 1)
    for i, (a, b) in enumerate(ab.tolist()):
        distances = np.array([np.hypot(a - x, b - y) for x, y in bins.CENTERS])
        five = which[0, :, i, 0].numpy()
        assert sorted(distances[five]) == pytest.approx(sorted(distances)[:5])
        assert len(set(five)) == 5
        weights = np.exp(-(distances[five] ** 2) / 50)
        assert share[0, :, i, 0].numpy() == pytest.approx(weights / weights.sum(), abs=1e-12)


def histogram(**counts: float) -> list[list[float]]:
    """Shares of the ab plane, by bins written as a_b."""
    share = torch.zeros(23, 23, dtype=torch.float64)
    for place, count in counts.items():
        a, b = (int(number.replace("m", "-")) for number in place.lstrip("_").split("_"))
        share[a // 10 + 11, b // 10 + 11] = count
    return share.tolist()


def test_the_prior_is_the_histogram_smoothed():
    share = bins.prior(histogram(_0_0=0.5, _50_m30=0.5))
    assert float(share.sum()) == pytest.approx(1)
    by_bin = dict(zip(bins.CENTERS, share.tolist(), strict=True))
    total = sum(np.exp(-(a**2 + b**2) / 50) for a, b in bins.CENTERS)
    assert by_bin[0, 0] == pytest.approx(0.5 / total)
    assert by_bin[10, 0] == pytest.approx(0.5 * np.exp(-100 / 50) / total)
    assert by_bin[50, -30] == pytest.approx(by_bin[0, 0])
    assert by_bin[-90, 90] == pytest.approx(0, abs=1e-12)


def test_rare_colors_weigh_more_and_the_mean_weight_is_1():
    share = bins.prior(histogram(_0_0=0.9, _50_m30=0.1))
    weights = bins.rebalanced(share, 0.5)
    assert float((share * weights).sum()) == pytest.approx(1)
    expected = (0.5 * share + 0.5 / 313) ** -1
    assert torch.allclose(weights / weights[0], expected / expected[0])
    assert torch.allclose(bins.rebalanced(share, 1), torch.ones(313, dtype=torch.float64))
