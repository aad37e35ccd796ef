"""Large images, which are measured some of their lines at a time."""

import numpy as np
import pytest
import torch

from benchmarks import evaluation as benchmark
from colorize import color
from colorize.color import bins, strips
from colorize.evaluation import quantities
from colorize.evaluation.quantities import Rarity
from tests.test_color import photograph


@pytest.mark.parametrize("height", [200, 256, 263, 266, 267])
@pytest.mark.parametrize("pixels", [1, 5_000, 20_000])
def test_strips_give_what_the_whole_image_gives(monkeypatch, height, pixels):
    """Also where a window does not fit into what is left."""
    rgb = photograph("chelsea.png")[:, :, :height, :300]
    truth, gray = color.to_uint8(rgb), color.to_uint8(color.gray_of(rgb))
    generator = torch.Generator().manual_seed(0)
    noisy = (truth + 12 * torch.randn(truth.shape, generator=generator)).clamp(0, 255)
    pictures = {"noisy": noisy.to(torch.uint8), "exact": truth}
    rarity = Rarity.of(torch.linspace(1, 2, len(bins.CENTERS)) / len(bins.CENTERS))

    whole = quantities.measure(pictures, truth, gray, rarity)
    monkeypatch.setattr(strips, "STRIP", pixels)
    assert len(list(strips.strips(height, 300, multiple=9, least=11))) > 2
    by_strips = quantities.measure(pictures, truth, gray, rarity)

    assert whole.keys() == by_strips.keys() == {None, "noisy", "exact"}
    for row, found in by_strips.items():
        assert found.keys() == whole[row].keys()
        for name, value in found.items():
            if np.issubdtype(value.dtype, np.integer):  # counts: of bins and of patches
                assert (value == whole[row][name]).all(), (row, name)
            assert value == pytest.approx(whole[row][name], rel=1e-5, abs=1e-5), (row, name)
    assert whole[None]["patches_of_truth"].sum() == 32 * ((height - 7) // 9 + 1) * (293 // 9 + 1)


def test_strips_cover_all_lines_once():
    for height, width, multiple, least in [
        (2048, 2048, 64, 11),
        (11, 11, 4, 11),
        (138, 10_000, 312, 11),
        (1003, 700, 21, 11),
        (5, 2**20, 1, 1),
    ]:
        found = list(strips.strips(height, width, multiple=multiple, least=least))
        lines = [line for strip in found for line in range(strip.start, strip.stop)]
        assert lines == list(range(height))
        assert all(strip.start % multiple == 0 for strip in found)
        assert all(strip.stop - strip.start >= least for strip in found)
        assert all(
            (b.stop - b.start) * width <= 2 * max(strips.STRIP, multiple * width) for b in found
        )


def test_colors_on_a_lightness_are_the_same_by_bands(monkeypatch):
    rgb = photograph("coffee.png")
    gray, ab = color.to_uint8(color.gray_of(rgb)), color.rgb_to_lab(rgb)[:, 1:]
    expected = strips.on_lightness(gray, ab)
    assert (expected.int() - color.to_uint8(rgb).int()).abs().float().mean() < 0.5
    monkeypatch.setattr(strips, "STRIP", 10_000)
    assert (strips.on_lightness(gray, ab) == expected).all()


def test_the_benchmark_measures_what_it_is_given(tmp_path):
    benchmark.write_pairs(tmp_path, 3, 48)
    measured = benchmark.ours(tmp_path)
    assert len(measured) == benchmark.PICTURES
    assert all(
        len(row["ciede2000"]) == 3 and (row["ciede2000"] > 3).all() for row in measured.values()
    )
    benchmark.loop(tmp_path)
