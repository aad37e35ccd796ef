"""Download, union and grayscale on small zips, and the draws that training makes from them."""

import json
import tracemalloc
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from skimage import color as skcolor
from skimage import data as skdata

from colorize.base.errors import UserError
from colorize.color import domains, gray_of, to_uint8
from colorize.data import duplicates, palette
from colorize.data.download import DownloadParameters, download
from colorize.data.grayscale import GrayscaleParameters, grayscale
from colorize.data.members import Measures, Seen
from colorize.data.reading import index, photographs, tensors
from colorize.data.union import UnionParameters, union
from colorize.training.aging import aged
from colorize.training.dataset import DomainDataset, PairedDataset, UnpairedDataset, batches
from tests import zips

UNION = {
    "image_size": 32,
    "encoding": "png",
    "sides": "all",
    "min_chroma": 4,
    "validation": 0.2,
}


def png(seed: int, *size: int) -> bytes:
    return zips.encoded(zips.image(seed, *size))


@pytest.fixture
def mirror(tmp_path):
    """Two datasets; the first holds a photograph twice, one of the test, and a painting."""
    folder = tmp_path / "mirror"
    folder.mkdir()
    same_pixels = zips.encoded(zips.image(3), "PNG", compress_level=0)
    first = {f"trainB/{i:02}.png": png(i) for i in range(30)}
    first |= {
        "trainB/again.png": same_pixels,  # other bytes, pixels of 03
        "trainB/leak.png": png(100),
        "trainB/tiny.png": png(101, 31, 64),
        "trainA/painting.png": png(102),
        "testA/painting.png": png(103),
        "testB/photograph.png": png(100),
        "notes/readme.txt": b"not an image",
    }
    second = {"trainA/x.jpg": zips.encoded(zips.image(200, 80, 64), "JPEG"), "testA/y.png": png(5)}
    entries = {
        "first": zips.dataset(folder, "first", first, {"A": "painting"}),
        "second": zips.dataset(folder, "second", second),
    }
    zips.catalog(folder, entries)
    return folder


def fetch(mirror, tmp_path, names=("first", "second")):
    parameters = DownloadParameters(
        datasets=list(names), catalog=f"{mirror}/catalog.yaml", mirror=str(mirror)
    )
    download(parameters, tmp_path / "raw", tmp_path / "kept")
    return tmp_path / "raw"


def unite(mirror, tmp_path, names=("first", "second"), **changes) -> pd.DataFrame:
    raw = fetch(mirror, tmp_path, names)
    union(UnionParameters(**UNION | changes), raw, tmp_path / "union")
    read = {"keep_default_na": False, "dtype": {"dataset": str}}
    rows = pd.read_csv(tmp_path / "union/index.csv", **read)
    return rows.set_index(rows["dataset"] + "/" + rows["source"].str.split("/", n=1).str[1])


def test_union_keeps_each_photograph_once_and_test_wins(mirror, tmp_path):
    rows = unite(mirror, tmp_path)
    assert len(rows) == 38
    assert (
        rows.loc["first/trainB/again.png", "reject_detail"] == "same pixels as first/trainB/03.png"
    )
    assert (
        rows.loc["first/trainB/leak.png", "reject_detail"]
        == "same file as first/testB/photograph.png"
    )
    assert rows.loc["first/testB/photograph.png", "split"] == "test"
    # The second dataset's test photograph stands in the first one's training folder.
    assert rows.loc["first/trainB/05.png", "reject_detail"] == "same file as second/testA/y.png"
    assert "31x64, smaller" in rows.loc["first/trainB/tiny.png", "reject_detail"]
    assert rows.loc["first/trainA/painting.png", "side"] == "painting"
    kept = rows[rows["kept"]]
    assert kept["name"].is_unique
    assert not rows[~rows["kept"]]["name"].any()
    assert (rows["kept"] | (rows["reject_detail"] != "")).all()
    assert set(kept["split"]) == {"train", "val", "test"}
    assert (kept[kept["split"] == "val"]["side"] == "photograph").all()
    for name, source in zip(kept["name"], kept.index, strict=True):
        with Image.open(tmp_path / "union" / name) as image:
            assert min(image.size) == 32, source
    statistics = json.loads((tmp_path / "union/statistics.json").read_text())
    assert statistics["images"] == kept.groupby("split").size().to_dict()


