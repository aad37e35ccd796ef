"""params.yaml: every key documented and used, every mistake named by its dotted key."""

import copy
import json
import re
import shlex
import shutil

import pytest
from ruamel.yaml import YAML

from colorize.base.device import choose_device
from colorize.base.errors import UserError
from stages import parameters
from studies import experiments, preset, study
from studies.experiments import Experiment
from tests.conftest import (
    ROOT,
    TEXT,
    Project,
    committed,
    entries,
    with_all_models,
)
from tests.zips import catalog, dataset, encoded, image


def check(values: dict) -> None:
    parameters.sources(parameters.check(values).data)


def leaves(values: dict, where: str = "") -> list[str]:
    found = []
    for key, value in values.items():
        found += leaves(value, f"{where}{key}.") if isinstance(value, dict) else [f"{where}{key}"]
    return found


def test_the_committed_parameters_are_valid():
    check(committed())


def with_preset(name: str) -> dict:
    return YAML(typ="safe").load(preset.applied(TEXT, preset.load(name)))


@pytest.mark.parametrize(
    ("name", "images"), [("full", 1000000), ("gpu", 128000), ("small", 12000), ("mirror", 4000)]
)
def test_a_preset_shows_every_model_as_many_gray_and_as_many_color_images(name, images):
    values = with_preset(name)
    check(values)
    for model, entry in entries(values).items():
        # A batch of StarGAN's is of all domains together; others have as many of each.
        domains = len(entry.get("domains", ["any"]))
        assert entry["steps"] * entry["batch_size"] == domains * images, model


def test_every_variant_of_the_study_can_be_trained():
    asked = study.read(parameters.check(with_preset("study")))
    seeds = {name: variant.seeds for name, variant in asked.variants.items()}
    for comparison in asked.comparisons:  # of what decides, chance is seen on both sides
        assert len(seeds[comparison.model]) == len(seeds[comparison.against]) == 3


def test_the_study_that_is_committed_is_the_one_that_would_be_made():
    params = parameters.check(with_preset("study"))
    for name, seed, settings in study.runs(params, study.read(params)):
        folder = study.folder_of(name, seed)
        kept = study.settings_in(folder)
        assert kept.pop("photographs")
        kept["data"]["datasets"] = settings["data"]["datasets"]  # those were a mirror's
        assert kept == settings, folder


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"model": "none"}, "studies/study.yaml: variants.default.model: params.yaml has no model"),
        (
            {"asks": None},
            "studies/study.yaml: variants.default.asks: input should be a valid string",
        ),
        ({"group": "others"}, "studies/study.yaml: variants.default.group: input should be"),
        ({"sets": {}}, "studies/study.yaml: variants.default.sets: unknown key"),
        ({"set": {"norm": 1}}, "studies/study.yaml: variants.default.norm: input should be"),
    ],
)
def test_what_a_study_may_not_ask_is_said_with_its_place(monkeypatch, tmp_path, change, said):
    values = parameters.load(study.STUDY)
    values["variants"]["default"] |= change
    changed = tmp_path / "study.yaml"
    monkeypatch.setattr(study, "STUDY", changed)
    YAML().dump(values, changed)
    with pytest.raises(UserError) as raised:
        study.read(parameters.check(with_preset("study")))
    assert str(raised.value).replace(str(changed), "studies/study.yaml").startswith(said)


def test_mirror_is_small_cut_short():
    small, mirror = with_preset("small"), with_preset("mirror")
    for values in (small, mirror):
        for entry in values["models"].values():
            del entry["steps"]
        del values["runtime"]
    assert small == mirror


def test_full_is_the_published_networks_and_rates():
    values = with_preset("full")
    models = entries(values)
    assert models["gan"]["learning_rate"] == models["cyclegan"]["learning_rate"] == 2e-4
    assert models["stargan"]["learning_rate"] == 1e-4
    assert {entry["width"] for entry in models.values()} == {64}
    assert values["data"]["validation"] == 0.05


