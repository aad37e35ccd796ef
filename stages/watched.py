"""The lines of dvc.yaml that have DVC watch where photographs of one's own come from.

They are the catalog that params.yaml names and the folders that it names in turn. DVC's templates
cannot unroll a list into dependencies, so these lines are written.
"""

import json
import re

from colorize.base.errors import UserError
from colorize.base.files import write_text
from stages import common

# Below this line come paths, as JSON strings.
WATCHED = re.compile(r"(?m)^( +)# \[generated\] .*\n((?:\1- \".*\n)*)")


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