def of_one_size(folder, name, first) -> dict:
    """Nine photographs to train on and nine for the test, unlike those of another `first`."""
    seeds = range(first, first + 9)
    files = {f"trainA/{seed}.png": png(seed) for seed in seeds}
    return zips.dataset(
        folder, name, files | {f"testA/{seed}.png": png(seed + 1000) for seed in seeds}
    )


def test_a_dataset_may_be_called_by_a_number(tmp_path):
    entries = {name: of_one_size(tmp_path, name, n) for n, name in ((1, "007"), (11, "7"))}
    zips.catalog(tmp_path, entries)
    unite(tmp_path, tmp_path, list(entries), validation=0.4)
    rows = index.Index.read(tmp_path / "union").rows
    assert set(rows["dataset"]) == {"007", "7"}


def test_a_name_that_would_forge_a_row_gives_one(tmp_path):
    files = {f"trainA/{i}.png": png(i) for i in range(9)}
    files |= {"testA/t.png": png(20)}
    files["trainA/x\r0.png,g,mine,photograph,s,h,train,True,,,.png"] = png(50)
    zips.catalog(tmp_path, {"mine": zips.dataset(tmp_path, "mine", files)})
    rows = unite(tmp_path, tmp_path, ["mine"], validation=0.4)
    assert len(rows) == 11
    (refused,) = rows[rows["reject_detail"] == "its name holds control characters"].index
    assert refused == "mine/trainA/x\\r0.png,g,mine,photograph,s,h,train,True,,,.png"


def test_val_of_ones_own_is_val(tmp_path):
    """And what shows the same as a photograph of it is not trained on."""
    own = {f"trainA/a{i}_.png": png(i) for i in range(12)}
    own |= {"valA/v1.png": png(20), "valB/a3_other.png": png(21), "valA/leak.png": png(30)}
    own |= {"trainA/again.png": png(20), "testA/t1.png": png(30)}
    entries = {
        "own": zips.dataset(tmp_path, "own", own) | {"groups": "^a[0-9]+_"},
        "other": of_one_size(tmp_path, "other", 100),
    }
    zips.catalog(tmp_path, entries)
    rows = unite(tmp_path, tmp_path, list(entries), validation=0.4)
    of_val = rows[rows["kept"] & (rows["split"] == "val")]
    own_val = {"own/valA/v1.png", "own/valB/a3_other.png"}
    assert {name for name in of_val.index if name.startswith("own/")} == own_val
    assert len(of_val) > len(own_val)
    for name, detail in {
        "own/valA/leak.png": "same file as own/testA/t1.png",
        "own/trainA/again.png": "same file as own/valA/v1.png",
        "own/trainA/a3_.png": "of one group with own/valB/a3_other.png",
    }.items():
        assert rows.loc[name, "reject_detail"] == detail


def test_what_is_known_of_photographs_takes_little_memory(tmp_path):
    rng = np.random.default_rng(0)
    with Measures(tmp_path) as measures:
        tracemalloc.start()
        for n in range(1000):
            luma = rng.integers(0, 256, (64, 64), dtype=np.uint8)
            colors = palette.palette(np.tile(luma[:32, :32, None], 3))
            prints = duplicates.fingerprints(luma)
            measures.add(f"{n}.png", Seen("", "", 9, 9, colors, luma, prints))
        held = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        assert held / 1000 < 1200  # bytes for each; its luma and prints take 4,500


def test_validation_does_not_move_when_a_dataset_is_added(mirror, tmp_path):
    alone = unite(mirror, tmp_path, ["first"])
    both = unite(mirror, tmp_path)
    validation = set(alone[alone["split"] == "val"]["name"])
    assert validation
    assert validation <= set(both[both["split"] == "val"]["name"])


def test_nothing_leaves_val_however_much_is_added(tmp_path):
    """As `full` did, where 500 photographs of a larger union had smaller hashes."""
    folder = tmp_path / "mirror"
    folder.mkdir()
    files = {f"trainA/{n:04}.png": png(n) for n in range(1400)} | {"testA/t.png": png(9999)}
    entries = {"many": zips.dataset(folder, "many", files)}
    files = {f"trainA/{n:04}.png": png(2000 + n) for n in range(300)}
    entries["more"] = zips.dataset(folder, "more", files)
    zips.catalog(folder, entries)
    settings = {"validation": 0.45, "min_chroma": 0}
    alone = unite(folder, tmp_path, ["many"], **settings)
    both = unite(folder, tmp_path, ["many", "more"], **settings)
    validation = set(alone[alone["split"] == "val"]["name"])
    assert len(validation) > 510
    assert validation < set(both[both["split"] == "val"]["name"])


