"""Evaluation and report on models whose results are known."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file, save_file

from colorize import color
from colorize.base.errors import UserError
from colorize.base.files import sha256_of
from colorize.data.reading.index import Index, others
from colorize.evaluation import baselines, protocol, quantities
from colorize.evaluation.baselines import TRIVIAL
from colorize.evaluation.colors import Colors
from colorize.evaluation.quantities import measure
from colorize.evaluation.results import Result
from colorize.methods.shared import model
from colorize.methods.shared.base import InitFrom
from colorize.methods.shared.start import start_from
from colorize.report import pictures, tables
from stages.parameters import read
from tests.conftest import MODELS, Project, only_models
from tests.gpu import needs_gpu
from tests.test_report import render

CPU = torch.device("cpu")
COUNTS = ("ab_histogram", "patches")  # columns that count pixels or patches
SPLITS = ("val", "test")


@pytest.fixture(scope="module")
def statistics(prepared):
    return json.loads(prepared.path("data/union/statistics.json").read_text())


@pytest.fixture(scope="module")
def photographs(prepared, statistics):
    union, gray = prepared.path("data/union"), prepared.path("data/gray")
    return protocol.Photographs(Index.read(union), union, gray, statistics, 32, 500, CPU)


@pytest.fixture(scope="module")
def trivial(photographs, statistics):
    rows = baselines.trivial(photographs, statistics["mean_ab"])
    evaluated = protocol.evaluate(rows, photographs, SPLITS, 200)
    return {name: row.result for name, row in evaluated.items()}


def copied(batch: protocol.Batch) -> dict[str, torch.Tensor]:
    return {"copy": batch.gray.expand(-1, 3, -1, -1)}


def mean(result: Result, metric: str, split: str = "test") -> float:
    return result.on(split)[metric].mean


def test_the_trivial_rows_are_what_they_claim(trivial):
    assert tuple(trivial) == TRIVIAL
    assert mean(trivial["ground_truth"], "ciede2000") == 0
    assert mean(trivial["grayscale"], "projection") == 0
    assert mean(trivial["grayscale"], "change_ratio") == 0
    # Others' colors come in about the right amount, on average, and are wrong.
    assert mean(trivial["random_color"], "chroma_ratio") == pytest.approx(1, abs=0.3)
    assert mean(trivial["random_color"], "ciede2000") > mean(trivial["quarter_chroma"], "ciede2000")
    assert 0 < mean(trivial["quarter_chroma"], "ciede2000") < 6
    for name in ("mean_color", "random_color", "quarter_chroma"):
        assert mean(trivial[name], "lightness_error") < 0.3


def test_random_color_is_a_derangement_of_true_ones(photographs):
    names = photographs.index.split("test")
    groups = photographs.index.groups(names)
    assert len(set(groups.values())) == 3
    other = others(groups)
    assert all(groups[name] != groups[other[name]] for name in names)
    rows = baselines.trivial(photographs, [0, 0])
    batch = photographs.read(names[:3])
    truth = photographs.read([other[name] for name in names[:3]]).truth
    expected = color.to_uint8(color.repaint(color.to_float(batch.gray), color.to_float(truth)))
    assert torch.equal(rows(batch)["random_color"], expected)


def test_by_dataset_and_sides(photographs, statistics, prepared, tmp_path):
    """A dataset's other sides stand apart, and never in the headline."""
    union = tmp_path / "union"
    shutil.copytree(prepared.path("data/union"), union)
    rows = pd.read_csv(union / "index.csv", keep_default_na=False)
    test = rows.index[rows["kept"] & (rows["split"] == "test")]
    rows.loc[test[:3], "side"] = "painting"
    rows.loc[test[3:5], "dataset"] = "other"
    rows.to_csv(union / "index.csv", index=False)
    mixed = protocol.Photographs(
        Index.read(union), union, photographs.gray, statistics, 32, 500, CPU
    )
    result = protocol.evaluate(copied, mixed, SPLITS, 100)["copy"].result
    counts = {name: entry.images for name, entry in result.by_dataset.items()}
    assert counts == {"other": 2, "sample": 3, "sample/painting": 3}
    assert result.images == 5