def test_every_parameter_has_a_comment():
    """At its own line, in `defaults`, or in the list of what every entry of `models` has."""
    shared = re.findall(r"^  #   ([a-z_, ]+?)  +\S", TEXT, re.MULTILINE)
    documented = {name for names in shared for name in names.split(", ")}
    documented |= committed()["defaults"].keys()
    for line in (TEXT + (ROOT / "presets/all.yaml").read_text(encoding="utf-8")).splitlines():
        key = re.match(r" *([a-z_0-9]+): *\S", line)
        of_model = line.startswith("    ")
        if key and not (of_model and key[1] in documented):
            assert "#" in line, line


MISTAKES = {
    "unknown key": ({"data": {"imagesize": 64}}, r"^data\.imagesize: unknown key"),
    "unknown section": ({"training": {}}, r"^training: unknown key"),
    "former name": (
        {"models": {"stargan_rgb": {"judge_per": "domain"}}},
        r"^models\.stargan_rgb\.judge_per: this key is called discriminator_per now$",
    ),
    "former name of a section": (
        {"compare": {"contrasts": []}},
        r"^compare\.contrasts: this key is called comparisons now$",
    ),
    "unknown key of a method": (
        {"models": {"gan": {"n_critic": 5}}},
        r"^models\.gan\.n_critic: unknown key",
    ),
    "text for a number": ({"data": {"image_size": "64"}}, r"^data\.image_size: .*found '64'"),
    "fraction": ({"models": {"gan": {"steps": 1.5}}}, r"^models\.gan\.steps: .*found 1.5"),
    "truth for a number": ({"seed": True}, r"^seed: .*found True"),
    "below the range": ({"data": {"image_size": 16}}, r"^data\.image_size: .*found 16"),
    "not a multiple": ({"data": {"image_size": 100}}, r"^data\.image_size: .*multiple of 8"),
    "above the range": (
        {"models": {"cyclegan": {"decay_from": 1.1}}},
        r"^models\.cyclegan\.decay_from: .*found 1.1",
    ),
    "negative weight": (
        {"models": {"cyclegan": {"cycle_weight": -1}}},
        r"^models\.cyclegan\.cycle_weight: .*found -1",
    ),
    "not a choice": (
        {"models": {"gan": {"unpaired": "maybe"}}},
        r"^models\.gan\.unpaired: .*found 'maybe'",
    ),
    "no list": ({"data": {"datasets": "sample"}}, r"^data\.datasets: .*found 'sample'"),
    "empty list": ({"data": {"datasets": []}}, r"^data\.datasets: .*found \[\]"),
    "missing dataset": ({"data": {"datasets": ["sampel"]}}, r"no dataset 'sampel' in"),
    "missing catalog": ({"data": {"catalog": "no.yaml"}}, r"^data\.catalog: cannot read no\.yaml"),
    "a dataset twice": ({"data": {"datasets": ["sample", "sample"]}}, r"^data\.datasets: .*twice"),
    "infinite": (
        {"models": {"cyclegan": {"cycle_weight": float("inf")}}},
        r"^models\.cyclegan\.cycle_weight: .*found inf",
    ),
    "not a number": ({"data": {"validation": float("nan")}}, r"^data\.validation: .*found nan"),
    "a seed too large": ({"models": {"gan": {"seed": 2**32}}}, r"^models\.gan\.seed: "),
    "a generator that never moves": (
        {"models": {"stargan": {"steps": 4}}},
        r"^models\.stargan\.steps: 4 steps end before the generator moves",
    ),
    "another baseline": (
        {"models": {"zhang_l2": dict(committed()["models"]["gan"])}},
        r"^models\.zhang_l2: the baseline, of the method",
    ),
    "a file system that is not installed": (
        {"data": {"catalog": "nowhere://x/catalog.yaml"}},
        r"^data\.catalog: cannot read nowhere://",
    ),
    "unknown device": ({"runtime": {"device": "gpu"}}, r"^runtime\.device: .*found 'gpu'"),
    "no such method": (
        {"models": {"gan": {"method": "pix2pix"}}},
        r"^models\.gan\.method: one of .*found 'pix2pix'",
    ),
    "not its network": (
        {"models": {"gan": {"network": "zhang"}}},
        r"^models\.gan\.network: .*found 'zhang'",
    ),
    "layers for this size": (
        {"data": {"image_size": 96}},
        r"^models\.stargan\.discriminator_layers: 6 halvings need",
    ),
    "patches for this size": (
        {"models": {"gan": {"discriminator_layers": 5}}, "data": {"image_size": 64}},
        r"^models\.gan\.discriminator_layers: 5 layers need images of 96",
    ),
    "a path that is none": ({"data": {"mirror": "a\0b"}}, r"^data\.mirror: it has control char"),
    "orders to a terminal": (
        {"data": {"datasets": ["\x1b[2Jsample"]}},
        r"^data\.datasets: it has control characters, found \['\\x1b\[2Jsample'\]$",
    ),
    "a home of nobody": (
        {"data": {"catalog": "~nobody-here/catalog.yaml"}},
        r"^data\.catalog: cannot read ~nobody-here/catalog\.yaml",
    ),
    "a key that dvc would ignore": (
        {"models": {"gan": {"size": 1}}},
        r"^models\.gan\.size: unknown key",
    ),
    "a row that is none": (
        {"compare": {"comparisons": [{"model": "gam", "against": "gan", "metric": "ssim"}]}},
        r"^compare\.comparisons\.0\.model: no row 'gam' \(there are zhang_l2, ",
    ),
    "a metric that is none": (
        {"compare": {"comparisons": [{"model": "gan", "against": "grayscale", "metric": "l2"}]}},
        r"^compare\.comparisons\.0\.metric: one of psnr, .* is needed, found 'l2'",
    ),
    "a row compared with itself": (
        {"compare": {"comparisons": [{"model": "gan", "against": "gan", "metric": "ssim"}]}},
        r"^compare\.comparisons\.0: 'gan' compared with itself",
    ),
    "a section that is none": ({"data": 3}, r"^data: .*found 3"),
    "a default": ({"defaults": {"width": 0}}, r"^defaults\.width: .*found 0$"),
    "a default of no model": ({"defaults": {"widht": 8}}, r"^defaults\.widht: not a key that"),
    "a method for all": ({"defaults": {"method": "gan"}}, r"^defaults\.method: not a key that"),
    "defaults that do not fit together": (
        {"defaults": {"accumulation": 3}},
        r"^models\.zhang_l2\.accumulation: 3 equal parts",
    ),
    "defaults that are none": ({"defaults": None}, r"^defaults: .*found None"),
    "a model that is none": ({"models": {"gan": None}}, r"^models\.gan: .*found None"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_named_by_its_dotted_key(mistake):
    changes, message = MISTAKES[mistake]
    values = copy.deepcopy(committed())
    for key, value in changes.items():
        if isinstance(value, dict) and isinstance(values.get(key), dict):
            for inner, new in value.items():
                if isinstance(new, dict) and "method" in new:
                    values[key][inner] = new
                elif isinstance(new, dict):
                    values[key][inner] |= new
                else:
                    values[key][inner] = new
        else:
            values[key] = value
    with pytest.raises(UserError, match=message) as raised:
        check(values)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("key", [k for k in leaves(committed()) if not k.endswith("_weight")])
def test_a_number_beyond_all_measure_is_named_by_its_key(key):
    """Before anything takes as many steps, or as much memory."""
    values = committed()
    *sections, last = key.split(".")
    section = values
    for name in sections:
        section = section[name]
    section[last] = 10**30
    with pytest.raises(UserError, match=rf"{re.escape(key)}[.:]"):
        check(values)


REQUIRED = [
    key
    for key in leaves(committed())
    if not key.startswith("models.") or key.rsplit(".")[-1] not in committed()["defaults"]
]


@pytest.mark.parametrize("key", REQUIRED)
def test_a_missing_key_is_named(key):
    values = committed()
    *sections, last = key.split(".")
    section = values
    for name in sections:
        section = section[name]
    del section[last]
    if sections == ["defaults"]:
        key = rf"models\.\w+\.{last}"
    with pytest.raises(UserError, match=rf"^{key}: (missing|one of)"):
        check(values)


def test_a_model_takes_from_defaults_what_its_entry_does_not_name():
    values = with_all_models()
    values["defaults"] |= {"width": 5, "batch_size": 3, "norm": "group"}
    found = entries(values)
    for name, entry in found.items():
        assert entry["width"] == 5
        own = values["models"][name].get("batch_size", 3)
        assert entry["batch_size"] == own
    assert {entry["batch_size"] for entry in found.values()} > {3, 8}
    assert "norm" not in found["zhang_l2"]  # whose method has none
    values["models"]["gan"]["width"] = 7
    assert entries(values)["gan"]["width"] == 7


@pytest.mark.parametrize(
    "name",
    [
        "significance",
        "training",
        "size",
        "grayscale",
        "zhang_l2_chroma_scaled",
        "gan_input_L",
        "a-b",
    ],
)
def test_names_that_models_may_not_have(name):
    values = committed()
    values["models"][name] = values["models"]["gan"]
    with pytest.raises(UserError, match=rf"^models\.{name}: not a name for a model"):
        check(values)


def test_the_baseline_must_be_there():
    values = committed()
    del values["models"]["zhang_l2"]
    with pytest.raises(
        UserError, match="zhang_l2: the baseline, of the method 'zhang_l2', is missing"
    ):
        check(values)


def test_powers_of_ten_are_numbers():
    assert YAML(typ="safe").load("2e-4") == 2e-4


@pytest.fixture
def repository(tmp_path) -> Project:
    """A git repository with nothing but the committed params.yaml, the presets and the code."""
    for name in ("params.yaml", "dvc.yaml", "presets", "stages", "studies", "colorize"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "params.yaml").unlink()
    (tmp_path / "params.yaml").write_text(TEXT, encoding="utf-8")
    project = Project(tmp_path)
    for command in (
        ["init", "-q"],
        ["add", "params.yaml"],
        ["-c", "user.name=a", "-c", "user.email=b", "commit", "-qm", "c"],
    ):
        project.run("git", *command)
    return project


def test_presets_apply_keep_comments_and_are_undone(repository):
    repository.module("studies.preset", "full")
    text = repository.path("params.yaml").read_text(encoding="utf-8")
    values = YAML(typ="safe").load(text)
    assert values["data"]["image_size"] == 256
    assert len(values["data"]["datasets"]) == 10
    assert values["models"]["cyclegan"]["cycle_weight"] == 10  # not in the preset
    # Every comment but those of the questions that are others now; new models come with their own.
    comments = {
        line.split("#")[1] for line in TEXT.splitlines() if "#" in line and "- {" not in line
    }
    assert comments <= {line.split("#")[1] for line in text.splitlines() if "#" in line}
    assert "dropout: 0.5  # 0 to below 1, in up to three layers, as published" in text
    repository.module("studies.preset", "sample")
    assert repository.path("params.yaml").read_text(encoding="utf-8") == TEXT


def test_a_preset_keeps_what_was_written_by_hand_aside(repository):
    edited = TEXT.replace("seed: 0", "seed: 42", 1)
    repository.path("params.yaml").write_text(edited, encoding="utf-8")
    said = repository.module("studies.preset", "sample").stdout
    repository.module("studies.preset", "full")
    repository.module("studies.preset", "sample")
    kept = re.search(r"kept as (\S+)", said)[1]
    assert repository.path(kept).read_text(encoding="utf-8") == edited


def test_the_mirror_preset_takes_its_datasets_from_the_mirror(repository, tmp_path):
    folder = tmp_path / "zips"
    folder.mkdir()
    names = ("2024", "mine")
    catalog(folder, {n: dataset(folder, n, {"trainA/a.png": encoded(image(0))}) for n in names})
    for name in ("mirror", "small"):
        said = repository.module("studies.preset", name, expect=2).stderr
        assert said.startswith(f"error: preset '{name}': needs --mirror")
    said = repository.module("studies.preset", "full", "--mirror", str(folder), expect=2).stderr
    assert said == "error: --mirror: the preset 'full' has datasets of its own\n"
    repository.module("studies.preset", "mirror", "--mirror", str(folder))
    values = YAML(typ="safe").load(repository.path("params.yaml"))
    assert values["data"]["datasets"] == ["2024", "mine"]
    assert " on 2024, mine at 64 px" in repository.stage("check").stdout
    assert values["data"]["mirror"] == str(folder)
    flags = repository.module("studies.preset", "mirror", "--mirror", str(folder), "--print").stdout
    assert """-S 'data.datasets=["2024","mine"]'""" in flags


def test_a_preset_can_do_without_models_and_take_another_catalog(repository, tmp_path):
    folder = tmp_path / "zips"
    folder.mkdir()
    catalog(folder, {"a": dataset(folder, "a", {"trainA/a.png": encoded(image(0))})})
    described = folder / "catalog.yaml"
    described.rename(folder / "other.yaml")
    asked = ("studies.preset", "everyday", "--mirror", str(folder / "other.yaml"))
    repository.module(*asked)
    values = YAML(typ="safe").load(repository.path("params.yaml"))
    assert values["data"]["catalog"] == str(folder / "other.yaml")
    assert values["data"]["mirror"] == str(folder)
    assert values["data"]["datasets"] == ["a"]
    assert "stargan" not in values["models"]
    assert values["models"]["zhang_l2"]["encoder"] == "lite0"
    flags = repository.module(*asked, "--print").stdout
    assert "-S '~models.stargan'" in flags
    assert "-S '~models.resnet_l2'" not in flags  # which the committed file has not
    repository.module("studies.preset", "sample")
    assert repository.path("params.yaml").read_text(encoding="utf-8") == TEXT


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "presets/other.yaml: expected sections"),
        (b"- a", "presets/other.yaml: expected sections"),
        (b"data: [", "presets/other.yaml: not YAML"),
        (b"data: {mirror: M\xfcnchen}", "presets/other.yaml: not UTF-8, from byte 16 on"),
        (b"extends: other", "presets/other.yaml: extends: one of sample, all, "),
        (b"extends: [small]", r"presets/other.yaml: extends: one of sample, all, "),
        (b"data: 3", "data: "),
        (b"models: {gan: 3}", "models.gan"),
    ],
)
def test_a_preset_that_is_none_is_named(repository, content, told):
    repository.path("presets").unlink()
    shutil.copytree(ROOT / "presets", repository.path("presets"))
    repository.path("presets/other.yaml").write_bytes(content)
    said = repository.module("studies.preset", "other", expect=2).stderr
    assert said.startswith(f"error: {told}")
    assert said.count("\n") == 1


