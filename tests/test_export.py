"""Export: the file does what the model does, alone, and is checked before it gets its name."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from PIL import Image

from colorize import Colorizer
from colorize.base.errors import UserError
from colorize.data.local import photograph
from colorize.methods.shared import model
from colorize.methods.shared.base import Method
from colorize.use import onnx as exporting
from colorize.use.onnx_network import OnnxNetwork
from tests.conftest import METHODS, ROOT, small
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


# `colorize` where coloring alone is installed, on a system that is not POSIX
LIGHT = """
import os, signal, sys
for name in ("torch", "pydantic", "ruamel", "pandas", "safetensors", "requests", "fsspec"):
    sys.modules[name] = None
for name in ("fcntl", "grp", "pwd", "resource", "termios"):
    sys.modules[name] = None
for name in ("fork", "getsid", "posix_fallocate", "sched_getaffinity", "sysconf"):
    delattr(os, name)
del signal.SIGUSR1
from colorize.__main__ import run
run()
"""


@pytest.fixture(scope="module")
def in_place(tmp_path_factory) -> Path:
    """A model's folder with what colors without torch."""
    folder = tmp_path_factory.mktemp("in_place") / "models/mine"
    method = untrained("cyclegan_lab")
    for parameter in method.parameters():
        parameter.data.mul_(3)  # colors that are seen
    model.save(method, folder)
    said = command("colorize.export", folder, "--in-place", cwd=folder.parents[1]).stdout
    assert said.startswith(f"{folder}/network.onnx: ")
    return folder


def test_without_torch_the_same_colors_are_made(in_place, tmp_path):
    pixels = np.array(Image.open(photograph("coffee.png")))
    Image.fromarray(pixels).save(tmp_path / "a.png")
    words = [sys.executable, "-c", LIGHT, "a.png", "--model", str(in_place)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    how = {"cwd": tmp_path, "env": environment, "capture_output": True, "text": True}
    done = subprocess.run(words, check=True, **how)
    assert done.stdout == "colorized/a_colorized.png\n"
    found = np.array(Image.open(tmp_path / "colorized/a_colorized.png")).astype(int)
    expected = Colorizer.load(in_place, "cpu")(pixels)
    assert np.abs(found - expected).max() <= 1
    assert (found != expected).mean() < 1e-3
    assert np.abs(found - pixels).mean() > 1
    for option, said in (
        (("--raw",), "error: raw: the network's own picture needs torch, which is not installed\n"),
        (("--device", "cuda"), "error: device: cuda needs torch, which is not installed\n"),
        (("--domain", "warm"), "error: domain: mine makes color, not warm\n"),
    ):
        refused = subprocess.run([*words, *option], check=False, **how)
        assert refused.returncode == 2
        assert refused.stderr.endswith(said)


@pytest.mark.parametrize("file", ["network.onnx", model.WEIGHTS, model.CONFIG])
def test_a_broken_network_is_named(in_place, tmp_path, file):
    folder = tmp_path / "broken"
    shutil.copytree(in_place, folder)
    (folder / file).write_bytes(b"nothing")
    with pytest.raises(UserError, match=r"broken: not a model that can be loaded \("):
        OnnxNetwork(folder)
    (folder / "network.onnx").unlink()
    with pytest.raises(UserError, match=r"broken: without torch network\.onnx is needed, which"):
        OnnxNetwork(folder)


def test_a_forked_process_colors_without_torch_too(in_place):
    colorizer = Colorizer(OnnxNetwork(in_place))
    image = np.full((40, 50), 90, np.uint8)
    before = colorizer(image)
    child = os.fork()
    if child == 0:
        signal.alarm(60)
        os._exit(int((colorizer(image) != before).any()))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


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
