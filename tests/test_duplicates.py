"""Near-duplicates, gray photographs, and the union's indifference to how it is carried out."""

import io
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest
from PIL import Image, ImageOps
from PIL.Image import Resampling
from skimage import color as skcolor
from skimage import data as skdata

from colorize.base import workers
from colorize.data import duplicates, local, palette, pixels
from colorize.data.duplicates import SAME, luma, similarity
from colorize.data.members import Measures, Seen
from colorize.data.union import UnionParameters, union
from tests import zips
from tests.conftest import ROOT, Project
from tests.test_data import UNION, contents
from tests.test_images import raw_folder


def reencoded(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    data = zips.encoded(image, "JPEG", quality=int(rng.integers(40, 90)))
    return Image.open(io.BytesIO(data)).convert("RGB")


def resized(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    scale = rng.uniform(0.6, 1.5)
    size = (round(image.width * scale), round(image.height * scale))
    return image.resize(size, Resampling.BICUBIC)


def mirrored(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    return ImageOps.mirror(image)


def cropped(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """95 % of each side, from anywhere."""
    width, height = round(0.95 * image.width), round(0.95 * image.height)
    left = int(rng.integers(0, image.width - width + 1))
    top = int(rng.integers(0, image.height - height + 1))
    return image.crop((left, top, left + width, top + height))


@pytest.fixture(scope="module")
def tiles(tmp_path_factory) -> list[Image.Image]:
    """Tiles of real photographs, 128 pixels wide, that overlap by half at most."""
    path = tmp_path_factory.mktemp("sample") / "sample.zip"
    local.build_sample(path)
    with zipfile.ZipFile(path) as opened:
        names = sorted(opened.namelist())
        return [Image.open(io.BytesIO(opened.read(name))).convert("RGB") for name in names]


def alike(lumas: list[np.ndarray], folder: Path) -> list[tuple[int, int, float]]:
    with Measures(folder) as measures:
        for n, levels in enumerate(lumas):
            prints = duplicates.fingerprints(levels)
            measures.add(f"{n}.png", Seen("", "", 64, 64, None, levels, prints))
        return list(measures.alike(2))


def test_of_two_hundred_planted_copies_all_but_two_are_found(tiles, tmp_path):
    rng = np.random.default_rng(0)
    chosen = rng.choice(len(tiles), 200, replace=False)
    kinds = [reencoded, resized, mirrored, cropped]
    copies = [kinds[n % 4](tiles[i], rng) for n, i in enumerate(chosen)]
    found = {(i, j) for i, j, _ in alike([luma(image) for image in [*tiles, *copies]], tmp_path)}
    planted = {(int(i), len(tiles) + n) for n, i in enumerate(chosen)}
    assert len(planted & found) >= 198
    # Overlapping tiles and their copies are alike at times; 119,000 other pairs are not.
    assert len(found - planted) < 200


def test_similarity_is_symmetric_and_ignores_brightness_and_flat_pictures():
    photograph = Image.fromarray(skdata.chelsea())
    a, b = (luma(photograph.crop((x, 0, x + 128, 128))) for x in (0, 128))
    assert similarity(a, a) == pytest.approx(1, abs=1e-5)
    assert similarity(a, b) == pytest.approx(similarity(b, a), abs=1e-5)
    assert similarity(a, (a // 2 + 60).astype(np.uint8)) > 0.99
    assert similarity(a, 255 - a) < 0
    flat = np.full((64, 64), 90, np.uint8)
    assert similarity(flat, flat) < SAME  # nothing to tell by


def test_candidates_do_not_depend_on_tiles(tiles, monkeypatch):
    prints = np.stack([duplicates.fingerprints(luma(tile)) for tile in tiles])

    def candidates(block: int) -> list[tuple[int, int]]:
        monkeypatch.setattr(duplicates, "BLOCK", block)
        return sorted(
            (top + i, left + j)
            for top, left in duplicates.tiles(len(prints))
            for i, j in duplicates.candidates(
                prints[top : top + block], prints[left : left + block]
            )
            if top + i < left + j
        )

    assert candidates(17) == candidates(512) != []


def test_every_pair_is_looked_at_once(tiles, tmp_path):
    upright = [luma(tile) for tile in tiles]
    lumas = [*upright, *(levels[::-1] for levels in upright), *upright[:40]]
    assert duplicates.BLOCK < len(lumas) < 2 * duplicates.BLOCK  # of the four tiles one is left out
    prints = np.stack([duplicates.fingerprints(levels) for levels in lumas])
    expected = [
        (i, j, similarity(lumas[i], lumas[j]))
        for i, j in duplicates.candidates(prints, prints)
        if i < j
    ]
    expected = [pair for pair in expected if pair[2] >= SAME]
    assert sorted(alike(lumas, tmp_path)) == sorted(expected)
    copies = {(i, len(lumas) - 40 + i) for i in range(40)}
    assert copies <= {(i, j) for i, j, _ in expected}


def test_a_near_duplicate_never_crosses_the_splits(tiles, tmp_path):
    rng = np.random.default_rng(1)
    files = {f"trainA/{n:02}.png": zips.encoded(tile) for n, tile in enumerate(tiles[40:70])}
    files["testA/leaked.jpg"] = zips.encoded(mirrored(tiles[40], rng), "JPEG", quality=70)
    large = tiles[45].resize((300, 300), Resampling.BICUBIC)
    files["trainB/larger.png"] = zips.encoded(large)
    raw = raw_folder(tmp_path / "raw", files)
    union(UnionParameters(**UNION | {"min_chroma": 0}), raw, tmp_path / "union")
    rows = pd.read_csv(tmp_path / "union/index.csv", keep_default_na=False).set_index("source")
    leak = rows.loc["some/trainA/00.png"]
    assert (leak["reject_reason"], leak["duplicate_of"]) == (
        "near-duplicate",
        "some/testA/leaked.jpg",
    )
    assert leak["reject_detail"].startswith("like some/testA/leaked.jpg (similarity ")
    assert rows.loc["some/trainA/05.png", "duplicate_of"] == "some/trainB/larger.png"
    sheet = json.loads((tmp_path / "union/datasheet.json").read_text())["some"]
    assert sheet["leaks"] == 1
    assert sheet["left_out"]["near-duplicate"] == (rows["reject_reason"] == "near-duplicate").sum()
    assert sum(sheet["images"].values()) == rows["kept"].sum()
    assert sheet["files"] == len(rows) == 32


def test_gray_and_toned_photographs_are_left_out(tmp_path):
    photograph = Image.fromarray(skdata.chelsea()).crop((100, 50, 350, 250))
    gray = photograph.convert("L")
    sepia = ImageOps.colorize(gray, "#1a140c", "#fff2dc")
    files = {f"trainA/{n:02}.png": zips.encoded(zips.image(n)) for n in range(30)}
    files |= {
        "testA/t.png": zips.encoded(zips.image(99)),
        "trainB/photograph.png": zips.encoded(photograph),
        "trainB/gray.png": zips.encoded(gray),
        "trainB/sepia.jpg": zips.encoded(sepia, "JPEG", quality=95),
    }
    raw = raw_folder(tmp_path / "raw", files)

    def cause(name, **changes):
        union(UnionParameters(**UNION | changes), raw, tmp_path / "union")
        rows = pd.read_csv(tmp_path / "union/index.csv", keep_default_na=False)
        return rows.set_index("source").loc[f"some/trainB/{name}", "reject_reason"]

    assert cause("photograph.png") == ""
    assert cause("gray.png") == "gray"
    assert cause("sepia.jpg") == "gray"
    # Nothing is gray then; but all three show the same, and one is enough.
    kept = [cause(name, min_chroma=0) for name in ("photograph.png", "gray.png", "sepia.jpg")]
    assert sorted(kept) == ["", "near-duplicate", "near-duplicate"]


def test_colors_by_tables_are_those_of_scikit_image():
    rgb = np.random.default_rng(0).integers(0, 256, (64, 48, 3), dtype=np.uint8)
    rgb[:4] = [[[0, 0, 0]], [[255, 255, 255]], [[255, 0, 0]], [[0, 0, 255]]]
    lab = skcolor.rgb2lab(rgb)
    a, b = pixels.ab_of(rgb)
    assert np.abs(a - lab[..., 1]).max() < 0.03
    assert np.abs(b - lab[..., 2]).max() < 0.03
    gray = pixels.gray_levels(rgb, "lightness")
    of_gray = skcolor.rgb2lab(np.repeat(gray[..., None], 3, axis=2))[..., 0]
    assert np.abs(of_gray - lab[..., 0]).max() < 0.3  # half a gray level
    expected = np.rint(rgb @ np.array([0.299, 0.587, 0.114]))
    assert np.abs(pixels.gray_levels(rgb, "rec601") - expected).max() <= 1


def test_palette_measures_what_it_says():
    rgb = np.asarray(skdata.astronaut())
    few = rgb[:: palette.STEP, :: palette.STEP]
    found = palette.palette(rgb)
    ab = skcolor.rgb2lab(few)[..., 1:].reshape(-1, 2)
    assert found.pixels == len(ab) == found.counts.sum()
    assert np.array(found.ab_sum) / len(ab) == pytest.approx(ab.mean(axis=0), abs=1e-2)
    assert found.chroma == pytest.approx(np.percentile(np.hypot(*ab.T), 95), abs=0.1)
    r, g, b = few.astype(float).transpose(2, 0, 1)
    rg, yb = r - g, (r + g) / 2 - b
    expected = np.hypot(rg.std(), yb.std()) + 0.3 * np.hypot(rg.mean(), yb.mean())
    assert found.colorfulness == pytest.approx(expected, rel=1e-4)


def test_any_number_of_workers_gives_the_same_bytes(tiles, tmp_path):
    files = {f"trainA/{n:03}.png": zips.encoded(tile) for n, tile in enumerate(tiles[::3])}
    files |= {f"testA/{n:03}.png": zips.encoded(tile) for n, tile in enumerate(tiles[::7])}
    files |= {f"trainB/{n:03}.jpg": zips.encoded(tiles[n], "JPEG") for n in range(0, 50, 5)}
    raw = raw_folder(tmp_path / "raw", files)
    for count in (1, 2, 5):
        union(UnionParameters(**UNION), raw, tmp_path / f"union{count}", workers=count)
    expected = contents(tmp_path / "union1")
    assert contents(tmp_path / "union2") == contents(tmp_path / "union5") == expected


def slowly(item: int) -> int:
    time.sleep(0.01)
    return -item


def dies(item: int) -> int:
    if item == 40:
        os.kill(os.getpid(), signal.SIGKILL)
    return item


def test_work_is_spread_over_cores_that_multiply_alone():
    (library,) = (Path(np.__file__).parents[1] / "numpy.libs").glob("libscipy_openblas*")
    threads = f"__import__('ctypes').CDLL('{library}').scipy_openblas_get_num_threads64_()"
    code = f'from colorize.base.workers import spread; print(*spread(eval, ["{threads}"] * 40, 2))'
    environment = {name: os.environ[name] for name in os.environ if "NUM_THREADS" not in name}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["1"] * 40


def test_work_is_spread_in_order_and_no_further_ahead_than_needed():
    taken = []

    def items():
        for number in range(300):
            taken.append(number)
            yield number

    results = workers.spread(slowly, items(), 2)
    assert next(results) == 0
    assert len(taken) <= 2 * workers.AHEAD * workers.BATCH
    results.close()
    assert list(workers.spread(abs, range(-100, 0), 3)) == list(range(100, 0, -1))


def test_a_worker_that_is_killed_is_an_error_of_the_system():
    with pytest.raises(OSError, match="worker process was killed"):
        list(workers.spread(dies, range(200), 2))


def test_union_killed_outright_leaves_no_process_and_runs_again(project):
    before = project.contents_of("data/union")
    for delay in (0.6, 1.0, 1.4):
        running = project.start("python", "-m", "stages.union")
        time.sleep(delay)
        family = psutil.Process(running.pid).children(recursive=True)
        os.kill(running.pid, signal.SIGKILL)
        running.wait()
        _, alive = psutil.wait_procs(family, timeout=20)
        assert not alive
        assert project.contents_of("data/union") == before
    project.stage("union")
    assert project.contents_of("data/union") == before
    assert not list(project.path("data").glob(".union*"))


def test_worker_processes_need_neither_pandas_nor_torch():
    # They import the main module too: of memory and of the time to start it would be the most.
    said = (
        Project(ROOT)
        .run(
            "python",
            "-c",
            "import stages.union, stages.grayscale, colorize.data.members, sys\n"
            "print({'pandas', 'torch'} & set(sys.modules))",
        )
        .stdout
    )
    assert said == "set()\n"
