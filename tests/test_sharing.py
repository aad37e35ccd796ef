"""What docs/sharing.md says: a pipeline and its results on a DVC remote, and on other machines."""

import re
import shutil

import pytest

from tests.conftest import PIPELINE, ROOT, Project, commit, ran

CONTRAST = {"model": "stargan", "against": "mean_color", "metric": "ciede2000"}
PAGE = (ROOT / "docs/sharing.md").read_text(encoding="utf-8")


def told(project: Project, command: str) -> str:
    """Run a command of the page, word for word."""
    assert command in PAGE
    return project.run(*command.split()).stdout


@pytest.fixture
def shared(pipeline, tmp_path) -> Project:
    """A repository of its own with a folder as its remote, all of it pushed."""
    origin = Project(shutil.copytree(pipeline.root, tmp_path / "origin"))
    push(origin, str(tmp_path / "remote"))
    return origin


def push(origin: Project, remote: str, endpoint: str | None = None) -> None:
    origin.run("dvc", "remote", "add", "-d", "shared", remote)
    if endpoint:
        origin.run("dvc", "remote", "modify", "shared", "endpointurl", endpoint)
    commit(origin)
    told(origin, "dvc push")


def clone(origin: Project) -> Project:
    root = origin.root.with_name("clone")
    origin.run("git", "clone", "-q", str(origin.root), str(root))
    return Project(root)


def files(project: Project) -> dict[str, str]:
    """Everything that the pipeline has made."""
    made = map(project.contents_of, ("data", "models", "metrics", "reports"))
    return {
        path: content
        for folder in made
        for path, content in folder.items()
        if not path.endswith(".gitignore")
    }


def test_a_clone_pulls_all_and_runs_nothing(shared):
    other = clone(shared)
    told(other, "dvc pull")
    assert files(other) == files(shared)
    assert not ran(told(other, "dvc repro"))
    assert other.run("git", "status", "--porcelain").stdout == ""

    other.params(compare__comparisons=[CONTRAST])
    assert ran(other.run("dvc", "repro", "--dry").stdout) == ["compare"]


@pytest.mark.soak
def test_a_server_that_speaks_s3_serves_as_well(pipeline, tmp_path, s3):
    origin = Project(shutil.copytree(pipeline.root, tmp_path / "origin"))
    push(origin, "s3://lab/colorize", s3)
    other = clone(origin)
    told(other, "dvc pull")
    assert files(other) == files(origin)
    assert not ran(told(other, "dvc repro"))


def test_models_and_report_come_without_the_photographs(shared):
    other = clone(shared)
    told(other, "dvc pull train report")
    assert not other.path("data").exists()
    for made in (*(f"models/{name}" for name in PIPELINE), "reports/report.html"):
        assert other.contents_of(made)
        assert other.contents_of(made) == shared.contents_of(made)

    elsewhere = Project(shared.root.with_name("elsewhere"))
    elsewhere.root.mkdir()
    elsewhere.run("dvc", "get", str(shared.root), "models/stargan")
    got, trained = elsewhere.contents_of("stargan"), shared.contents_of("models/stargan")
    assert list(got.values()) == list(trained.values())


@pytest.mark.soak
def test_only_what_is_needed_is_pulled(shared):
    """One model is measured anew; the weights of the other stay where they are."""
    other = clone(shared)
    other.params(evaluate__grid=3)
    said = told(other, "dvc repro --pull --allow-missing evaluate@zhang_l2")
    assert ran(said) == ["evaluate@zhang_l2"]
    assert other.path("models/zhang_l2").exists()
    assert not other.path("models/stargan").exists()
    assert not other.path("data/raw").exists()


@pytest.mark.soak
def test_what_another_has_measured_is_not_measured_again(shared):
    shared.params(evaluate__grid=3)
    assert "evaluate@zhang_l2" in ran(told(shared, "dvc repro"))
    told(shared, "dvc push --run-cache")

    other = clone(shared)
    told(other, "dvc pull --run-cache")
    other.params(evaluate__grid=3)
    assert not ran(told(other, "dvc repro --pull"))
    assert files(other) == files(shared)


@pytest.mark.soak
def test_an_experiment_is_handed_over(shared):
    hub = str(shared.root.with_name("hub.git"))
    shared.run("git", "clone", "-q", "--bare", str(shared.root), hub)
    shared.run("dvc", "exp", "run", "-n", "finer", "-S", "evaluate.grid=3", "evaluate@zhang_l2")
    shared.run("git", "remote", "add", "origin", hub)
    told(shared, "dvc exp push origin finer")

    other = Project(shared.root.with_name("other"))
    shared.run("git", "clone", "-q", hub, str(other.root))
    assert "finer" in told(other, "dvc exp list origin")
    told(other, "dvc exp pull origin finer")
    told(other, "dvc exp apply finer")
    made = "reports/samples/zhang_l2.png"
    assert other.contents_of(made) == shared.contents_of(made)
    assert re.search(r"^  grid: 3\b", other.path("params.yaml").read_text(), re.MULTILINE)
