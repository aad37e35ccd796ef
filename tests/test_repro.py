"""The pipeline as users run it, with DVC."""

import json
import re
import shutil

import pandas as pd
import pytest

from colorize.evaluation.baselines import TRIVIAL
from tests import zips
from tests.conftest import PIPELINE, ROOT, STAGES, Project, commit, ran, undo


def test_a_second_repro_runs_nothing(pipeline):
    said = pipeline.run("dvc", "repro").stdout
    assert not ran(said)
    assert "Data and pipelines are up to date." in said
    assert pipeline.run("git", "status", "--porcelain").stdout == ""


def test_what_the_pipeline_leaves(pipeline):
    rows = {*PIPELINE, "zhang_l2_chroma_scaled", *TRIVIAL}
    deciding = ("ciede2000", "ab_histogram_js", "projection", "chroma_ratio")
    for name in rows:
        metrics = json.loads(pipeline.path(f"metrics/val/{name}.json").read_text())
        assert tuple(metrics) == deciding
    significance = json.loads(pipeline.path("metrics/significance.json").read_text())
    assert significance["split"] == "test"
    assert len(significance["models"]) == 3 * len(PIPELINE) - 2
    assert len(significance["planned"]) == 2
    for name in (*PIPELINE, *TRIVIAL):
        result = json.loads(pipeline.path(f"metrics/results/{name}.json").read_text())
        assert {"val", "test", "by_dataset", "images"} <= set(result)
        assert ("diagnostics" in result) == (name in PIPELINE)
        assert (result["images"], result["groups"]) == (8, 3)
        assert set(result["val"]) == set(result["test"])
        for entry in result["test"].values():
            assert set(entry) == {"mean", "low", "high"}
            assert entry["mean"] is None or entry["low"] <= entry["mean"] <= entry["high"]
    html = pipeline.path("reports/report.html").read_text(encoding="utf-8")
    assert "This run cannot tell: it measured only 3 independent test photographs" in html
    assert all(name in html for name in rows)
    outside = set(re.findall(r'(?:src|href)="(?!data:|#)([^"]*)', html))
    assert outside == {"../docs/results.md"}  # one file, no network
    tracked = pipeline.run("git", "ls-files").stdout
    assert "metrics/training/stargan.csv" in tracked
    assert "metrics/val/stargan.json" in tracked
    shown = [
        f for f in tracked.split("\n") if f.endswith((".png", ".html", ".zip", ".safetensors"))
    ]
    assert not shown
    assert not pipeline.path("reports/.gitignore").exists()


def test_an_experiment_reruns_what_its_parameter_touches(pipeline):
    done = pipeline.run("dvc", "exp", "run", "-n", "few", "-S", "models.stargan.steps=4")
    assert ran(done.stdout) == ["train@stargan", "evaluate@stargan", "compare", "report"]
    heading, *lines = pipeline.run("dvc", "metrics", "diff").stdout.strip().splitlines()
    assert heading.split() == ["Path", "Metric", "HEAD", "workspace", "Change"]
    assert 1 <= len(lines) <= 4
    assert all(line.startswith("metrics/val/stargan.json ") for line in lines)
    heading, *lines = pipeline.run("dvc", "metrics", "show").stdout.strip().splitlines()
    assert heading.split() == ["Path", "ab_histogram_js", "chroma_ratio", "ciede2000", "projection"]
    assert len(lines) == len(PIPELINE) + 1 + len(TRIVIAL)
    said = pipeline.run("dvc", "plots", "diff", "HEAD", "few", "-o", "plots").stdout
    html = pipeline.path("plots/index.html").read_text(encoding="utf-8")
    tiles = re.findall(r'src="([^"]*samples_stargan\.png)"', html)
    assert len(set(tiles)) == 2, said  # one of each run, side by side
    assert all(pipeline.path(f"plots/{tile}").is_file() for tile in tiles)
    undo(pipeline)
    assert not ran(pipeline.run("dvc", "repro").stdout)  # all of it comes from the run cache


README = (ROOT / "README.md").read_text(encoding="utf-8")
(COMMIT,) = re.findall(r"(?m)^(git add metrics && git commit .*\")", README)
(BACK,) = re.findall(r"undo it \| `([^`]+)`", README)
(EXPERIMENT,) = re.findall(r"(?m)^\$ (dvc exp run .*)$", README)