@pytest.mark.parametrize("form", ["file", "pixels"])
def test_what_is_left_out_claims_no_content(tmp_path, form):
    """A rendering and a photograph, or a gray photograph and a label map, of the same content."""
    folder = tmp_path / "mirror"
    folder.mkdir()
    gray = zips.image(300).convert("L")

    def again(picture) -> bytes:
        return zips.encoded(picture, "PNG", compress_level=0 if form == "pixels" else 6)

    first = {f"trainA/{n:02}.png": png(n) for n in range(30)}
    first |= {"testA/t.png": png(99), "trainB/rendering.png": png(200)}
    first |= {"trainA/gray.png": zips.encoded(gray)}
    second = {"trainA/photograph.png": again(zips.image(200)), "trainB/map.png": again(gray)}
    second |= {"trainB/map again.png": again(gray)}
    entries = {
        "first": zips.dataset(folder, "first", first, {"B": "rendering"}),
        "second": zips.dataset(folder, "second", second, {"B": "label map"}),
    }
    zips.catalog(folder, entries)
    rows = unite(folder, tmp_path, sides="photographs")
    assert rows.loc["first/trainB/rendering.png", "reject_reason"] == "side"
    assert rows.loc["second/trainA/photograph.png", "reject_reason"] == ""
    rows = unite(folder, tmp_path)
    assert rows.loc["first/trainB/rendering.png", "reject_reason"] == ""
    assert rows.loc["second/trainA/photograph.png", "duplicate_of"] == "first/trainB/rendering.png"
    assert rows.loc["first/trainA/gray.png", "reject_reason"] == "gray"
    assert rows.loc["second/trainB/map again.png", "reject_reason"] == ""
    copy = rows.loc["second/trainB/map.png"]
    assert (copy["reject_reason"], copy["duplicate_of"]) == (
        "duplicate",
        "second/trainB/map again.png",
    )


def test_files_of_a_group_are_together(tmp_path):
    """Three frames of each scene; training gives way where the test has one of them."""
    folder = tmp_path / "mirror"
    folder.mkdir()
    files = {f"trainA/scene{n:02}_{i}.png": png(10 * n + i) for n in range(40) for i in range(3)}
    files |= {"trainA/alone.png": png(1000), "testA/scene07_9.png": png(1001)}
    entries = {"frames": zips.dataset(folder, "frames", files) | {"groups": "^scene[0-9]+"}}
    zips.catalog(folder, entries)
    rows = unite(folder, tmp_path, ["frames"], validation=0.4)
    given = rows[rows["reject_reason"] == "group"]
    assert list(given.index) == [f"frames/trainA/scene07_{i}.png" for i in range(3)]
    assert set(given["duplicate_of"]) == {"frames/testA/scene07_9.png"}
    sheet = json.loads((tmp_path / "union/datasheet.json").read_text())["frames"]
    assert sheet["left_out"]["group"] == sheet["leaks"] == 3
    rows["scene"] = rows.index.str.extract("(scene..|alone)")[0].values
    kept = rows[rows["kept"]]
    assert kept.groupby("scene")["split"].nunique().max() == 1
    assert kept.groupby("scene")["group"].nunique().max() == 1
    assert kept["group"].nunique() == kept["scene"].nunique() == 41
    assert {"train", "val"} <= set(kept["split"])
    # Called after one of its photographs
    assert (kept.groupby("scene").apply(lambda g: g["group"].iloc[0] in set(g["name"]))).all()


def test_no_photograph_of_the_sample_is_in_two_parts(prepared):
    """Not in train and val, nor in two parts of unpaired training, nor its neighbor."""
    rows = pd.read_csv(prepared.path("data/union/index.csv"), keep_default_na=False)
    rows = rows[rows["kept"]]
    rows["photograph"] = rows["source"].str.extract("/([a-z]+)[^/]*$")[0].values
    assert rows["photograph"].nunique() == 9
    assert rows.groupby("photograph")["split"].nunique().max() == 1
    assert set(rows["split"]) == {"train", "val", "test"}
    assert set(rows[rows["split"] == "val"]["photograph"]) == {"chelsea"}
    # By which results are told apart from chance, and which the report shows
    assert set(rows[rows["split"] == "test"]["photograph"]) == {"coffee", "grace", "rocket"}
    train = rows[rows["split"] == "train"].set_index("name")
    for half in index.parts(dict(train["group"]), 2):
        assert 60 < len(half) < len(train) - 60
        other = train[~train.index.isin(half)]
        assert not set(train.loc[half, "photograph"]) & set(other["photograph"])


