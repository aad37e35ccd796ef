"""The reader of photographs: in files that strangers have, both halves see what a person sees."""

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import pyvips
import torch
from skimage import color as skcolor

from colorize.data import photo
from colorize.methods.shared import model
from tests import cases, zips
from tests.cases import Case
from tests.conftest import ROOT, small
from tests.test_use import colorize

CASES = cases.all_cases()
each = pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])


def test_there_are_many_kinds():
    assert len(CASES) >= 150


@each
def test_what_is_trained_on(case):
    if isinstance(case.expected, str):
        with pytest.raises(photo.Unreadable, match=re.escape(case.expected)) as raised:
            photo.read(case.data)
        assert "\n" not in str(raised.value)
        return
    pixels = photo.read(case.data).on_white()
    assert pixels.dtype == np.uint8
    assert pixels.shape[:2] == case.expected.shape[:2]
    assert np.abs(pixels / 255 - case.expected).max() <= case.tolerance


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Path:
    """A model that colors in milliseconds."""
    folder = tmp_path_factory.mktemp("model")
    parameters = model.parse(small()["zhang_l2"], "models.tiny")
    torch.manual_seed(0)
    model.save(model.build(parameters, 32), folder)
    return folder


@pytest.fixture(scope="module")
def colored(tmp_path_factory, tiny) -> tuple[Path, dict[str, str]]:
    """All cases in one folder, in gray again; and the reasons given for those that are not."""
    folder = tmp_path_factory.mktemp("cases")
    (folder / "in").mkdir()
    for case in CASES:
        (folder / "in" / case.name).write_bytes(case.data)
    options = ("--model", tiny, "--strength", "0", "--output", "out")
    said = colorize("in", *options, cwd=folder, expect=2).stderr.splitlines()
    pairs = (line.split(": ", 1) for line in said if line.startswith("in/"))
    return folder / "out", {name.removeprefix("in/"): reason for name, reason in pairs}


def lightness(numbers: np.ndarray) -> np.ndarray:
    return skcolor.rgb2lab(numbers)[..., 0]


@each
def test_what_is_colored(colored, case):
    """One file that cannot be read stops no other; lightness is the photograph's own."""
    folder, reasons = colored
    if isinstance(case.expected, str):
        assert case.expected in reasons[case.name]
        return
    assert case.name not in reasons
    numbers, alpha, has_profile = written(result_of(case, folder))
    assert numbers.shape == case.expected.shape
    if case.meaning is not None:
        assert has_profile
        numbers = cases.through(numbers, *case.meaning)
    allowed = 0.5 + 100 * (case.tolerance - cases.ROUNDING)
    difference = np.abs(lightness(numbers) - lightness(case.expected))
    # On white, what can be seen through is as light as its colors say, not as they were
    assert difference[slice(None) if alpha is None else alpha == 1].max(initial=0) <= allowed


def result_of(case: Case, folder: Path) -> Path:
    name = Path(case.name)
    return folder / f"{name.stem}_colorized{'.tif' if name.suffix == '.tif' else '.png'}"


def written(path: Path) -> tuple[np.ndarray, np.ndarray | None, bool]:
    """Numbers in [0, 1] (H, W, 3), alpha, and whether a profile says what they mean."""
    image = pyvips.Image.new_from_file(str(path))
    pixels = image.numpy()
    numbers = pixels / np.iinfo(pixels.dtype).max
    alpha = numbers[..., 3] if image.bands == 4 else None
    return numbers[..., :3], alpha, image.get_typeof("icc-profile-data") != 0


# ------------------------------------------- whatever is there, all others are colored


PICTURE = zips.encoded(cases.CAT)


def reasons_of(done: subprocess.CompletedProcess) -> dict[str, str]:
    """What is said of each file that is not colored."""
    *lines, last = done.stderr.splitlines()
    assert re.fullmatch(r"error: \d+ of \d+ not colored, for the reasons above", last)
    # The bar ends where the first of them begins
    return dict(line.rpartition("\r")[2].split(": ", 1) for line in lines if ": " in line)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_is_no_file_is_said_and_not_waited_for(tmp_path, tiny):
    (tmp_path / "a.png").write_bytes(PICTURE)
    (tmp_path / "z.png").write_bytes(PICTURE)
    os.mkfifo(tmp_path / "pipe.jpg")
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(tmp_path / "socket.jpg"))
    (tmp_path / "self.png").symlink_to("self.png")
    (tmp_path / "nowhere.png").symlink_to("missing.png")
    (tmp_path / "folder.png").mkdir()
    reasons = reasons_of(colorize(".", "--model", tiny, cwd=tmp_path, expect=2))
    assert reasons["pipe.jpg"] == reasons["socket.jpg"] == "a device, not a file"
    assert "symbolic links" in reasons["self.png"]
    assert reasons["nowhere.png"] == "No such file or directory"
    assert names_in(tmp_path / "colorized") == ["a_colorized.png", "z_colorized.png"]
    server.close()


