"""`python -m studies.card`: the figures of a model card."""

import json
import re

import numpy as np
import pytest
import torch

from studies import card

GRAY = torch.arange(256, dtype=torch.uint8).expand(2, 1, 256, 256)
NAMES = ["fedcba9876543210.png", "0123456789abcdef.png"]


def table(said: str) -> dict[str, list[float]]:
    """Means by line and column."""
    said = said.replace("−", "-")
    lines = [line.strip("| ").split(" | ") for line in said.splitlines() if line.startswith("| ")]
    return {name: [float(cell.split()[0]) for cell in cells] for name, *cells in lines[1:]}


@pytest.mark.parametrize("name", ["zhang_l2", "stargan_rgb"])
def test_a_card_has_a_line_for_each_question(project, name):
    project.stage("train", name)
    said = project.module("studies.card", f"models/{name}").stdout
    assert re.match(r"\d+ photographs of test, 32 pixels\n", said)
    lines = table(said)
    own_rgb = ["its own RGB"] if name == "stargan_rgb" else []
    assert list(lines) == [
        *["its colours", *own_rgb],
        *(key for key in lines if key.startswith("times ")),
        "seen in Rec. 601 gray",
        "seen with noise of 10 levels",
        "seen blurred by 1 pixel",
        *["mean colour", "gray copy", "another photograph's colours"],
    ]
    times = {key: means for key, means in lines.items() if key.startswith("times ")}
    gains = [float(key.split()[1]) for key in times]
    assert np.array(gains) / gains[-1] == pytest.approx(card.RATIOS, abs=0.01)
    ratios = [chroma for _, _, _, chroma in times.values()]
    assert ratios == sorted(ratios)
    if name == "zhang_l2":  # whose colours are all in sRGB
        assert np.array(ratios) / ratios[-1] == pytest.approx(card.RATIOS, abs=0.05)
    assert lines["gray copy"][2:] == [0, 0]
    project.stage("evaluate", name)
    evaluated = json.loads(project.path(f"metrics/results/{name}.json").read_text())
    row = evaluated.get("pasted", evaluated)["test"]
    assert lines["its colours"][0] == pytest.approx(row["ciede2000"]["mean"], abs=0.005)


def test_a_model_of_another_size_is_refused(project):
    project.stage("train", "zhang_l2")
    project.params(data__image_size=64)
    project.stage("union")
    project.stage("grayscale")
    said = project.module("studies.card", "models/zhang_l2", expect=2).stderr
    assert said.strip() == (
        "error: models/zhang_l2: made for photographs of 32 pixels; data.image_size is 64"
    )


def test_noise_is_a_photographs_own():
    noisy = card.noisy(GRAY, NAMES)
    apart = torch.cat([card.noisy(GRAY[:1], NAMES[:1]), card.noisy(GRAY[1:], NAMES[1:])])
    assert torch.equal(noisy, apart)
    assert not torch.equal(noisy[0], noisy[1])
    middle = (noisy.float() - GRAY)[..., 60:196]
    assert middle.std() == pytest.approx(card.NOISE, rel=0.05)
    assert middle.mean() == pytest.approx(0, abs=0.3)


def test_a_point_is_blurred_to_a_gaussian():
    point = torch.zeros(2, 1, 9, 9, dtype=torch.uint8)
    point[1, 0, 4, 4] = 255
    made = card.blurred(point)
    assert made.dtype == torch.uint8
    assert not made[0].any()
    peak = 255 / (2 * np.pi * card.BLUR**2)
    assert made[1, 0, 4, 4].item() == pytest.approx(peak, abs=1)
    assert made[1, 0, 4, 5].item() == pytest.approx(peak * np.exp(-0.5), abs=1)
    assert torch.equal(made[1, 0], made[1, 0].T)


def test_rec601_weighs_the_channels():
    red = torch.zeros(1, 3, 4, 4, dtype=torch.uint8)
    red[:, 0] = 255
    assert card.rec601(red).unique().item() == round(0.299 * 255)