def test_sides_photographs_leaves_paintings_out_of_training_alone(mirror, tmp_path):
    rows = unite(mirror, tmp_path, sides="photographs")
    assert "data.sides" in rows.loc["first/trainA/painting.png", "reject_detail"]
    assert rows.loc["first/testA/painting.png", "kept"]


def test_statistics_are_those_of_the_training_photographs(mirror, tmp_path):
    rows = unite(mirror, tmp_path)
    train = rows[rows["kept"] & (rows["split"] == "train") & (rows["side"] == "photograph")]
    images = [np.array(Image.open(tmp_path / "union" / name)) for name in train["name"]]
    images = [image[::4, ::4] for image in images]  # what statistics are made of
    ab = np.concatenate([skcolor.rgb2lab(image)[..., 1:].reshape(-1, 2) for image in images])
    statistics = json.loads((tmp_path / "union/statistics.json").read_text())
    assert statistics["mean_ab"] == pytest.approx(ab.mean(axis=0), abs=1e-3)
    edges = np.arange(-115, 120, 10)
    expected = np.histogram2d(ab[:, 0], ab[:, 1], (edges, edges))[0] / len(ab)
    share = np.array(statistics["ab_histogram"]["share"])
    assert share.sum() == pytest.approx(1, abs=1e-6)
    assert np.abs(share - expected).max() < 1e-3  # colors on the very edge of a square


@pytest.mark.parametrize("encoding", ["png", "jpeg"])
def test_gray_copies_have_the_photographs_names_and_lightness(mirror, tmp_path, encoding):
    rows = unite(mirror, tmp_path, encoding=encoding)
    grayscale(GrayscaleParameters(gray="lightness"), tmp_path / "union", tmp_path / "gray")
    names = rows[rows["kept"]]["name"]
    assert {p.stem for p in (tmp_path / "gray").glob("*.png")} == {n.split(".")[0] for n in names}
    for name in names:
        with Image.open((tmp_path / "gray" / name).with_suffix(".png")) as gray:
            assert gray.mode == "L"
            level = np.array(gray)
        rgb = np.array(Image.open(tmp_path / "union" / name))
        of_gray = skcolor.rgb2lab(np.repeat(level[..., None], 3, axis=2))[..., 0]
        assert np.abs(of_gray - skcolor.rgb2lab(rgb)[..., 0]).max() < 0.3


def contents(folder) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_union_faults_name_what_and_where_and_change_nothing(mirror, tmp_path):
    unite(mirror, tmp_path)
    before = contents(tmp_path / "union")
    raw = tmp_path / "raw"

    def fails(message, **changes):
        with pytest.raises(UserError, match=message) as raised:
            union(UnionParameters(**UNION | changes), raw, tmp_path / "union")
        assert "\n" not in str(raised.value)
        assert contents(tmp_path / "union") == before
        assert not list(tmp_path.rglob("*.partial"))

    fails("no image is left for train .*38 small.*data.image_size = 512", image_size=512)
    (raw / "stray.zip").write_bytes(b"")
    fails(r"stray\.zip is not in datasets\.json")
    (raw / "stray.zip").unlink()
    (raw / "first.zip").unlink()
    (raw / "first.zip").write_bytes(b"no zip")
    fails(r"first\.zip: not a zip")
    (raw / "first.zip").unlink()
    fails(r"first\.zip: missing")
    (raw / "datasets.json").write_text("{")
    fails(r"datasets\.json: not JSON")
    (raw / "datasets.json").unlink()
    fails(r"datasets\.json: missing")


@pytest.fixture
def draws(mirror, tmp_path):
    rows = unite(mirror, tmp_path, ["first"])
    grayscale(GrayscaleParameters(gray="lightness"), tmp_path / "union", tmp_path / "gray")
    names = index.Index.read(tmp_path / "union").split("train")
    assert names == sorted(rows[rows["kept"] & (rows["split"] == "train")]["name"])

    def make(
        kind,
        *,
        shared=False,
        load_scale=1.0,
        flip=True,
        seed=0,
        domains=("gray", "color"),
        aging=0.0,
    ):
        return kind(
            {name: name for name in names},
            domains=domains,
            shared=shared,
            union=tmp_path / "union",
            gray=tmp_path / "gray",
            image_size=32,
            load_scale=load_scale,
            flip=flip,
            aging=aging,
            seed=seed,
        )

    return make


