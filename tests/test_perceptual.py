"""LPIPS, FID and KID, by networks with random weights: the published ones are not ours to give."""

import json
import re

import numpy as np
import pandas as pd
import pytest
import torch
import torchvision
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
from torchmetrics.image import LearnedPerceptualImagePatchSimilarity

from colorize import color
from colorize.base.errors import UserError
from colorize.base.files import sha256_of
from colorize.comparison.significance import ImageMetrics
from colorize.data.reading.index import Index
from colorize.evaluation import baselines, perceptual, protocol
from colorize.evaluation.results import Interval
from tests.gpu import needs_gpu
from tests.test_report import render, results, rows_of, words

CPU = torch.device("cpu")


class Unread(FeatureExtractorInceptionV3):
    """With the weights that it was made with."""

    def load_state_dict(self, *_):
        pass


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A folder with both files, each named by how its SHA-256 begins."""
    folder = tmp_path_factory.mktemp("weights")
    torch.manual_seed(0)
    torch.save({}, folder / "empty")
    inception = Unread("random", ["2048"], str(folder / "empty"))
    for module in inception.modules():
        if isinstance(module, torch.nn.Conv2d):  # by default nothing is left after so many layers
            torch.nn.init.kaiming_normal_(module.weight)
    alexnet = torchvision.models.alexnet().features.state_dict()
    named = {
        "inception": inception.state_dict(),
        "alexnet": {f"features.{k}": v for k, v in alexnet.items()},
    }
    for name, state in named.items():
        torch.save(state, folder / name)
        prefix = sha256_of(folder / name)[:8]
        (folder / name).rename(folder / f"{name}-{prefix}.pth")
    return folder


@pytest.fixture
def published(weights, monkeypatch):
    """As if these were the published weights."""
    for name in ("inception", "alexnet"):
        (path,) = weights.glob(f"{name}-*.pth")
        monkeypatch.setattr(perceptual, name.upper(), path.stem[-8:])
    return weights


@pytest.fixture
def photographs(prepared, published, monkeypatch):
    """With features of an early layer, which are few, and quickly there."""
    monkeypatch.setattr(perceptual, "LAYER", "64")
    union, gray = prepared.path("data/union"), prepared.path("data/gray")
    statistics = json.loads(prepared.path("data/union/statistics.json").read_text())
    networks = perceptual.read(published, CPU)
    return protocol.Photographs(Index.read(union), union, gray, statistics, 32, 5, CPU, networks)


def pictures(count: int, seed: int = 0) -> torch.Tensor:
    numbers = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count, 3, 32, 32), generator=numbers, dtype=torch.uint8)


def test_lpips_is_that_of_torchmetrics(published, tmp_path, monkeypatch):
    """Which finds AlexNet in PyTorch's cache of downloads; there it must have a classifier too."""
    alexnet = torchvision.models.alexnet()
    (path,) = published.glob("alexnet-*.pth")
    alexnet.load_state_dict(torch.load(path), strict=False)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    (tmp_path / "checkpoints").mkdir()
    torch.save(alexnet.state_dict(), tmp_path / "checkpoints/alexnet-owt-7be5be79.pth")
    reference = LearnedPerceptualImagePatchSimilarity(net_type="alex", normalize=True)
    one, other = pictures(3), pictures(3, seed=1)
    found = perceptual.read(published, CPU).measure({"own": one, "same": other}, other)
    for i in range(3):
        expected = reference(color.to_float(one[i : i + 1]), color.to_float(other[i : i + 1]))
        assert found["own"]["lpips"][i] == pytest.approx(float(expected), rel=1e-5)
    assert (found["own"]["lpips"] > 0.01).all()
    assert (found["same"]["lpips"] == 0).all()


def test_features_are_those_of_inception(published):
    (path,) = published.glob("inception-*.pth")
    reference = FeatureExtractorInceptionV3("reference", ["2048"], str(path))
    one, other = pictures(3), pictures(3, seed=1)
    found = perceptual.read(published, CPU).measure({"own": one}, other)
    assert found["own"]["features"] == pytest.approx(reference(one)[0].numpy(), rel=1e-4)
    assert found[None]["features_of_truth"] == pytest.approx(reference(other)[0].numpy(), rel=1e-4)
    assert found["own"]["features"].std(0).mean() > 1e-3


def test_fid_and_kid_in_closed_form():
    """Sets that differ by a shift alone: FID is its square. KID: the sums over all pairs."""
    numbers = np.random.default_rng(0)
    features = numbers.normal(size=(50, 8))
    shifted = features + 0.5
    found = perceptual.distances(shifted, features)
    assert found["fid"].mean == pytest.approx(8 * 0.5**2, rel=1e-6)
    doubled = perceptual.distances(features.mean(0) + 2 * (features - features.mean(0)), features)
    assert doubled["fid"].mean == pytest.approx(features.var(0, ddof=1).sum(), rel=1e-6)

    def kernel(x, y):
        return (x @ y.T / 8 + 1) ** 3

    def of_others(x):
        k = kernel(x, x)
        return (k.sum() - np.trace(k)) / (50 * 49)

    expected = of_others(shifted) + of_others(features) - 2 * kernel(shifted, features).mean()
    assert found["kid"].mean == pytest.approx(expected, abs=1e-6)
    assert found["kid"].low is found["fid"].high is None
    assert perceptual.distances(features[:1], features[:1])["fid"].mean is None
    assert perceptual.distances(features[:1], features[:1])["kid"].mean is None


