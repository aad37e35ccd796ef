"""The training stage as users run it: exact, resumable, and stopped without loss."""

import json
import os
import re
import shutil
import signal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from skimage.color import deltaE_ciede2000, rgb2lab

from colorize.base import files
from colorize.base.device import OutOfMemory, explained
from colorize.data.reading import index, tensors
from colorize.evaluation.results import Result
from colorize.methods.shared import model
from colorize.training import checkpoint, dataset, loop
from colorize.training.watch import Losses
from tests import zips
from tests.conftest import METHODS, MODELS, Project
from tests.gpu import needs_gpu
from tests.processes import wait_for_checkpoint

# When, who is killed, before which call of which function, and how many of 8 steps are saved then
MOMENTS = (
    ("while it imports", "trainer", "stages.common.read_params", 1, 0),
    ("while it imports", "dvc", "stages.common.read_params", 1, 0),
    ("while it loads", "trainer", "colorize.data.reading.photographs.read", 9, 0),
    # Each file and then its folder: val's curve in step 1, facts.json and the checkpoint in step 3
    ("while it saves", "trainer", "os.fsync", 5, 0),
    ("when it has saved", "trainer", "os.fsync", 7, 3),
    ("within a step", "trainer", "torch.optim.Adam.step", 1, 3),
    ("within a step", "dvc", "torch.optim.Adam.step", 1, 4),  # which it finishes and saves
    ("while outputs are written", "trainer", "safetensors.torch.save", 1, 8),
    ("while outputs are written", "dvc", "safetensors.torch.save", 1, 8),
    ("when all is written", "trainer", "colorize.training.checkpoint.Checkpoints.remove", 1, 8),
)


# Of every method, whether what it keeps from step to step comes back; of the paper's, the rest too.
WHEN_SAVED = MOMENTS[4:5]
EVERY_MOMENT = ("stargan",)
EVERY_MOMENT_IN_SOAK = ("zhang_l2", "gan", "cyclegan")
KEPT_LIKE_ANOTHER = ("zhang_class", "resnet_l2", "gan_bottleneck", "stargan_rgb")


@pytest.mark.parametrize(
    ("name", "moments"),
    [
        pytest.param(
            *(name, MOMENTS if name in EVERY_MOMENT else WHEN_SAVED),
            marks=pytest.mark.soak if name in KEPT_LIKE_ANOTHER else (),
        )
        for name in METHODS
    ]
    + [pytest.param(name, MOMENTS, marks=pytest.mark.soak) for name in EVERY_MOMENT_IN_SOAK],
)
def test_killed_and_resumed_it_ends_with_the_bytes_of_an_undisturbed_run(
    project, tmp_path, name, moments
):
    """Killed at one moment after the other, itself or dvc alone, and started again each time."""
    undisturbed = Project(shutil.copytree(project.root, tmp_path / "undisturbed"))
    undisturbed.stage("train", name)

    resumed = "resuming after step {} of 8\n"
    saved = 0
    for moment, who, function, call, saved_then in moments:
        said = project.stage(
            "train", name, killed=(function, call), under_dvc=who == "dvc", expect=130
        ).stderr
        assert not saved or resumed.format(saved) in said, (moment, who)
        saved = saved_then
        written = moment == "when all is written"
        assert project.path(f"models/{name}").exists() == written, (moment, who)
    assert resumed.format(saved) in project.stage("train", name).stderr

    assert project.trained(name) == undisturbed.trained(name)
    assert len(project.trained(name)) == 6
    assert not list(project.path(".scratch/training").iterdir())  # nothing is left behind


@pytest.mark.parametrize(
    "number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.soak)]
)
def test_stopped_it_says_what_was_saved_and_how_to_go_on(project, number):
    project.params(models__gan__steps=100_000, runtime__save_interval=10, runtime__workers=1)
    process = project.start("python", "-m", "stages.train", "gan")
    wait_for_checkpoint(project, process)
    os.killpg(process.pid, number)  # as a terminal does: the whole group, workers too
    error = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert "Traceback" not in error
    line = error.strip().splitlines()[-1]
    stopped = re.fullmatch(
        rf"gan: {signal.Signals(number).name}: stopped after step (\d+) of 100000; saved\. "
        r"Run the same command to go on\.",
        line,
    )
    assert stopped, error
    assert not project.path("models/gan").exists()
    said = project.stage("train", "gan", killed=("torch.optim.Adam.step", 1)).stderr
    assert f"resuming after step {stopped[1]} of 100000\n" in said