def test_flags_of_a_preset_are_arguments_of_a_shell(repository, tmp_path):
    folder = tmp_path / """it's "mine" $HOME"""
    folder.mkdir()
    catalog(folder, {"a": dataset(folder, "a", {"trainA/a.png": encoded(image(0))})})
    flags = repository.module("studies.preset", "mirror", "--mirror", str(folder), "--print").stdout
    arguments = shlex.split(flags)
    assert arguments[::2] == ["-S"] * (len(arguments) // 2)
    assert f"data.mirror={json.dumps(str(folder))}" in arguments


def test_commands_end_with_one_line_and_exit_code_2(repository):
    assert "models: no entry 'nothing'" in repository.stage("train", "nothing", expect=2).stderr
    repository.params(data__imagesize=64)
    for command in ("check", "download", "union", "grayscale", "train gan", "evaluate gan"):
        done = repository.stage(*command.split(), expect=2)
        assert done.stderr.startswith("error: data.imagesize: unknown key"), command
        assert done.stderr.count("\n") == 1
    repository.path("params.yaml").write_text(TEXT, encoding="utf-8")
    repository.params(models__gan__width=0)
    for command in (
        "check",
        "download",
        "union",
        "grayscale",
        "train gan",
        "baselines",
        "compare",
        "report",
    ):
        done = repository.stage(*command.split(), expect=2)
        assert done.stderr.startswith("error: models.gan.width: "), command
        assert done.stderr.count("\n") == 1
    repository.path("params.yaml").write_text("a: [", encoding="utf-8")
    done = repository.stage("check", expect=2)
    assert re.fullmatch(r"error: params\.yaml: not YAML: .*\n", done.stderr)
    repository.path("params.yaml").write_bytes(b"seed: 0 # M\xfcnchen")
    said = repository.stage("check", expect=2).stderr
    assert said == "error: params.yaml: not UTF-8, from byte 11 on\n"
    repository.path("params.yaml").write_bytes(b"")
    said = repository.stage("train", "gan", expect=2).stderr
    assert said == "error: params.yaml: expected a section of keys and values, found None\n"
    repository.path("params.yaml").unlink()
    assert "run this from the project's root" in repository.stage("union", expect=2).stderr


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: &a\n  b: *a\n", ".*a: unknown key"),
        (f"a: {'[' * 5000}", "nested too deeply"),
        (TEXT.replace("seed: 0", f"seed: {'9' * 5000}"), "not YAML: "),
        (TEXT.replace("seed: 0", f"seed: {'9' * 4000}"), r"seed: .{1,60} found 9+\.\.\.9+"),
        (f"{TEXT.partition('models:')[0]}models: null\n", "models: .*found None"),
        (f"{TEXT.partition('models:')[0]}models: {{2024: {{}}}}\n", r"models\.2024"),
        ("null", "expected a section"),
        ("- 1", "expected a section"),
    ],
    ids=["itself", "deep", "huge", "large", "no models", "a number", "nothing", "list"],
)
def test_what_is_no_set_of_parameters_is_named_in_one_line(tmp_path, text, message):
    path = tmp_path / "params.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError) as raised:
        parameters.read(path)
    said = str(raised.value).replace(f"{tmp_path}/", "")
    assert re.fullmatch(rf"(params\.yaml)?:? ?{message}.*", said)