def results(pipeline: Project) -> dict[str, str]:
    return pipeline.contents_of("models") | pipeline.contents_of("metrics")


@pytest.fixture
def after_make_repro(pipeline, tmp_path) -> tuple[Project, dict[str, str]]:
    """A clone in which `make repro` has run, and its results.

    Another machine rounds otherwise: nobody has the outputs that the commit names.
    """
    clone = Project(shutil.copytree(pipeline.root, tmp_path / "clone"))
    found = results(clone)

    def of_another_machine(match: re.Match) -> str:
        return match[1] + match[2][::-1]

    names = clone.run("git", "ls-files", "dvc.lock", "metrics").stdout.split()
    before = {path: path.read_text() for path in map(clone.path, names)}
    for path, text in before.items():
        hashes = r"(path: (?:models|metrics)/\S+\n +hash: md5\n +md5: )(\w+)"
        differing = hashes if path.name == "dvc.lock" else r"(\d\.)(\d+)"
        path.write_text(re.sub(differing, of_another_machine, text))
    commit(clone)
    for path, text in before.items():
        path.write_text(text)
    assert results(clone) == found
    clone.path(".venv").mkdir()
    clone.path(".venv/installed").touch()
    said = clone.run("make", "repro").stdout
    assert not ran(said)
    assert said.endswith(f"{COMMIT}\n")
    return clone, found


@pytest.mark.soak
@pytest.mark.parametrize("committed", [True, False])
def test_there_is_a_way_back_to_the_first_results(after_make_repro, committed):
    """The README's commands in its order, with and without the commit."""
    clone, first_results = after_make_repro
    if committed:
        clone.run("git", "config", "user.name", "a")
        clone.run("git", "config", "user.email", "b")
        clone.run("bash", "-c", COMMIT)
        assert clone.run("git", "status", "--porcelain").stdout == ""
        assert COMMIT not in clone.run("make", "repro").stdout
    clone.run("bash", "-c", EXPERIMENT.replace("=400", "=4"))
    assert results(clone) != first_results
    assert not ran(clone.run("bash", "-c", BACK).stdout)
    assert results(clone) == first_results
    changed = clone.run("git", "diff", "HEAD", "--name-only").stdout.split()
    assert ("dvc.lock" in changed) == (not committed)
    assert "params.yaml" not in changed


@pytest.mark.soak
def test_after_an_experiment_that_failed_git_sees_what_is_not_committed(after_make_repro):
    clone, first_results = after_make_repro
    clone.run("dvc", "exp", "run", "-S", "models.stargan.steps=0", expect=255)
    differ = "git diff HEAD --name-only"
    seen = clone.run(*differ.split()).stdout
    anew = f"export GIT_INDEX_FILE=anew; git read-tree HEAD; {differ}; rm anew"
    assert seen == clone.run("bash", "-c", anew).stdout
    assert "metrics/val/mean_color.json" in seen  # whose size is the same
    assert not ran(clone.run("bash", "-c", BACK).stdout)
    assert results(clone) == first_results


def run_seeds(pipeline: Project) -> tuple[list[str], str]:
    """The stages that ran, and the table."""
    arguments = ["stargan", "--seeds", "1", "2", "--jobs", "2"]
    said = pipeline.run("python", "-m", "studies.seeds", *arguments).stdout
    logs = [pipeline.path(f".scratch/experiments/stargan-seed{seed}.log") for seed in (1, 2)]
    table = pipeline.path("reports/seeds.md")
    text = table.read_text(encoding="utf-8")
    table.unlink()
    assert text in said
    return ran("".join(log.read_text(encoding="utf-8") for log in logs)), text


EXPERIMENTS = (ROOT / "docs/experiments.md").read_text(encoding="utf-8")
(LONGER,) = re.findall(r"(?ms)^```bash\n(mkdir -p weights\n.*?)^```", EXPERIMENTS)


