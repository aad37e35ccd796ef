"""The weights that come with the project: they load, color, and are what their cards say."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from colorize import Colorizer, color
from colorize.base.files import sha256_of
from colorize.data.local import photograph
from colorize.data.reading import tensors
from colorize.methods.shared import model
from colorize.methods.shared.base import InitFrom
from colorize.methods.shared.start import start_from
from colorize.quality import chroma
from tests.conftest import ROOT, Project

FOLDERS = sorted(path for path in (ROOT / "colorize/pretrained").iterdir() if path.is_dir())


def config_of(folder: Path) -> dict:
    return json.loads((folder / model.CONFIG).read_text(encoding="utf-8"))


def test_there_is_a_paired_and_an_unpaired_one():
    assert {model.load(folder).supervision for folder in FOLDERS} == {"paired", "unpaired"}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_it_colors_a_photograph_that_it_was_not_trained_on(folder):
    network = model.load(folder)
    image = Image.open(photograph("rocket.jpg")).convert("RGB").resize((192, 128))
    gray = color.to_uint8(color.gray_of(color.to_float(tensors.to_tensor(image))))[None]
    made = network.colorize_bytes(gray)
    assert torch.equal(network.colorize_bytes(gray), made)
    colored = made
    if network.output == "rgb":  # whose own lightness is as good as their training
        lightness = color.to_float(gray)
        colored = color.to_uint8(color.repaint(lightness, color.to_float(made)))
    assert colored.shape == (1, 3, 128, 192)
    lab = color.rgb_to_lab(colored)
    error = (lab[:, :1] - color.lightness_of(color.to_float(gray))).abs()
    assert error.mean() < 0.2  # a level of 255 is about 0.4 of lightness
    assert 3 < chroma(lab).mean() < 40  # a photograph's chroma: neither gray nor paint


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_training_may_start_from_it(folder):
    config = config_of(folder)
    fresh = model.build(model.parse(config["parameters"], "parameters"), config["image_size"])
    path = folder / model.WEIGHTS
    start_from(fresh, InitFrom(path=str(path), sha256=sha256_of(path)), path, "models.mine")
    for name, weights in model.load(folder).state_dict().items():
        assert torch.equal(fresh.state_dict()[name], weights), name


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_its_card_says_what_it_is(folder):
    card = (folder / "README.md").read_text(encoding="utf-8")
    config = config_of(folder)
    assert (folder / model.WEIGHTS).stat().st_size < 25e6
    assert sha256_of(folder / model.WEIGHTS) in card
    p = config["parameters"]
    for key, value in (("steps", p["steps"]), ("pixels", config["image_size"])):
        assert re.search(rf"\b{value:,} {key}\b", card), key
    assert f"`{p['method']}`" in card
    for heading in ("Data", "Training", "Figures", "Limits", "License"):
        assert f"\n## {heading}\n" in card


def test_the_readmes_picture_shows_gray_truth_and_what_a_model_makes(tmp_path):
    coffee = Image.open(photograph("coffee.png")).resize((220, 220))
    coffee.save(tmp_path / "mine.png")
    files = ["--photographs", str(tmp_path / "mine.png"), "--output", str(tmp_path / "made.png")]
    Project(ROOT).module("studies.example", "colorize/pretrained/zhang_l2", *files)
    picture = np.asarray(Image.open(tmp_path / "made.png"))
    gray, truth, made = (picture[28:, column : column + 220] for column in (0, 226, 452))
    assert picture.shape == (28 + 220, 3 * 226 - 6, 3)
    assert (truth == np.asarray(coffee)).all()
    assert (gray == gray[..., :1]).all()
    assert np.ptp(gray) > 200
    seen = tensors.to_tensor(Image.fromarray(gray))[:1]
    expected = Colorizer.load(ROOT / "colorize/pretrained/zhang_l2")(seen)
    assert np.abs(made.astype(int) - np.asarray(tensors.to_image(expected))).max() <= 1


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("absent.png", "No such file or directory"),
        ("text.png", "not a JPEG, PNG, TIFF, WebP, AVIF, HEIC, GIF, BMP, JPEG 2000 or PPM"),
    ],
)
def test_the_readmes_picture_names_a_photograph_that_cannot_be_read(tmp_path, name, reason):
    (tmp_path / "text.png").write_text("no image")
    files = ["--photographs", str(tmp_path / name), "--output", str(tmp_path / "made.png")]
    said = Project(ROOT).module("studies.example", "colorize/pretrained/zhang_l2", *files, expect=2)
    assert said.stderr.startswith(f"error: {tmp_path / name}: {reason}\n")
    assert said.stderr.count("\n") == 1
    assert not (tmp_path / "made.png").exists()
