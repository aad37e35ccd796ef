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
from PIL import Image, ImageCms
from skimage import data as skdata

from colorize.base.errors import UserError
from colorize.data import archive, images
from colorize.data.union import UnionParameters, union
from tests import zips
from tests.test_data import UNION, contents

JPEG_END = b"\xff\xd9"
PICTURE = zips.image(7)


def exact(image: Image.Image, expected: Image.Image, tolerance: int = 0) -> None:
    assert image.mode == "RGB"
    difference = np.asarray(image).astype(int) - np.asarray(expected.convert("RGB"))
    assert np.abs(difference).max() <= tolerance


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


def test_orientation_is_applied():
    for orientation, turned in (
        (3, PICTURE.transpose(Image.Transpose.ROTATE_180)),
        (6, PICTURE.transpose(Image.Transpose.ROTATE_270)),
        (2, PICTURE.transpose(Image.Transpose.FLIP_LEFT_RIGHT)),
    ):
        exif = Image.Exif()
        exif[0x0112] = orientation
        exact(images.decode(zips.encoded(PICTURE, "PNG", exif=exif)), turned)


def test_cmyk_and_progressive_jpeg_and_palette():
    cmyk = zips.encoded(PICTURE.convert("CMYK"), "JPEG", quality=100, subsampling=0)
    exact(images.decode(cmyk), PICTURE, tolerance=8)
    baseline = zips.encoded(PICTURE, "JPEG", quality=90)
    progressive = zips.encoded(PICTURE, "JPEG", quality=90, progressive=True)
    exact(images.decode(progressive), images.decode(baseline))
    palette = PICTURE.quantize(64)
    exact(images.decode(zips.encoded(palette)), palette.convert("RGB"))
    exact(images.decode(zips.encoded(PICTURE, "TIFF")), PICTURE)
    exact(images.decode(zips.encoded(PICTURE, "BMP")), PICTURE)
    exact(images.decode(zips.encoded(PICTURE, "WEBP", lossless=True)), PICTURE)


def test_16_bit_is_scaled_and_transparency_stands_on_white():
    levels = np.arange(0, 65536, 16, dtype=np.uint16).reshape(64, 64)
    gray = np.asarray(images.decode(zips.encoded(Image.fromarray(levels))))
    assert np.abs(gray[..., 0] - levels / 257).max() <= 0.5
    clear = PICTURE.convert("RGBA")
    clear.putalpha(Image.new("L", clear.size, 0))
    exact(images.decode(zips.encoded(clear)), Image.new("RGB", clear.size, "white"))
    clear.putalpha(Image.new("L", clear.size, 255))
    exact(images.decode(zips.encoded(clear)), PICTURE)


def test_profiles_are_applied_and_broken_ones_ignored():
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for profile in (srgb, b"no profile at all", lab, b""):
        exact(images.decode(zips.encoded(PICTURE, "PNG", icc_profile=profile)), PICTURE)
    # sRGB with red and green exchanged: whatever is applied, a red picture must come out green.
    swapped = bytearray(srgb)
    tags = {srgb[132 + 12 * i : 136 + 12 * i]: 132 + 12 * i for i in range(srgb[131])}
    red, green = tags[b"rXYZ"] + 4, tags[b"gXYZ"] + 4
    swapped[red : red + 8], swapped[green : green + 8] = (
        srgb[green : green + 8],
        srgb[red : red + 8],
    )
    at = srgb.index("sRGB".encode("utf-16-be"))
    swapped[at : at + 8] = "swap".encode("utf-16-be")
    picture = Image.new("RGB", (40, 40), (200, 30, 30))
    data = zips.encoded(picture, "PNG", icc_profile=bytes(swapped))
    red, green, _ = images.decode(data).getpixel((3, 3))
    assert green > red + 50


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (zips.encoded(PICTURE, "GIF", save_all=True, append_images=[zips.image(8)]), "2 frames"),
        (zips.encoded(PICTURE, "TIFF", save_all=True, append_images=[zips.image(8)]), "2 frames"),
        (zips.encoded(PICTURE, "PNG", save_all=True, append_images=[zips.image(8)]), "2 frames"),
        (zips.encoded(PICTURE, "JPEG")[:900], "truncated"),
        # What is missing is not missed by decoders that fill it with gray, where an end is marked.
        (zips.encoded(PICTURE, "JPEG")[:900] + JPEG_END, "premature end"),
        (zips.encoded(PICTURE, "JPEG", progressive=True)[:900] + JPEG_END, "premature end"),
        (zips.encoded(PICTURE.convert("L"), "JPEG")[:-60] + JPEG_END, "premature end"),
        (zips.encoded(PICTURE.convert("CMYK"), "JPEG")[:900] + JPEG_END, "premature end"),
        (zips.encoded(PICTURE)[:900], "cannot be decoded"),
        (zips.encoded(PICTURE.convert("L").convert("F"), "TIFF"), "float pixels"),
        (b"", "not an image"),
        (b"<html>gone</html>", "not an image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not an image"),
        # Headers that promise more than memory holds.
        (zips.encoded(PICTURE, "PPM").replace(b"48 40", b"60000 60000"), "exceeds limit"),
        (zips.encoded(PICTURE, "PPM").replace(b"48 40", b"11000 11000"), "more than 100,000,000"),
    ],
)
def test_what_is_no_photograph_is_refused_with_the_reason(data, reason):
    with pytest.raises(images.Unreadable, match=reason) as raised:
        images.decode(data)
    assert "\n" not in str(raised.value)


def test_enormous_images_are_refused_before_they_are_decoded(monkeypatch):
    monkeypatch.setattr(images, "PIXELS", 48 * 40 - 1)
    with pytest.raises(images.Unreadable, match="48x40, more than 1,919 pixels"):
        images.decode(zips.encoded(PICTURE)[:200])  # the pixels are not even there


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
    found = archive.contents(path, "some")
    assert found.members == [
        "some/testA/sub folder/ünïcode \u202e name.jpg",
        "some/trainA/a.png",
    ]
    assert found.refused == {
        "/etc/passwd": "its name points outside the zip",
        "C:/trainA/e.png": "its name points outside the zip",
        "some/trainA/../../../escape.png": "its name points outside the zip",
        "some\\..\\trainA\\f.png": "its name points outside the zip",
        "some/trainA/link.png": "a link or device, not a file",
        "some/trainA/bomb.png": "unpacks to 10,001 bytes, more than 10,000",
    }
    assert found.ignored == {
        "__MACOSX/some": 1,
        "other/trainA": 1,
        "some": 2,
        "some/trainA": 2,
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
    assert archive.contents(path, "some").refused == {"some/trainA/a.png": "encrypted"}


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