def test_it_starts_from_the_weights_that_it_is_told_to(project):
    project.stage("train", "gan")
    path = project.path("models/gan/weights.safetensors")
    start = {"path": "start.safetensors", "sha256": files.sha256_of(path)}
    shutil.copy(path, project.path("start.safetensors"))
    trained = load_file(path)
    # So small a step moves nothing that was trained; nor is there any decay to 0.
    project.params(models__gan__init_from=start, models__gan__learning_rate=1e-12)
    project.stage("train", "gan")
    again = load_file(path)
    assert all(torch.allclose(again[key], value, atol=1e-6) for key, value in trained.items())
    project.params(models__gan__width=4)
    said = project.stage("train", "gan", expect=2).stderr
    assert said.startswith("error: models.gan.init_from.path: start.safetensors has G.")


@pytest.mark.parametrize("name", ["gan", "stargan_rgb"])
def test_a_training_that_goes_on_comes_to_what_a_longer_one_does(project, tmp_path, name):
    longer = Project(shutil.copytree(project.root, tmp_path / "longer"))
    project.params(**{f"models__{name}__decay_from": 1})
    longer.params(**{f"models__{name}__decay_from": 1, f"models__{name}__steps": 16})
    longer.stage("train", name)
    project.stage("train", name)
    first = config_of(project, name)
    begun = project.path("mine.safetensors")
    project.path(f"models/{name}/training.safetensors").rename(begun)
    start = {"path": begun.name, "sha256": files.sha256_of(begun)}
    project.params(**{f"models__{name}__init_from": start})
    # Stopped, it goes on from its own checkpoint, not from the beginning.
    project.stage("train", name, **KILLED_IN_THE_LAST_STEP)
    assert "resuming after step 6 of 8" in project.stage("train", name).stderr
    for file in ("weights.safetensors", "training.safetensors"):
        ours, theirs = (load_file(p.path(f"models/{name}/{file}")) for p in (project, longer))
        assert ours.keys() == theirs.keys()
        assert all(torch.equal(tensor, theirs[key]) for key, tensor in ours.items())
    config = config_of(project, name)
    assert (config["steps"], config["images"]) == (16, 32)
    assert config["parameters"]["init_from"] == start
    assert config["continues"] == first
    results = []
    for each in (project, longer):
        each.stage("evaluate", name)
        results.append(Result.read(each.path(f"metrics/results/{name}.json")))
    assert results[0].headline == results[1].headline
    diagnostics = results[0].diagnostics
    assert diagnostics.steps_before == 8
    assert diagnostics.images_loaded == results[1].diagnostics.images_loaded


def test_a_training_that_dvc_would_remove_is_none_to_start_from(project):
    start = {"path": "./models/gan/../gan/training.safetensors", "sha256": "0" * 64}
    project.params(models__gan__init_from=start)
    said = project.stage("train", "zhang_l2", expect=2).stderr
    assert said == (
        "error: models.gan.init_from.path: models/gan/training.safetensors goes when it is trained "
        "again; copy it to another folder first (after `dvc checkout`, if it is gone)\n"
    )
    project.params(models__gan__init_from=start | {"path": ""})
    said = project.stage("train", "gan", expect=2).stderr
    assert said == "error: models.gan.init_from.path: .: Is a directory\n"


def test_the_step_is_kept_that_colors_val_best(project, tmp_path):
    # At this rate weights wander, and the last ones are not the best.
    changes = {"learning_rate": 0.5, "decay_from": 1, "keep": "ciede2000"}
    project.params(**{f"models__zhang_l2__{key}": value for key, value in changes.items()})
    undisturbed = Project(shutil.copytree(project.root, tmp_path / "undisturbed"))
    undisturbed.stage("train", "zhang_l2")
    longest = Project(shutil.copytree(undisturbed.root, tmp_path / "longest"))
    longest.params(models__zhang_l2__keep="last")
    longest.stage("train", "zhang_l2")
    project.stage("train", "zhang_l2", **KILLED_IN_THE_LAST_STEP)
    project.stage("train", "zhang_l2")
    assert project.trained("zhang_l2") == undisturbed.trained("zhang_l2")
    best = config_of(project, "zhang_l2")["kept"]
    assert 1 <= best["step"] < 8
    weights, training = (
        load_file(project.path(f"models/zhang_l2/{file}.safetensors"))
        for file in ("weights", "training")
    )
    assert not any(torch.equal(tensor, training[f"networks.{k}"]) for k, tensor in weights.items())
    # It is what a run would have come to that ends there, and its colors are as near as it says.
    undisturbed.params(models__zhang_l2__keep="last", models__zhang_l2__steps=best["step"])
    undisturbed.stage("train", "zhang_l2")
    ended = load_file(undisturbed.path("models/zhang_l2/weights.safetensors"))
    assert all(torch.equal(tensor, ended[key]) for key, tensor in weights.items())
    assert best["ciede2000"] == pytest.approx(ciede2000_of_val(project, "zhang_l2"), abs=1e-3)
    assert best["ciede2000"] < ciede2000_of_val(longest, "zhang_l2")
    project.stage("evaluate", "zhang_l2")
    result = Result.read(project.path("metrics/results/zhang_l2.json"))
    assert result.diagnostics.kept_step == best["step"]


