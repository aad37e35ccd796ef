"""Coloring one's own photographs: the command on odd files, and the library on all it takes."""

import ctypes
import doctest
import functools
import io
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import pyvips
import tifffile
import torch
from PIL import Image, ImageCms, ImageEnhance, ImageOps
from skimage import color as skcolor
from torch.nn import functional as F

from colorize import Colorizer
from colorize.base.errors import UserError
from colorize.color import strips
from colorize.data.local import photograph
from colorize.methods.shared import model
from colorize.use import colorizer as module
from colorize.use import files
from colorize.use.torch_network import TorchNetwork
from tests import forks
from tests.conftest import METHODS, ROOT, small
from tests.gpu import needs_gpu

PHOTOGRAPHS = ("chelsea.png", "coffee.png", "rocket.jpg")


@functools.cache
def server() -> forks.Forks:
    """Has imported torch, which is most of a short command; runs from any folder."""
    environment = {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": forks.THREADS}
    return forks.Forks(os.environ | environment)


def command(
    module: str, *arguments: str | Path, cwd: Path, expect: int = 0
) -> subprocess.CompletedProcess:
    """`python -m MODULE ARGUMENTS` in a folder of no project."""
    words = ["python", "-m", module, *map(str, arguments)]
    return checked(server().run(words, cwd), expect)


def colorize(*arguments: str | Path, **how) -> subprocess.CompletedProcess:
    return command("colorize", *arguments, **how)


def checked(done: subprocess.CompletedProcess, expect: int) -> subprocess.CompletedProcess:
    assert done.returncode == expect, done.stderr
    assert "Traceback" not in done.stderr
    assert "Warning" not in done.stderr
    return done


def lightness(pixels: np.ndarray) -> np.ndarray:
    """By scikit-image, of (H, W), (H, W, 1) or (H, W, 3), bytes, 16 bits or in [0, 1]."""
    pixels = pixels.reshape(*pixels.shape[:2], -1)
    return skcolor.rgb2lab(np.broadcast_to(pixels, (*pixels.shape[:2], 3)))[..., 0]


def chroma(pixels: np.ndarray) -> np.ndarray:
    return np.hypot(*np.moveaxis(skcolor.rgb2lab(pixels)[..., 1:], -1, 0))


def scene(height: int, width: int) -> Image.Image:
    return Image.open(photograph("coffee.png")).convert("RGB").resize((width, height))


# ------------------------------------------------------------------------- the command


@pytest.fixture(scope="module")
def odd(tmp_path_factory) -> Path:
    """A folder of all sorts of files, some of them no photographs."""
    folder = tmp_path_factory.mktemp("odd") / "photographs"
    (folder / "inside/.hidden").mkdir(parents=True)
    picture = scene(60, 90)
    picture.convert("L").save(folder / "gray.png", dpi=(300, 300))
    picture.convert("L").save(folder / "gray.jpg")
    with_alpha = picture.copy()
    with_alpha.putalpha(Image.linear_gradient("L").resize(picture.size))
    with_alpha.save(folder / "alpha.png")
    picture.convert("CMYK").save(folder / "cmyk.jpg", quality=95)
    sixteen = np.linspace(0, 65535, 60 * 90).round().astype(np.uint16).reshape(60, 90)
    Image.fromarray(sixteen).save(folder / "sixteen.tif", dpi=(600, 600))
    picture.convert("P").save(folder / "palette.png")
    picture.convert("1").save(folder / "bits.tif")
    picture.save(folder / "lossless.webp", lossless=True)
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Maker"
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    picture.save(folder / "turned.jpg", exif=exif, dpi=(300, 300), icc_profile=srgb)
    Image.new("L", (1, 1), 90).save(folder / "pixel.png")
    scene(40, 20_000).save(folder / "wide.jpg")
    picture.save(folder / "inside/[1] ünïcode *.jpeg")
    picture.save(folder / "inside/.hidden/never.png")
    (folder / "text.jpg").write_text("no photograph")
    (folder / "empty.png").touch()
    picture.save(folder / "whole.jpg")
    whole = (folder / "whole.jpg").read_bytes()
    (folder / "whole.jpg").unlink()
    (folder / "truncated.jpg").write_bytes(whole[: len(whole) // 2])
    picture.save(folder / "pages.tif", save_all=True, append_images=[picture])
    picture.save(folder / "locked.png")
    (folder / "locked.png").chmod(0)
    (folder / "notes.txt").write_text("not looked at")
    return folder


def obey_permissions() -> None:
    """Take from root what lets it read every file: CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH."""
    for capability in (1, 2):
        if ctypes.CDLL(None).prctl(24, capability, 0, 0, 0) != 0:  # PR_CAPBSET_DROP
            raise OSError("the test may not drop its capabilities")


REASONS = {
    "text.jpg": "not a JPEG, PNG, TIFF, WebP, AVIF, HEIC, GIF, BMP, JPEG 2000 or PPM",
    "empty.png": "the file is empty",
    "truncated.jpg": "truncated or damaged: Premature end of JPEG file",
    "pages.tif": "2 frames or pages",
    "locked.png": "Permission denied",
}


@pytest.fixture(scope="module")
def colored(odd) -> tuple[Path, subprocess.CompletedProcess]:
    """What one command makes of it, and what it says."""
    output = odd.parent / "out"
    before = {path: path.stat().st_mtime_ns for path in odd.rglob("*")}
    done = subprocess.run(
        [sys.executable, "-m", "colorize", odd, "--output", output],
        cwd=odd.parent,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=obey_permissions if os.geteuid() == 0 else None,
    )
    said = checked(done, expect=2)
    assert {path: path.stat().st_mtime_ns for path in odd.rglob("*")} == before
    return output, said


def test_a_folder_is_colored_and_what_cannot_be_is_said(odd, colored):
    output, said = colored
    *_, passed_over, one, two, three, four, five, last = said.stderr.splitlines()
    assert passed_over == "passed over: 1 .txt"
    failed = dict(line.split(": ", 1) for line in (one, two, three, four, five))
    assert {Path(path).name: reason for path, reason in failed.items()} == REASONS
    assert last.startswith("error: 5 of 17 not colored")
    written = {str(path.relative_to(output)) for path in output.rglob("*") if path.is_file()}
    assert written == {
        "gray_colorized.png",  # of gray.jpg
        "gray_colorized_2.png",  # of gray.png
        "alpha_colorized.png",
        "cmyk_colorized.png",
        "sixteen_colorized.tif",
        "palette_colorized.png",
        "bits_colorized.tif",
        "lossless_colorized.png",
        "turned_colorized.png",
        "pixel_colorized.png",
        "wide_colorized.png",
        "inside/[1] ünïcode *_colorized.jpeg".replace(".jpeg", ".png"),
    }
    assert sorted(said.stdout.splitlines()) == sorted(str(output / name) for name in written)


@pytest.mark.parametrize(
    ("source", "result"),
    [
        ("gray.jpg", "gray_colorized.png"),
        ("gray.png", "gray_colorized_2.png"),
        ("cmyk.jpg", "cmyk_colorized.png"),
        ("palette.png", "palette_colorized.png"),
        ("bits.tif", "bits_colorized.tif"),
        ("lossless.webp", "lossless_colorized.png"),
        ("turned.jpg", "turned_colorized.png"),
        ("pixel.png", "pixel_colorized.png"),
        ("wide.jpg", "wide_colorized.png"),
    ],
)
def test_size_and_lightness_of_every_pixel_are_the_photographs(odd, colored, source, result):
    before = ImageOps.exif_transpose(Image.open(odd / source)).convert("RGB")
    after = Image.open(colored[0] / result)
    assert (after.mode, after.size) == ("RGB", before.size)
    assert np.abs(lightness(np.array(after)) - lightness(np.array(before))).max() <= 0.5
    if source not in ("bits.tif", "pixel.png"):  # black and white have no other colors
        assert 1 < chroma(np.array(after)).mean() < 60


def test_transparency_is_kept(odd, colored):
    before, after = Image.open(odd / "alpha.png"), Image.open(colored[0] / "alpha_colorized.png")
    assert after.mode == "RGBA"
    assert after.getchannel("A").tobytes() == before.getchannel("A").tobytes()
    after, before = (np.array(image.convert("RGB")) for image in (after, before))
    assert np.abs(lightness(after) - lightness(before)).max() <= 0.5


def test_sixteen_bits_are_kept(odd, colored):
    before, after = (
        tifffile.imread(path)
        for path in (odd / "sixteen.tif", colored[0] / "sixteen_colorized.tif")
    )
    assert (after.dtype, after.shape) == (np.uint16, (60, 90, 3))
    assert np.abs(lightness(after) - lightness(before)).max() < 0.01
    assert len(np.unique(after[..., 1])) > 4000


def test_orientation_resolution_exif_and_profile_are_kept(odd, colored):
    before, after = Image.open(odd / "turned.jpg"), Image.open(colored[0] / "turned_colorized.png")
    assert after.size == (60, 90)  # upright
    assert ImageOps.exif_transpose(after).size == (60, 90)
    assert after.getexif()[0x010F] == "Maker"
    assert after.info["icc_profile"] == before.info["icc_profile"]
    assert after.info["dpi"] == pytest.approx((300, 300), abs=0.01)
    gray = Image.open(colored[0] / "gray_colorized_2.png")
    assert gray.info["dpi"] == pytest.approx((300, 300), abs=0.01)
    tiff = Image.open(colored[0] / "sixteen_colorized.tif")
    assert tiff.info["dpi"] == pytest.approx((600, 600), abs=0.01)


def test_colors_of_another_profile_keep_it_and_their_lightness(tmp_path):
    p3 = pyvips.Operation.call("profile_load", "p3")
    # Of half the chroma: what sRGB does not have would lose some on the way.
    picture = ImageEnhance.Color(scene(50, 70)).enhance(0.5)
    picture.save(tmp_path / "wide_gamut.png", icc_profile=p3)
    colorize("wide_gamut.png", cwd=tmp_path)
    after = Image.open(tmp_path / "colorized/wide_gamut_colorized.png")
    assert after.info["icc_profile"] == p3
    # Display P3: sRGB's curve, other primaries. Y of them (SMPTE EG 432-1)
    luminance = np.array([0.2289746, 0.6917385, 0.0792869])
    levels = np.arange(256) / 255
    light = np.where(levels > 0.04045, ((levels + 0.055) / 1.055) ** 2.4, levels / 12.92)
    before, after = (
        116 * np.cbrt(light[np.array(image.convert("RGB"))] @ luminance) - 16
        for image in (picture, after)
    )
    assert np.abs(after - before).max() <= 0.5


def test_results_never_take_the_name_of_a_source(tmp_path):
    picture = scene(20, 30)
    for name in ("a.jpg", "a.png", "a_colorized.png", "A.PNG"):
        picture.save(tmp_path / name)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    arguments = ("a.jpg", "a.png", "a_colorized.png", "A.PNG", "a.jpg", "--output", ".")
    said = colorize(*arguments, cwd=tmp_path).stdout.splitlines()
    assert said == [
        "a_colorized_2.png",
        "a_colorized_3.png",
        "a_colorized_colorized.png",
        "A_colorized_4.png",
    ]
    assert all((tmp_path / name).read_bytes() == data for name, data in before.items())
    # A second run finds the same sources, and not its own results.
    again = colorize(".", "--output", ".", cwd=tmp_path).stdout.splitlines()
    assert again == ["A_colorized.png", "a_colorized_2.png", "a_colorized_3.png"]


def test_patterns_and_folders_that_hold_nothing(tmp_path):
    (tmp_path / "deep/er").mkdir(parents=True)
    for name in ("one.jpg", "two.jpg", "deep/er/three.jpg"):
        scene(20, 30).save(tmp_path / name)
    said = colorize("*.jpg", cwd=tmp_path).stdout.splitlines()
    assert said == ["colorized/one_colorized.png", "colorized/two_colorized.png"]
    said = colorize("**/three.*", cwd=tmp_path).stdout.splitlines()
    assert said == ["colorized/three_colorized.png"]
    (tmp_path / "empty").mkdir()
    said = colorize("none.png", cwd=tmp_path, expect=2).stderr.splitlines()
    assert said[-1] == "error: 1 of 1 not colored, for the reasons above"
    said = colorize("empty", "*.tif", "none.png", "one.jpg", cwd=tmp_path, expect=2)
    assert said.stderr.splitlines()[-4:] == [
        "empty: no photographs in it",
        "*.tif: no such file or folder",
        "none.png: no such file or folder",
        "error: 3 of 4 not colored, for the reasons above",
    ]
    assert said.stdout == "colorized/one_colorized.png\n"


def test_each_of_many_files_gets_its_own_reason(tmp_path):
    """Several are read at a time."""
    jpeg, tiff = io.BytesIO(), io.BytesIO()
    scene(300, 400).save(jpeg, "JPEG")
    tifffile.imwrite(tiff, np.array(scene(300, 400)), rowsperstrip=8)
    for number in range(60):
        cut = 4000 + number
        broken = (b"no photograph", jpeg.getvalue()[:cut], tiff.getvalue()[:cut])[number % 3]
        (tmp_path / f"{number}.jpg").write_bytes(broken)
    *lines, last = colorize(".", cwd=tmp_path, expect=2).stderr.splitlines()
    assert last == "error: 60 of 60 not colored, for the reasons above"
    reasons = (REASONS["text.jpg"], REASONS["truncated.jpg"], "cannot be decoded: Read error at")
    found = dict(line.rsplit("\r")[-1].strip().split(": ", 1) for line in lines[-60:])
    assert len(found) == 60
    for name, reason in found.items():
        assert reason.startswith(reasons[int(name.removesuffix(".jpg")) % 3])


def test_options(tmp_path):
    scene(40, 60).save(tmp_path / "a.png")

    def made(*options: str) -> np.ndarray:
        colorize("a.png", *options, cwd=tmp_path)
        return np.array(Image.open(tmp_path / "colorized/a_colorized.png"))

    plain = made("--compare")
    compared = np.array(Image.open(tmp_path / "colorized/a_colorized_compared.png"))
    assert (compared[:, 60:] == plain).all()
    assert (compared[:, :60] == np.array(Image.open(tmp_path / "a.png"))).all()
    assert chroma(made("--strength", "0")).max() < 1
    assert chroma(made("--strength", "1.5")).mean() > 1.1 * chroma(plain).mean()
    stargan = str(ROOT / "colorize/pretrained/stargan_rgb")
    gray = made("--model", stargan, "--domain", "gray")
    colored = made("--model", stargan)
    assert chroma(gray).mean() < chroma(colored).mean() / 2
    raw = made("--model", stargan, "--raw")
    own = lightness(np.array(Image.open(tmp_path / "a.png")))
    errors = [np.abs(lightness(image) - own).mean() for image in (colored, raw)]
    assert errors[1] > 2 * errors[0]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--model", "none"], r"error: none: no model \(there are .*pretrained/nogan_lab.*\)"),
        (["--domain", "sepia"], "error: domain: nogan_lab makes color, not sepia"),
        (["--strength", "-1"], "error: strength: -1.0 is not a number from 0 to 10"),
        (["--device", "cuda:99"], "error: device: cuda:99 is not available on this machine"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(tmp_path, options, said):
    scene(20, 30).save(tmp_path / "a.png")
    done = colorize("a.png", *options, cwd=tmp_path, expect=2)
    assert re.fullmatch(said, done.stderr.strip())
    assert not (tmp_path / "colorized").exists()


def test_a_name_that_two_models_have_is_not_guessed(tmp_path):
    shutil.copytree(ROOT / "colorize/pretrained/zhang_l2", tmp_path / "models/zhang_l2")
    scene(20, 30).save(tmp_path / "a.png")
    said = colorize("a.png", "--model", "zhang_l2", cwd=tmp_path, expect=2).stderr
    assert re.search(r"there are two; say .*pretrained/zhang_l2 or models/zhang_l2", said)
    colorize("a.png", "--model", "models/zhang_l2", cwd=tmp_path)


def test_the_list_of_models_says_what_each_is_good_and_bad_at(tmp_path):
    text = " ".join(colorize("--list-models", cwd=tmp_path).stdout.split())
    for folder in (ROOT / "colorize/pretrained").iterdir():
        card = (folder / "README.md").read_text(encoding="utf-8")
        limits = card.split("## Limits\n")[1].split("\n## ")[0]
        assert f"{folder}/README.md" in text
        assert " ".join(limits.split()) in text
    assert "nogan_lab, the default" in text


def test_a_result_is_named_after_its_photograph(tmp_path):
    picture = scene(40, 60)
    picture.save(tmp_path / "a.jpg")
    picture.save(tmp_path / "b.png")
    assert colorize("a.jpg", "made.webp", cwd=tmp_path).stdout == "made.webp\n"
    assert Image.open(tmp_path / "made.webp").format == "WEBP"
    # What is there is a second photograph, and stays as it is.
    before = (tmp_path / "b.png").read_bytes()
    said = colorize("a.jpg", "b.png", cwd=tmp_path).stdout.splitlines()
    assert said == ["colorized/a_colorized.png", "colorized/b_colorized.png"]
    assert (tmp_path / "b.png").read_bytes() == before
    for words, error in (
        (("a.jpg", "made.gif"), "--output: made.gif: results are png or jpeg or webp or tiff"),
        (("a.jpg", "c.png", "--format", "jpeg"), "--output: c.png: results are jpeg"),
        ((".", "c.png"), "--output: c.png is one file; for several photographs name a folder"),
        (("*.*", "c.png"), "--output: c.png is one file; for several photographs name a folder"),
        (("a.jpg", "--output", "a.jpg"), "--output: a.jpg is the photograph; no source is touched"),
        (("a.jpg", "-", "--compare"), "--compare: a result on standard output has nothing beside"),
    ):
        assert error in colorize(*words, cwd=tmp_path, expect=2).stderr


def test_standard_input_and_output(tmp_path):
    data = io.BytesIO()
    scene(40, 60).save(data, "PNG")
    (tmp_path / "a.png").write_bytes(data.getvalue())
    colorize("a.png", cwd=tmp_path)
    expected = Image.open(tmp_path / "colorized/a_colorized.png").tobytes()

    def piped(*words: str, given: bytes | None = None) -> Image.Image:
        done = subprocess.run(
            [sys.executable, "-m", "colorize", *words],
            input=given,
            stdout=subprocess.PIPE,
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            check=True,
        )
        return Image.open(io.BytesIO(done.stdout))

    assert piped("-", "-", given=data.getvalue()).tobytes() == expected
    assert piped("a.png", "-", "--format", "jpeg").format == "JPEG"


def test_results_of_every_format_hold_what_the_photograph_does(tmp_path):
    exif = Image.Exif()
    exif[0x010F] = "Maker"
    p3 = pyvips.Operation.call("profile_load", "p3")
    held = {"exif": exif, "dpi": (300, 300), "icc_profile": p3, "xmp": b"<x:xmpmeta/>"}
    ImageEnhance.Color(scene(60, 90)).enhance(0.5).save(tmp_path / "a.jpg", quality=95, **held)
    with_alpha = scene(60, 90)
    with_alpha.putalpha(Image.linear_gradient("L").resize(with_alpha.size))
    with_alpha.save(tmp_path / "b.webp", lossless=True)
    kinds = {"png": "PNG", "jpeg": "JPEG", "webp": "WEBP", "tiff": "TIFF"}
    suffixes = {"jpeg": "jpg", "tiff": "tif"}

    def made(source: str, form: str, *options: str) -> Image.Image:
        out = ("--output", f"{form}", "--format", form, *options)
        (path,) = colorize(source, *out, cwd=tmp_path).stdout.splitlines()
        return Image.open(tmp_path / path)

    whole = np.array(made("a.jpg", "png"))
    for form, kind in kinds.items():
        image = made("a.jpg", form)
        name = Path(image.filename).name
        assert (image.format, name) == (kind, f"a_colorized.{suffixes.get(form, form)}")
        assert image.info["icc_profile"] == p3
        assert "xmpmeta" in str(image.info)
        if form != "webp":
            assert image.info["dpi"] == pytest.approx((300, 300), abs=0.01)
        if form != "tiff":
            assert image.getexif()[0x010F] == "Maker"
        lossy = np.abs(np.array(image).astype(int) - whole).max()
        assert lossy == 0 or (form in ("jpeg", "webp") and lossy < 40)
        assert made("b.webp", form).mode == ("RGB" if form == "jpeg" else "RGBA")
    on_white = np.array(made("b.webp", "jpeg"))
    assert on_white[0].mean() > 230  # where it is transparent
    low, high = (
        Path(made("a.jpg", "jpeg", "--quality", quality).filename).stat().st_size
        for quality in ("20", "95")
    )
    assert low < high / 2
    (tmp_path / "c.JPG").write_bytes((tmp_path / "a.jpg").read_bytes())
    scene(30, 40).save(tmp_path / "d.gif")
    said = colorize("c.JPG", "b.webp", "d.gif", "--format", "same", cwd=tmp_path).stdout
    assert said.split() == [
        f"colorized/{name}" for name in ("c_colorized.jpg", "b_colorized.webp", "d_colorized.png")
    ]


def test_a_photograph_too_large_for_its_format_is_said(tmp_path):
    scene(20, 16_400).save(tmp_path / "a.png")
    said = colorize("a.png", "b.webp", cwd=tmp_path, expect=2).stderr
    assert "a.png: b.webp: " in said
    assert not (tmp_path / "b.webp").exists()


def test_photographs_that_have_results_can_be_skipped(tmp_path):
    for name in ("a.png", "b.png"):
        scene(40, 60).save(tmp_path / name)
    colorize("a.png", cwd=tmp_path)
    path = tmp_path / "colorized/a_colorized.png"
    path.write_bytes(b"mine")
    done = colorize("a.png", "b.png", "--skip-existing", cwd=tmp_path)
    assert done.stdout == "colorized/b_colorized.png\n"
    assert "1 skipped, whose results are there\n" in done.stderr
    assert path.read_bytes() == b"mine"


def test_the_size_that_the_network_sees(tmp_path, colorizers):
    scene(300, 400).save(tmp_path / "a.png")
    seen = []
    network = colorizers["zhang_l2"].network
    with pytest.MonkeyPatch.context() as patch:
        chroma_of = network.chroma
        patch.setattr(network, "chroma", lambda gray: seen.append(gray.shape) or chroma_of(gray))
        for size in (None, 64):
            colorizers["zhang_l2"](np.array(scene(300, 400)), size=size)
    assert seen == [(1, 32, 40), (1, 64, 88)]
    made = []
    for options in ((), ("--size", "256", "--jobs", "2")):
        colorize("a.png", *options, cwd=tmp_path)
        made.append(np.array(Image.open(tmp_path / "colorized/a_colorized.png")))
    assert (made[0] != made[1]).any()
    for option in (("--size", "16"), ("--quality", "101"), ("--jobs", "0"), ("--jobs", "x")):
        said = colorize("a.png", *option, cwd=tmp_path, expect=2).stderr
        assert f"argument {option[0]}: {option[1]} is not a number from " in said


# ------------------------------------------------------------------------- the library


@pytest.fixture(scope="module")
def colorizers() -> dict[str, Colorizer]:
    """One of each method, with small networks and weights that give strong colors."""
    found = {}
    for name in METHODS:
        values = small()[name]
        torch.manual_seed(0)
        method = model.build(model.parse(values, f"models.{name}"), 32)
        for parameter in method.parameters():
            parameter.data.mul_(3)
        found[name] = Colorizer(TorchNetwork(method), name)
    return found


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("size", [(1, 1), (3, 200), (61, 47)])
def test_every_method_keeps_the_lightness_of_every_pixel(colorizers, name, size):
    pixels = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    for strength in (1.0, 10.0):
        colored = colorizers[name](pixels, strength=strength)
        assert np.abs(lightness(colored) - lightness(pixels)).max() <= 0.5


def test_colors_outside_the_gamut_keep_their_hue():
    colorizer = Colorizer.load(ROOT / "colorize/pretrained/nogan_lab", "cpu")
    gray = np.array(scene(100, 150).convert("L")) / 255
    weak, strong = (skcolor.rgb2lab(colorizer(gray, strength=s)) for s in (0.5, 10.0))
    chromas = [np.hypot(lab[..., 1], lab[..., 2]) for lab in (weak, strong)]
    vivid = chromas[0] > 1
    assert vivid.mean() > 0.5
    assert (chromas[1] > 4 * chromas[0])[vivid].any()
    outside = (chromas[1] < 19 * chromas[0]) & vivid  # less than 20 times as strong
    assert outside.mean() > 0.2
    turned = np.arctan2(weak[..., 2], weak[..., 1]) - np.arctan2(strong[..., 2], strong[..., 1])
    assert np.abs(np.angle(np.exp(1j * turned)))[outside].max() < 0.01


def test_night_alone_is_not_on_the_photographs_own_lightness():
    values = small()["stargan_domains"]
    torch.manual_seed(0)
    method = model.build(model.parse(values, "models.x"), 32)
    colorizer = Colorizer(TorchNetwork(method), "x")
    pixels = np.array(scene(45, 70))
    for domain in colorizer.domains:
        made = colorizer(pixels, domain=domain)
        on_lightness = np.abs(lightness(made) - lightness(pixels)).max() <= 0.5
        assert on_lightness == (domain != "night")
    assert (made == colorizer(pixels, domain="night", raw=True)).all()


def test_images_of_all_kinds_give_the_same_picture(colorizers):
    colorizer = colorizers["cyclegan"]
    image = scene(45, 70)
    array = np.array(image)
    expected = colorizer(array)
    assert expected.dtype == np.uint8
    assert (np.array(colorizer(image)) == expected).all()
    tensor = torch.from_numpy(array).permute(2, 0, 1)
    assert (colorizer(tensor).permute(1, 2, 0).numpy() == expected).all()
    batch = colorizer(torch.stack((tensor, tensor.flip(-1))))
    assert batch.shape == (2, 3, 45, 70)
    assert (batch[0].permute(1, 2, 0).numpy() == expected).all()
    as_float = colorizer(tensor / 255)
    assert as_float.dtype == torch.float32
    assert (as_float * 255 - batch[0]).abs().max() < 0.51
    sixteen = colorizer(array * np.uint16(257))
    assert np.abs(sixteen / 257.0 - expected).max() < 0.51
    assert (colorizer(np.stack((array, array)))[1] == expected).all()


def test_pillow_modes_and_gray_arrays(colorizers):
    colorizer = colorizers["resnet_l2"]
    gray = scene(40, 50).convert("L")
    expected = colorizer(np.array(gray))
    assert expected.shape == (40, 50, 3)
    assert (colorizer(np.array(gray)[..., None]) == expected).all()
    modes = [gray.convert(mode) for mode in ("L", "RGB", "RGBA", "LA", "P", "CMYK", "YCbCr")]
    modes += [gray.convert("LA").convert("La"), gray.convert("RGBA").convert("RGBa")]
    for image in (*modes, sixteen_bits(gray)):
        colored = colorizer(image)
        assert colored.mode == "RGB"
        assert np.abs(np.array(colored).astype(int) - expected).max() <= 1, image.mode
    numbers = torch.from_numpy(np.array(gray) / 255)[None]
    for kind in (torch.bfloat16, torch.float16, torch.float64):
        colored = colorizer(numbers.to(kind))
        assert colored.dtype == kind
        assert np.abs(colored.movedim(0, -1).float().numpy() * 255 - expected).max() < 8


def sixteen_bits(gray: Image.Image) -> Image.Image:
    return Image.fromarray(np.array(gray) * np.uint16(257))


@pytest.mark.parametrize("strength", ["1", None, -0.1, 10.1, float("nan")])
def test_strength_is_a_number(colorizers, strength):
    said = re.escape(f"strength: {strength!r} is not a number from 0 to 10")
    with pytest.raises(UserError, match=f"^{said}$"):
        colorizers["zhang_l2"](np.zeros((9, 9), np.uint8), strength=strength)


def test_loading_draws_no_random_numbers():
    before = torch.get_rng_state()
    Colorizer.load(ROOT / "colorize/pretrained/zhang_l2", "cpu")
    assert torch.equal(torch.get_rng_state(), before)


def test_a_forked_process_colors_too():
    """Where OpenMP's threads are missing, it would wait for them for ever."""
    code = """
import os, signal, numpy, torch
torch.set_num_threads(2)
from colorize import Colorizer
colorizer = Colorizer.load("colorize/pretrained/zhang_l2", "cpu")
image = numpy.full((300, 400), 90, numpy.uint8)
before = colorizer(image)
child = os.fork()
if child == 0:
    signal.alarm(60)
    os._exit(int((colorizer(image) != before).any()))
raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


@pytest.mark.parametrize(
    ("image", "said"),
    [
        (np.zeros((4, 5, 2)), r"image: neither gray nor RGB, its shape is \(4, 5, 2\)"),
        (torch.zeros(5), r"image: neither gray nor RGB, its shape is \(5,\)"),
        (torch.zeros(4, 4), r"image: neither gray nor RGB, its shape is \(4, 4\)"),
        (np.zeros((0, 5)), r"image: it has no pixels, its shape is \(0, 5\)"),
        (Image.new("L", (0, 5)), r"image: it has no pixels, its shape is \(5, 0\)"),
        ([[1, 2], [3, 4]], r"image: an image of PIL, an array or a tensor, not list .*"),
        ("a.jpg", r"image: an image of PIL, an array or a tensor, not str \(PIL.Image.open .*"),
        (Path("a.jpg"), "image: an image of PIL, an array or a tensor, not PosixPath .*"),
        (None, "image: an image of PIL, an array or a tensor, not NoneType .*"),
        (np.full((9, 9), np.nan), r"image: floats are in \[0, 1\], not from nan to nan"),
        (np.full((9, 9), 90.0), r"image: floats are in \[0, 1\], not from 90 to 90"),
        (np.full((9, 9), -1.0), r"image: floats are in \[0, 1\], not from -1 to -1"),
        (np.zeros((4, 5), bool), r"image: uint8, uint16 or floats in \[0, 1\], not bool"),
        (np.zeros((4, 5), int), r"image: uint8, uint16 or floats in \[0, 1\], not int64"),
        (Image.new("F", (4, 5)), "image: float pixels of unknown range"),
    ],
)
def test_what_is_no_image_is_refused(colorizers, image, said):
    with pytest.raises(UserError, match=f"^{said}$"):
        colorizers["zhang_l2"](image)


def test_a_model_that_gives_no_numbers_is_named(colorizers):
    method = model.load(ROOT / "colorize/pretrained/zhang_l2")
    next(method.parameters()).data.fill_(torch.nan)
    with pytest.raises(UserError, match=r"^broken: what it makes is not finite"):
        Colorizer(TorchNetwork(method), "broken")(np.zeros((20, 20), np.uint8))


@needs_gpu
def test_a_gpu_gives_the_same_colors():
    pixels = np.array(scene(300, 450).convert("L"))
    on_cpu, on_gpu = (
        Colorizer.load(ROOT / "colorize/pretrained/nogan_lab", device)(pixels).astype(int)
        for device in ("cpu", "cuda")
    )
    assert np.abs(on_gpu - on_cpu).max() <= 2


@pytest.mark.parametrize("size", [(1000, 700), (37, 50), (2, 9)])
def test_chroma_is_enlarged_as_torch_does(monkeypatch, size):
    """However few lines of a photograph are joined with it at a time."""
    method = model.load(ROOT / "colorize/pretrained/zhang_l2")
    ab = 20 * torch.randn(1, 2, 24, 16, generator=torch.Generator().manual_seed(0))
    monkeypatch.setattr(method, "predict_ab", lambda gray: ab)
    gray = np.full(size, 128, np.uint8)
    whole = F.interpolate(ab, size, mode="bilinear", antialias=True)  # where it is reduced
    expected = strips.on_lightness(torch.from_numpy(gray)[None, None], whole)[0]
    monkeypatch.setattr(strips, "STRIP", 900)
    painted = Colorizer(TorchNetwork(method))(gray).astype(int)
    assert np.abs(painted - expected.permute(1, 2, 0).numpy()).max() <= 1


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((600, 900), (128, 192)),
        ((1, 1), (128, 128)),
        ((100, 20_000), (16, 1024)),
        ((4000, 1000), (512, 128)),
    ],
)
def test_networks_see_the_size_that_they_were_trained_at(size, expected):
    assert module.working_size(*size, 128) == expected


@pytest.mark.parametrize(("black", "white"), [(0.3, 0.7), (0, 0.4), (0.1, 0.95), (0.6, 1)])
def test_what_has_faded_is_seen_with_its_contrast_back(black, white):
    full = np.random.default_rng(0).random((1, 64, 64), np.float32)
    seen = module.stretched(black + (white - black) * full)
    assert seen.dtype == np.float32
    dark, bright = np.quantile(seen, (0.01, 0.99))
    assert bright - dark == pytest.approx(0.9, abs=1e-3)
    assert seen.min() >= 0
    assert seen.max() <= 1
    if (black, white) == (0.3, 0.7):  # all that is left is a factor of contrast
        assert np.abs(seen - full).max() < 0.05


def test_what_has_contrast_or_none_at_all_is_seen_as_it_is():
    full = np.linspace(0, 1, 4096, dtype=np.float32).reshape(1, 64, 64)
    for gray in (full, full**2, 0.05 + 0.93 * full, np.full_like(full, 0.2)):
        assert np.allclose(module.stretched(gray), gray)
    dim = 0.2 + 0.01 * full  # in which bytes know three levels
    assert module.stretched(dim).mean() == pytest.approx(0.205, abs=1e-3)
    assert np.ptp(module.stretched(dim)) == pytest.approx(0.04, abs=1e-3)


def test_a_faded_photograph_gets_the_colors_of_one_that_has_not():
    colorizer = Colorizer.load(ROOT / "colorize/pretrained/zhang_l2", device="cpu")
    full = Image.open(photograph("coffee.png")).convert("L").resize((300, 200))
    faded = full.point(lambda level: round(64 + level / 2))

    expected = skcolor.rgb2lab(np.asarray(colorizer(full)))[..., 1:]

    def error(colored: Image.Image) -> float:
        ab = skcolor.rgb2lab(np.asarray(colored))[..., 1:]
        return np.linalg.norm(ab - expected, axis=-1).mean()

    made = colorizer(faded)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "stretched", lambda gray: gray)
        unstretched = colorizer(faded)
    assert error(made) < 0.5 * error(unstretched)
    assert np.abs(lightness(np.asarray(made)) - lightness(np.asarray(faded))).max() < 1


def test_the_documented_examples_hold(monkeypatch):
    monkeypatch.chdir(ROOT)
    found = doctest.testmod(module)
    assert found.attempted > 5
    assert found.failed == 0


def test_names_of_results_are_known_as_such():
    for name in ("a_colorized", "a_colorized_2", "a_colorized_compared", "a_colorized_2_compared"):
        assert files.RESULT.search(name), name
    for name in ("colorized", "a_colorized_b", "a_colorized_x2"):
        assert not files.RESULT.search(name), name


def test_a_photograph_that_two_paths_name_is_colored_once(tmp_path, monkeypatch):
    (tmp_path / "scans").mkdir()
    (tmp_path / "scans/a.png").touch()
    (tmp_path / "scans/link.png").symlink_to("a.png")
    (tmp_path / "again").symlink_to("scans")
    monkeypatch.chdir(tmp_path)
    named = ["again/a.png", str(tmp_path / "scans/a.png"), "scans/../scans/a.png", "scans"]
    jobs, failures, _ = files.find(named, Path("out"))
    assert failures == []
    assert [(str(job.source), str(job.target)) for job in jobs] == [
        ("again/a.png", "out/a_colorized.png"),
        ("scans/link.png", "out/link_colorized.png"),
    ]
