"""Check params.yaml as a whole before any work: keys, types, ranges, names, datasets.

And that dvc.yaml has DVC watch the catalog of one's own that params.yaml names, and the folders of
photographs that it names in turn; --fix writes them there. DVC's templates cannot unroll a list
into dependencies.
"""

import argparse
import json
import re
import sys
from pathlib import Path

from colorize.base import command
from colorize.base.errors import UserError
from colorize.base.files import read_text, write_text
from colorize.data.local import check_watched
from stages import parameters
from stages.inputs import PARAMS, PIPELINE

# Below this line come paths, as JSON strings.
WATCHED = re.compile(r"(?m)^( +)# \[generated\] .*\n((?:\1- \".*\n)*)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fix", action="store_true", help="write what is missing into dvc.yaml")
    arguments = parser.parse_args()
    params = parameters.read(PARAMS)
    sources = parameters.sources(params.data)
    for folder in sources:
        check_watched(Path(folder))
    if arguments.fix:
        write(sources)
    elif lacking := missing(sources):
        raise UserError(
            f"{PIPELINE}: it lacks {', '.join(lacking)}; run `python -m stages.check --fix`"
        )
    if reason := no_experiments():
        print(reason, file=sys.stderr)
    print(
        f"params.yaml: {len(params.models)} models ({', '.join(params.models)}) on "
        f"{', '.join(params.data.datasets)} at {params.data.image_size} px"
    )


def no_experiments() -> str | None:
    """Why DVC cannot run experiments beside the workspace, if it cannot."""
    here = str(Path.cwd())
    if here.isascii():
        return None
    return (
        f"{here}: its path has letters beyond ASCII: here `dvc repro` works, but DVC's experiments "
        "beside the workspace (--temp, --queue) fail; move the project to another folder for them"
    )


def missing(sources: list[str]) -> list[str]:
    """Those that dvc.yaml does not name. Raises UserError where there is no dvc.yaml."""
    text = read_text(PIPELINE)
    return [path for path in sources if _line(path) not in text]


def write(sources: list[str]) -> None:
    """Name these, and no others, in dvc.yaml, and say what has changed."""
    text = read_text(PIPELINE)

    def lines(found: re.Match) -> str:
        heading = found[0].partition("\n")[0]
        return "".join(f"{line}\n" for line in (heading, *(found[1] + _line(p) for p in sources)))

    wanted = WATCHED.sub(lines, text)
    if wanted != text:
        write_text(PIPELINE, wanted)
        print(f"{PIPELINE}: it now watches {', '.join(sources) or 'nothing of your own'}")


def _line(path: str) -> str:
    return f"- {json.dumps(path, ensure_ascii=False)}"


if __name__ == "__main__":
    command.run(main)