@pytest.mark.soak
def test_a_finished_training_goes_on_as_the_docs_say(pipeline):
    """In the workspace, from the cache the second time, and beside the workspace."""
    commands = LONGER.replace("cyclegan", "zhang_l2").replace("steps=200", "steps=3")
    said = pipeline.run("bash", "-ec", commands).stdout
    assert {"train@zhang_l2", "evaluate@zhang_l2"} <= {*ran(said)}
    config = json.loads(pipeline.path("models/zhang_l2/config.json").read_text())
    assert (config["parameters"]["steps"], config["steps"]) == (3, 11)
    assert config["continues"]["steps"] == 8
    longer = results(pipeline)
    report = pipeline.path("reports/report.html").read_text(encoding="utf-8")
    assert "after 8 of another training" in report
    undo(pipeline)
    assert not ran(pipeline.run("dvc", "repro").stdout)
    assert not ran(pipeline.run("bash", "-ec", commands.replace("-n longer", "-n again")).stdout)
    assert results(pipeline) == longer
    undo(pipeline)
    pipeline.run("dvc", "repro")
    beside = commands.replace("-n longer", "-n beside --temp").replace("steps=3", "steps=2")
    assert "train@zhang_l2" in ran(pipeline.run("bash", "-ec", beside).stdout)
    assert pipeline.path("models/zhang_l2/config.json").read_text().count("continues") == 0


@pytest.mark.soak
def test_a_catalog_and_a_folder_of_one_s_own_are_watched(pipeline, tmp_path):
    def downloads() -> bool:
        return ran(pipeline.run("dvc", "repro", "--single-item", "download").stdout) == ["download"]

    photos = tmp_path / "my photos"
    photos.mkdir()
    (photos / "a.png").write_bytes(zips.encoded(zips.image(0)))
    described = zips.catalog(tmp_path, {"mine": {"folder": str(photos)}})
    pipeline.params(data__catalog=str(described), data__datasets=["mine"])
    said = pipeline.run("dvc", "repro", "--single-item", "download").stderr
    for path in (photos, described):
        assert f"it does not have {path}: DVC will not notice" in said
    lacking = f"error: dvc.yaml: it lacks {described}, {photos}; run"
    assert pipeline.stage("check", expect=2).stderr.startswith(lacking)
    pipeline.stage("check", "--fix")
    said = pipeline.run("dvc", "repro", "--single-item", "download")
    assert ran(said.stdout) == ["download"]
    assert "notice" not in said.stderr
    assert not downloads()
    (photos / "b.png").write_bytes(zips.encoded(zips.image(1)))
    assert downloads()
    assert not downloads()
    zips.catalog(tmp_path, {"mine": {"folder": str(photos), "groups": "^."}})
    assert downloads()
    undo(pipeline)
    assert not ran(pipeline.run("dvc", "repro").stdout)


@pytest.mark.soak
def test_seeds_leave_the_workspace_and_other_models_alone(pipeline):
    before = {name: pipeline.contents_of(name) for name in ("models", "metrics", "reports")}
    stages, text = run_seeds(pipeline)
    assert stages == ["train@stargan", "evaluate@stargan"] * 2
    assert {name: pipeline.contents_of(name) for name in before} == before
    assert pipeline.run("git", "diff", "HEAD").stdout == ""
    values = []
    for experiment in ("stargan-seed1", "stargan-seed2"):
        copy = pipeline.path(f"{experiment}.json")
        pipeline.run(
            "dvc", "get", ".", "metrics/results/stargan.json", "--rev", experiment, "-o", copy.name
        )
        values.append(json.loads(copy.read_text())["test"]["ciede2000"]["mean"])
        copy.unlink()
    assert values[0] != values[1]
    least, largest = (f"{value:.2f}" for value in sorted(values))
    assert re.search(rf"`stargan` \| test \| \S+ ± \S+ \({least} to {largest}\) \|", text)
    assert "`stargan` beside `zhang_l2`: inconclusive (CIEDE2000 " in text
    assert "seeds 2 and 1)" in text


