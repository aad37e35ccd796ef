"""Color photographs at their own size, with their own lightness.

python -m colorize PHOTO_OR_FOLDER ... [--model NAME_OR_FOLDER] [--output DIR]
"""

import argparse
import sys
import textwrap
from pathlib import Path

from colorize.base import command

command.begin()

from tqdm import tqdm

from colorize.base.errors import UserError, printable
from colorize.base.progress import progress
from colorize.data import photo
from colorize.use import files, models
from colorize.use.colorizer import Colorizer
from colorize.use.files import color_all


def main() -> None:
    arguments = parser().parse_args()
    colorizer = Colorizer.load(arguments.model, arguments.device)
    colorizer.check(arguments.domain, arguments.strength)
    jobs, failures, passed_over = files.find(arguments.photographs, arguments.output)
    wanted = len(jobs) + len(failures)
    reasons = color_all(
        jobs,
        colorizer,
        compare=arguments.compare,
        domain=arguments.domain,
        strength=arguments.strength,
        raw=arguments.raw,
    )
    for job, reason in zip(jobs, progress(reasons, colorizer.name, len(jobs)), strict=True):
        if reason:
            failures.append(files.Failure(str(job.source), reason))
        else:
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
        epilog=_models(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add(
        "photographs",
        nargs="+",
        metavar="PHOTO_OR_FOLDER",
        help=f"files, folders with all that is in them, patterns: {photo.KINDS}",
    )
    add(
        "--model",
        default=str(models.DEFAULT),
        metavar="NAME_OR_FOLDER",
        help=f"what colors ({models.DEFAULT.name}): a name below, or a folder as models/NAME",
    )
    add(
        "--output",
        type=Path,
        default=Path("colorized"),
        metavar="DIR",
        help=f"where NAME{files.MARK}.png goes, of a TIFF .tif (colorized); of one photograph the"
        " result itself, if it ends so; no source is touched",
    )
    add("--compare", action="store_true", help="beside each a picture of before and after")
    add("--strength", type=float, default=1.0, metavar="S", help="of the colors (1), 0 is gray")
    add("--domain", default="color", metavar="D", help="what to make, where a model has several")
    add("--raw", action="store_true", help="the network's own RGB, with its lightness, enlarged")
    add("--device", default="auto", metavar="D", help="auto (a GPU where there is one), cpu, cuda")
    return parser


def _models() -> str:
    """What the cards say of the models that come with the project."""
    lines = ["models that come with the project:"]
    for folder in models.pretrained():
        card = (folder / "README.md").read_text(encoding="utf-8")
        default = ", the default" if folder == models.DEFAULT else ""
        lines += ["", f"  {folder.name}{default} ({models.shown(folder / 'README.md')})"]
        for heading in (None, "Limits"):
            text = models.section(card, heading)
            lines.append(textwrap.fill(text, 96, initial_indent="    ", subsequent_indent="    "))
    return "\n".join(lines)


def run() -> None:
    """What is installed as `colorize`."""
    command.run(main)


if __name__ == "__main__":
    run()