def test_no_group_is_split():
    """Groups of one to three photographs, called after hashes."""
    rng = np.random.default_rng(0)
    hashes = [rng.bytes(8).hex() for _ in range(400)]
    groups = {f"{name}.png": f"{hashes[i // 3 * 3]}.png" for i, name in enumerate(hashes[:300])}
    groups |= {f"{name}.png": f"{name}.png" for name in hashes[300:]}

    def split(names) -> set[str]:
        return {groups[n] for n in names} & {g for n, g in groups.items() if n not in names}

    val = {name for name, group in groups.items() if index.is_validation(group, 0.3)}
    assert 60 < len(val) < 180
    for count in (2, 3):
        parts = index.parts(groups, count)
        assert sorted(name for part in parts for name in part) == sorted(groups)
        assert all(240 < len(part) * count < 560 for part in parts)
        assert not split(val).union(*map(split, parts))
    assert all(groups[other] != groups[name] for name, other in index.others(groups).items())
    # A larger share only adds.
    assert val < {name for name, group in groups.items() if index.is_validation(group, 0.4)}
    pair = {"a.png": "a.png", "b.png": "a.png"}
    assert index.others(pair) == {"a.png": "b.png", "b.png": "a.png"}


def test_a_draw_depends_on_seed_and_number_alone(draws):
    a, b, other = draws(PairedDataset), draws(PairedDataset), draws(PairedDataset, seed=1)
    for k in (17, 3, 40):
        assert all((a[k][key] == b[k][key]).all() for key in a[k])
    assert any((a[k]["color"] != other[k]["color"]).any() for k in range(5))
    in_one = [batch["color"] for batch in batches(a, 4, 12, 3, workers=0)]
    in_two = [batch["color"] for batch in batches(a, 4, 12, 3, workers=2)]
    assert all((x == y).all() for x, y in zip(in_one, in_two, strict=True))


@pytest.fixture
def read(monkeypatch) -> list[tuple[str, str]]:
    """The stem and the mode of every photograph that is read."""
    calls, actually = [], photographs.read

    def recorded(path: Path, mode: str) -> Image.Image:
        calls.append((path.stem, mode))
        return actually(path, mode)

    monkeypatch.setattr(photographs, "read", recorded)
    return calls


def stems(names: list[str]) -> list[str]:
    return sorted(Path(name).stem for name in names)


def test_every_photograph_is_drawn_once_an_epoch(draws, read):
    pairs = draws(PairedDataset)
    count = len(pairs.names)
    orders = []
    for start in (0, count):
        read.clear()
        for k in range(start, start + count):
            pairs[k]
        orders.append([stem for stem, mode in read if mode == "RGB"])
        assert sorted(orders[-1]) == stems(pairs.names)
    assert orders[0] != orders[1]


def test_pairs_are_the_same_crop_of_the_same_photograph(draws):
    for item in map(draws(PairedDataset, load_scale=1.5).__getitem__, range(8)):
        assert item["gray"].shape == (1, 32, 32)
        assert item["color"].shape == (3, 32, 32)
        lightness = skcolor.rgb2lab(item["color"].permute(1, 2, 0).numpy())[..., 0]
        gray = np.repeat(item["gray"].permute(1, 2, 0).numpy(), 3, axis=2)
        # Resized apart, so edges differ a little; another crop or flip would differ everywhere.
        assert np.abs(skcolor.rgb2lab(gray)[..., 0] - lightness).mean() < 1


@pytest.mark.parametrize("kind", [UnpairedDataset, DomainDataset])
def test_unpaired_draws_never_show_a_photograph_in_both_forms(draws, kind):
    disjoint, shared = draws(kind), draws(kind, shared=True)
    gray, color = disjoint.names_in.values()
    assert not set(gray) & set(color)
    assert sorted(gray + color) == sorted(disjoint.names)
    assert shared.names_in == {"gray": shared.names, "color": shared.names}