def test_neither_order_nor_cores_change_a_bit(photographs):
    torch.manual_seed(0)
    network = torch.nn.Sequential(
        torch.nn.Conv2d(1, 32, 5, padding=2), torch.nn.ReLU(), torch.nn.Conv2d(32, 2, 5, padding=2)
    ).requires_grad_(False)

    def tinted(batch: protocol.Batch) -> dict[str, torch.Tensor]:
        gray = color.to_float(batch.gray)
        tint = color.to_uint8(color.join(color.lightness_of(gray), 100 * network(gray)))
        return {"tinted": tint}

    def measured(names: list[str]) -> pd.DataFrame:
        quantities = protocol.measure(tinted, photographs, names)["tinted"]
        return pd.DataFrame({name: list(map(str, q)) for name, q in quantities.items()}, names)

    names = photographs.index.split("test")
    expected, cores = measured(names), torch.get_num_threads()
    pd.testing.assert_frame_equal(measured(names[::-1]).loc[names], expected)
    for count in (1, 3):
        torch.set_num_threads(count)
        pd.testing.assert_frame_equal(measured(names), expected)
        assert torch.get_num_threads() == count
    torch.set_num_threads(cores)
    assert expected["ciede2000"].nunique() == len(names)


def test_a_batch_has_the_values_of_its_photographs(photographs):
    """On a GPU many are measured at once."""
    names = photographs.index.split("test")[:5]
    batch, rarity = photographs.read(names), photographs.rarity
    halved = color.join(color.lightness_of(batch.gray), color.rgb_to_lab(batch.truth)[:, 1:] / 2)
    predicted = color.to_uint8(halved)
    found = measure({"halved": predicted}, batch.truth, batch.gray, rarity)
    for number in range(len(names)):
        one = slice(number, number + 1)
        alone = measure({"halved": predicted[one]}, batch.truth[one], batch.gray[one], rarity)
        for name, value in alone["halved"].items():
            assert found["halved"][name][one] == pytest.approx(value, rel=1e-6), name


class Faint(torch.nn.Module):
    """Predicts a third of the true ab."""

    output = "ab"

    def __init__(self, photographs):
        super().__init__()
        names = photographs.index.split("val") + photographs.index.split("test")
        batch = photographs.read(names)
        lab = color.rgb_to_lab(color.to_float(batch.truth))
        self.known = {g.numpy().tobytes(): ab for g, ab in zip(batch.gray, lab[:, 1:], strict=True)}

    def predict_ab(self, gray):
        keys = [(g * 255).round().to(torch.uint8).numpy().tobytes() for g in gray]
        return torch.stack([self.known[key] for key in keys]) / 3


@needs_gpu
def test_of_the_same_colors_a_gpu_measures_what_a_cpu_does(photographs):
    names, rarity = photographs.index.split("test"), photographs.rarity
    batch = photographs.read(names)
    halved = color.join(color.lightness_of(batch.gray), color.rgb_to_lab(batch.truth)[:, 1:] / 2)
    predicted = color.to_uint8(halved)
    on_cpu, on_gpu = (
        measure(
            {"halved": predicted.to(device)},
            batch.truth.to(device),
            batch.gray.to(device),
            rarity,
        )
        for device in ("cpu", "cuda")
    )
    assert on_gpu.keys() == on_cpu.keys() == {None, "halved"}
    for expected, found in ((on_cpu[row], on_gpu[row]) for row in on_cpu):
        assert found.keys() == expected.keys()
        for name, value in expected.items():
            if name.startswith(COUNTS):  # a pixel on the border of two bins may fall into either
                assert np.abs(found[name] - value).sum() <= 1e-4 * value.sum(), name
            elif name.startswith("thumbnail"):  # means that may cancel, in units of Lab
                assert found[name] == pytest.approx(value, rel=1e-4, abs=1e-4), name
            else:
                assert found[name] == pytest.approx(value, rel=1e-4), name