def config_of(project: Project, name: str) -> dict:
    return json.loads(project.path(f"models/{name}/config.json").read_text())


def ciede2000_of_val(project: Project, name: str) -> float:
    """Of the squares that training looks at, by scikit-image."""
    union, gray = project.path("data/union"), project.path("data/gray")
    names = index.Index.read(union).split("val", "photograph")[:48]
    network = model.load(project.path(f"models/{name}"))
    made = network.colorize_bytes(tensors.squares(gray, names, 32, "L"))
    labs = (
        rgb2lab(of.permute(0, 2, 3, 1).numpy())
        for of in (made, tensors.squares(union, names, 32, "RGB"))
    )
    return float(deltaE_ciede2000(*labs).mean())


def test_images_are_mirrored_where_asked_for(project):
    def drawn(flip: bool) -> set[bytes]:
        rows = index.Index.read(project.path("data/union"))
        one = rows.split("train")[:1]
        pairs = dataset.PairedDataset(
            rows.groups(one),
            domains=("gray", "color"),
            shared=True,
            union=project.path("data/union"),
            gray=project.path("data/gray"),
            image_size=32,
            load_scale=1,
            flip=flip,
            aging=0,
            seed=0,
        )
        return {pairs[k]["color"].numpy().tobytes() for k in range(20)}

    assert len(drawn(flip=False)) == 1  # a square that fits: one crop
    assert len(drawn(flip=True)) == 2


def test_after_the_minutes_that_it_has_it_saves_and_stops(project):
    project.params(models__gan__steps=100_000, runtime__max_minutes=0.01)
    done = 0
    for _ in range(2):
        said = project.stage("train", "gan", expect=75).stderr.splitlines()[-1]
        stopped = re.fullmatch(
            r"gan: runtime\.max_minutes have passed: stopped after step (\d+) of 100000; saved\. "
            r"Run the same command to go on\.",
            said,
        )
        assert int(stopped[1]) > done
        done = int(stopped[1])


def test_a_full_disk_names_what_could_not_be_written(project):
    project.stage("train", "zhang_l2")
    for command, most, told in (
        (["union"], 4096, "data/union"),
        (["grayscale"], 2048, "data/gray"),
        (["evaluate", "zhang_l2"], 2048, "metrics/results/zhang_l2.json"),
        (["evaluate", "zhang_l2"], 30_000, "metrics/images/zhang_l2.parquet"),
        (["baselines"], 2048, "metrics/results/grayscale.json"),
    ):
        said = project.stage(*command, largest_file=most, expect=1).stderr
        assert f"error: [Errno 27] File too large: '{told}'\n" in said


@pytest.mark.parametrize("samples", [1, 5])
def test_what_is_watched_may_change_between_a_stop_and_the_next_run(project, tmp_path, samples):
    undisturbed = Project(shutil.copytree(project.root, tmp_path / "undisturbed"))
    project.stage("train", "zhang_l2", **KILLED_IN_THE_LAST_STEP)
    for each in (undisturbed, project):
        each.params(train={"samples": samples, "snapshots": 4, "measurements": 5})
        each.params(runtime__log_interval=3, runtime__save_interval=2, runtime__workers=1)
        each.stage("train", "zhang_l2")
    with Image.open(project.path("reports/training/zhang_l2.png")) as grid:
        assert grid.height > 20 * samples
    weights = "models/zhang_l2/weights.safetensors"
    assert project.path(weights).read_bytes() == undisturbed.path(weights).read_bytes()


