"""The page of `make demo`: drop photographs, choose a model, slide between before and after.

By Panel, which serves it from this machine to this machine, its scripts included.
"""

import asyncio
import base64
import contextlib
import functools
import html
import io
import re
import tempfile
import zipfile
from collections.abc import AsyncIterator, Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import panel as pn
from PIL import Image
from tornado.web import HTTPError, RequestHandler

from colorize.base.errors import UserError
from colorize.color.domains import Domain
from colorize.data import photo
from colorize.data.photo import Photo, Unreadable
from colorize.use import models, photos
from colorize.use.colorizer import Colorizer
from colorize.use.files import MARK

TITLE = "Color a photograph"
SAVE, SAVE_ALL = "Save at full size", "Save all as a zip"
EXAMPLES = ("coffee.png", "chelsea.png", "camera.png")  # of scikit-image
CHOICES = 320  # pixels: width of the column of choices
WIDTH, HEIGHT = 940, 640  # pixels: what a photograph takes of the page at most
HERE = "127.0.0.1"  # this machine, to itself
PIXELS = 100_000_000  # more take minutes, and more memory than a browser gives a page
THIN = 20  # times longer than wide
FINE = 2  # pixels of it for one of the page: screens may be that fine

load = functools.lru_cache(maxsize=2)(Colorizer.load)


def serve(port: int, *, open_browser: bool) -> None:
    """Serve the page to this machine alone, until interrupted; port 0 is a free one."""
    pn.extension("filedropper")
    server = pn.serve(page, port, HERE, title=TITLE, show=open_browser, start=False)
    # Another site may give its own name this address, and read the page as its own (rebinding).
    others = rf"(?!({re.escape(HERE)}|localhost)$).*"
    server._tornado.add_handlers(others, [(".*", Refused)])
    server.start()
    server.io_loop.start()


class Refused(RequestHandler):
    """What a browser gets that asks for another host."""

    def prepare(self) -> None:
        raise HTTPError(403)


