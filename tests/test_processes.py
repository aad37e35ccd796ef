"""Several processes that train one model together do what one does, to rounding."""

import datetime
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, distributed, multiprocessing

from colorize.base.errors import UserError
from colorize.methods.shared.base import within
from colorize.training.runtime import check_device, processes_for
from stages import parameters
from tests.conftest import Project
from tests.gpu import needs_gpu
from tests.processes import wait_for_checkpoint
from tests.test_methods import ALL, batch_for, built

COUNT = 2
CASES = {case.id: case.values for case in ALL}
CASES |= {
    # Networks as narrow as these hardly feel what is dropped, unless nothing is normalized away.
    "pix2pix_lab-dropout": ("pix2pix_lab", {"dropout": 0.5, "norm": "group"}),
    "nogan_lab-dropout": ("nogan_lab", {"dropout": 0.5, "norm": "group"}),
    # Pools that are full at once
    "cyclegan-pool": ("cyclegan", {"pool": 6}),
    "gan-pool": ("gan", {"pool": 6}),
    # What is shared are the parts of a batch.
    "stargan-parts": ("stargan", {"accumulation": 2}),
    "cyclegan-parts": ("cyclegan", {"accumulation": 2, "pool": 6}),
    "zhang_l2-parts": ("zhang_l2", {"accumulation": 2}),
    "pix2pix_lab-parts": ("pix2pix_lab", {"accumulation": 2, "dropout": 0.5}),
}
QUICK = ["zhang_l2", "stargan", "stargan_rgb", "cyclegan-pool", "pix2pix_lab-parts"]


def trained(name: str, changes: dict[str, Any], steps: int, device: str) -> dict[str, Any]:
    """Some steps of batches of 8, of which each process takes its share."""
    method = built(name, **changes)[0].to(device)
    gradients: list[dict[str, Tensor]] = []
    update = method.update

    def noted(key: str, *inputs: Tensor):
        found = update(key, *inputs)
        weights = method.named_parameters()
        gradients.append({n: w.grad.cpu() for n, w in weights if w.grad is not None})
        return found

    method.update = noted
    losses = []
    for number in range(1, steps + 1):
        batch = {k: method.shard(whole).to(device) for k, whole in batch_for(method, 8).items()}
        torch.manual_seed(number)
        losses.append(method.step(batch, number, torch.Generator().manual_seed(number)))
    state = method.training_state()
    networks, pools = (
        {key: value.cpu() for key, value in within(state, part).items()}
        for part in ("networks", "pools")
    )
    return {"gradients": gradients, "losses": losses, "networks": networks, "pools": pools}


def work(
    number: int, folder: Path, dtype: torch.dtype, steps: int, cases: list[str], device: str
) -> None:
    torch.set_num_threads(1)
    torch.set_default_dtype(dtype)
    distributed.init_process_group(
        "gloo",
        init_method=f"file://{folder}/meeting",
        rank=number,
        world_size=COUNT,
        timeout=datetime.timedelta(minutes=2),
    )
    found = {key: trained(*CASES[key], steps, device) for key in cases}
    torch.save(found, folder / f"{number}.pt")
    distributed.destroy_process_group()


def flat(tensors: dict[str, Tensor]) -> Tensor:
    return torch.cat([tensor.flatten() for tensor in tensors.values()])


def distance(ours: dict[str, Tensor], theirs: dict[str, Tensor]) -> float:
    return float((flat(ours) - flat(theirs)).norm() / flat(theirs).norm())


Case = tuple[str, dict[str, Any]]  # of CASES


def compare(
    folder: Path,
    dtype: torch.dtype,
    steps: int,
    cases: list[str],
    most: float,
    device: str = "cpu",
    alone: Callable[[Case], Case] = lambda case: case,
) -> None:
    """Of the gradients of the first update `most` is the relative distance.

    alone: what one process is to do where two do as the case says.
    """
    multiprocessing.spawn(work, (folder, dtype, steps, cases, device), COUNT)
    first, second = (torch.load(folder / f"{number}.pt") for number in range(COUNT))
    for key in cases:
        ours, theirs = first[key], trained(*alone(CASES[key]), steps, device)
        for name, value in ours["networks"].items():  # to the byte
            assert torch.equal(value, second[key]["networks"][name]), (key, name)
        far = distance(ours["gradients"][0], theirs["gradients"][0])
        assert far < most, (key, far)
        assert len(ours["gradients"]) == len(theirs["gradients"])
        if dtype == torch.float64:  # in float32 rounding grows too fast to tell it from mistakes
            agree(key, ours, theirs)


