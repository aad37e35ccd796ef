"""`python -m studies.card`: the figures of a model card."""

import json
import re

import numpy as np
import pandas as pd
import pytest
import torch

from studies import card

GRAY = torch.arange(256, dtype=torch.uint8).expand(2, 1, 256, 256)
NAMES = ["fedcba9876543210.png", "0123456789abcdef.png"]


def tables(said: str) -> list[dict[str, list[str]]]:
    """Of each table its cells by line."""
    found = []
    for part in said.replace("−", "-").split("\n\n")[1:]:
        _, _, *lines = part.strip().splitlines()
        cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
        found.append({name: of_line for name, *of_line in cells})
    return found


def number(cell: str) -> float:
    return float(cell.split()[0])


@pytest.mark.parametrize("name", ["zhang_l2", "stargan_rgb"])
def test_a_card_has_a_line_for_each_question(project, name):
    project.stage("train", name)
    said = project.module("studies.card", f"models/{name}").stdout
    assert re.match(r"\d+ photographs of test, 32 pixels\n", said)
    by_kind, of_all = tables(said)
    everything, dataset, *photographs = by_kind
    assert [everything, dataset] == ["all", "sample"]
    assert all(kind.startswith("sample: ") for kind in photographs)
    counts = [number(by_kind[kind][0]) for kind in photographs]
    assert sum(counts) == number(by_kind["all"][0])
    own_rgb = ["its own RGB"] if name == "stargan_rgb" else []
    assert list(of_all) == [
        *["its colors", *own_rgb, "at strength 0.8", "at strength 1.25"],
        "seen in Rec. 601 gray",
        "seen with 50% of the contrast",
        "seen with noise of 10 levels",
        "seen blurred by 1 pixel",
        *["mean color", "gray copy", "another photograph's colors"],
    ]
    closest, difference, projection, chroma, _ = (
        {line: cells[i] for line, cells in of_all.items()} for i in range(5)
    )
    ratios = [number(chroma[f"at strength {s}"]) for s in (0.8, 1.25)]
    assert ratios[0] <= number(chroma["its colors"]) <= ratios[1]
    if name == "zhang_l2":  # whose colors are all in sRGB
        assert ratios[0] / ratios[1] == pytest.approx(0.8 / 1.25, abs=0.05)
    assert number(projection["gray copy"]) == number(chroma["gray copy"]) == 0
    apart = number(closest["gray copy"]) - number(closest["its colors"])
    assert number(difference["gray copy"]) == pytest.approx(apart, abs=0.011)
    assert number(by_kind["all"][3]) == pytest.approx(-apart, abs=0.011)
    assert by_kind["all"] == by_kind["sample"]
    project.stage("evaluate", name)
    evaluated = json.loads(project.path(f"metrics/results/{name}.json").read_text())
    # Its own RGB is of photographs as they are, its colors of such as have their contrast back.
    own = number(closest[own_rgb[0] if own_rgb else "its colors"])
    assert own == pytest.approx(evaluated["test"]["ciede2000"]["mean"], abs=0.005)


def test_a_model_sees_photographs_at_its_own_size(project):
    project.stage("train", "zhang_l2")
    project.params(data__image_size=64)
    project.stage("union")
    project.stage("grayscale")
    said = project.module("studies.card", "models/zhang_l2", "--by-kind", "--split", "val").stdout
    assert re.match(r"\d+ photographs of val, 64 pixels\n", said)
    (by_kind,) = tables(said)
    gray, own = (number(by_kind["all"][i]) for i in (1, 2))
    assert 0 < abs(own - gray) < 5


def test_kinds_are_datasets_and_how_names_of_files_begin():
    sources = {
        "mine/testB/cats_1.jpg": "mine",
        "mine/cats_a/dogs8k_2_3.jpg": "mine",
        "maps/testA/1_A.jpg": "maps",
        "mine/testB/2014-08-01 12_30.jpg": "mine",
    }
    index = pd.DataFrame({"dataset": sources.values(), "source": sources.keys()})
    assert {kind: which.tolist() for kind, which in card.kinds(index).items()} == {
        "all": [True, True, True, True],
        "CycleGAN datasets": [False, False, True, False],
        "maps": [False, False, True, False],
        "mine": [True, True, False, True],
        "mine: cats": [True, False, False, False],
        "mine: dogs8k": [False, True, False, False],
    }


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


def test_faded_grays_lose_half_of_their_contrast():
    levels = torch.tensor([0, 1, 127, 128, 255], dtype=torch.uint8)[None, None, None]
    assert card.faded(levels).flatten().tolist() == [64, 64, 127, 128, 191]