def test_names_of_any_bytes(tmp_path, tiny):
    names = [b"plain", b"latin \xe9", b"\xff", b"line\nbreak", b"\x1b[31mred", "ü 🙂".encode()]
    for name in names:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name + b".png")).write_bytes(PICTURE)
    (tmp_path / "bad\x1b[2J.png").write_text("none")
    done = in_locale("utf-8:strict", ".", "--model", tiny, cwd=tmp_path)
    assert done.returncode == 2
    assert {os.fsencode(name) for name in names_in(tmp_path / "colorized")} == {
        name + b"_colorized.png" for name in names
    }
    lines = done.stdout.splitlines()
    assert len(lines) == len(names)
    assert r"colorized/line\nbreak_colorized.png" in lines
    assert r"colorized/latin \udce9_colorized.png" in lines
    assert "\x1b" not in done.stdout + done.stderr
    assert r"bad\x1b[2J.png: not a JPEG" in done.stderr
    done = in_locale("ascii:strict", "ü 🙂.png", "--model", tiny, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "colorized/\\xfc \\U0001f642_colorized.png\n")


def in_locale(encoding: str, *arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess:
    """`python -m colorize` where the terminal has that encoding."""
    return subprocess.run(
        [sys.executable, "-m", "colorize", *map(str, arguments)],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": encoding},
        capture_output=True,
        text=True,
        check=False,
    )


def test_names_as_long_as_a_disk_takes(tmp_path, tiny):
    lengths = (190, 230, 240, 251)
    for length in lengths:
        (tmp_path / f"{'b' * length}.png").write_bytes(PICTURE)
    (tmp_path / f"{'ü' * 125}.png").write_bytes(PICTURE)
    (tmp_path / f"{'ü' * 125}.jpeg").write_bytes(PICTURE)
    for _ in range(2):  # the second finds what the first wrote
        done = colorize(".", "--model", tiny, "--compare", cwd=tmp_path)
        assert len(done.stdout.splitlines()) == len(lengths) + 2
        assert len(names_in(tmp_path / "colorized")) == 2 * (len(lengths) + 2)


def test_where_a_result_cannot_be_written_the_others_are(tmp_path, tiny):
    for name in "abc":
        (tmp_path / f"{name}.png").write_bytes(PICTURE)
    (tmp_path / "colorized/b_colorized.png").mkdir(parents=True)
    done = colorize(".", "--model", tiny, cwd=tmp_path, expect=2)
    assert reasons_of(done)["b.png"] == "colorized/b_colorized.png: Is a directory"
    assert names_in(tmp_path / "colorized") == [f"{n}_colorized.png" for n in "abc"]
    (tmp_path / "file").write_text("in the way")
    done = colorize("a.png", "--model", tiny, "--output", "file", cwd=tmp_path, expect=2)
    assert (
        "Not a directory" in reasons_of(done)["a.png"] or "File exists" in reasons_of(done)["a.png"]
    )


def test_what_a_killed_run_left_behind_is_removed(tmp_path, tiny):
    (tmp_path / "a.png").write_bytes(PICTURE)
    (tmp_path / "colorized").mkdir()
    (tmp_path / "colorized/.a_colorized.png.0123abcd.partial").write_text("half of it")
    (tmp_path / "colorized/.mine").write_text("is somebody's")
    colorize("a.png", "--model", tiny, cwd=tmp_path)
    assert names_in(tmp_path / "colorized") == [".mine", "a_colorized.png"]


def test_output_may_be_the_result_itself(tmp_path, tiny):
    (tmp_path / "a.png").write_bytes(PICTURE)
    for output in ("x.png", "deep/er/y.tif"):
        done = colorize("a.png", "--model", tiny, "--output", output, cwd=tmp_path)
        assert done.stdout.split() == [output]
        assert (tmp_path / output).is_file()
    for output, said in (("x.gif", "x.gif: results are"), ("a.png", "a.png is the photograph")):
        done = colorize("a.png", "--model", tiny, "--output", output, cwd=tmp_path, expect=2)
        assert f"error: --output: {said}" in done.stderr
    assert (tmp_path / "a.png").read_bytes() == PICTURE
    # Several photographs need a folder.
    (tmp_path / "b.png").write_bytes(PICTURE)
    several = ("a.png", "b.png", "--model", tiny, "--output")
    done = colorize(*several, "both.png", cwd=tmp_path, expect=2)
    assert "error: --output: both.png is one file; for several photographs name" in done.stderr
    colorize(*several, "both", cwd=tmp_path)
    assert names_in(tmp_path / "both") == ["a_colorized.png", "b_colorized.png"]


def test_no_name_is_no_photograph(tmp_path, tiny):
    (tmp_path / "a.png").write_bytes(PICTURE)
    done = colorize("", "--model", tiny, cwd=tmp_path, expect=2)
    assert reasons_of(done)[""] == "no such file or folder"
    assert not done.stdout


def test_what_is_passed_over_is_counted(tmp_path, tiny):
    for name in ("a.png", "notes.txt", "more.TXT", "raw.cr2", "README", ".hidden.txt"):
        (tmp_path / name).write_bytes(PICTURE)
    done = colorize(".", "--model", tiny, cwd=tmp_path)
    assert done.stderr.splitlines()[-1] == "passed over: 1 .cr2, 2 .txt, 1 README"