def agree(key: str, ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    for found, expected in zip(ours["losses"], theirs["losses"], strict=True):
        assert found.keys() == expected.keys()
        for name, value in expected.items():
            assert float(found[name]) == pytest.approx(float(value), rel=1e-7, abs=1e-9), (
                key,
                name,
            )
    for pool, images in theirs["pools"].items():
        assert torch.allclose(ours["pools"][pool], images, atol=1e-7)
    for name, value in theirs["networks"].items():
        slopes = [g for g in theirs["gradients"] if name in g]
        # Of a bias that a norm takes away the slope is rounding alone; Adam makes steps of it.
        if slopes and max(float(g[name].norm() / flat(g).norm()) for g in slopes) < 1e-9:
            continue
        assert torch.allclose(ours["networks"][name], value, rtol=1e-7, atol=1e-9), (key, name)


@pytest.mark.usefixtures("float64")
def test_two_processes_move_weights_as_one_does(tmp_path):
    compare(tmp_path, torch.float64, 5, QUICK, most=1e-12)


@pytest.mark.soak
@pytest.mark.usefixtures("float64")
def test_all_methods_move_weights_as_one_process_does(tmp_path):
    compare(tmp_path, torch.float64, 20, list(CASES), most=1e-12)


@needs_gpu
@pytest.mark.usefixtures("float64")
def test_two_processes_move_weights_on_a_gpu(tmp_path):
    """Both on the one that is there, so through gloo: NCCL wants a GPU for each."""
    compare(tmp_path, torch.float64, 5, list(CASES), most=1e-12, device="cuda")


def in_as_many_parts(case: Case) -> Case:
    """What rounding does to a batch in parts is the same in one process: a pixel at the kink of an
    L1 changes sides, which in `cyclegan-resize` is 2e-5 of the gradient.

    Batch statistics are those of the parts; of processes they are summed.
    """
    name, changes = case
    if name.startswith("zhang"):
        return case
    return name, changes | {"accumulation": COUNT * changes.get("accumulation", 1)}


@pytest.mark.soak
def test_in_single_precision_it_is_rounding(tmp_path):
    compare(tmp_path, torch.float32, 1, list(CASES), most=1e-6, alone=in_as_many_parts)


STAGE = ("python", "-m", "stages.train", "gan")
SAVED = "; saved. Run the same command to go on."


@pytest.fixture
def together(project) -> Project:
    """Two processes are to train `gan`, for a while; three could as well."""
    project.params(
        runtime__processes=2,
        runtime__save_interval=5,
        models__gan__steps=60,
        models__gan__batch_size=6,
        models__gan__pool=4,
        models__gan__learning_rate=1e-4,  # the faster, the more rounding grows
    )
    return project


def weights(project: Project) -> Tensor:
    """But for biases that normalization takes away, which move by rounding alone."""
    found = load_file(project.path("models/gan/weights.safetensors"))
    return torch.cat([v.flatten() for name, v in found.items() if not name.endswith("bias")])


def members(process: subprocess.Popen) -> list[psutil.Process]:
    found = psutil.Process(process.pid).children()
    return [child for child in found if "stages.train" in child.cmdline()]


def saved(project: Project) -> int:
    """After how many steps was last saved?"""
    files = project.path(".scratch").glob("training/*/0*.pt")
    return max((int(file.name.split("-")[0]) for file in files), default=0)


@pytest.mark.soak
@pytest.mark.parametrize("killed", [0, 1])
@pytest.mark.parametrize("counts", [(2, 2, 2, 2), (2, 3, 2, 1)])
def test_one_is_killed_and_any_number_goes_on(together, tmp_path, counts, killed):
    undisturbed = Project(shutil.copytree(together.root, tmp_path / "undisturbed"))
    undisturbed.run(*STAGE)
    expected = weights(undisturbed)

    done = 0
    for count in counts[:-1]:
        together.params(runtime__processes=count)
        process = together.start(*STAGE)
        while saved(together) <= done:
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.01)
        found = members(process)
        assert len(found) == count
        found[killed].kill()
        said = process.communicate(timeout=10)[1]
        assert process.returncode == 1, said
        assert "gan: another process of this training is gone; saved after step " in said
        psutil.wait_procs(found, timeout=10)
        assert not any(member.is_running() for member in found)
        assert saved(together) > done
        done = saved(together)
        assert f"saved after step {done}. Run the same command to go on." in said
    together.params(runtime__processes=counts[-1])
    assert f"resuming after step {done} of 60" in together.run(*STAGE).stderr
    assert saved(together) == 0
    if set(counts) == {2}:
        assert torch.equal(weights(together), expected)
    else:  # to rounding, which grew to 2e-4; a step that was lost or made twice would be 5e-3
        assert (weights(together) - expected).norm() < 1e-3 * expected.norm()


@pytest.mark.soak
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_all_stop_together_and_go_on(together, number):
    process = together.start(*STAGE)
    wait_for_checkpoint(together, process)
    process.send_signal(number)
    said = process.communicate(timeout=10)[1]
    assert process.returncode == 130
    assert SAVED in said
    assert "resuming after step " in together.run(*STAGE).stderr


@pytest.mark.soak
def test_what_one_cannot_read_is_said_once(together):
    files = sorted(together.path("data/union").glob("*.png"))
    for file in files:
        file.write_bytes(file.read_bytes()[:200])
    said = together.run(*STAGE, expect=2).stderr
    assert said.count("error: ") == 1
    assert "cannot be decoded as an image" in said


def test_as_many_as_can_share_a_batch_train(together, capsys):
    def count(processes: int, **changes: Any) -> int:
        p = params.model("gan").model_copy(update=changes)
        runtime = params.runtime.model_copy(update={"processes": processes, "device": "cpu"})
        return processes_for("gan", p, runtime)

    params = parameters.read(together.path("params.yaml"))
    assert [count(n) for n in (1, 2, 3)] == [1, 2, 3]
    assert capsys.readouterr().err == ""
    assert count(4) == 3
    said = "models.gan: 3 of runtime.processes, 4, can share batch_size, 6, equally\n"
    assert capsys.readouterr().err == said
    assert count(3, accumulation=3) == 2
    assert "can share batch_size, 6, in 3 parts equally" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("device", "said"),
    [
        ("mps", "runtime.device: mps is one, and runtime.processes asks for 2"),
        ("cuda:1", "runtime.device: cuda:1 is one, and runtime.processes asks for 2"),
        ("cuda", "runtime.processes: 2, each needs a GPU, and there are 1"),
    ],
)
def test_each_process_needs_its_own_gpu(monkeypatch, device, said):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(UserError, match=f"^{said}$"):
        check_device(torch.device(device), 2)