def page() -> pn.Row:
    """What one visitor sees: what to choose on the left, the photograph beside it."""
    models_by_name = {_name(folder): folder for folder in (*models.pretrained(), *models.trained())}
    dropped = pn.widgets.FileDropper(label="", multiple=True, sizing_mode="stretch_width")
    photograph = pn.widgets.Select(label="Photograph", visible=False, width=WIDTH // 2)
    model = pn.widgets.Select(label="Model", options=models_by_name, sizing_mode="stretch_width")
    domain = pn.widgets.Select(label="Domain", sizing_mode="stretch_width")
    strength = pn.widgets.FloatSlider(label="Strength of colors", value=1, end=3, step=0.1)
    examples: dict[str, bytes] = {}
    files: dict[str, bytes | str] = {}  # those, and what was dropped

    def offer(names: list[str], newest: str) -> None:
        photograph.param.update(options=["", *names], value=newest, visible=len(names) > 1)

    def take(change) -> None:
        new = [name for name in change.new if name not in files]
        files.clear()
        files.update(examples | change.new)
        offer([*files], new[-1] if new else next(iter(files), ""))

    def take_example(name: str, data: bytes) -> None:
        examples[name] = files[name] = data
        offer([*files], name)

    def offer_domains(folder: Path) -> None:
        domains = list(load(folder).domains)
        domain.param.update(options=domains, value="color", visible=len(domains) > 1)

    dropped.param.watch(take, "value")
    model.param.watch(lambda change: offer_domains(change.new), "value")
    offer_domains(model.value)
    values = (photograph, model, domain, strength.param.value_throttled)
    result = pn.bind(functools.partial(shown_when_done, files), *values)
    choices = pn.Column(
        f"## {TITLE}",
        "Drop photographs here. They do not leave this computer.",
        dropped,
        *_examples(take_example),
        model,
        pn.bind(_about, model),
        domain,
        strength,
        pn.pane.HTML(DARK, width=0, height=0, margin=0),
        width=CHOICES,
    )
    return pn.Row(
        choices,
        pn.Column(
            photograph,
            pn.panel(result, sizing_mode="stretch_width"),
            max_width=WIDTH,
            sizing_mode="stretch_width",
        ),
        sizing_mode="stretch_width",
    )


# Panel's dark theme, for those whose system is dark
DARK = """<script>
if (matchMedia("(prefers-color-scheme: dark)").matches && !location.search) {
  location.search = "?theme=dark";
}
</script>"""


def _name(folder: Path) -> str:
    """Of one of ours its name, of the pipeline's its path."""
    return folder.name if folder.parent == models.PRETRAINED else models.shown(folder)


def _about(folder: Path) -> str:
    """The first sentence of a model's card."""
    card = folder / "README.md"
    if not card.is_file():
        return ""
    return (
        models.section(card.read_text(encoding="utf-8"), None).partition(". ")[0].rstrip(".") + "."
    )


def _examples(take: Callable[[str, bytes], None]) -> list[str | pn.Row]:
    """Gray photographs to click, if scikit-image is installed, which they come with."""
    package = find_spec("skimage")
    if package is None:
        return []
    buttons = pn.Row()
    for name in EXAMPLES:
        data = io.BytesIO()
        Image.open(Path(package.origin).parent / "data" / name).convert("L").save(data, "PNG")
        small = io.BytesIO()
        photos.thumbnail(read(data.getvalue()).pixels, 160).save(small, "JPEG")
        address = f"data:image/jpeg;base64,{base64.b64encode(small.getvalue()).decode()}"
        style = f".bk-btn.bk-btn {{ background: center / cover url({address}); font-size: 0; }}"
        label = Path(name).stem
        button = pn.widgets.Button(label=label, width=88, height=64, stylesheets=[style])
        button.on_click(lambda _, name=name, data=data: take(name, data.getvalue()))
        buttons.append(button)
    return ["Or try one of these:", buttons]


async def shown_when_done(
    files: dict[str, bytes | str], name: str, *how: Any
) -> AsyncIterator[pn.Column | pn.pane.HTML | None]:
    """What `shown` makes, and until then a sign that it is being made."""
    if name in files:
        yield pn.Row(
            pn.indicators.LoadingSpinner(value=True, size=30), f"Coloring {html.escape(name)} ..."
        )
    yield await shown(files, name, *how)


async def shown(
    files: dict[str, bytes | str], name: str, model: Path, domain: Domain, strength: float
) -> pn.Column | pn.pane.HTML | None:
    """Before and after of the file of that name; or a sentence that says why not.

    Colored beside the loop that serves the page, so that it can say that it is busy.
    """
    if name not in files:
        return None
    colorizer = load(model)
    if domain not in colorizer.domains:  # of the model before
        return None
    how = {"domain": domain, "strength": strength}
    try:
        photograph = await asyncio.to_thread(read, files[name])
        colored = await asyncio.to_thread(colorizer, photograph.pixels, **how)
    except (Unreadable, UserError) as error:
        return problem(f"{name} cannot be colored: {error}.")
    height, width = colored.shape[:2]
    size = {"sizing_mode": "scale_width", "max_width": round(min(WIDTH, HEIGHT * width / height))}
    both = pn.Swipe(
        picture(photograph.pixels),
        picture(colored),
        slider_width=3,
        aspect_ratio=width / height,
        **size,
    )
    # The line between them follows the mouse alone, this fingers and keys too.
    line = pn.widgets.IntSlider(
        label="Before and after", value=both.value, end=100, show_value=False, **size
    )
    line.jslink(both, value="value", bidirectional=True)
    failed = pn.Column()

    def saving(make: Callable[[], io.BytesIO]) -> Callable[[], io.BytesIO]:
        def save() -> io.BytesIO:
            try:
                failed.clear()
                return make()
            except OSError as error:
                failed.append(problem(f"{name} cannot be saved: {error.strerror}."))
                raise

        return save

    filename = f"{Path(name).stem}{MARK}.png"
    save_one = saving(lambda: saved(photograph, colored))
    buttons = [pn.widgets.FileDownload(callback=save_one, filename=filename, label=SAVE)]
    if len(files) > 1:
        save_all = saving(lambda: zipped(files, colorizer, how))
        buttons.append(
            pn.widgets.FileDownload(callback=save_all, filename="colorized.zip", label=SAVE_ALL)
        )
    return pn.Column(both, line, pn.Row(*buttons), failed, sizing_mode="stretch_width")


def zipped(files: dict[str, bytes | str], colorizer: Colorizer, how: dict) -> io.BytesIO:
    """A zip of the results of all files that can be colored."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as target:
        for name, data in files.items():
            with contextlib.suppress(Unreadable):
                photograph = read(data)
                result = saved(photograph, colorizer(photograph.pixels, **how))
                target.writestr(f"{Path(name).stem}{MARK}.png", result.getvalue())
    archive.seek(0)
    return archive


def problem(said: str) -> pn.pane.HTML:
    """A sentence, as it is: names of files may hold markup."""
    return pn.pane.HTML(html.escape(said), styles={"color": "#b00020"}, sizing_mode="stretch_width")


def read(data: bytes | str) -> Photo:
    """The file that was dropped; Panel hands over as text what its name says is text."""
    photograph = photo.read(data.encode() if isinstance(data, str) else data, PIXELS)
    height, width = photograph.pixels.shape[:2]
    if max(height, width) > THIN * min(height, width):
        raise Unreadable(
            f"{width} x {height} pixels are too thin for this page (`colorize` does it)"
        )
    return photograph


def saved(photograph: Photo, colored: np.ndarray) -> io.BytesIO:
    """The result, as `colorize` writes it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "colorized.png")
        photos.write(path, colored, photograph)
        return io.BytesIO(path.read_bytes())


def picture(pixels: np.ndarray) -> pn.pane.PNG:
    """As large as the page can show it."""
    data = io.BytesIO()
    photos.thumbnail(pixels, FINE * WIDTH).save(data, "PNG")
    return pn.pane.PNG(data.getvalue(), sizing_mode="stretch_both")
