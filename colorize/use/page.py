"""The page of `make demo`: drop a photograph, choose a model, slide between before and after.

By Panel, which serves it from this machine to this machine, its scripts included.
"""

import asyncio
import functools
import html
import io
import re
import tempfile
from pathlib import Path

import numpy as np
import panel as pn
from tornado.web import HTTPError, RequestHandler

from colorize.base.errors import UserError
from colorize.color.domains import Domain
from colorize.data import photo
from colorize.data.photo import Photo, Unreadable
from colorize.use import files, models, photos
from colorize.use.colorizer import Colorizer

TITLE = "Color a photograph"
WIDTH, HEIGHT = 960, 640  # pixels: what a photograph takes of the page at most
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


def page() -> pn.Column:
    """What one visitor sees."""
    folders = {models.shown(each): each for each in (*models.pretrained(), *models.trained())}
    dropped = pn.widgets.FileDropper(label="", sizing_mode="stretch_width")
    model = pn.widgets.Select(label="Model", options=folders)
    domain = pn.widgets.Select(label="Domain", options=list(load(model.value).domains))
    strength = pn.widgets.FloatSlider(label="Strength of colors", value=1, end=3, step=0.1)

    def offer_domains(change) -> None:
        domain.param.update(options=list(load(change.new).domains), value="color")

    model.param.watch(offer_domains, "value")
    result = pn.bind(shown, dropped, model, domain, strength.param.value_throttled)
    return pn.Column(
        f"# {TITLE}",
        "Drop a photograph here. It does not leave this computer.",
        dropped,
        pn.FlexBox(model, domain, strength),
        pn.panel(result, loading_indicator=True, min_height=100, sizing_mode="stretch_width"),
        max_width=WIDTH,
        sizing_mode="stretch_width",
        styles={"margin": "0 auto"},
    )


async def shown(
    dropped: dict[str, bytes | str], model: Path, domain: Domain, strength: float
) -> pn.Column | pn.pane.Alert | None:
    """Before and after of what was dropped, by name; or a sentence that says why not.

    Colored beside the loop that serves the page, so that it can say that it is busy.
    """
    if not dropped:
        return None
    *earlier, name = dropped  # Panel keeps those that another has taken the place of
    for each in earlier:
        del dropped[each]
    data = dropped[name]
    colorizer = load(model)
    if domain not in colorizer.domains:  # of the model before
        return None
    try:
        photograph = await asyncio.to_thread(read, data)
        colored = await asyncio.to_thread(
            colorizer, photograph.pixels, domain=domain, strength=strength
        )
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

    def save() -> io.BytesIO:
        try:
            failed.clear()
            return saved(photograph, colored)
        except OSError as error:
            failed.append(problem(f"{name} cannot be saved: {error.strerror}."))
            raise

    filename = f"{Path(name).stem}{files.MARK}.png"
    button = pn.widgets.FileDownload(callback=save, filename=filename, label="Save at full size")
    return pn.Column(both, line, button, failed, sizing_mode="stretch_width")


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
