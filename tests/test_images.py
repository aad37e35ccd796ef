"""Image files and zips that come from anywhere: read correctly, or left out with the reason."""

import contextlib
import io
import json
import re
import stat
import zipfile

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from skimage import data as skdata

from colorize.base.errors import UserError
from colorize.data import archive, images, members, photo
from colorize.data.union import UnionParameters, union
from tests import zips
from tests.test_data import UNION, contents

PICTURE = zips.image(7)


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 1), (7, 5, 3), (5, 7), (64, 33, 3)])
def test_pngs_are_read_by_anyone_and_by_ourselves(shape):
    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    data = images.png(pixels)
    assert (np.asarray(Image.open(io.BytesIO(data))) == pixels).all()
    assert (images.unpng(data) == pixels).all()
    assert images.png(np.asfortranarray(pixels)) == data


def test_unpng_refuses_what_png_did_not_write():
    data = images.png(np.asarray(PICTURE))
    damaged = bytearray(data)
    damaged[len(data) // 2] ^= 255
    for bad in (bytes(damaged), data[: len(data) // 2], zips.encoded(PICTURE), b"", data[:40]):
        with pytest.raises(ValueError, match=r"not a PNG of this program|reshape"):
            images.unpng(bad)


def test_enormous_photographs_are_refused_before_they_are_decoded(monkeypatch):
    whole = zips.encoded(PICTURE)
    assert photo.open_(whole[:200]).pixels == 48 * 40  # the pixels are not even there
    with pytest.raises(photo.Unreadable, match="1,920 pixels, more than 1,919"):
        photo.read(whole, 48 * 40 - 1)
    for broad in (b"60000 60000", b"11000 11000"):
        with pytest.raises(photo.Unreadable, match="more than 100,000,000"):
            photo.read(zips.encoded(PICTURE, "PPM").replace(b"48 40", broad), members.PIXELS)


def link(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


def test_members_are_refused_or_ignored_by_name(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "MEMBER_BYTES", 10_000)
    path = tmp_path / "some.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as opened:
        for name in (
            "some/trainA/a.png",
            "some/trainA/../../../escape.png",
            "/etc/passwd",
            "some/trainA/.DS_Store",
            "some/trainA/Thumbs.db",
            "__MACOSX/some/trainA/._a.png",
            "some/val/b.png",
            "some/val/c.png",
            "other/trainA/d.png",
            "some/readme.txt",
            "some",
            "some/testA/sub folder/ünïcode \u202e name.jpg",
            "C:/trainA/e.png",
        ):
            opened.writestr(name, b"x")
        opened.writestr("some\\..\\trainA\\f.png", b"x")
        opened.writestr(link("some/trainA/link.png"), "/etc/passwd")
        opened.writestr("some/trainA/bomb.png", bytes(10_001))
        opened.writestr("some/trainA/two\rlines\n.png", b"x")
        opened.writestr("some/trainA/Icon\r", b"")
        with pytest.warns(UserWarning, match="Duplicate name"):
            opened.writestr("some/trainA/a.png", b"y")
    found = archive.contents(path, "some")
    assert found.members == [
        "some/testA/sub folder/ünïcode \u202e name.jpg",
        "some/trainA/a.png",
    ]
    assert dict(found.refused) == {
        "/etc/passwd": "its name points outside the zip",
        "C:/trainA/e.png": "its name points outside the zip",
        "some/trainA/../../../escape.png": "its name points outside the zip",
        "some\\..\\trainA\\f.png": "its name points outside the zip",
        "some/trainA/link.png": "a link or device, not a file",
        "some/trainA/bomb.png": "unpacks to 10,001 bytes, more than 10,000",
        "some/trainA/two\\rlines\\n.png": "its name holds control characters",
        "some/trainA/a.png": "another file in the zip has the same name",
    }
    assert found.ignored == {
        "__MACOSX/some": 1,
        "other/trainA": 1,
        "some": 2,
        "some/trainA": 3,
        "some/val": 2,
    }


def test_encrypted_members_are_refused(tmp_path):
    path = tmp_path / "some.zip"
    with zipfile.ZipFile(path, "w") as opened:
        opened.writestr("some/trainA/a.png", b"x")
    data = bytearray(path.read_bytes())
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    assert archive.contents(path, "some").refused == [("some/trainA/a.png", "encrypted")]


def raw_folder(folder, files: dict[str, bytes]):
    folder.mkdir()
    zips.dataset(folder, "some", files)
    sides = {"A": "photograph", "B": "photograph"}
    (folder / "datasets.json").write_text(json.dumps({"some": {"sides": sides}}))
    return folder


def good_files() -> dict[str, bytes]:
    files = {f"trainA/{i:02}.png": zips.encoded(zips.image(i)) for i in range(30)}
    return files | {"testA/t.png": zips.encoded(zips.image(99))}


def mutated(data: bytes, rng: np.random.Generator) -> bytes:
    """Cut, overwritten, or with a piece taken out or doubled."""
    at, length = (int(x) for x in rng.integers(0, len(data), 2))
    length = 1 + length % 64
    noise = rng.integers(0, 256, length, dtype=np.uint8).tobytes()
    return (
        data[:at],
        data[:at] + noise + data[at + length :],
        data[:at] + data[at + length :],
        data[: at + length] + data[at:],
    )[int(rng.integers(4))]


def real_images() -> list[bytes]:
    photograph = Image.fromarray(skdata.astronaut()[100:200, 150:270])
    forms = [
        *(("JPEG", {}), ("JPEG", {"progressive": True}), ("PNG", {}), ("WEBP", {})),
        *(("TIFF", {}), ("TIFF", {"compression": "tiff_lzw"}), ("GIF", {}), ("BMP", {})),
    ]
    return [zips.encoded(photograph, form, **options) for form, options in forms]


def test_a_hundred_malformed_images_leave_a_row_and_no_traceback(tmp_path):
    rng = np.random.default_rng(0)
    files = good_files()
    for number, data in enumerate(real_images() * 15):
        files[f"trainB/{number:03}.jpg"] = mutated(data, rng)
    raw = raw_folder(tmp_path / "raw", files)
    union(UnionParameters(**UNION), raw, tmp_path / "union")
    rows = pd.read_csv(tmp_path / "union/index.csv", keep_default_na=False)
    assert len(rows) == len(files) == 31 + 120
    bad = rows[rows["source"].str.contains("trainB")]
    assert (bad["reject_reason"] == "rejected").sum() > 50
    assert (bad["kept"] | (bad["reject_detail"] != "")).all()
    assert not rows["reject_detail"].str.contains("\n").any()
    images = {path.name for path in (tmp_path / "union").glob("*.png")}
    assert images == set(rows.loc[rows["kept"], "name"])


def test_a_hundred_malformed_zips_end_with_one_line_or_with_rows(tmp_path):
    raw = raw_folder(tmp_path / "raw", good_files())
    path = raw / "some.zip"
    whole = path.read_bytes()
    rng = np.random.default_rng(1)
    directory = whole.index(b"PK\x01\x02")
    outcomes = dict.fromkeys(("refused", "read", "otherwise"), 0)
    for number in range(120):
        if number % 2:  # in the directory of members, where the names, sizes and places stand
            path.write_bytes(whole[:directory] + mutated(whole[directory:], rng))
        else:
            path.write_bytes(mutated(whole, rng))
        try:
            found = archive.contents(path, "some")
        except UserError as error:
            refused = re.fullmatch(rf"{path}: not a zip: .*", str(error))
            outcomes["refused" if refused else "otherwise"] += 1
            continue
        outcomes["read"] += 1
        with archive.open_zip(path) as opened:
            for member in found.members:
                with contextlib.suppress(Exception):  # the union stage puts it into the row
                    assert len(opened.read(member)) <= archive.MEMBER_BYTES
    assert outcomes["otherwise"] == 0
    assert min(outcomes["refused"], outcomes["read"]) > 10
    # And through the stage: damaged members are rows, the others are kept.
    spoiled = bytearray(whole)
    for member in ("03.png", "07.png", "11.png"):
        at = whole.index(b"some/trainA/" + member.encode()) + 300
        spoiled[at] ^= 255
    path.write_bytes(spoiled)
    union(UnionParameters(**UNION), raw, tmp_path / "union")
    rows = pd.read_csv(tmp_path / "union/index.csv", keep_default_na=False)
    assert list(rows.loc[rows["reject_reason"] == "rejected", "source"].str[-6:]) == [
        "03.png",
        "07.png",
        "11.png",
    ]
    assert rows.loc[rows["reject_reason"] == "rejected", "reject_detail"].str.contains("CRC").all()
    before = contents(tmp_path / "union")
    path.write_bytes(whole[:directory])
    with pytest.raises(UserError, match="not a zip"):
        union(UnionParameters(**UNION), raw, tmp_path / "union")
    assert contents(tmp_path / "union") == before
