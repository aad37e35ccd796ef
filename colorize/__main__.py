"""Color photographs at their own size, with their own lightness.

colorize PHOTO RESULT, or colorize PHOTO_OR_FOLDER ... [--output FOLDER]
"""

import argparse
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

from colorize.base import command

command.begin()

from tqdm import tqdm

from colorize import __version__
from colorize.base.errors import UserError, printable
from colorize.base.progress import progress
from colorize.data import photo
from colorize.use import files, models, photos
from colorize.use.colorizer import LARGEST, LEAST, Colorizer
from colorize.use.files import color_all


def main() -> None:
    arguments = parser().parse_args()
    jobs, failures, passed_over = files.find(
        arguments.photographs, arguments.output, arguments.format
    )
    piped = any(job.target == files.PIPE for job in jobs)
    if piped and arguments.compare:
        raise UserError("--compare: a result on standard output has nothing beside it")
    if arguments.skip_existing:
        found = len(jobs)
        jobs = [job for job in jobs if not job.target.exists()]
        print(f"{found - len(jobs)} skipped, whose results are there", file=sys.stderr)
    colorizer = Colorizer.load(arguments.model, arguments.device)
    how = {name: getattr(arguments, name) for name in ("domain", "strength", "size", "raw")}
    colorizer.check(**how)
    wanted = len(jobs) + len(failures)
    reasons = color_all(
        jobs,
        colorizer,
        quality=arguments.quality,
        compare=arguments.compare,
        at_once=arguments.jobs,
        **how,
    )
    for job, reason in zip(jobs, progress(reasons, colorizer.name, len(jobs)), strict=True):
        if reason:
            failures.append(files.Failure(str(job.source), reason))
        elif not piped:
            write(printable(str(job.target)))
    if passed_over:
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(passed_over.items()))
        print(printable(f"passed over: {kinds}"), file=sys.stderr)
    for failure in failures:
        print(printable(f"{failure.source}: {failure.reason}"), file=sys.stderr)
    if failures:
        raise UserError(f"{len(failures)} of {wanted} not colored, for the reasons above")


def write(line: str) -> None:
    """A line on standard output, above the bar where one is on the same terminal."""
    if sys.stderr.isatty():
        tqdm.write(line, sys.stdout)
    else:
        print(line, flush=True)


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="colorize",
        description=__doc__.splitlines()[0],
        usage="colorize [options] PHOTO RESULT\n       colorize [options] PHOTO_OR_FOLDER ...",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add(
        "photographs",
        nargs="+",
        metavar="PHOTO_OR_FOLDER",
        help=f"files, folders with all that is in them, patterns: {photo.KINDS}; - is standard"
        " input. A second name that is no file yet names the result; - is standard output",
    )
    add(
        "--output",
        type=Path,
        metavar="PATH",
        help=f"folder where NAME{files.MARK}.png goes ({files.FOLDER}); of one photograph the"
        " result itself; no source is touched",
    )
    add(
        "--format",
        choices=[*photos.FORMATS, files.SAME],
        help="of results (png, of a TIFF tiff: neither loses anything); same: as the photograph",
    )
    add(
        "--quality",
        type=whole(1, 100),
        default=photos.QUALITY,
        metavar="Q",
        help=f"of JPEG and WebP, 1 to 100 ({photos.QUALITY}: the lightness of a pixel is off by 0.4"
        " of 100 on average, by 5 at most)",
    )
    add("--skip-existing", action="store_true", help="leave photographs that have a result")
    add("--compare", action="store_true", help="beside each a picture of before and after")
    add(
        "--model",
        default=str(models.DEFAULT),
        metavar="NAME_OR_FOLDER",
        help=f"what colors ({models.DEFAULT.name}): one of --list-models, or a folder",
    )
    add("--list-models", action=ListModels, nargs=0, help="say what each is good and bad at")
    add("--strength", type=float, default=1.0, metavar="S", help="of the colors (1), 0 is gray")
    add(
        "--size",
        type=whole(LEAST, LARGEST),
        metavar="PIXELS",
        help="short side of what the network sees (as it was trained): larger, it sees more detail"
        " and less of the whole",
    )
    add("--domain", default="color", metavar="D", help="what to make, where a model has several")
    add("--raw", action="store_true", help="the network's own RGB, with its lightness, enlarged")
    add("--device", default="auto", metavar="D", help="auto (a GPU where there is one), cpu, cuda")
    add(
        "--jobs",
        type=whole(1, 1024),
        metavar="N",
        help="photographs that are colored at once (as many as there are cores)",
    )
    add("--version", action="version", version=f"colorize {__version__}")
    return parser


def whole(least: int, most: int) -> Callable[[str], int]:
    """What reads a whole number of that range."""

    def read(text: str) -> int:
        number = int(text) if text.isdecimal() else least - 1
        if not least <= number <= most:
            raise argparse.ArgumentTypeError(f"{text} is not a number from {least} to {most}")
        return number

    return read


class ListModels(argparse.Action):
    """Say what the cards say of the models that come with the project, and exit."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        lines = []
        for folder in models.pretrained():
            card = (folder / "README.md").read_text(encoding="utf-8")
            default = ", the default" if folder == models.DEFAULT else ""
            lines.append(f"{folder.name}{default} ({models.shown(folder / 'README.md')})")
            for heading in (None, "Limits"):
                text = models.section(card, heading)
                lines.append(textwrap.fill(text, 98, initial_indent="  ", subsequent_indent="  "))
            lines.append("")
        print("\n".join(lines[:-1]))
        parser.exit()


def run() -> None:
    """What is installed as `colorize`."""
    command.run(main)


if __name__ == "__main__":
    run()