@pytest.mark.soak
def test_seeds_that_have_run_come_from_the_run_cache(pipeline):
    _, text = run_seeds(pipeline)
    assert run_seeds(pipeline) == ([], text)
    metrics = pipeline.path("metrics/results/stargan.json")
    done = pipeline.run("python", "-m", "studies.publish", "tiny", "--seeds-of", "stargan")
    assert not ran(done.stdout)
    published = pipeline.path("reports/published/tiny")
    found = json.loads((published / "metrics.json").read_text())["seeds"]
    assert found["seeds"] == [0, 1, 2]
    of_workspace, *others = found["results"]["stargan"]
    assert of_workspace == json.loads(metrics.read_text())
    assert others[0]["test"]["ciede2000"] != others[1]["test"]["ciede2000"]
    assert [each["seeds"] for each in found["significance"]] == [[3, 1]] * 3 + [[3, 3]]
    page = (published / "README.md").read_text(encoding="utf-8")
    assert "Seeds 0, 1, 2: mean ± standard deviation" in page
    repeat = page[page.index("\nmake repro\n") :]
    assert "\npython -m studies.seeds stargan --seeds 0 1 2\n" in repeat
    pipeline.run("git", "clean", "-fdq", "reports")


STUDY = """
comparisons: [{model: none, against: one_label, metric: projection}]
variants:
  none: {model: stargan, group: controls, asks: nothing, set: {control: none}, seeds: [1, 2]}
  one_label: {model: stargan, group: controls, asks: one folder, set: {control: one_label}}
"""
KEPT = ("metrics.json", "validation.csv", "images.parquet", "settings.json")
WILD = "  wild: {model: stargan, group: options, asks: no, set: {reconstruction_weight: 1e39}}\n"


@pytest.mark.soak
def test_a_study_runs_what_is_missing_beside_the_workspace(pipeline):
    asked = pipeline.path("studies/study.yaml")
    committed = asked.read_text()
    results = pipeline.path("reports/study")

    def others() -> dict[str, str]:
        found = {}
        for name in ("models", "metrics", "reports"):
            found |= pipeline.contents_of(name)
        return {path: data for path, data in found.items() if "/study/" not in path}

    before = others()

    def study(expect: int) -> tuple[str, dict[str, str]]:
        """What it says is wrong, and how each experiment that it has begun has ended."""
        said = pipeline.run("python", "-m", "studies.study", "--jobs", "2", expect=expect)
        begun = re.findall(r"^study-(\w+-\d): begun, see ", said.stdout, re.MULTILINE)
        ended = re.findall(r"^study-(\w+-\d): (\w+); \d to go$", said.stdout, re.MULTILINE)
        assert sorted(begun) == sorted(name for name, _ in ended)
        return said.stderr, dict(ended)

    asked.write_text(STUDY + WILD)
    said, ended = study(expect=2)
    assert ended == {"none-1": "done", "none-2": "done", "one_label-0": "done", "wild-0": "failed"}
    assert "error: no result: study-wild-0; see NAME.log in .scratch/experiments, " in said
    logs = pipeline.path(".scratch/experiments")
    assert "error: models.stargan: step " in (logs / "study-wild-0.log").read_text()
    kept = [f"{name}/{file}" for name in ("none-1", "none-2", "one_label-0") for file in KEPT]
    assert sorted(pipeline.contents_of("reports/study")) == sorted(
        f"reports/study/{k}" for k in kept
    )
    assert others() == before

    asked.write_text(STUDY)
    said, ended = study(expect=0)
    assert not ended
    tables = (results / "tables.md").read_text()
    assert "- `none` beside `one_label`: inconclusive (projection " in tables
    assert (results / "curves.svg").read_text().count("one_label</text>") == 1

    # What is gone comes from the run cache; what was asked for otherwise is trained.
    whole = pipeline.contents_of("reports/study")
    shutil.rmtree(results / "none-1")
    asked.write_text(STUDY.replace("control: one_label}", "control: one_label, steps: 2}"))
    said, ended = study(expect=0)
    assert ended == {"none-1": "done", "one_label-0": "done"}
    said = {name: ran((logs / f"study-{name}.log").read_text()) for name in ended}
    assert said == {"none-1": [], "one_label-0": ["train@stargan", "evaluate@stargan"]}
    after = pipeline.contents_of("reports/study")
    changed = {path.split("/")[2] for path, found in after.items() if found != whole[path]}
    assert changed == {"one_label-0", "tables.md", "curves.svg"}

    shutil.rmtree(results)
    assert others() == before
    asked.write_text(committed)
    assert pipeline.run("git", "diff", "HEAD").stdout == ""


