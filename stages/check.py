"""Check params.yaml as a whole before any work: keys, types, ranges, names, datasets.

And that dvc.yaml has DVC watch the catalog of one's own that params.yaml names, and the folders of
photographs that it names in turn; --fix writes them there. DVC's templates cannot unroll a list
into dependencies.
"""

import argparse
import json
import re

from colorize.base import command
from colorize.base.errors import UserError
from colorize.base.files import write_text
from stages import common, parameters

# Below this line come paths, as JSON strings.
WATCHED = re.compile(r"(?m)^( +)# \[generated\] .*\n((?:\1- \".*\n)*)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fix", action="store_true", help="write what is missing into dvc.yaml")
    arguments = parser.parse_args()
    params = parameters.read(common.PARAMS)
    sources = parameters.sources(params.data)
    if arguments.fix:
        write(sources)
    elif lacking := missing(sources):
        raise UserError(
            f"{common.PIPELINE}: it lacks {', '.join(lacking)}; run `python -m stages.check --fix`"
        )
    print(
        f"params.yaml: {len(params.models)} models ({', '.join(params.models)}) on "
        f"{', '.join(params.data.datasets)} at {params.data.image_size} px"
    )


def missing(sources: list[str]) -> list[str]:
    """Those that dvc.yaml does not name. Raises UserError where there is no dvc.yaml."""
    text = _pipeline()
    return [path for path in sources if _line(path) not in text]


def write(sources: list[str]) -> None:
    """Name these, and no others, in dvc.yaml, and say what has changed."""
    text = _pipeline()

    def lines(found: re.Match) -> str:
        heading = found[0].partition("\n")[0]
        return "".join(f"{line}\n" for line in (heading, *(found[1] + _line(p) for p in sources)))

    wanted = WATCHED.sub(lines, text)
    if wanted != text:
        write_text(common.PIPELINE, wanted)
        print(f"{common.PIPELINE}: it now watches {', '.join(sources) or 'nothing of your own'}")


def _pipeline() -> str:
    try:
        return common.PIPELINE.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(f"{common.PIPELINE}: missing; run this from the project's root") from None


def _line(path: str) -> str:
    return f"- {json.dumps(path, ensure_ascii=False)}"


if __name__ == "__main__":
    command.run(main)