def test_kid_of_many_is_over_the_same_subsets_every_time(monkeypatch):
    monkeypatch.setattr(perceptual, "KID_IMAGES", 100)
    numbers = np.random.default_rng(0)
    one, other = numbers.normal(size=(300, 8)), numbers.normal(size=(300, 8))
    state = torch.get_rng_state()
    found = perceptual.distances(one, other)["kid"].mean
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(5)
    assert perceptual.distances(one, other)["kid"].mean == found
    monkeypatch.setattr(perceptual, "KID_IMAGES", 300)
    whole = perceptual.distances(one, other)["kid"].mean
    assert found != whole
    assert found == pytest.approx(whole, abs=0.02)


def test_rows_are_measured_by_the_networks_too(photographs, monkeypatch):
    trivial = baselines.trivial(photographs, (5.0, 10.0))
    rows = protocol.evaluate(trivial, photographs, ("val", "test"), 100)
    truth, gray = rows["ground_truth"].result, rows["grayscale"].result
    assert truth.test["lpips"] == Interval(mean=0, low=0, high=0)
    assert truth.test["fid"].mean == pytest.approx(0, abs=1e-3 * gray.test["fid"].mean)
    assert truth.test["kid"].mean < gray.test["kid"].mean
    assert gray.test["lpips"].low <= gray.test["lpips"].mean > 0.001
    assert gray.by_dataset["sample"].metrics.keys() >= {"lpips", "fid", "kid"}
    assert gray.not_measured == {}
    table = rows["grayscale"].images
    of_test = table[table["split"] == "test"]
    assert of_test["lpips"].mean() == pytest.approx(gray.test["lpips"].mean, abs=1e-6)
    assert not [column for column in table if "features" in column]
    monkeypatch.setattr(protocol, "STRIP", 32 * 32)  # single photographs
    again = protocol.evaluate(trivial, photographs, ("val",), 100)["grayscale"].result
    for metric in ("lpips", "fid", "kid"):
        assert again.val[metric].mean == pytest.approx(gray.val[metric].mean, rel=1e-4, abs=1e-6)


def test_the_report_shows_what_was_measured_or_why_it_was_not():
    def report(**changes) -> str:
        return " ".join(words(render(rows_of({"one": results(0.5) | changes}, {}))))

    missing = report()
    why = "evaluate.weights in params.yaml names no folder with the networks' weights"
    assert f"LPIPS, FID, KID are not measured: {why}." in missing.replace("&#39;", "'")
    assert "LPIPS lower" not in missing
    of_test = results(0.5)["test"]
    for name, value in (("lpips", 0.1234), ("fid", 56.78), ("kid", 0.0123)):
        of_test[name] = {"mean": value, "low": None, "high": None}
    measured = report(test=of_test, not_measured={})
    assert "LPIPS lower FID lower" in measured  # at once; KID on request
    assert "0.123 56.8" in measured
    assert "0.0123" in measured
    assert "not measured" not in measured


def test_a_contrast_by_what_was_not_measured_is_named(photographs, tmp_path):
    photographs.networks = None
    trivial = baselines.trivial(photographs, (5.0, 10.0))
    table = protocol.evaluate(trivial, photographs, ("val", "test"), 100)["grayscale"].images
    table.to_parquet(tmp_path / "one.parquet")
    with pytest.raises(UserError, match=r"one\.parquet: lpips was not measured; see evaluate\.we"):
        ImageMetrics(tmp_path / "one.parquet", "test")["lpips"]
    table.assign(lpips=0.5).to_parquet(tmp_path / "one.parquet")
    assert set(ImageMetrics(tmp_path / "one.parquet", "test")["lpips"]) == {0.5}


def test_weights_that_are_missing_or_others_are_named(project, weights):
    project.params(evaluate__weights="networks")
    said = project.stage("baselines", expect=2).stderr
    missing = r"error: evaluate\.weights: no \*-6726825d\.pth in networks \(Inception.*\)\n"
    assert re.fullmatch(missing, said)
    project.path("networks").mkdir()
    project.path("networks/pt_inception-2015-12-05-6726825d.pth").write_bytes(b"no weights")
    said = project.stage("baselines", expect=2).stderr
    other = r"error: networks/pt_inc.*-6726825d\.pth: its SHA-256 begins with \w{8}, not .*\n"
    assert re.fullmatch(other, said)
    assert not project.path("metrics/results/grayscale.json").exists()


def test_a_file_that_would_run_code_is_no_weights(tmp_path, monkeypatch):
    torch.save(pd.DataFrame({"a": [1]}), tmp_path / "file")
    prefix = sha256_of(tmp_path / "file")[:8]
    (tmp_path / "file").rename(tmp_path / f"x-{prefix}.pth")
    monkeypatch.setattr(perceptual, "INCEPTION", prefix)
    monkeypatch.setattr(perceptual, "ALEXNET", prefix)
    with pytest.raises(UserError, match=rf"x-{prefix}\.pth: no weights: "):
        perceptual.read(tmp_path, CPU)


@needs_gpu
def test_a_gpu_sees_what_a_cpu_does(published):
    one, other = pictures(5), pictures(5, seed=1)
    expected = perceptual.read(published, CPU).measure({"own": one}, other)
    networks = perceptual.read(published, torch.device("cuda"))
    found = networks.measure({"own": one.cuda()}, other.cuda())
    for row, quantities in expected.items():
        for name, value in quantities.items():
            assert found[row][name] == pytest.approx(value, rel=1e-2, abs=1e-2 * value.std()), name
