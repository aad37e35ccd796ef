"""`python -m studies.publish`: what it writes, and when it does not."""

import json
import re

import pandas as pd
import pytest
from ruamel.yaml import YAML

from tests.conftest import PIPELINE, Project, commit, ran, undo

RUN = "reports/published/tiny"


@pytest.fixture
def clean(pipeline) -> Project:
    yield pipeline
    undo(pipeline)
    pipeline.run("git", "clean", "-fdq", "reports")


def publish_tiny(project: Project, *arguments: str, expect: int = 0) -> str:
    done = project.module("studies.publish", "tiny", *arguments, expect=expect)
    return done.stderr if expect else done.stdout


def test_a_run_is_published_with_all_but_photographs(clean):
    assert publish_tiny(clean) == f"written to {RUN}\n"
    found = {path.removeprefix(f"{RUN}/") for path in clean.contents_of(RUN)}
    curves = {f"{kind}/{n}.csv" for n in PIPELINE for kind in ("training", "validation")}
    files = {"README.md", "metrics.json", "params.yaml", "run.json", "colored.jpg"}
    assert found == files | {"projection.svg"} | curves
    for name in PIPELINE:
        curve = clean.path(f"{RUN}/training/{name}.csv").read_bytes()
        assert curve == clean.path(f"metrics/training/{name}.csv").read_bytes()

    metrics = json.loads(clean.path(f"{RUN}/metrics.json").read_text())
    stargan = json.loads(clean.path("metrics/results/stargan.json").read_text())
    assert metrics["rows"]["stargan"] == stargan
    assert metrics["significance"] == json.loads(
        clean.path("metrics/significance.json").read_text()
    )
    page = clean.path(f"{RUN}/README.md").read_text(encoding="utf-8")
    value = stargan["test"]["ciede2000"]
    low, high = value["low"], value["high"]
    assert f"| `stargan` | {value['mean']:.2f} ({low:.2f} to {high:.2f}) |" in page
    assert "- `zhang_l2` beside `mean_color`: " in page

    run = json.loads(clean.path(f"{RUN}/run.json").read_text())
    assert run["versions"]["torch"] in page
    index = pd.read_csv(clean.path("data/union/index.csv"))
    kept = index[index.kept]
    for rows, which in ((kept, "all"), (kept[kept.side == "photograph"], "photographs")):
        counts = {split: of[which] for split, of in run["images"].items()}
        assert counts == rows.groupby("split").size().to_dict()
    train = run["images"]["train"]
    assert f"Images: train {train['all']} ({train['photographs']} photographs), val " in page


@pytest.mark.soak
def test_its_parameters_repeat_it_and_name_no_place_of_this_machine(clean, tmp_path):
    clean.params(data__mirror=str(tmp_path))  # which the sample does not ask
    assert ran(clean.run("dvc", "repro").stdout) == ["download"]
    text = clean.path("params.yaml").read_text()
    publish_tiny(clean)
    there = clean.path(f"{RUN}/params.yaml").read_text()
    assert there == text.replace(str(tmp_path), "/data/zips")
    assert YAML(typ="safe").load(there)["models"].keys() == {*PIPELINE}


def test_the_table_of_the_readme_is_that_of_the_run(clean):
    readme = clean.path("README.md")
    before = readme.read_text(encoding="utf-8")
    said = publish_tiny(clean, "--readme", expect=2)
    assert said == "error: README.md: it has no line <!-- published: tiny --> with an end below\n"
    assert not clean.path(RUN).exists()
    readme.write_text(f"{before}<!-- published: tiny -->\nold\n<!-- end -->\nafter\n")
    publish_tiny(clean, "--readme")
    page = clean.path(f"{RUN}/README.md").read_text(encoding="utf-8")
    start, table = re.fullmatch(
        r"(.*<!-- published: tiny -->\n)(.*)<!-- end -->\nafter\n",
        readme.read_text(encoding="utf-8"),
        re.DOTALL,
    ).groups()
    assert start.startswith(before)
    lines = table.splitlines()
    assert [line.split("`")[1] for line in lines[2:]] == [*PIPELINE]
    assert all(f"\n{line.removesuffix('|')}" in page for line in lines[2:])
    # From then on the rows that are there.
    old = [*lines[:2], "| `grayscale` | old |", "| `stargan` | old |", "<!-- end -->"]
    readme.write_text(start + "\n".join(old) + "\n", encoding="utf-8")
    publish_tiny(clean, "--readme")
    again = readme.read_text(encoding="utf-8").removeprefix(start).splitlines()
    (of_stargan,) = (line for line in lines if line.startswith("| `stargan` |"))
    assert again[:3] == [*lines[:2], of_stargan]
    assert again[3].startswith("| `grayscale` | ")
    assert again[4:] == ["<!-- end -->"]


def test_what_cannot_be_repeated_is_not_published(clean):
    clean.params(evaluate__grid=3)
    said = publish_tiny(clean, expect=2)
    assert said.startswith("error: publish: `dvc repro` first; not up to date: evaluate@")
    undo(clean)
    with open(clean.path("colorize/color/__init__.py"), "a") as file:
        file.write("\n")
    assert publish_tiny(clean, expect=2) == (
        "error: publish: commit first what differs:\n M colorize/color/__init__.py\n"
    )
    undo(clean)
    assert "is no name" in clean.module("studies.publish", "../tiny", expect=2).stderr
    assert not clean.path("reports/published").exists()


def test_the_commit_is_that_of_the_code(clean):
    of_code = clean.run("git", "rev-parse", "HEAD").stdout.strip()
    clean.params(runtime__save_interval=6)  # which reruns nothing
    commit(clean)
    publish_tiny(clean, "--note", "Trained *elsewhere*.")
    page = clean.path(f"{RUN}/README.md").read_text(encoding="utf-8")
    assert page.startswith("# tiny\n\n3 independent test photographs are too few to conclude")
    assert page.endswith("\n## Notes\n\nTrained *elsewhere*.\n")
    run = json.loads(clean.path(f"{RUN}/run.json").read_text())
    assert run["note"] == "Trained *elsewhere*."
    clean.run("git", "reset", "-q", "--hard", of_code)
    assert (
        run["code"] == clean.run("git", "log", "-1", "--format=%H", "--", "stages").stdout.strip()
    )