def test_editing_a_method_retrains_its_models_alone(pipeline):
    path = pipeline.path("colorize/methods/stargan.py")
    text = path.read_text(encoding="utf-8")
    path.write_text(f"{text}\n# edited\n", encoding="utf-8")
    would = ran(pipeline.run("dvc", "repro", "--dry").stdout)
    path.write_text(text, encoding="utf-8")
    # The report too, if what it reads then changes
    assert would == ["train@stargan", "evaluate@stargan"]


@pytest.mark.soak
def test_the_image_size_changes_the_images_and_back(pipeline):
    before = pipeline.contents_of("data/union")
    pipeline.params(data__image_size=64)
    assert ran(pipeline.run("dvc", "repro", "grayscale").stdout) == ["union", "grayscale"]
    after = pipeline.contents_of("data/union")
    shared = before.keys() & after.keys()
    assert len(shared) > 200
    assert all(before[name] != after[name] for name in shared if name.endswith(".png"))
    pipeline.params(data__image_size=32)
    assert not ran(pipeline.run("dvc", "repro", "grayscale").stdout)
    assert pipeline.contents_of("data/union") == before
    undo(pipeline)


@pytest.mark.soak
def test_an_experiment_changes_the_set_of_datasets(pipeline, tmp_path):
    entries = {}
    for name, start in (("first", 0), ("second", 100), ("third", 200)):
        files = {f"trainA/{i}.png": zips.encoded(zips.image(start + i)) for i in range(30)}
        files["testA/t.png"] = zips.encoded(zips.image(start + 99))
        entries[name] = zips.dataset(tmp_path, name, files)
    catalog = zips.catalog(tmp_path, entries)
    definition = pipeline.path("dvc.yaml").read_bytes()

    def run(names: str, target: str) -> list[str]:
        settings = (
            f"data.datasets=[{names}]",
            f"data.catalog={catalog}",
            f"data.mirror={tmp_path}",
            "data.validation=0.3",  # of 30: some for sure
        )
        flags = [flag for setting in settings for flag in ("-S", setting)]
        return ran(pipeline.run("dvc", "exp", "run", *flags, target).stdout)

    def zipped() -> set[str]:
        return {path.stem for path in pipeline.path("data/raw").glob("*.zip")}

    assert run("first,second", "grayscale") == ["download", "union", "grayscale"]
    assert zipped() == {"first", "second"}
    rows = pd.read_csv(pipeline.path("data/union/index.csv"))
    assert rows["dataset"].value_counts().to_dict() == {"first": 31, "second": 31}
    (tmp_path / "second.zip").unlink()  # whoever wants it from the mirror again fails
    assert run("second,third", "download") == ["download"]
    assert zipped() == {"second", "third"}
    assert pipeline.path("dvc.yaml").read_bytes() == definition
    undo(pipeline)
    pipeline.run("dvc", "checkout")


def test_what_changes_no_result_reruns_nothing(pipeline):
    pipeline.params(runtime__workers=2, runtime__log_interval=1, train__snapshots=1)
    for inert in ("colorize/base/errors.py", "colorize/base/__init__.py", "stages/common.py"):
        with open(pipeline.path(inert), "a") as file:
            file.write("# A comment\n")
    assert not ran(pipeline.run("dvc", "repro", "--dry").stdout)
    undo(pipeline)


@pytest.mark.parametrize(
    ("edited", "reruns"),
    [
        ("colorize/report/grids.py", ["report"]),
        ("colorize/report/templates/page.html.jinja", ["report"]),
        ("colorize/networks/stargan.py", ["stargan"]),
        ("colorize/evaluation/colors.py", ["evaluate", "baselines", "compare", "report"]),
        ("colorize/comparison/significance.py", ["compare", "report"]),
        ("colorize/data/union.py", ["download", "union", "grayscale", "report"]),
    ],
)
def test_an_edit_reruns_what_it_may_change(pipeline, edited, reruns):
    with open(pipeline.path(edited), "a") as file:
        file.write("\n")
    would = ran(pipeline.run("dvc", "repro", "--dry").stdout)
    undo(pipeline)
    expected = {
        stage for stage in STAGES if stage.split("@")[0] in reruns or stage.split("@")[-1] in reruns
    }
    assert set(would) == expected


