"""The lists in dvc.yaml that follow from code and params.yaml, written instead of kept.

DVC neither follows imports nor unrolls `models` into a list. So dvc.yaml has comments that say
`[generated]` and what, and this module writes the lines below them.
"""

import ast
import difflib
import functools
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from colorize.base.errors import UserError
from colorize.base.files import write_text
from colorize.evaluation.baselines import TRIVIAL
from stages import common

PACKAGES = ("colorize", "stages")

# Code that changes no result: what all share, what checks and times, and what draws training.
INERT = ("colorize/base/", "colorize/report/grids.py")
INERT += ("stages/common.py", "stages/parameters.py", "stages/dependencies.py")
INERT += ("stages/together.py",)

# Read at run time, not imported.
READ = {
    "colorize/data/catalog.py": "colorize/catalog.yaml",
}

# These are quick, so they depend on whole rooms: nobody has to think when a file is added.
QUICK = ("download", "union", "grayscale", "report")

# What measuring a row of the tables leaves
RESULTS = ("metrics/{}.json", "metrics/images/{}.parquet")

MARK = re.compile(r"( +)# \[generated\] (.+)")
SOURCES = "catalog and photographs of one's own"  # a mark


def check(
    pipeline: Path, models: dict[str, dict[str, Any]], sources: list[str] | None = None
) -> None:
    """Raise UserError, naming what is missing and what is too much, unless it is up to date.

    A list for other models than those of params.yaml would have a report show old results.
    sources: as for `generated`.
    """
    text = _read(pipeline)
    wanted = generated(text, models, sources)
    if text != wanted:
        found = difference(text, wanted)
        raise UserError(f"{pipeline}: it {found}; run `python -m stages.check --fix`")


def fix(pipeline: Path, models: dict[str, dict[str, Any]], sources: list[str]) -> None:
    """Write the generated lists, and say what has changed."""
    text = _read(pipeline)
    wanted = generated(text, models, sources)
    if text != wanted:
        write_text(pipeline, wanted)
        print(f"{pipeline}: it {difference(text, wanted)}: mended")


def _read(pipeline: Path) -> str:
    try:
        return pipeline.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(f"{pipeline}: missing; run this from the project's root") from None


def generated(
    text: str,
    models: dict[str, dict[str, Any]],
    sources: list[str] | None = None,
    root: Path = Path(),
) -> str:
    """dvc.yaml with its generated lines as they should be, for the section `models`.

    sources: paths outside the project that the datasets come from; None leaves theirs as they are.
    """
    lines, stage, indent = [], "", None
    for line in text.splitlines():
        # Entries stand as deep as their mark.
        if indent is not None and re.match(rf"{indent}[^ #]", line):
            continue
        indent = None
        lines.append(line)
        if found := re.fullmatch(r"  (\w+):", line):
            stage = found[1]
        elif (found := MARK.fullmatch(line)) and not (found[2] == SOURCES and sources is None):
            indent = found[1]
            entries = _entries(found[2], stage, models, sources, root)
            lines += [indent + entry for entry in entries]
    return "\n".join(lines) + "\n"


def difference(text: str, wanted: str) -> str:
    """What dvc.yaml lacks and what it has too much, as the end of a sentence."""
    changes = difflib.ndiff(text.splitlines(), wanted.splitlines())
    marked = [(line[0], line[1:].strip(" -")) for line in changes if line[0] in "+-"]
    lacking = [entry for sign, entry in marked if sign == "+"]
    superfluous = [entry for sign, entry in marked if sign == "-"]
    parts = [f"lacks {_few(lacking)}"] * bool(lacking)
    parts += [f"should not have {_few(superfluous)}"] * bool(superfluous)
    return " and ".join(parts)


def _few(entries: list[str]) -> str:
    more = f" and {len(entries) - 3} more lines" if len(entries) > 3 else ""
    return ", ".join(entries[:3]) + more


def _entries(
    what: str,
    stage: str,
    models: dict[str, dict[str, Any]],
    sources: list[str] | None,
    root: Path,
) -> list[str]:
    if what == SOURCES:
        return [common.watch(path) for path in sources]
    names = sorted(models)
    match what:
        case "code":
            return [f"- {path}" for path in sorted(code_of(stage, models, root))]
        case "results of every model":
            return [f"- {form.format(name)}" for form in RESULTS for name in names]
        case "metrics, curves and pictures of every model":
            forms = ("metrics/{}.json", "metrics/training/{}.csv", "metrics/validation/{}.csv")
            forms += ("reports/pictures/{}",)
            return [f"- {form.format(name)}" for form in forms for name in names]
        case "metrics of the trivial baselines":
            return [f"- metrics/{name}.json" for name in TRIVIAL]
        case "results of the trivial baselines":
            return [f"- {form.format(name)}" for form in RESULTS for name in TRIVIAL]
        case "trained models":
            return [f"{name}: {{path: models/{name}, type: model}}" for name in names]
        case "validation curves of every model":
            return [f"metrics/validation/{name}.csv: color_projection" for name in names]
    raise ValueError(f"dvc.yaml: nothing is known of '[generated] {what}'")


def code_of(stage: str, models: dict[str, dict[str, Any]], root: Path = Path()) -> set[str]:
    """The code that a stage of dvc.yaml depends on, as paths and, for each model, templates."""
    if stage in QUICK:
        return {_room(path) for path in files_of(root, f"stages.{stage}")}
    if stage not in ("train", "evaluate"):
        return files_of(root, f"stages.{stage}")
    found = set()
    for entry in models.values():
        templates = {
            f"colorize/methods/{entry['method']}.py": "colorize/methods/${item.method}.py",
            f"colorize/networks/{entry['network']}.py": "colorize/networks/${item.network}.py",
        }
        found |= {templates.get(file, file) for file in code_of_model(root, stage, entry)}
    return found


def code_of_model(root: Path, stage: str, entry: dict[str, Any]) -> set[str]:
    """The code that `train` or `evaluate` of an entry of `models` depends on."""
    own = (f"colorize.{room}s.{entry[room]}" for room in ("method", "network"))
    return files_of(root, f"stages.{stage}", *own)


def _room(path: str) -> str:
    package, *inside = path.split("/")
    return f"{package}/{inside[0]}" if package == "colorize" else path


def files_of(root: Path, *modules: str) -> set[str]:
    """Files of `modules` and of all that they import, as paths from `root`, inert ones left out.

    Packages' own __init__ files are left out too: they decide nothing, which a test checks.
    """
    found, todo = set(), _files(root, modules)
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo += _imported_by(root, name)
    return found | {READ[name] for name in found if name in READ}


def _files(root: Path, modules: Iterable[str]) -> list[str]:
    """Those of the modules that are files of this project."""
    paths = {module.replace(".", "/") + ".py" for module in modules if _ours(module)}
    return [path for path in paths if not path.startswith(INERT) and (root / path).is_file()]


@functools.cache  # most files are met once for each model and stage
def _imported_by(root: Path, path: str) -> list[str]:
    """The files of this project that one of them may import."""
    modules = []
    for node in _statements(ast.parse((root / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            modules += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            # `from package import module` and `from module import name` look the same.
            modules += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return _files(root, modules)


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """What is below `node` without its expressions, which are the most and hold no import."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.expr):
            yield child
            yield from _statements(child)


def _ours(module: str) -> bool:
    return module.split(".")[0] in PACKAGES