def test_a_device_that_is_not_there_is_named():
    for name in ("cuda:7", "cuda:999", "cuda:99999999999999999999"):
        with pytest.raises(UserError, match=f"^runtime.device: {name} is not available"):
            choose_device(name, "runtime.device")


def test_seeds_that_cannot_be_run_are_named(repository):
    said = repository.module("studies.seeds", "nothing", expect=2).stderr
    assert said.startswith("error: models: no entry 'nothing' (there are zhang_l2, ")
    said = repository.module("studies.seeds", "gan", "--seeds", "1", "1", expect=2).stderr
    assert said == "error: --seeds: at least two are needed to tell how far apart they are\n"
    said = repository.module("studies.seeds", "gan", "--seeds", "1", "-1", expect=2).stderr
    assert said.startswith("error: --seeds.seed: ")
    said = repository.module("studies.seeds", "gan", "--jobs", "0", expect=2).stderr
    assert said == "error: --jobs: at least 1 is needed, not 0\n"


def test_experiments_that_fail_are_named_with_where_to_look(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # which is no repository
    asked = [Experiment("a", "gan", 1), Experiment("b", "gan", None)]
    message = r"^no result: (a, b|b, a); see NAME\.log in \.scratch/experiments, and run it again$"
    with pytest.raises(UserError, match=message):
        experiments.run_all(asked, 2, keep=pytest.fail)
    for each in asked:
        log = (experiments.LOGS / f"{each.name}.log").read_text(encoding="utf-8")
        assert "not inside of a DVC repository" in log


def test_an_experiment_whose_result_cannot_be_kept_stops_no_other(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(experiments, "DVC", ["true"])  # each ends well, and at once
    kept = []

    def keep(experiment: Experiment) -> None:
        if experiment.name == "full":
            raise UserError("there is no room for it")
        kept.append(experiment.name)

    asked = [Experiment(name, "gan", 1) for name in ("first", "full", "last")]
    with pytest.raises(UserError, match=r"^no result: full; see NAME\.log in "):
        experiments.run_all(asked, 2, keep)
    said = capsys.readouterr()
    assert sorted(kept) == ["first", "last"]
    assert said.err == "full: there is no room for it\n"
    ended = dict(re.findall(r"^(\w+): (\w+); \d to go$", said.out, re.MULTILINE))
    assert ended == {"first": "done", "full": "failed", "last": "done"}


def test_the_name_of_a_model_is_an_entry_and_no_path(repository):
    for stage in ("train", "evaluate"):
        said = repository.stage(stage, "../models/gan", expect=2).stderr
        assert "error: models: no entry '../models/gan' (there are zhang_l2, gan, " in said
