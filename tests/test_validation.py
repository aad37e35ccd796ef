"""Validation curves: that they see failures made on purpose, and agree with the tables."""

import json
import math

import pandas as pd
import pytest
import torch

from colorize import color
from colorize.data.reading.index import Index
from colorize.methods.shared.base import Method
from colorize.training import validation
from colorize.training.watch import measured_steps


class Constructed(Method):
    """Does what it is told to, and has both directions."""

    targets = ("gray", "color")
    generators = ()

    def __init__(self, translate, classify=lambda image: None):
        super().__init__(None, 32)
        self.weight = torch.nn.Parameter(torch.zeros(()))
        self.translate, self.classify = translate, classify


def smooth(count: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """(gray, truth) of so many smooth and colorful pictures, none of them alike."""
    coarse = torch.rand((count, 3, 4, 4), generator=torch.Generator().manual_seed(seed))
    truth = color.to_uint8(torch.nn.functional.interpolate(coarse, 32, mode="bilinear"))
    return color.to_uint8(color.gray_of(color.to_float(truth))), truth


@pytest.fixture(scope="module")
def photographs():
    return smooth(20, seed=3)  # more than a batch


def honest(photographs):
    """Makes the true gray and, of a picture without color alone, the true colors."""
    gray, truth = (color.to_float(images) for images in photographs)
    gray = gray.expand_as(truth)
    answers = {}
    for target, known, wanted in (("gray", truth, gray), ("color", gray, truth)):
        pairs = zip(known, wanted, strict=True)
        answers |= {(target, one.numpy().tobytes()): answer for one, answer in pairs}
    return Constructed(
        lambda image, target: torch.stack(
            [answers.get((target, one.numpy().tobytes()), one) for one in image]
        )
    )


def test_a_copy_is_seen_in_both_directions(photographs):
    found = validation.measure(Constructed(lambda image, target: image), *photographs)
    for domain in ("color", "gray"):
        assert found[f"{domain}_projection"] == 0
        assert found[f"{domain}_change_ratio"] == 0
    assert found["color_chroma"] == pytest.approx(0, abs=1e-3)
    assert found["gray_chroma"] == pytest.approx(1)
    assert found["gray_colorless"] == 0
    assert found["gray_psnr"] == pytest.approx(found["color_psnr"])  # as far either way
    assert (
        found["label_effect_center"] == found["label_effect_border"] == 0
    )  # whatever domain it is told
    # Its own "gray" has all colors, and hands them on; one channel of that has none.
    assert found["hidden_color"] > 20
    assert abs(found["hidden_color_gray"]) < 0.5


def test_a_noisy_copy_moves_but_not_the_right_way(photographs):
    noise = torch.randn((16, 3, 32, 32), generator=torch.Generator().manual_seed(0))
    model = Constructed(lambda image, target: image + 0.1 * noise[: len(image)])
    found = validation.measure(model, *photographs)
    for domain in ("color", "gray"):
        assert abs(found[f"{domain}_projection"]) < 0.1
        assert found[f"{domain}_change_ratio"] > 0.3


def test_one_picture_for_all_is_seen(photographs):
    """A constant c goes <c - x, T - x> / ||T - x||^2 of the way."""
    model = Constructed(lambda image, target: torch.full_like(image, 0.5))
    found = validation.measure(model, *photographs)
    x, t = (images.double() for images in photographs)
    for domain, (start, end) in {"color": (x, t), "gray": (t, x)}.items():
        way, gone = end - start, 128 - start
        assert found[f"{domain}_projection"] == pytest.approx(
            float((gone * way).sum() / (way**2).sum())
        )
    assert found["color_chroma"] == pytest.approx(0, abs=1e-3)
    assert found["label_effect_center"] == 0
    assert found["hidden_color"] == 0


def test_the_truth_is_seen(photographs):
    found = validation.measure(honest(photographs), *photographs)
    for domain in ("color", "gray"):
        assert found[f"{domain}_projection"] == pytest.approx(1)
        assert found[f"{domain}_change_ratio"] == pytest.approx(1)
        assert found[f"{domain}_psnr"] > 58
    assert found["color_chroma"] == pytest.approx(1)
    assert found["gray_chroma"] == pytest.approx(0, abs=1e-3)
    assert found["gray_colorless"] == 1
    assert found["hidden_color"] == 0


def test_a_label_that_only_the_border_shows(photographs):
    def translate(image, target):
        image = image.clone()
        image[..., :4, :] = 1.0 if target == "color" else 0.0
        return image

    found = validation.measure(Constructed(translate), *photographs)
    assert found["label_effect_center"] == 0
    assert found["label_effect_border"] == pytest.approx(255 * (4 * 32) / (32**2 - 16**2))


def test_a_classifier_that_is_content_too_early_is_told_from_a_plain_rule(photographs):
    """Half of the chroma gone, and all of it "gray" to D."""
    half = lambda image, target: color.join(
        color.rgb_to_lab(image)[:, :1], color.rgb_to_lab(image)[:, 1:] / 2
    )
    all_gray = lambda image: torch.zeros(len(image), dtype=torch.long)
    found = validation.measure(Constructed(half, all_gray), *photographs)
    assert found["gray_chroma"] == pytest.approx(0.5, abs=0.02)
    assert found["gray_classified"] == 1
    assert found["gray_colorless"] == 0
    assert found["color_classified"] == 0


def test_photographs_without_color_leave_no_ratio(photographs):
    gray, _ = photographs
    model = Constructed(lambda image, target: image)
    found = validation.measure(model, gray, gray.expand(-1, 3, -1, -1))
    assert math.isnan(found["color_projection"])
    assert found["color_psnr"] > 58


def test_it_leaves_the_model_as_it_was(photographs):
    model = Constructed(lambda image, target: image).train()
    validation.measure(model, *photographs)
    assert model.training
    model.eval()
    validation.measure(model, *photographs)
    assert not model.training


def test_measured_closer_together_at_the_start():
    assert measured_steps(1600, 4) == [100, 400, 900, 1600]
    assert measured_steps(5, 1000) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(("name", "n_critic"), [("stargan", 2), ("zhang_l2", 1)])
def test_the_curve_ends_with_what_the_table_says(project, name, n_critic):
    """Where as many photographs are measured for both."""
    project.params(evaluate__splits=["val"])
    assert len(Index.read(project.path("data/union")).split("val", "photograph")) <= validation.MOST
    project.stage("train", name)
    project.stage("evaluate", name)
    curve = pd.read_csv(project.path(f"metrics/validation/{name}.csv"))
    assert list(curve["step"]) == [1, 4, 8]
    assert list(curve["generator_updates"]) == [step // n_critic for step in curve["step"]]

    result = json.loads(project.path(f"metrics/results/{name}.json").read_text())
    both = ("projection", "change_ratio", "psnr")
    expected = {f"color_{quantity}": result["val"][quantity] for quantity in both}
    expected["color_chroma"] = result["val"]["chroma_ratio"]
    if name == "stargan":
        to_gray = result["to_gray"]["val"]
        expected |= {f"gray_{quantity}": to_gray[quantity] for quantity in both}
        expected["gray_chroma"] = to_gray["residual_chroma"]
        expected |= {name: to_gray[name] for name in ("hidden_color", "hidden_color_gray")}
        assert {"gray_classified", "color_classified", "label_effect_center"} <= set(curve)
    for quantity, value in expected.items():
        last = curve[quantity].iloc[-1]
        assert last == pytest.approx(value["mean"], rel=1e-4, abs=1e-4), quantity
