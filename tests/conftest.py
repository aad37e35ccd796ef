"""A copy of the project with its real params.yaml made small, and ways to run its stages."""

import functools
import hashlib
import operator
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import filelock
import pytest
from ruamel.yaml import YAML

from colorize.base.command import wait_briefly
from tests import forks

# Before any test imports torch: tests run side by side, one on each core.
wait_briefly()
os.environ["OMP_NUM_THREADS"] = forks.THREADS

ROOT = Path(__file__).parent.parent

# What differs from the committed params.yaml: everything runs, nothing is learned.
SMALL = {
    "data": {"image_size": 32},
    "train": {"samples": 2, "snapshots": 2, "measurements": 3},
    "evaluate": {"resamples": 100, "grid": 2},
    "runtime": {"device": "cpu", "workers": 0, "log_interval": 3, "save_interval": 3},
}
# In every model that has the key; a pool of 4 is full, and exchanges, within 8 steps.
SMALL_MODEL = {"width": 2, "depth": 2, "steps": 8, "batch_size": 2, "pool": 4, "n_critic": 2}
SMALL_MODEL |= {"discriminator_width": 2, "discriminator_layers": 2}
SMALL_MODEL |= {"l2_share": 0.125, "critic_share": 0.125}  # one step each

TEXT = (ROOT / "params.yaml").read_text(encoding="utf-8")
ALL = YAML(typ="safe").load(ROOT / "presets/all.yaml")  # the other models


def committed() -> dict[str, Any]:
    return YAML(typ="safe").load(TEXT)


def merge(values: dict[str, Any], changes: dict[str, Any]) -> None:
    for key, value in changes.items():
        if isinstance(value, dict):
            merge(values.setdefault(key, {}), value)
        else:
            values[key] = value


def with_all_models() -> dict[str, Any]:
    """The committed params.yaml with the preset `all`."""
    values = committed()
    merge(values, ALL)
    return values


def shrink(values: dict[str, Any]) -> None:
    merge(values, SMALL)
    for entry in (values["defaults"], *values["models"].values()):
        merge(entry, {key: value for key, value in SMALL_MODEL.items() if key in entry})


