"""Many photographs, one on each core."""

from collections.abc import Iterator, Sequence

from colorize.base.workers import cores
from colorize.data.decoding import Unreadable
from colorize.use import files, photos
from colorize.use.colorizer import Colorizer
from colorize.use.threads import Budget, one_thread_each

PIXELS = (
    150_000_000  # under way at a time, with less than 2 GB of memory; one photograph may have more
)


def colour_all(
    jobs: Sequence[files.Job], colorizer: Colorizer, *, compare: bool = False, **how
) -> Iterator[str | None]:
    """Colour files in their order: of each None, or the reason why it cannot be read.

    compare: write a picture of before and after too. how: what `colorizer` is told. Raises OSError
    where a result cannot be written, and UserError where the model fails.
    """
    budget = Budget(PIXELS)

    def colour(job: files.Job) -> str | None:
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
        yield from map(colour, jobs)  # on all cores
    else:
        with one_thread_each(min(cores(), len(jobs))) as pool:
            yield from pool.map(colour, jobs)