@pytest.mark.parametrize(
    ("parameter", "value", "reruns"),
    [
        ("evaluate__grid", 3, [f"evaluate@{name}" for name in PIPELINE]),
        ("models__stargan__unpaired", "shared", ["train@stargan"]),
        ("defaults__flip", False, [f"train@{name}" for name in PIPELINE]),
        ("data__gray", "rec601", ["grayscale"]),
        ("compare__comparisons", [], ["compare"]),
    ],
)
def test_a_parameter_reruns_what_it_may_change(pipeline, parameter, value, reruns):
    pipeline.params(**{parameter: value})
    would = ran(pipeline.run("dvc", "repro", "--dry").stdout)
    undo(pipeline)
    assert {*would} - ({"compare", "report"} - {*reruns}) == {*reruns}


def test_a_mistake_anywhere_stops_the_first_stage_that_runs(pipeline):
    """What dvc itself starts, without `make`, is checked as a whole too."""
    flags = ("-S", "models.stargan.steps=6", "-S", "++models.stargan.ema=0.5")
    flags += ("-S", "evaluate.grid=51")
    done = pipeline.run("dvc", "exp", "run", *flags, expect=255)
    assert ran(done.stdout) == ["train@stargan"]
    assert "error: evaluate.grid: input should be less than or equal to 50" in done.stderr
    undo(pipeline)
    pipeline.run("dvc", "checkout")


def test_a_file_of_another_shape_is_named(pipeline, tmp_path):
    project = Project(shutil.copytree(pipeline.root, tmp_path / "copy"))
    for stage, file in (
        ("union", "data/raw/datasets.json"),
        ("train zhang_l2", "data/union/statistics.json"),
        ("compare", "metrics/results/zhang_l2.json"),
        ("report", "metrics/significance.json"),
        ("report", "data/union/datasheet.json"),
        ("report", "reports/pictures/zhang_l2/manifest.json"),
    ):
        right = project.path(file).read_bytes()
        project.path(file).unlink()  # it may be a link into DVC's cache
        for wrong in (b"3", b"[3]", b'{"a": 3}', right.replace(b'": ', b'": {"a": 3}, "b": ', 1)):
            project.path(file).write_bytes(wrong)
            said = project.stage(*stage.split(), expect=2).stderr.splitlines()[-1]
            assert said.startswith(f"error: {file}"), wrong
        project.path(file).write_bytes(right)


def test_a_removed_model_leaves_no_row(pipeline):
    """Nor another hash of the folders of results, which are to be those of other machines."""
    lock = pipeline.path("dvc.lock").read_text()

    def remove(values: dict) -> None:
        del values["models"]["stargan"]
        values["compare"]["comparisons"].pop()  # which asks about it

    pipeline.edit_params(remove)
    assert ran(pipeline.run("dvc", "repro").stdout) == ["compare", "report"]
    for kind in ("results", "images", "training", "validation", "val"):
        stems = {path.stem for path in pipeline.path(f"metrics/{kind}").iterdir()}
        assert "zhang_l2" in stems, kind
        assert "stargan" not in stems, kind
    assert "stargan" not in pipeline.path("metrics/significance.json").read_text()
    undo(pipeline)
    pipeline.run("dvc", "checkout")
    assert {*ran(pipeline.run("dvc", "repro").stdout)} <= {"compare", "report"}
    assert pipeline.path("dvc.lock").read_text() == lock
    assert pipeline.run("git", "diff", "HEAD").stdout == ""


def test_the_name_of_a_model_reaches_no_shell(pipeline):
    name = "$(touch harmed)'; touch harmed; '"
    pipeline.edit_params(
        lambda values: values["models"].update({name: values["models"]["stargan"]})
    )
    done = pipeline.run("dvc", "repro", expect=255)
    assert "not a name for a model" in done.stderr
    assert not pipeline.path("harmed").exists()
    undo(pipeline)
    pipeline.run("dvc", "checkout")