def entries(values: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """All keys of each entry of `models`, those from `defaults` too."""
    from colorize.methods.shared import model

    return {
        name: model.parse(entry, name, values["defaults"]).model_dump(exclude_none=True)
        for name, entry in values["models"].items()
    }


def small() -> dict[str, dict[str, Any]]:
    """The models of the preset `all`, shrunk."""
    values = with_all_models()
    shrink(values)
    return entries(values)


MODELS = entries(with_all_models())
# Of each method the first entry
METHODS = tuple({entry["method"]: name for name, entry in reversed(MODELS.items())}.values())[::-1]
PIPELINE = ("zhang_l2", "stargan")  # the models in pipelines of tests
STAGES = ["download", "union", "grayscale", *(f"train@{name}" for name in PIPELINE)]
STAGES += [*(f"evaluate@{name}" for name in PIPELINE), "baselines", "compare", "report"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first: begun last, they would leave other processes with nothing to do.

    But one that waits for nothing before the second that needs the pipeline.
    """
    first = ("test_repro.py", "test_training.py", "test_kills.py", "test_lifetime.py")
    order = {name: number for number, name in enumerate(first)}
    items.sort(key=lambda item: order.get(item.path.name, len(order)))


class Project:
    """A checkout in a folder of its own.

    One thread is faster for networks this small, above all beside other work on the machine.
    """

    def __init__(self, root: Path, threads: str = forks.THREADS):
        self.root = root
        self.threads = threads

    def path(self, name: str) -> Path:
        return self.root / name

    def params(self, **changes: Any) -> None:
        """Change params.yaml: dotted keys, with __ for the dots."""

        def change(values: dict[str, Any]) -> None:
            for dotted, value in changes.items():
                *sections, key = dotted.split("__")
                section = values
                for name in sections:
                    section = section[name]
                section[key] = value

        self.edit_params(change)

    def edit_params(self, change: Callable[[dict[str, Any]], None]) -> None:
        """Call `change` with the values of params.yaml, and write them back, comments kept."""
        yaml = YAML()
        values = yaml.load(self.path("params.yaml"))
        change(values)
        yaml.dump(values, self.path("params.yaml"))
        # Git looks at size and second: without this it may miss the change, and restore nothing.
        os.utime(self.path("params.yaml"), (0, 0))

    def environment(self) -> dict[str, str]:
        # As after `source .venv/bin/activate`: `python` and `dvc` are those of this environment.
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        # Under `make test` a `make` of the project would take itself for one called by that one.
        foreign = ("DVC_", "MAKE", "MFLAGS")
        kept = {k: v for k, v in os.environ.items() if not k.startswith(foreign)}
        return kept | {
            "PATH": path,
            "GIT_CONFIG_GLOBAL": os.devnull,
            "OMP_NUM_THREADS": self.threads,
        }

    def run(self, *command: str, expect: int | None = 0) -> subprocess.CompletedProcess:
        """Run a command in the project; `python` is this test run's own."""
        done = subprocess.run(
            command,
            cwd=self.root,
            env=self.environment(),
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        return _checked(done, expect)

    def stage(self, name: str, *arguments: str, **how: Any) -> subprocess.CompletedProcess:
        """`python -m stages.NAME ARGUMENTS`; how: as of `module`."""
        return self.module(f"stages.{name}", *arguments, **how)

    def module(
        self,
        name: str,
        *arguments: str,
        expect: int = 0,
        killed: tuple[str, int] | None = None,
        under_dvc: bool = False,
        largest_file: int | None = None,
        memory: int | None = None,
    ) -> subprocess.CompletedProcess:
        """`python -m NAME ARGUMENTS`, but for the seconds that its imports take.

        killed and what follows: as `forks.Forks.run` says; killed itself it exits with -9.
        """
        command = ["python", "-m", name, *arguments]
        if self.threads != forks.THREADS:  # torch takes their number when it is imported
            return self.run(*command, expect=expect)
        done = _forks().run(command, self.root, killed, under_dvc, largest_file, memory)
        return _checked(done, -9 if killed and not under_dvc else expect)

    def start(self, *command: str) -> subprocess.Popen:
        """Start a command in a process group of its own."""
        return subprocess.Popen(
            command,
            cwd=self.root,
            env=self.environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )

    def trained(self, name: str) -> dict[str, str]:
        """Every file that training a model has written."""
        curves = (f"metrics/training/{name}.csv", f"metrics/validation/{name}.csv")
        outs = (f"models/{name}", *curves, f"reports/training/{name}.png")
        return functools.reduce(operator.or_, map(self.contents_of, outs))

    def contents_of(self, folder: str) -> dict[str, str]:
        """Every file below a folder, by path, or a file's own: text, or the hash of its bytes.

        A failed comparison is then short enough to be read.
        """
        path = self.path(folder)
        files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
        return {str(p.relative_to(self.root)): _text_or_hash(p.read_bytes()) for p in files}


def _text_or_hash(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return hashlib.sha256(data).hexdigest()


def _checked(done: subprocess.CompletedProcess, expect: int | None) -> subprocess.CompletedProcess:
    said = f"{' '.join(done.args)} exited {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert expect in (None, done.returncode), said
    return done


@functools.cache
def _forks() -> forks.Forks:
    return forks.Forks(Project(ROOT).environment())


def files_of_the_project() -> list[str]:
    """Those that git has or would take."""
    return subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()


def checkout(target: Path) -> Project:
    """Copy what git tracks, and what it would, to `target`; params.yaml has all models, made small.

    But not what no stage reads, such as 44 MB of trained weights: many tests have their own copy.
    """
    for name in files_of_the_project():
        unread = name == "dvc.lock" or name.startswith(
            ("colorize/pretrained/", "docs/", "tests/", "reports/")
        )
        if (ROOT / name).is_file() and not unread:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    project = Project(target)
    project.edit_params(lambda values: (merge(values, ALL), shrink(values)))
    return project


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """A folder that one of the processes side by side makes, and all of them read."""
    root = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent
    with filelock.FileLock(root / f"{name}.lock"):
        if not (root / name).exists():
            make(root / f"{name}.partial")
            (root / f"{name}.partial").rename(root / name)
    return root / name


@pytest.fixture(scope="session")
def prepared(tmp_path_factory) -> Project:
    """A project whose data stages have run. Do not change it: copy it with `project`."""

    def make(folder: Path) -> None:
        project = checkout(folder)
        for stage in ("download", "union", "grayscale"):
            project.stage(stage)

    return Project(once(tmp_path_factory, "prepared", make))


@pytest.fixture
def project(prepared, tmp_path) -> Project:
    """A project of its own for each test, whose data stages have run."""
    shutil.copytree(prepared.root, tmp_path / "project")
    return Project(tmp_path / "project")


@pytest.fixture
def s3(monkeypatch):
    """The address of a server that speaks S3, with one bucket, `lab`."""
    moto = pytest.importorskip(
        "moto.moto_server.threaded_moto_server", reason="needs requirements-test.txt"
    )
    boto3 = pytest.importorskip("boto3", reason="needs requirements-test.txt")
    for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(key, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    boto3.client("s3", endpoint_url=address).create_bucket(Bucket="lab")
    yield address
    server.stop()


def commit(project: Project) -> None:
    project.run("git", "add", "-A")
    project.run("git", "-c", "user.name=a", "-c", "user.email=b", "commit", "-qm", "c")


def undo(pipeline: Project) -> None:
    """To what was committed; dvc stages dvc.lock, so not to what the index holds."""
    pipeline.run("git", "checkout", "-q", "HEAD", "--", ".")


def ran(said: str) -> list[str]:
    """The stages that dvc ran, in order."""
    return re.findall(r"Running stage '([^']+)'", said)


@pytest.fixture(scope="session")
def pipeline(tmp_path_factory) -> Project:
    """A repository in which `dvc repro` has run. Tests leave it as they found it."""

    def make(folder: Path) -> None:
        project = checkout(folder)
        comparisons = [("zhang_l2", "mean_color", "ciede2000")]
        comparisons += [("stargan", "stargan_input_L", "dependence")]
        only_models(project, *PIPELINE, comparisons=comparisons)
        project.params(models__stargan__steps=60, runtime__save_interval=5)
        project.run("git", "init", "-q")
        commit(project)
        assert sorted(ran(project.run("dvc", "repro").stdout)) == sorted(STAGES)
        commit(project)

    original = once(tmp_path_factory, "pipeline", make)
    return Project(shutil.copytree(original, tmp_path_factory.mktemp("copy") / "pipeline"))


@pytest.fixture
def float64():
    import torch  # most tests do without

    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


def only_models(
    project: Project, *names: str, comparisons: Iterable[tuple[str, str, str]] = ()
) -> None:
    """Leave no others in params.yaml, and ask nothing about others."""

    def change(values: dict[str, Any]) -> None:
        for name in set(MODELS) - set(names):
            del values["models"][name]
        keys = ("model", "against", "metric")
        values["compare"]["comparisons"] = [dict(zip(keys, c, strict=True)) for c in comparisons]

    project.edit_params(change)
