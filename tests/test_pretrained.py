"""The weights that come with the project: they load, colour, and are what their cards say."""

import hashlib
import json
import re

import pytest
import torch
from PIL import Image

from colorize import color
from colorize.data import sample, tensors
from colorize.methods import model
from tests.conftest import ROOT

FOLDERS = sorted(path for path in (ROOT / "pretrained").iterdir() if path.is_dir())


def test_there_is_a_paired_and_an_unpaired_one():
    assert {model.load(folder).supervision for folder in FOLDERS} == {"paired", "unpaired"}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_it_colours_a_photograph_that_it_was_not_trained_on(folder):
    network = model.load(folder)
    image = Image.open(sample.photograph("rocket.jpg")).convert("RGB").resize((192, 128))
    gray = color.to_uint8(color.gray_of(color.to_float(tensors.to_tensor(image))))[None]
    colored = network.colorize_bytes(gray)
    assert colored.shape == (1, 3, 128, 192)
    lab = color.rgb_to_lab(colored)
    error = (lab[:, :1] - color.lightness_of(color.to_float(gray))).abs()
    assert error.mean() < 0.2  # a level of 255 is about 0.4 of lightness
    assert 3 < lab[:, 1:].norm(dim=1).mean() < 40  # a photograph's chroma: neither gray nor paint
    assert torch.equal(network.colorize_bytes(gray), colored)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_its_card_says_what_it_is(folder):
    card = (folder / "README.md").read_text(encoding="utf-8")
    weights = (folder / model.WEIGHTS).read_bytes()
    config = json.loads((folder / model.CONFIG).read_text(encoding="utf-8"))
    assert len(weights) < 25e6
    assert hashlib.sha256(weights).hexdigest() in card
    p = config["parameters"]
    for key, value in (("steps", p["steps"]), ("pixels", config["image_size"])):
        assert re.search(rf"\b{value:,} {key}\b", card), key
    assert f"`{p['method']}`" in card
    for heading in ("Data", "Training", "Figures", "Limits", "Licence"):
        assert f"\n## {heading}\n" in card