@pytest.mark.parametrize("kind", [PairedDataset, UnpairedDataset, DomainDataset])
def test_a_share_of_the_gray_photographs_is_made_to_look_old(draws, kind):
    count = 60
    plain, some, all_old, again = (
        [made[k] for k in range(count)]
        for made in (draws(kind, aging=share) for share in (0.0, 0.5, 1.0, 1.0))
    )
    gray, color = ("image", "image") if kind is DomainDataset else ("gray", "color")

    def changed(old) -> list[bool]:
        of_gray = [k for k in range(count) if int(plain[k].get("domain", 0)) == 0]
        return [not torch.equal(old[k][gray], plain[k][gray]) for k in of_gray]

    assert 0.3 < np.mean(changed(some)) < 0.6
    assert np.mean(changed(all_old)) > 0.8  # one in 32 of the old has none of the five changes
    for ours, theirs, untouched in zip(all_old, again, plain, strict=True):
        assert all(torch.equal(ours[key], theirs[key]) for key in ours)
        assert ours[gray].dtype == torch.uint8
        assert ours[gray].shape == untouched[gray].shape
        if kind is not DomainDataset or ours["domain"] == 1:
            assert torch.equal(ours[color], untouched[color])


def test_what_looks_old_still_shows_the_photograph():
    """Its levels go with those of the photograph, over less of the range and not as sharp."""
    photograph = torch.from_numpy(skdata.astronaut()[:128, 160:288]).permute(2, 0, 1)
    gray = to_uint8(gray_of(photograph))
    levels = gray.double().flatten()
    results = [aged(gray, photograph, np.random.default_rng(k)) for k in range(200)]
    likeness = [
        float(torch.corrcoef(torch.stack((levels, old.double().flatten())))[0, 1])
        for old in results
    ]
    assert min(likeness) > 0.9
    assert 0.98 < np.mean(likeness) < 0.999
    spread = [float(old.double().std() / levels.std()) for old in results]
    assert min(spread) > 0.25
    assert max(spread) < 1.5
    assert 0.6 < np.mean(spread) < 0.95


def test_domains_are_gray_and_color(draws):
    items = [draws(DomainDataset)[k] for k in range(40)]
    assert {int(item["domain"]) for item in items} == {0, 1}
    for item in items:
        spread = item["image"].float().std(dim=0, correction=0).max()
        assert (spread == 0) == (item["domain"] == 0)


def test_other_domains_are_made_of_the_color_photograph(draws, read):
    kinds = ("color", "sepia", "gray", "night")
    items = draws(DomainDataset, shared=True, flip=False, domains=kinds)
    for k in range(12):
        read.clear()
        item = items[k]
        ((stem, _),) = read
        domain = kinds[int(item["domain"])]
        color, gray = (
            tensors.to_tensor(Image.open(folder / f"{stem}.png"))[None]
            for folder in (items.union, items.gray)
        )
        crops = [
            domains.picture(domain, *(image[..., left : left + 32] for image in (color, gray)))[0]
            for left in range(color.shape[-1] - 31)
        ]
        assert any(torch.equal(item["image"], crop.expand(3, -1, -1)) for crop in crops)


def test_a_photograph_is_seen_in_one_domain_alone(draws):
    drawn = draws(DomainDataset, domains=("gray", "color", "warm"))
    parts = [set(names) for names in drawn.names_in.values()]
    assert set.union(*parts) == set(drawn.names)
    assert sum(map(len, parts)) == len(drawn.names)
    with pytest.raises(UserError, match="too few to train on in 100 disjoint parts"):
        draws(DomainDataset, domains=range(100))


def test_every_batch_of_domains_holds_as_many_of_each(draws):
    for batch in batches(draws(DomainDataset), 0, 400, 4, workers=0):
        assert batch["domain"].sum() == 2
    odd = [
        int(batch["domain"].sum()) for batch in batches(draws(DomainDataset), 0, 30, 3, workers=0)
    ]
    assert odd == [1, 2] * 5


@pytest.mark.parametrize("shared", [False, True])
def test_every_photograph_of_a_domain_is_drawn_once_an_epoch(draws, read, shared):
    items = draws(DomainDataset, shared=shared)
    for domain, names in enumerate(items.names_in.values()):
        read.clear()
        for turn in range(len(names)):
            assert items[2 * turn + domain]["domain"] == domain
        assert sorted(stem for stem, _ in read) == stems(names)


def test_image_helpers():
    wide = zips.image(1, 90, 40)
    assert photographs.resize(wide, 32, Image.Resampling.LANCZOS).size == (72, 32)
    square = tensors.to_tensor(photographs.center_crop(wide, 40))
    assert (square == tensors.to_tensor(wide)[:, :, 25:65]).all()
    assert (tensors.to_tensor(tensors.to_image(square)) == square).all()
