"""Publish what `dvc repro` made, in reports/published/RUN/, for git: all but its photographs.

Metrics of all rows with their intervals, tests, curves, the parameters without paths of this
machine, and photographs that come with scikit-image, as the models color them. With --seeds-of
also what models come to with other seeds; those that `python -m studies.seeds` has trained are not
trained again. With --note what no file tells, such as which machine trained them for how long.
With --readme the table in README.md between `<!-- published: RUN -->` and `<!-- end -->` is written
anew, with the rows that it has.
"""

import argparse
import importlib.metadata
import json
import platform
import re
import shutil
import subprocess
from pathlib import Path

import pandas as pd

from colorize.base import command
from colorize.base.errors import UserError
from colorize.base.files import read_text, replaced_folder, write_json, write_text
from colorize.comparison.significance import Significance
from colorize.data import local
from colorize.data.reading.index import Index
from colorize.evaluation.baselines import BASELINE, TRIVIAL
from colorize.evaluation.metrics import DECIDING
from colorize.report import claims, tables
from stages import common
from stages.inputs import PARAMS
from stages.parameters import Params
from studies import example, experiments, published_page, seeds
from studies.published_page import PublishedRun

PUBLISHED = Path("reports/published")
README = Path("README.md")
CODE = ("colorize", "stages", "studies", "requirements.txt")
PACKAGES = ("torch", "torchvision", "numpy", "pillow", "scikit-image", "dvc")
ZIPS = "/data/zips"  # in place of where they are on this machine
PICTURE_SIDE = 128  # pixels of a photograph


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", metavar="RUN", help="its name, as small-64px")
    parser.add_argument("--seeds-of", nargs="+", metavar="NAME", help="entries of `models`")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2], metavar="SEED")
    parser.add_argument("--note", default="", help="what else a reader has to know, in Markdown")
    parser.add_argument("--readme", action="store_true", help="write its table in README.md too")
    arguments = parser.parse_args()
    name = arguments.run
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]*", name):
        raise UserError(f"RUN: {name!r} is no name (small letters, digits, and . _ - between)")
    params = common.read_params()
    readme = README.read_text(encoding="utf-8") if arguments.readme else ""
    if arguments.readme and not re.search(_block(name), readme):
        raise UserError(f"{README}: it has no line <!-- published: {name} --> with an end below")
    code = _commit_of_code()
    _check_up_to_date()
    spread = None
    if arguments.seeds_of:
        spread = seeds.of_seeds(params, arguments.seeds_of, arguments.seeds, jobs=1)

    models, trivial = common.results(params.models), common.results(TRIVIAL)
    rows, significance = tables.rows_of(models, trivial), Significance.read(common.SIGNIFICANCE)
    order = claims.in_order(params.models, BASELINE)
    validation = {row: pd.read_csv(common.VALIDATION / f"{row}.csv") for row in order}
    run = _run(name, code, arguments.note)
    results = {name: result.values() for name, result in (models | trivial).items()}
    metrics = {"rows": results, "significance": significance.model_dump()}
    if spread is not None:
        of_seeds = {
            name: [result.values() for result in each] for name, each in spread.results.items()
        }
        differences = [each.model_dump() for each in spread.significance]
        metrics["seeds"] = spread._asdict() | {"results": of_seeds, "significance": differences}
    with replaced_folder(PUBLISHED / name) as partial:
        write_json(partial / "metrics.json", metrics)
        write_json(partial / "run.json", run._asdict())
        write_text(partial / "params.yaml", _anywhere(params))
        groups = models[BASELINE].groups
        answer = [f"{groups} independent test photographs are too few to conclude anything."]
        if groups >= claims.ENOUGH:
            answer = claims.answer(rows, params.models)
        page = published_page.page(run, answer, rows, significance, spread)
        write_text(partial / "README.md", page)
        write_text(partial / published_page.CURVES, published_page.curves(validation))
        folders = [common.MODELS / row for row in order]
        photographs = [*map(local.photograph, example.SHOWN)]
        picture = example.picture(folders, photographs, PICTURE_SIDE)
        example.write(picture, partial / published_page.PICTURE)
        for curves in (common.CURVES, common.VALIDATION):
            (partial / curves.name).mkdir()
            for row in params.models:
                shutil.copyfile(curves / f"{row}.csv", partial / curves.name / f"{row}.csv")
    if arguments.readme:
        kept = re.findall(r"(?m)^\| `(\w+)` \|", re.search(_block(name), readme)[2])
        listed = [row for row in rows if (row.name in kept if kept else row.kind == "model")]
        table = published_page.table(listed, DECIDING)
        write_text(README, re.sub(_block(name), lambda found: found[1] + table + found[3], readme))
    print(f"written to {PUBLISHED / name}")


def _block(name: str) -> str:
    return rf"(?s)(<!-- published: {re.escape(name)} -->\n)(.*?)(<!-- end -->\n)"


def _commit_of_code() -> str:
    """The commit that has the code as it is. Raises UserError where none has."""
    changed = _output("git", "status", "--porcelain", "--", *CODE)
    if changed:
        raise UserError(f"publish: commit first what differs:\n{changed.rstrip()}")
    # Not HEAD: a commit of parameters, with paths of this machine, need not be anywhere else.
    return _output("git", "log", "-1", "--format=%H", "--", *CODE).strip()


def _check_up_to_date() -> None:
    """Raise UserError unless all outputs are those of params.yaml, code and photographs."""
    changed = json.loads(_output(*experiments.DVC, "status", "--json"))
    if changed:
        raise UserError(f"publish: `dvc repro` first; not up to date: {', '.join(changed)}")


def _output(*arguments: str) -> str:
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    if done.returncode:
        raise UserError(f"`{' '.join(arguments)}` failed: {done.stderr.strip()}")
    return done.stdout


def _run(name: str, code: str, note: str) -> PublishedRun:
    index = Index.read(common.UNION)
    return PublishedRun(
        name,
        code,
        note,
        images={
            split: {
                "all": len(index.split(split)),
                "photographs": len(index.split(split, "photograph")),
            }
            for split in ("train", "val", "test")
        },
        versions={"Python": platform.python_version()}
        | {package: importlib.metadata.version(package) for package in PACKAGES},
    )


def _anywhere(params: Params) -> str:
    """params.yaml, comments and all, without paths of this machine."""
    text = read_text(PARAMS)
    for place in (params.data.mirror, str(Path(params.data.catalog).parent)):
        if Path(place).is_absolute():
            text = text.replace(place, ZIPS)
    return text


if __name__ == "__main__":
    command.run(main)
