"""data.store: zips and photographs in a folder or bucket elsewhere, and all else as without."""

import hashlib
import zipfile
from pathlib import Path

import pytest
from upath import UPath

from colorize.base.errors import UserError
from colorize.data import members
from tests.conftest import Project, checkout

DATA = ("download", "union", "grayscale")
USERS = (("train", "train@zhang_l2"), ("evaluate", "evaluate@zhang_l2"))
IMAGES = (".png", ".zip")


@pytest.fixture
def stored(tmp_path) -> Project:
    """A project that keeps in data/ nothing but indexes."""
    project = checkout(tmp_path / "stored")
    project.params(data__store=str(tmp_path / "disk"))
    return project


def results(project: Project) -> dict[str, str]:
    """What data stages, training and measuring have made, but for zips and photographs."""
    made = {}
    for folder in ("data", "models", "metrics", "reports"):
        made |= project.contents_of(folder)
    # The manifest of zips in a store has their hashes.
    left_out = (".gitignore", "data/raw/datasets.json")
    return {
        path: content
        for path, content in made.items()
        if path.startswith("data/") or "zhang_l2" in path
        if not path.endswith(left_out) and not image(path)
    }


def image(path: str) -> bool:
    return path.startswith("data/") and path.endswith(IMAGES)


def there(folder: Path) -> dict[str, bytes]:
    """Every file of a store, by its path in there."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.mark.parametrize(
    "address", ["{}", pytest.param("simplecache::file://{}", marks=pytest.mark.soak)]
)
def test_with_a_folder_elsewhere_everything_comes_out_the_same(project, stored, tmp_path, address):
    stored.params(data__store=address.format(tmp_path / "disk"))
    for stage in DATA:
        stored.stage(stage)
    for stage, name in USERS:
        project.stage(stage, name)
        stored.stage(stage, name)
    assert results(stored) == results(project)
    assert not [path for path in stored.contents_of("data") if image(path)]
    assert list(stored.contents_of(".scratch/zips")) == [".scratch/zips/lock"]

    zipped = project.path("data/raw/sample.zip").read_bytes()
    expected = {f"zips/{hashlib.sha256(zipped).hexdigest()}": zipped}
    for ours, theirs in (("union", "union-32-png"), ("gray", "gray-32-png-lightness")):
        images = project.path(f"data/{ours}").glob("*.png")
        expected |= {f"{theirs}/{path.name}": path.read_bytes() for path in images}
    found = there(tmp_path / "disk")
    assert {path: found[path] for path in expected} == expected
    rows = project.path("data/union/index.csv").read_text().splitlines()[1:]
    assert len(expected) <= len(found) <= 1 + 2 * len(rows)  # near-duplicates stay there


@pytest.mark.soak
def test_with_a_bucket_everything_comes_out_the_same(project, stored, s3, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3)
    stored.params(data__store="s3://lab/colorize", runtime__workers=2)
    for stage in DATA:
        stored.run("python", "-m", f"stages.{stage}")
    for stage, name in USERS:
        project.stage(stage, name)
        stored.run("python", "-m", f"stages.{stage}", name)
    assert results(stored) == results(project)
    assert not [path for path in stored.contents_of("data") if image(path)]


def test_what_is_there_is_not_written_again(mirrored, tmp_path):
    """Neither the zips, when the union's size changes, nor what other unions need deleted."""
    for stage in DATA:
        mirrored.stage(stage)
    before = there(tmp_path / "disk")
    for path in mirrored.path("mirror").glob("*.zip"):
        path.unlink()  # not to be fetched again
    mirrored.params(data__image_size=40)
    for stage in DATA:
        mirrored.stage(stage)
    after = there(tmp_path / "disk")
    assert {path: after[path] for path in before} == before
    assert {path.split("/")[0] for path in after.keys() - before.keys()} == {
        "union-40-png",
        "gray-40-png-lightness",
    }


@pytest.fixture
def mirrored(stored) -> Project:
    """Its sample comes as a zip from a mirror."""
    plain = checkout(stored.root.with_name("plain"))
    plain.stage("download")
    mirror = stored.path("mirror")
    mirror.mkdir()
    data = plain.path("data/raw/sample.zip").read_bytes()
    (mirror / "sample.zip").write_bytes(data)
    (mirror / "catalog.yaml").write_text(
        f"sample: {{file: sample.zip, bytes: {len(data)}, "
        f"sha256: {hashlib.sha256(data).hexdigest()}}}\n"
    )
    stored.params(data__catalog="mirror/catalog.yaml", data__mirror="mirror")
    return stored


@pytest.mark.parametrize(
    ("address", "reason"),
    [("taken", "Not a directory"), ("nonsense://lab", "Unsupported filesystem: 'nonsense'")],
)
def test_a_store_that_cannot_be_used_is_one_line(stored, address, reason):
    stored.path("taken").write_text("a file")
    stored.params(data__store=address)
    said = stored.stage("download", expect=2).stderr
    assert said.count("\n") == 1
    assert said.startswith("error: data.store: ")
    assert address in said
    assert reason in said
    assert not stored.path("data/raw").exists()


def test_what_is_missing_there_is_named_with_what_brings_it_back(stored, tmp_path):
    for stage in DATA:
        stored.stage(stage)
    name = Path(next((tmp_path / "disk/union-32-png").iterdir()))
    name.unlink()
    before = stored.contents_of("data/gray")
    said = stored.stage("grayscale", expect=2).stderr
    again = "run `dvc repro --force --single-item union grayscale` to make it again"
    assert said.endswith(f"error: {name}: missing; {again}\n")
    assert stored.contents_of("data/gray") == before

    zipped = next((tmp_path / "disk/zips").iterdir())
    zipped.unlink()
    said = stored.stage("union", expect=2).stderr
    assert said == f"error: {zipped}: missing; run the download stage again\n"


def test_a_line_that_breaks_makes_no_photograph_unreadable(prepared, monkeypatch):
    """It ends the stage: to leave photographs out would make another union of the same zips."""
    path = UPath(prepared.path("data/raw/sample.zip"))
    with zipfile.ZipFile(path) as archive:
        name = archive.namelist()[0]
        wanted = hashlib.sha256(archive.read(name)).hexdigest()
    assert members.hash_of((path, name)) == (wanted, "")

    members._opened.cache_clear()
    archive = members._opened(path)  # its directory is read

    def broken(*arguments):
        raise ConnectionResetError("Connection reset by peer")

    monkeypatch.setattr(archive.fp.file, "read", broken, raising=False)
    with pytest.raises(UserError, match=r"sample\.zip: cannot be read: Connection reset by peer$"):
        members.hash_of((path, name))
    members._opened.cache_clear()