def test_a_full_disk_loses_nothing(project, tmp_path):
    undisturbed = Project(shutil.copytree(project.root, tmp_path / "undisturbed"))
    undisturbed.stage("train", "gan")
    project.stage("train", "gan", **KILLED_IN_THE_LAST_STEP)
    # What a full disk does, a limit on the size of files does too: the write fails half-way.
    said = project.stage("train", "gan", largest_file=16_384, expect=1).stderr
    assert re.fullmatch(
        r"error: \[Errno \d+\] File too large: '\.scratch/training/gan-\w+/000000008-\w+\.pt'",
        said.splitlines()[-1],
    )
    assert "Traceback" not in said
    assert "resuming after step 6 of 8" in project.stage("train", "gan").stderr
    assert project.trained("gan") == undisturbed.trained("gan")


def test_curves_and_snapshots_are_there_while_it_trains(project):
    killed = ("colorize.training.checkpoint.Checkpoints.save", 2)  # after step 6
    said = project.stage("train", "stargan", killed=killed).stderr
    curve, grid = "metrics/training/stargan.csv", "reports/training/stargan.png"
    validation = "metrics/validation/stargan.csv"
    assert f"to watch: {curve} (`dvc plots show`), {grid}\n" in said
    assert not project.path("models/stargan").exists()
    partly = project.path(curve).read_text()
    assert partly.startswith("step,images,loss,")
    assert partly.count("\n") >= 2
    picture = Image.open(project.path(grid))
    measured = project.path(validation).read_text()
    assert [row.split(",")[0] for row in measured.splitlines()] == ["step", "1", "4"]
    project.stage("train", "stargan")
    assert project.path(validation).read_text().startswith(measured)
    assert project.path(curve).read_text().startswith(partly)
    assert Image.open(project.path(grid)).width > picture.width  # one more snapshot


def test_stopped_while_outputs_are_written_no_step_is_lost(project):
    project.path("models").touch()  # a file where the folder should be
    assert project.stage("train", "gan", expect=1).stderr.splitlines()[-1].startswith("error: ")
    project.path("models").unlink()
    assert "resuming after step 8 of 8" in project.stage("train", "gan").stderr


DIVERGING = """

_step = Method.step


def _diverging(self, batch, number, rng):
    losses = _step(self, batch, number, rng)
    if number == 5:
        {corrupt}
    return losses


Method.step = _diverging
"""


SPOIL_BOTH = """losses |= {"loss": losses["loss"] / 0}
        next(self.G.parameters()).data.fill_(float("nan"))"""


@pytest.mark.parametrize(
    ("steps", "corrupt", "message"),
    [
        (8, SPOIL_BOTH, r"step 5: .*diverged \(.*loss inf.*\)"),
        (8, 'losses |= {"loss": losses["loss"] / 0}', r"step 5: .*diverged \(.*loss inf.*\)"),
        (
            5,
            'next(self.G.parameters()).data.fill_(float("nan"))',
            r"step 5: .*diverged \(G\..*finite\)",
        ),
    ],
)
def test_training_that_diverges_stops_and_says_where(project, steps, corrupt, message):
    with open(project.path("colorize/methods/gan.py"), "a") as file:
        file.write(DIVERGING.format(corrupt=corrupt))
    project.params(models__gan__steps=steps, runtime__log_interval=100)  # saved before a row ends
    before = project.contents_of("metrics/training/gan.csv")
    said = project.stage("train", "gan", expect=2).stderr
    assert re.fullmatch(
        rf"error: models\.gan: {message}; saved after step 3", said.splitlines()[-1]
    )
    assert "Traceback" not in said
    assert not project.path("models/gan").exists()
    assert project.contents_of("metrics/training/gan.csv") == before
    # What was saved is from before.
    assert "resuming after step 3 of" in project.stage("train", "gan", expect=2).stderr


def test_a_weight_beyond_all_measure_is_no_model(project):
    project.params(models__cyclegan__cycle_weight=1e308)
    said = project.stage("train", "cyclegan", expect=2).stderr
    assert re.fullmatch(
        r"error: models\.cyclegan: step 1: training has diverged \(loss inf, .*\); "
        r"nothing was saved before",
        said.splitlines()[-1],
    )
    assert not project.path("models/cyclegan").exists()


