"""Many photographs, one on each core."""

import contextlib
import threading
from collections.abc import Iterator, Sequence

from colorize.base.workers import cores, one_thread_each
from colorize.data.decoding import Unreadable
from colorize.use import files, photos
from colorize.use.colorizer import Colorizer

PIXELS = 150_000_000  # under way at a time, in less than 2 GB; one photograph may have more


class Budget:
    """So much may be under way at a time; one alone always may."""

    def __init__(self, total: int):
        self.total, self.used = total, 0
        self.changed = threading.Condition()

    @contextlib.contextmanager
    def taken(self, amount: int) -> Iterator[None]:
        """Wait until there is room for `amount`, and hold it."""
        with self.changed:
            self.changed.wait_for(lambda: not self.used or self.used + amount <= self.total)
            self.used += amount
        try:
            yield
        finally:
            with self.changed:
                self.used -= amount
                self.changed.notify_all()


def color_all(
    jobs: Sequence[files.Job], colorizer: Colorizer, *, compare: bool = False, **how
) -> Iterator[str | None]:
    """Color files in their order: of each None, or the reason why it cannot be read.

    compare: write a picture of before and after too. how: what `colorizer` is told. Raises OSError
    where a result cannot be written, and UserError where the model fails.
    """
    budget = Budget(PIXELS)

    def color(job: files.Job) -> str | None:
        try:
            with budget.taken(photos.size(job.source)):
                photo = photos.read(job.source)
                colored = colorizer(photo.pixels, **how)
                photos.write(job.target, colored, photo)
                if compare:
                    target = job.target.with_name(f"{job.target.stem}{files.COMPARED}.png")
                    photos.write_comparison(target, photo.pixels, colored)
        except Unreadable as error:
            return str(error)
        return None

    if len(jobs) < 2:
        yield from map(color, jobs)  # on all cores
    else:
        with one_thread_each(min(cores(), len(jobs))) as pool:
            yield from pool.map(color, jobs)