@needs_gpu
def test_a_model_measured_on_a_gpu_has_the_values_of_the_cpu(project):
    """But for its colors, which arithmetic that is rounded otherwise moves by a level of 255."""
    project.stage("train", "zhang_l2")
    found = {}
    for device in ("cpu", "cuda"):
        project.params(runtime__device=device)
        project.stage("evaluate", "zhang_l2")
        found[device] = pd.read_parquet(project.path("metrics/images/zhang_l2.parquet"))
    for column in found["cpu"].filter(regex="|".join(COUNTS)):
        on_cpu, on_gpu = (np.stack(found[device].pop(column)) for device in ("cpu", "cuda"))
        assert np.abs(on_gpu - on_cpu).sum() <= 2e-2 * on_cpu.sum(), column
    pd.testing.assert_frame_equal(found["cuda"], found["cpu"], rtol=2e-2, atol=2e-2)


def test_the_gain_brings_back_the_chroma_that_is_missing(photographs, monkeypatch):
    colors = Colors(Faint(photographs), Path("models/faint"))
    for name in ("ciede2000", "ssim", "decibels"):  # what the gain does not depend on
        monkeypatch.setattr(quantities, name, None)
    gain = colors.fit_gain(photographs)
    monkeypatch.undo()
    assert gain == pytest.approx(3, rel=0.02)
    rows = protocol.evaluate(lambda b: colors.rows(b, gain), photographs, SPLITS, 100)
    result = rows["chroma_scaled"].result
    assert mean(result, "chroma_ratio", "val") == pytest.approx(1, abs=2e-3)
    assert mean(result, "ciede2000") < 0.5


def test_multiply_adds_are_those_of_the_layers():
    entry = MODELS["stargan"] | {"width": 64, "depth": 6}
    published = Colors(model.build(model.parse(entry, "models.stargan"), 128), Path("published"))
    shrinking = 64 * 128 * 64**2 + 128 * 256 * 32**2  # 4 x 4 kernels, as in growing again
    ends = (5 + 3) * 64 * 128**2  # 7 x 7: with two planes of labels to 64 channels, and from them
    residual = 12 * 256 * 256 * 32**2  # 3 x 3
    assert published.multiply_adds() == 2 * 16 * shrinking + 49 * ends + 9 * residual


def test_what_rows_are_compared_with_is_computed_once(photographs, monkeypatch):
    converted = []
    convert = color.rgb_to_lab
    monkeypatch.setattr(color, "rgb_to_lab", lambda rgb: converted.append(len(rgb)) or convert(rgb))
    names = photographs.index.split("test")[:5]
    protocol.measure(lambda batch: dict.fromkeys("abc", batch.truth), photographs, names)
    assert sum(converted) == 4 * len(names)  # three rows, and the truth


def test_of_val_the_first_are_measured(photographs, statistics):
    val = photographs.index.split("val", "photograph")
    index, union = photographs.index, photographs.union
    few = protocol.Photographs(index, union, photographs.gray, statistics, 32, 3, CPU)
    assert few.val == val[:3]
    assert len(val) > 3
    result = protocol.evaluate(lambda batch: {"own": batch.truth}, few, SPLITS, 100)["own"]
    assert result.result.images_val == 3
    assert result.result.groups_val == few.index.rows.loc[few.val, "group"].nunique()
    assert list(result.images["name"][:3]) == val[:3]


def test_every_photographs_quantities_are_kept(project):
    project.stage("train", "zhang_l2")
    project.stage("train", "gan")
    project.stage("evaluate", "zhang_l2")
    project.stage("evaluate", "gan")
    project.stage("baselines")
    assert_the_table_matches(project, "zhang_l2", "chroma_scaled_")
    assert_the_table_matches(project, "gan", "input_L_")
    assert_the_table_matches(project, "grayscale", "")
    before = project.contents_of("metrics/images")
    project.stage("baselines")
    assert project.contents_of("metrics/images") == before