def test_too_little_memory_is_said_in_one_line(project):
    project.params(models__gan__width=512, models__gan__depth=4)
    said = project.stage("train", "gan", memory=2**30, expect=2).stderr
    assert re.fullmatch(
        r"error: models\.gan: out of memory when [\d.]+ GiB more were needed; "
        r"lower its batch_size or width, or data\.image_size",
        said.splitlines()[-1],
    )
    assert "Traceback" not in said


def test_far_too_little_memory_is_said_before_any_is_taken(project):
    project.params(models__gan__width=1024, models__gan__depth=64)
    said = project.stage("train", "gan", expect=2).stderr
    assert re.fullmatch(
        r"error: models\.gan: training needs \S+ GiB of memory and more, \S+ GiB are there; "
        r"lower its width, depth or batch_size\n",
        said,
    )


@pytest.mark.parametrize(
    ("error", "amount"),
    [
        (
            torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB. GPU 0"),
            "20.00 MiB",
        ),
        (RuntimeError("MPS backend out of memory. Tried to allocate 1.5 GiB on pool"), "1.5 GiB"),
        (MemoryError("Unable to allocate 3.2 GiB for an array with shape (4,)"), "3.2 GiB"),
    ],
)
def test_what_lacked_memory_says_how_much(error, amount):
    with (
        pytest.raises(
            OutOfMemory, match=rf"a: out of memory when {amount} more were needed; lower b"
        ),
        explained("a", "b"),
    ):
        raise error


def test_other_errors_are_not_taken_for_too_little_memory():
    with pytest.raises(RuntimeError, match="shapes"), explained("a", "b"):
        raise RuntimeError("shapes do not fit")


class _Killed(torch.utils.data.Dataset):
    def __getitem__(self, k: int) -> dict:
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_killed_worker_is_named():
    with pytest.raises(OSError, match=r"decodes images was killed, .* runtime\.workers"):
        list(dataset.batches(_Killed(), 0, 4, 2, workers=1))


def test_photographs_without_color_are_found_before_training(project, tmp_path):
    grays = {f"trainA/{i}.png": zips.encoded(zips.image(i).convert("L")) for i in range(40)}
    grays["testA/t.png"] = zips.encoded(zips.image(99))
    catalog = zips.catalog(tmp_path, {"old": zips.dataset(tmp_path, "old", grays)})
    project.params(
        data__datasets=["old"],
        data__catalog=str(catalog),
        data__mirror=str(tmp_path),
        data__min_chroma=0,
    )
    for stage in ("download", "union", "grayscale"):
        project.stage(stage)
    said = project.stage("train", "gan", expect=2).stderr
    assert said.startswith(
        "error: data/union: the training photographs have no color to learn from"
    )


def test_a_row_of_losses_is_their_mean_however_many_steps_it_spans():
    losses = Losses()
    for step in range(1, 251):
        few = {"discriminator": torch.tensor(float(step)).requires_grad_()}
        losses.add(step, few | ({"loss": torch.tensor(2.0)} if step % 5 == 0 else {}))
    assert len(losses.waiting) < 150  # tensors are not held until the row ends
    assert losses.close_row(250, 500) == {"discriminator": 125.5, "loss": 2}


