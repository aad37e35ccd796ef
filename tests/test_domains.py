"""Domains made of photographs, and how far models get from each to each."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
from skimage import color as skcolor

from colorize import color
from colorize.color import domains
from colorize.evaluation import directions
from colorize.evaluation.bootstrap import summarize
from colorize.evaluation.colors import Colors
from colorize.evaluation.protocol import Batch
from colorize.report import pictures
from tests.test_validation import Constructed, smooth

ALL = ("gray", "color", "sepia", "warm", "cool", "night")


@pytest.fixture(scope="module")
def batch() -> Batch:
    return Batch([str(i) for i in range(8)], *smooth(8, seed=1))


def lab(image: torch.Tensor) -> np.ndarray:
    """(n, H, W, 3), by scikit-image."""
    return skcolor.rgb2lab(image.permute(0, 2, 3, 1).numpy())


def test_sepia_is_one_tone_on_the_photographs_lightness(batch):
    found, own = lab(domains.made("sepia", batch.truth)), lab(batch.truth)
    assert np.abs(found[..., 0] - own[..., 0]).max() < 0.6
    middle = (own[..., 0] > 20) & (own[..., 0] < 90)
    assert np.abs(found[middle][:, 1:] - domains.SEPIA).max() < 2  # by rounding to 8 bits
    # It is made of the lightness alone.
    of_gray = domains.made("sepia", batch.gray.expand(-1, 3, -1, -1))
    assert np.abs(lab(of_gray) - found).max() < 3


@pytest.mark.parametrize("domain", ["warm", "cool"])
def test_light_of_another_color(batch, domain):
    """Of a neutral gray the tint is that of the gains, and lightness stays."""
    found, own = lab(domains.made(domain, batch.truth)), lab(batch.truth)
    assert np.abs(found[..., 0] - own[..., 0]).max() < 0.6
    gray = torch.full((1, 3, 2, 2), 128, dtype=torch.uint8)
    light = ((128 / 255 + 0.055) / 1.055) ** 2.4 * np.array(getattr(domains, domain.upper()))
    tint = skcolor.rgb2lab(1.055 * light ** (1 / 2.4) - 0.055)[1:]
    assert lab(domains.made(domain, gray))[0, 0, 0, 1:] == pytest.approx(tint, abs=0.8)
    assert (tint[1] > 10) == (domain == "warm")


def test_night_is_half_as_light_paler_and_bluish(batch):
    found, own = lab(domains.made("night", batch.truth)), lab(batch.truth)
    assert np.abs(found[..., 0] - own[..., 0] / 2).max() < 0.6
    expected = 0.6 * own[..., 1:] + (0, -14)
    assert np.median(np.abs(found[..., 1:] - expected)) < 0.6  # but where sRGB does not have it


def test_pixels_do_not_depend_on_their_neighbors(batch):
    """So that a crop of the photograph may be taken before."""
    for domain in ALL:
        whole = domains.picture(domain, batch.truth, batch.gray)[..., 3:9, 4:20]
        part = domains.picture(domain, batch.truth[..., 3:9, 4:20], batch.gray[..., 3:9, 4:20])
        assert torch.equal(whole, part)


def measured(batch: Batch, translate, kinds=ALL) -> dict:
    """Metrics by source and target of a model that translates like this."""
    model = Constructed(translate)
    model.domains = model.targets = kinds
    found = {}
    for (way, name), values in directions.measure_domains(Colors(model, None), batch).items():
        found.setdefault(way, {})[name] = values
    groups = batch.names
    return {way: summarize(directions.DOMAIN_METRICS, q, groups, 100) for way, q in found.items()}


def test_doing_nothing_is_dear_between_any_two_domains(batch):
    found = measured(batch, lambda image, target: image)
    assert len(found) == 30
    for metrics in found.values():
        assert metrics["ciede2000"] == metrics["ciede2000_of_copy"]
        assert metrics["ciede2000"].mean > 7
        assert metrics["projection"].mean == metrics["change_ratio"].mean == 0


def test_the_true_picture_is_seen(batch):
    true = {domain: domains.picture(domain, batch.truth, batch.gray) for domain in ALL}
    found = measured(batch, lambda image, target: color.to_float(true[target]))
    for metrics in found.values():
        assert metrics["ciede2000"].mean == pytest.approx(0, abs=1e-3)
        assert metrics["projection"].mean == pytest.approx(1)
        assert metrics["change_ratio"].mean == pytest.approx(1)


def test_ciede2000_is_scikit_images(batch):
    made = color.to_float(batch.truth.flip(0))
    found = measured(batch, lambda image, target: made, ("gray", "color", "night"))
    night = lab(domains.made("night", batch.truth))
    expected = skcolor.deltaE_ciede2000(lab(batch.truth.flip(0)), night).mean()
    assert found["gray", "night"]["ciede2000"].mean == pytest.approx(expected, rel=1e-4)


def test_six_domains_are_trained_measured_and_shown(project):
    name = "stargan_domains"
    project.stage("train", name)
    project.stage("evaluate", name)
    result = json.loads(project.path(f"metrics/results/{name}.json").read_text())["domains"]
    assert set(result) == {"val", "test"}
    assert list(result["test"]) == list(ALL)
    assert all(set(of) == set(ALL) - {source} for source, of in result["test"].items())
    curve = pd.read_csv(project.path(f"metrics/validation/{name}.csv"))
    assert {f"{domain}_projection" for domain in ALL} <= set(curve)
    folder = project.path(f"reports/pictures/{name}")
    first, second = pictures.read(folder / "domains")
    fixed = [shown for shown in pictures.read(folder) if shown.case.kind == "fixed"]
    assert [first.case, second.case] == [shown.case for shown in fixed[:2]]
    assert list(first.pictures) == [f"{source}_{target}" for source in ALL for target in ALL]
    true = np.asarray(fixed[0].pictures["truth"])
    assert np.array_equal(first.pictures["color_color"], true)
    assert not np.array_equal(first.pictures["gray_color"], true)