def assert_the_table_matches(project: Project, name: str, prefix: str) -> None:
    """The photographs' quantities, those with the prefix, and the means of that row."""
    index = Index.read(project.path("data/union"))
    table = pd.read_parquet(project.path(f"metrics/images/{name}.parquet"))
    assert list(table["name"]) == [*index.split("val", "photograph"), *index.split("test")]
    assert list(table.columns[:5]) == ["name", "group", "dataset", "side", "split"]
    assert dict(zip(table["name"], table["group"], strict=True)) == index.groups(
        list(table["name"])
    )
    assert table["group"].nunique() == 4  # photographs that the tiles are of
    result = json.loads(project.path(f"metrics/results/{name}.json").read_text())
    row = result[prefix.strip("_")] if prefix else result
    for split in ("val", "test"):
        of_split = table[(table["split"] == split) & (table["side"] == "photograph")]
        ciede2000 = of_split[f"{prefix}ciede2000"].mean()
        assert ciede2000 == pytest.approx(row[split]["ciede2000"]["mean"], abs=1e-5)
        ratio = of_split[f"{prefix}chroma"].sum() / of_split["chroma_of_truth"].sum()
        assert ratio == pytest.approx(row[split]["chroma_ratio"]["mean"], abs=1e-5)


def test_evaluate_names_a_model_that_is_missing_or_broken(project):
    said = project.stage("evaluate", "gan", expect=2).stderr
    assert re.fullmatch(r"error: models/gan: no model here .*\n", said)
    project.stage("train", "gan")
    weights = project.path("models/gan/weights.safetensors")
    weights.write_bytes(weights.read_bytes()[:1000])
    said = project.stage("evaluate", "gan", expect=2).stderr
    assert re.fullmatch(r"error: models/gan: not a model that can be loaded .*\n", said)
    assert not project.path("metrics/results/gan.json").exists()


def save_model(project: Project, name: str, weights: float) -> None:
    """A model of which all weights are the same, in place of a trained one."""
    parameters = read(project.path("params.yaml")).model(name)
    network = model.build(parameters, 32)
    for weight in network.parameters():
        weight.data.fill_(weights)
    model.save(network, project.path(f"models/{name}"))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("gan", r"gives every photograph the same picture \(diversity 0.00\)"),
        ("zhang_l2", r"copies its input \(projection 0.00\)"),
    ],
)
def test_a_model_that_does_nothing_is_called_what_it_is(project, name, words):
    save_model(project, name, 0.0)
    said = project.stage("evaluate", name).stderr
    assert re.findall(rf"(?m)^{name} {words}, on (\w+)$", said) == ["val", "test"]


def test_a_model_of_another_size_is_named(photographs):
    class Larger(torch.nn.Module):
        output = "rgb"

        def colorize(self, gray):
            return torch.zeros(len(gray), 3, 36, 32)

    colors = Colors(Larger(), Path("models/larger"))
    message = "models/larger: the model gives 3 x 36 x 32 numbers for a photograph of 32 x 32"
    with pytest.raises(UserError, match=message):
        colors.rows(photographs.read(photographs.val[:1]))


def test_test_is_read_only_where_it_is_asked_for(project):
    """With val alone, photographs of test may be missing."""
    index = Index.read(project.path("data/union"))
    for name in index.split("test"):
        project.path(f"data/union/{name}").unlink()
        project.path(f"data/gray/{name}").with_suffix(".png").unlink()
    save_model(project, "zhang_l2", 0.0)
    project.params(evaluate__splits=["val"])
    project.stage("evaluate", "zhang_l2")
    project.stage("baselines")
    results = {
        name: Result.read(project.path(f"metrics/results/{name}.json"))
        for name in ("zhang_l2", *TRIVIAL)
    }
    assert {result.test for result in results.values()} == {None}
    assert {result.images for result in results.values()} == {len(index.split("val"))}
    only_models(project, "zhang_l2")
    project.stage("compare")
    assert json.loads(project.path("metrics/significance.json").read_text())["split"] == "val"
    rows = tables.rows_of({"zhang_l2": results.pop("zhang_l2")}, results)
    shown = {"zhang_l2": pictures.read(project.path("reports/pictures/zhang_l2"))}
    statistics = json.loads(project.path("data/union/statistics.json").read_text())
    html = render(rows, pictures=shown, statistics=statistics)
    assert "Results on the validation photographs" in html
    assert "on the test" not in html