def zeroed(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes(64) + content[middle + 64 :]


CORRUPTIONS = {
    "zeroed": zeroed,
    "truncated": lambda content: content[:-1000],
    "empty": lambda _: b"",
    "foreign": lambda _: b"\x80\x02}q\x00.",
}

KILLED_IN_THE_LAST_STEP = {"killed": ("colorize.training.checkpoint.Checkpoints.save", 3)}


def kept(saved: checkpoint.Checkpoints) -> list[Path]:
    return sorted(saved.folder.glob("*.pt"))


@pytest.mark.parametrize("corrupt", CORRUPTIONS.values(), ids=CORRUPTIONS)
def test_a_corrupt_checkpoint_is_named(tmp_path, capsys, corrupt):
    saved = checkpoint.Checkpoints(tmp_path, "gan", {"seed": 0})
    for step in (1, 2):
        saved.save(step, {"weights": torch.full((1000,), step)})
    first, second = kept(saved)
    second.write_bytes(corrupt(second.read_bytes()))
    state = saved.load(torch.device("cpu"))
    assert torch.equal(state["weights"], torch.full((1000,), 1))
    assert (
        capsys.readouterr().err == f"{second}: corrupt, these are not the bytes that were saved\n"
    )
    assert kept(saved) == [first]
    first.write_bytes(corrupt(first.read_bytes()))
    assert saved.load(torch.device("cpu")) is None
    assert capsys.readouterr().err == f"{first}: corrupt, these are not the bytes that were saved\n"


def test_training_goes_on_from_the_checkpoint_before_a_corrupt_one(project, tmp_path):
    corrupt = CORRUPTIONS["zeroed"]
    undisturbed = Project(shutil.copytree(project.root, tmp_path / "undisturbed"))
    undisturbed.stage("train", "gan")
    project.stage("train", "gan", **KILLED_IN_THE_LAST_STEP)
    third, sixth = sorted(project.path(".scratch/training").glob("gan-*/*.pt"))
    sixth.write_bytes(corrupt(sixth.read_bytes()))
    said = project.stage("train", "gan").stderr
    name = sixth.relative_to(project.root)
    assert (
        f"{name}: corrupt, these are not the bytes that were saved\nresuming after step 3" in said
    )
    assert "Traceback" not in said
    assert project.trained("gan") == undisturbed.trained("gan")

    project.stage("train", "gan", **KILLED_IN_THE_LAST_STEP)
    for path in (third, sixth):
        path.write_bytes(corrupt(path.read_bytes()))
    said = project.stage("train", "gan").stderr
    assert said.count("corrupt") == 2
    assert "resuming" not in said
    assert project.trained("gan") == undisturbed.trained("gan")


def test_the_last_two_checkpoints_are_kept(tmp_path):
    saved = checkpoint.Checkpoints(tmp_path, "gan", {"seed": 0})
    assert saved.last_step() is None
    for step in (5, 10, 100):
        saved.save(step, {"step": step, "weights": [torch.tensor(step)]})
    assert [path.name.split("-")[0] for path in kept(saved)] == ["000000010", "000000100"]
    assert saved.last_step() == 100
    assert saved.load(torch.device("cpu")) == {"step": 100, "weights": [torch.tensor(100)]}


def test_a_changed_parameter_starts_afresh_and_is_named(project):
    project.stage("train", "gan", **KILLED_IN_THE_LAST_STEP)
    for change, named in (
        ({"models__gan__steps": 6}, "models.gan.steps (8, now 6)"),
        ({"seed": 1}, "models.gan.steps (8, now 6), seed (0, now 1)"),
        ({"models__gan__steps": 8, "seed": 0, "data__gray": "rec601"}, "data/gray/index.csv"),
    ):
        project.params(**change)
        if "data__gray" in change:
            project.stage("grayscale")
        said = project.stage("train", "gan").stderr
        assert re.search(rf"training/gan-\w+: not resumed; changed: {re.escape(named)}\n", said)
        assert "resuming" not in said
    with open(project.path("colorize/networks/shared/discriminators.py"), "a") as file:
        file.write("# A comment\n")
    said = project.stage("train", "gan").stderr
    assert "changed: colorize/networks/shared/discriminators.py, data/gray/index.csv\n" in said
    (facts,) = project.path(".scratch/training").glob("*/facts.json")
    facts.write_text("[1")
    assert "Traceback" not in project.stage("train", "gan").stderr


def test_a_comment_costs_no_training_where_no_result_depends_on_it(project):
    project.stage("train", "gan", **KILLED_IN_THE_LAST_STEP)
    # Shared, drawing, or another method's
    for inert in ("base/files", "base/__init__", "report/grids", "methods/stargan"):
        with open(project.path(f"colorize/{inert}.py"), "a") as file:
            file.write("# A comment\n")
    assert "resuming after step 6 of 8" in project.stage("train", "gan").stderr


# With cyclegan_lab_paired, whose pairs are photographs that it sees in color alone
UNPAIRED = [name for name, entry in MODELS.items() if entry.get("unpaired") == "disjoint"]
NOT_IN_SOAK = ("cyclegan", "stargan_lab", "zhang_l2")


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name in NOT_IN_SOAK else pytest.mark.soak)
        for name in (*UNPAIRED, "zhang_l2", "pix2pix_lab")
    ],
)
def test_unpaired_training_knows_no_true_color_of_its_gray_inputs(project, name):
    """Other colors for all that it sees in gray change nothing, to the byte."""
    project.stage("train", name)
    before = project.trained(name)
    rows = index.Index.read(project.path("data/union"))
    in_gray, in_color = index.parts(rows.groups(rows.split("train")), 2)
    for number, photograph in enumerate(in_gray):
        path = project.path(f"data/union/{photograph}")
        zips.image(number, *Image.open(path).size).save(path)
    project.stage("train", name)
    after = project.trained(name)
    assert in_color
    assert (after == before) == (name in UNPAIRED)


