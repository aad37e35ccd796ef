"""Export: the file does what the model does, alone, and is checked before it gets its name."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from colorize.base.errors import UserError
from colorize.methods.shared import model
from colorize.methods.shared.base import Method
from colorize.use import onnx as exporting
from tests.conftest import METHODS, small
from tests.test_use import command


def untrained(name: str, seed: int = 0) -> Method:
    torch.manual_seed(seed)
    return model.build(model.parse(small()[name], f"models.{name}"), 32).eval()


def made_by_file(path, gray: torch.Tensor) -> np.ndarray:
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (made,) = session.run(["ab"], {"gray": gray.numpy()})
    return made


def test_the_command_writes_a_file_that_colors(tmp_path):
    method = untrained("cyclegan_lab")
    model.save(method, tmp_path / "models/mine")
    said = command("colorize.export", "mine", cwd=tmp_path).stdout
    assert said.startswith("mine.onnx: ")
    file = onnx.load(tmp_path / "mine.onnx")
    onnx.checker.check_model(file)
    assert exporting.difference(exporting.Chroma(method), tmp_path / "mine.onnx") < 1e-3
    assert {each.key: each.value for each in file.metadata_props}["image_size"] == "32"
    for shape in ((1, 1, 32, 32), (4, 1, 45, 70), (1, 1, 1, 1), (2, 1, 200, 301)):
        gray = torch.rand(shape, generator=torch.Generator().manual_seed(1))
        with torch.inference_mode():
            expected = exporting.Chroma(method)(gray).numpy()
        assert expected.shape == (shape[0], 2, *shape[2:])
        found = made_by_file(tmp_path / "mine.onnx", gray)
        assert np.abs(found - expected).max() < 1e-3
        if shape == (1, 1, 32, 32):  # no padding: what the model says of itself
            with torch.inference_mode():
                assert np.abs(found - method.predict_ab(gray).numpy()).max() < 1e-3
        assert np.abs(found).max() > 0.1


@pytest.mark.soak
def test_a_file_of_another_model_is_not_written(tmp_path, monkeypatch):
    path = tmp_path / "a.onnx"
    path.write_bytes(b"before")
    other = exporting.Chroma(untrained("cyclegan_lab", seed=1))
    difference = exporting.difference
    differences = []

    def from_another(_model: torch.nn.Module, file: Path) -> float:
        differences.append(difference(other, file))
        return float("nan")

    monkeypatch.setattr(exporting, "difference", from_another)
    with pytest.raises(UserError, match=r"a\.onnx: differs from the model by nan, not written$"):
        exporting.export(untrained("cyclegan_lab"), path)
    assert len(differences) == 1
    assert differences[0] > 1e-3
    assert path.read_bytes() == b"before"
    assert [file.name for file in tmp_path.iterdir()] == ["a.onnx"]


@pytest.mark.soak
@pytest.mark.parametrize("name", METHODS)
def test_every_method_can_be_exported(tmp_path, name):
    assert exporting.export(untrained(name), tmp_path / "a.onnx") < 1e-3