@pytest.mark.parametrize("name", ["gan", "zhang_l2"])
def test_a_model_that_gives_no_numbers_is_named(project, name):
    save_model(project, name, 1e38)  # which overflows in the first sum
    said = project.stage("evaluate", name, expect=2).stderr
    assert re.fullmatch(rf"error: models/{name}: the model's colors are not finite.*\n", said)
    assert not project.path(f"metrics/results/{name}.json").exists()


@pytest.mark.parametrize(
    ("corrupt", "message"),
    [
        (lambda config: [], "not a model that can be loaded"),
        (lambda config: None, "not a model that can be loaded"),
        (lambda config: config | {"image_size": None}, "not a model that can be loaded"),
        (lambda config: merged(config, width=1e30), r"parameters\.width: .*found 1e\+30"),
        (lambda config: config | {"image_size": 2**20}, "image_size: 1048576 is not from 1 to"),
        (lambda config: config | {"image_size": 10**30}, "image_size: 10+ is not from 1 to"),
        (lambda config: merged(config, width=10**30), r"parameters\.width: .*less than or equal"),
        (lambda config: merged(config, depth=10**9), r"parameters\.depth: .*less than or equal"),
        (lambda config: merged(config, depth=2), r"weights\.safetensors has G\..*, config\.json"),
        # 5 GB of weights, of which none is made
        (lambda config: merged(config, width=1024), r"has G\..* \[.*\], config.json asks for \["),
        (lambda config: merged(config, method="pix2pix"), r"parameters\.method: one of"),
    ],
)
def test_a_corrupt_config_is_named_in_one_line(tmp_path, corrupt, message):
    values = MODELS["gan"]
    parameters = model.parse(values | {"width": 2, "depth": 1}, "models.gan")
    model.save(model.build(parameters, 32), tmp_path)
    model.load(tmp_path)
    path = tmp_path / model.CONFIG
    path.write_text(json.dumps(corrupt(json.loads(path.read_text()))))
    with pytest.raises(UserError, match=message) as raised:
        model.load(tmp_path)
    assert "\n" not in str(raised.value)
    (tmp_path / model.WEIGHTS).unlink()
    with pytest.raises(UserError, match=r"no model here \(weights\.safetensors is missing\)"):
        model.load(tmp_path)


@pytest.mark.parametrize("name", ["zhang_l2", "gan"])
def test_weights_that_half_precision_has_lost_are_named(tmp_path, name):
    values = MODELS[name]
    parameters = model.parse(values | {"width": 2, "depth": 1}, f"models.{name}")
    model.save(model.build(parameters, 32), tmp_path)
    weights = load_file(tmp_path / model.WEIGHTS)
    # Of Zhang's network an activation's variance, which is the largest that it holds
    lost = next((key for key in weights if key.endswith("running_var")), next(iter(weights)))
    weights[lost][0] = 1e5
    save_file(weights, tmp_path / model.WEIGHTS)
    model.load(tmp_path)
    halves = {
        key: tensor.half() if tensor.is_floating_point() else tensor
        for key, tensor in weights.items()
    }
    save_file(halves, tmp_path / model.WEIGHTS)
    with pytest.raises(UserError) as raised:
        model.load(tmp_path)
    path = tmp_path / model.WEIGHTS
    assert str(raised.value) == f"{path}: {lost} is not finite"
    fresh = model.build(parameters, 32)
    init_from = InitFrom(path=str(path), sha256=sha256_of(path))
    with pytest.raises(UserError, match=rf"^models\.x\.init_from\.path: .*: {lost} is not finite$"):
        start_from(fresh, init_from, path, "models.x")


def merged(config: dict, **parameters: object) -> dict:
    return config | {"parameters": config["parameters"] | parameters}


def test_index_faults_are_named(tmp_path):
    (tmp_path / "index.csv").write_text("a,b\n1,2\n")
    with pytest.raises(UserError, match=r"index\.csv: not an index"):
        Index.read(tmp_path)
