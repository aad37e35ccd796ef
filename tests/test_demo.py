"""The page of `make demo`, in a real browser: drop, color, slide, save, and a wrong file."""

import asyncio
import base64
import errno
import http.client
import io
import os
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from importlib.util import find_spec

import numpy as np
import pytest
from PIL import Image

from tests import browser, zips
from tests.conftest import ROOT
from tests.processes import wait_for
from tests.test_use import chroma, lightness, scene

pytestmark = [
    browser.needs_chromium,
    # Not imported: that takes a second, in each of the processes side by side.
    pytest.mark.skipif(find_spec("panel") is None, reason="needs requirements-demo.txt"),
]

MAKE_TRANSFER = """([name, data]) => {
    const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0))
    const transfer = new DataTransfer()
    transfer.items.add(new File([bytes], name))
    return transfer
}"""


@pytest.fixture
def address(tmp_path) -> Iterator[str]:
    """Of a page that is served from a folder of no project."""
    server = subprocess.Popen(
        [sys.executable, "-u", "-m", "colorize.demo", "--no-browser"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield server.stdout.readline().split()[-1]
    finally:
        server.send_signal(signal.SIGINT)
        rest = server.communicate(timeout=20)[0]
    assert "Traceback" not in rest


@pytest.fixture
def visited(address) -> Iterator:
    """The page in a browser, and where everything came from that it asked for."""
    assert address.startswith("http://127.0.0.1:")
    with browser.launched() as chromium:
        page = chromium.new_page(viewport={"width": 1100, "height": 1100})
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("websocket", lambda socket: asked.append(socket.url))
        page.goto(address)
        yield page
    here = address.removeprefix("http://")
    outside = [url for url in asked if not url.startswith((f"http://{here}", f"ws://{here}"))]
    assert all(url.startswith((f"blob:http://{here}", "data:")) for url in outside), outside


def drop(page, name: str, data: bytes) -> None:
    """As when somebody drags a file onto the page and lets it go."""
    transfer = page.evaluate_handle(MAKE_TRANSFER, [name, base64.b64encode(data).decode()])
    target = page.locator(".filepond--root")
    box = target.bounding_box()
    place = {"clientX": box["x"] + 40, "clientY": box["y"] + 20}
    for event in ("dragenter", "dragover", "drop"):
        target.dispatch_event(event, {"dataTransfer": transfer, **place})


def seen(page) -> np.ndarray:
    """The two pictures as they are shown, (H, W, 3)."""
    shot = page.screenshot(clip=page.locator(".swipe-container").bounding_box())
    return np.array(Image.open(io.BytesIO(shot)).convert("RGB"))


def color_at(page, share: float) -> float:
    """Mean chroma of what is shown about so far from the left."""
    pixels = seen(page)
    middle = round(share * pixels.shape[1])
    return chroma(pixels[20:-20, middle - 20 : middle + 20]).mean()


def test_drop_color_slide_save_and_a_wrong_file(visited, tmp_path):
    page = visited
    photograph = scene(200, 300).convert("L")
    data = io.BytesIO()
    photograph.save(data, "PNG")
    page.locator(".filepond--root").wait_for()
    drop(page, "cup.png", data.getvalue())
    save = page.get_by_text("Save at full size")
    save.wait_for()

    # Before on the left, after on the right
    assert color_at(page, 0.25) < 1
    assert color_at(page, 0.75) > 3
    assert color_at(page, 0.35) < 1
    line = page.locator(".slider").bounding_box()
    box = page.locator(".swipe-container").bounding_box()
    page.mouse.move(line["x"] + line["width"] / 2, line["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.2 * box["width"], line["y"] + 100, steps=5)
    page.mouse.up()
    assert color_at(page, 0.35) > 3
    assert color_at(page, 0.1) < 1

    with page.expect_download() as download:
        save.click()
    assert download.value.suggested_filename == "cup_colorized.png"
    download.value.save_as(tmp_path / "saved.png")
    saved = np.array(Image.open(tmp_path / "saved.png"))
    assert np.abs(lightness(saved) - lightness(np.array(photograph))).max() <= 0.5
    assert chroma(saved).mean() > 3

    assert not page.get_by_label("Domain").is_visible()  # of which there is one
    page.get_by_label("Model").select_option(label="stargan_rgb")
    page.get_by_label("Domain").select_option("gray")
    wait_for(lambda: color_at(page, 0.75) < 3)

    drop(page, "letter.jpg", b"Dear all, this is no photograph.")
    page.get_by_text("letter.jpg cannot be colored: not a JPEG, PNG").wait_for()
    assert not save.is_visible()

    markup = "<img src=x onerror=document.title='run'>.jpg"  # as text, and not run
    drop(page, markup, b"Nor is this.")
    page.get_by_text(f"{markup} cannot be colored: not a JPEG, PNG").wait_for()
    assert page.title() == "Color a photograph"
    for name, data, said in (
        ("thin.png", zips.encoded(Image.new("1", (4000, 3))), "4000 x 3 pixels are too thin for"),
        ("large.ppm", b"P6 12000 9000 255\n", "108,000,000 pixels, more than 100,000,000"),
    ):
        drop(page, name, data)
        page.get_by_text(f"{name} cannot be colored: {said}").wait_for(timeout=5000)


def test_examples_and_several_photographs(visited, tmp_path):
    page = visited
    page.get_by_role("button", name="coffee").click()
    page.get_by_text("Coloring coffee.png").wait_for(timeout=2000)
    page.get_by_text("Save at full size").wait_for()
    assert color_at(page, 0.25) < 1
    assert color_at(page, 0.75) > 3
    assert not page.get_by_label("Photograph").is_visible()

    drop(page, "cup.png", zips.encoded(scene(200, 300)))
    save = page.get_by_text("Save all as a zip")
    save.wait_for()
    chosen = page.get_by_label("Photograph")
    assert chosen.input_value() == "cup.png"
    chosen.select_option("coffee.png")
    page.get_by_text("Coloring coffee.png").wait_for(timeout=2000)
    save.wait_for()
    with page.expect_download() as download:
        save.click()
    download.value.save_as(tmp_path / "saved.zip")
    with zipfile.ZipFile(tmp_path / "saved.zip") as archive:
        sizes = {
            name: Image.open(io.BytesIO(archive.read(name))).size for name in archive.namelist()
        }
    assert sizes == {"coffee_colorized.png": (600, 400), "cup_colorized.png": (300, 200)}


def test_nothing_has_to_be_scrolled_and_the_dark_is_dark(address):
    with browser.launched() as chromium:
        for scheme, (darkest, lightest) in {"light": (250, 255), "dark": (0, 40)}.items():
            page = chromium.new_page(viewport={"width": 1300, "height": 900}, color_scheme=scheme)
            page.goto(address)
            page.get_by_role("button", name="coffee").click()
            save = page.get_by_text("Save at full size")
            save.wait_for()
            box = save.bounding_box()
            assert box["y"] + box["height"] <= 900
            shot = Image.open(io.BytesIO(page.screenshot())).convert("L")
            assert darkest <= shot.getpixel((1290, 890)) <= lightest
            page.close()


def test_other_sites_do_not_get_the_page(address):
    """As one that gives its own name the address of this machine."""
    port = int(address.rpartition(":")[2].strip("/"))
    for host, status in ((f"127.0.0.1:{port}", 200), (f"localhost:{port}", 200), ("evil.org", 403)):
        for path in ("/", "/static/js/bokeh.min.js"):
            connection = http.client.HTTPConnection("127.0.0.1", port)
            connection.request("GET", path, headers={"Host": host})
            assert connection.getresponse().status == status
            connection.close()


def test_a_full_disk_is_said(monkeypatch):
    page = pytest.importorskip("colorize.use.page")
    data = zips.encoded(scene(40, 60))
    model = ROOT / "colorize/pretrained/zhang_l2"
    shown = asyncio.run(page.shown({"a.png": data}, "a.png", model, "color", 1.0))
    *_, buttons, failed = shown

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "/tmp/x.png")

    monkeypatch.setattr(page.photos, "write", full)
    with pytest.raises(OSError, match="No space left"):
        buttons[0].callback()
    assert failed[0].object == "a.png cannot be saved: No space left on device."