def test_a_steps_randomness_depends_on_seed_and_step_alone():
    """Torch's own generator included, which dropout draws from."""

    def numbers(seed: int, step: int) -> tuple[float, float]:
        rng = loop.randomness(seed, step)
        return float(torch.rand((), generator=rng)), float(torch.rand(()))

    known = {key: numbers(*key) for key in ((0, 1), (0, 2), (1, 1))}
    assert len({number for pair in known.values() for number in pair}) == 6
    assert all(numbers(*key) == pair for key, pair in reversed(known.items()))


def test_the_curves_and_the_grid(project):
    project.stage("train", "stargan")
    rows = project.path("metrics/training/stargan.csv").read_text().splitlines()
    assert rows[0].startswith("step,images,loss,")
    assert [row.split(",")[:2] for row in rows[1:]] == [["3", "6"], ["6", "12"], ["8", "16"]]
    assert project.path("reports/training/stargan.png").stat().st_size > 1000


def test_faults_in_the_data_are_named(project):
    project.params(data__image_size=64)
    project.params(models__stargan__discriminator_layers=4)
    said = project.stage("train", "gan", expect=2).stderr
    assert "data/union: made with data.image_size = 32, params.yaml says 64" in said
    project.params(data__image_size=32, runtime__device="cuda:7")
    assert (
        "runtime.device: cuda:7 is not available" in project.stage("train", "gan", expect=2).stderr
    )
    project.params(runtime__device="cpu")
    for path in project.path("data/gray").glob("*.png"):
        path.write_bytes(b"")
    said = project.stage("train", "gan", expect=2).stderr
    assert re.search(r"error: data/gray/\w+\.png: cannot be decoded as an image", said)
    assert "Traceback" not in said
    shutil.rmtree(project.path("data/union"))
    assert "run `dvc repro`" in project.stage("train", "gan", expect=2).stderr
    assert not project.path("models").exists()


def test_a_broken_image_found_by_a_worker_is_named_in_one_line(project):
    rows = index.Index.read(project.path("data/union"))
    for name in rows.split("train"):
        project.path(f"data/gray/{name}").write_bytes(b"")
    project.params(runtime__workers=1)
    said = project.stage("train", "gan", expect=2).stderr
    last = said.strip().splitlines()[-1]
    assert re.fullmatch(r"error: data/gray/\w+\.png: cannot be decoded as an image .*", last)
    assert "Traceback" not in said


def test_stale_folders_are_named(project):
    project.stage("train", "gan")
    project.params(data__image_size=64)
    project.stage("union")
    for command in (["train", "gan"], ["evaluate", "gan"], ["baselines"]):
        said = project.stage(*command, expect=2).stderr
        assert (
            said == "error: data/gray: made from another union; run `dvc repro` to make it again\n"
        )
    project.stage("grayscale")
    said = project.stage("evaluate", "gan", expect=2).stderr
    assert "models/gan: trained at data.image_size = 32, params.yaml says 64" in said


@pytest.mark.soak
def test_where_nothing_compiles_it_goes_on_without(project, tmp_path):
    project.stage("train", "gan")
    expected = project.trained("gan")
    project.params(runtime__compile=True)
    environment = f"CXX=no-such-compiler TORCHINDUCTOR_CACHE_DIR={tmp_path}"
    said = project.run("bash", "-c", f"{environment} exec python -m stages.train gan").stderr
    assert said.count("runtime.compile: not possible here, going on without (") == 1
    assert "Traceback" not in said
    assert project.trained("gan") == expected


@pytest.mark.soak
def test_compiled_it_learns_the_same_but_for_rounding(project):
    """Of every method test_methods.py says so, in float64."""
    project.stage("train", "gan")
    expected = pd.read_csv(project.path("metrics/training/gan.csv"))
    project.params(runtime__compile=True)
    project.run("python", "-m", "stages.train", "gan")
    found = pd.read_csv(project.path("metrics/training/gan.csv"))
    assert list(found) == list(expected)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)


@needs_gpu
@pytest.mark.parametrize("name", METHODS)
def test_every_method_trains_on_a_gpu(project, name):
    project.params(runtime__device="cuda")
    project.stage("train", name)
    project.stage("evaluate", name)
