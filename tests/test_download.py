"""The stage `download`: folders, catalogs, and a server that spoils what it sends."""

import base64
import contextlib
import hashlib
import itertools
import json
import os
import re
import shutil
import signal
import socket
import threading
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from ruamel.yaml import YAML

from colorize.base.errors import UserError
from colorize.data import catalog, remote
from colorize.data.download import THREAD, DownloadParameters, download
from tests import zips
from tests.conftest import ROOT, checkout
from tests.server import Handler, cut, replace, reset, serving, stall, status, together

BOTH = ("first", "second")


def noise(seed: int, length: int) -> bytes:
    """Bytes that a zip cannot make smaller; this stage does not look into images."""
    return np.random.default_rng(seed).bytes(length)


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(remote, "BACKOFF", 0.01)
    monkeypatch.setattr(remote, "CHUNK", 4096)
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def mirror(tmp_path) -> Path:
    """A folder with two zips, a little over 300 and 400 kB, and their catalog."""
    return make_mirror(tmp_path / "mirror", 150_000, 200_000)


def make_mirror(folder: Path, *lengths: int) -> Path:
    folder.mkdir()
    entries = {}
    for seed, (name, length) in enumerate(zip(BOTH, lengths, strict=True)):
        files = {"trainA/a.jpg": noise(seed, length), "testB/b.jpg": noise(seed + 9, length)}
        entries[name] = zips.dataset(folder, name, files | {"notes/readme.txt": b"?"})
    zips.catalog(folder, entries)
    return folder


@pytest.fixture
def server(mirror):
    with serving({path.name: path.read_bytes() for path in mirror.iterdir()}) as server:
        yield server


def fetch(address, tmp_path, names=BOTH, described=None) -> Path:
    parameters = DownloadParameters(
        datasets=list(names),
        catalog=str(described or f"{address}/catalog.yaml"),
        mirror=str(address),
    )
    download(parameters, tmp_path / "raw", tmp_path / "kept")
    return tmp_path / "raw"


def fails(message: str, *arguments, **named) -> None:
    with pytest.raises(UserError, match=message) as raised:
        fetch(*arguments, **named)
    assert "\n" not in str(raised.value)


def kept(mirror, tmp_path, name) -> Path:
    """Where the verified zip of a dataset stays."""
    return tmp_path / "kept" / hashlib.sha256((mirror / f"{name}.zip").read_bytes()).hexdigest()


def asked(server, name: str) -> list[int | None]:
    """Where the requests for one file started, in their order."""
    return [request.start for request in server.log if request.name == name]


def same(raw, mirror, names=BOTH) -> bool:
    return all((raw / f"{n}.zip").read_bytes() == (mirror / f"{n}.zip").read_bytes() for n in names)


# What a mirror is


def test_zips_come_from_a_folder_and_from_a_url(mirror, server, tmp_path):
    for place, address in (("a", mirror), ("b", server.url), ("c", f"{server.url}/")):
        raw = fetch(address, tmp_path / place)
        assert same(raw, mirror)
        assert sorted(path.name for path in raw.iterdir()) == [
            "datasets.json",
            "first.zip",
            "second.zip",
        ]
        assert list(json.loads((raw / "datasets.json").read_text())) == ["first", "second"]
        assert not list((tmp_path / place).rglob("*.partial"))


def test_a_dataset_taken_out_leaves_and_zips_are_not_fetched_again(mirror, tmp_path):
    fetch(mirror, tmp_path)
    for path in mirror.glob("*.zip"):
        path.unlink()
    raw = fetch(mirror, tmp_path, ["second"])
    assert [path.name for path in raw.glob("*.zip")] == ["second.zip"]
    assert list(json.loads((raw / "datasets.json").read_text())) == ["second"]


def test_a_set_that_changes_fetches_what_is_new_alone(mirror, server, tmp_path):
    fetch(server.url, tmp_path, ["first"], mirror / "catalog.yaml")
    fetch(server.url, tmp_path, BOTH, mirror / "catalog.yaml")
    fetch(server.url, tmp_path, BOTH, mirror / "catalog.yaml")
    assert server.names() == ["first.zip", "second.zip"]


def test_what_is_kept_is_verified_again(mirror, server, tmp_path):
    fetch(server.url, tmp_path, ["first"])
    kept(mirror, tmp_path, "first").write_bytes(b"0" * (mirror / "first.zip").stat().st_size)
    assert same(fetch(server.url, tmp_path, ["first"]), mirror, ["first"])


def test_several_zips_come_at_once(mirror, server, tmp_path):
    both = together(2)  # neither is answered before the other is asked for
    server.faults |= {"first.zip": [both], "second.zip": [both]}
    assert same(fetch(server.url, tmp_path), mirror)


def test_one_zip_of_two_datasets_is_fetched_once(mirror, server, tmp_path):
    entry = YAML(typ="safe").load(mirror / "catalog.yaml")["first"]
    described = zips.catalog(tmp_path, {"first": entry, "again": entry})
    fails(r"first\.zip: holds", server.url, tmp_path, ["first", "again"], described)
    assert server.names() == ["first.zip"]


def spoil_bytes(mirror):
    path = mirror / "second.zip"
    path.write_bytes(path.read_bytes()[:-1] + b"?")


def shorten(mirror):
    path = mirror / "second.zip"
    path.write_bytes(path.read_bytes()[:-10])


def empty_zip(mirror):
    entry = zips.dataset(mirror, "second", {})
    zips.catalog(mirror, {"first": entry, "second": entry})


def other_counts(mirror):
    entries = YAML(typ="safe").load(mirror / "catalog.yaml")
    entries["second"]["images"]["trainB"] = 7
    zips.catalog(mirror, entries)


def not_a_zip(mirror):
    (mirror / "second.zip").write_bytes(b"<html>moved</html>")
    entry = zips.dataset(mirror, "first", {"trainA/x.png": b"x"})
    html = (mirror / "second.zip").read_bytes()
    spoiled = entry | {
        "file": "second.zip",
        "bytes": len(html),
        "sha256": hashlib.sha256(html).hexdigest(),
    }
    zips.catalog(mirror, {"first": entry, "second": spoiled})


def described(text):
    return lambda mirror: (mirror / "catalog.yaml").write_text(text)


def named_pipe(name: str):
    def fault(mirror) -> None:
        (mirror / name).unlink()
        os.mkfifo(mirror / name)

    return fault


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (spoil_bytes, r"second\.zip: its SHA-256 is not the catalog's"),
        (shorten, r"second\.zip: [\d,]+ bytes, the catalog says"),
        (named_pipe("second.zip"), r"second\.zip: cannot be fetched: not a file$"),
        (named_pipe("catalog.yaml"), r"data\.catalog: cannot read .*catalog\.yaml: not a file$"),
        (lambda m: (m / "second.zip").unlink(), r"second\.zip: not found on the mirror"),
        (empty_zip, r"second\.zip: no image under second/"),
        (other_counts, r"^second\.zip: holds .*'trainB': 0}, the catalog says .*'trainB': 7}"),
        (not_a_zip, r"^second\.zip: not a zip"),
        (lambda m: (m / "catalog.yaml").unlink(), r"data\.catalog: cannot read .*catalog\.yaml"),
        (described("a: ["), r"data\.catalog: .*catalog\.yaml: not YAML"),
        (described("- a"), r"not a mapping"),
        (described("2024: {images: {}}"), r'2024 is no name unless in quotes: "2024"$'),
        (described("../x: {images: {}}"), r"'\.\./x' is no name"),
        (described("second: {file: 3}"), r"second\.file: .*found 3"),
        (described("other: {images: {}}"), r"no dataset 'second'"),
        (described("second: {images: {}}"), r"second: it has neither 'file' nor 'folder'"),
        (described("second: {file: a.zip, bytes: 3}"), r"second: nothing to verify a\.zip by"),
        (described("second: {folder: /a, bytes: 3}"), r"second: 'folder' excludes"),
        (described("second: {file: a.zip, test: 0.5}"), r"second: 'test' belongs to a 'folder'"),
        (described("second: {folder: /a, test: 1.0}"), r"second\.test: .*found 1\.0"),
        (described("second: {folder: /a, groups: '('}"), r"second\.groups: not a regular"),
        (described("second: {folder: /a, groups: 'a{99999999999}'}"), r"second\.groups: not a reg"),
        (
            described(f"second: {{folder: /a, groups: '{'(' * 9999 + ')' * 9999}'}}"),
            r"second\.groups: not a regular expression: maximum recursion",
        ),
        (described("second: {folder: ''}"), r"second\.folder: .*found ''"),
        (described("second: {folder: '~nobody-here/a'}"), "^~nobody-here/a: there is no such user"),
        (described('second: {folder: "a\\0b"}'), r"second\.folder: it has control characters"),
    ],
)
def test_download_faults_name_what_and_where_and_change_nothing(mirror, tmp_path, fault, message):
    before = sorted(p.read_bytes() for p in fetch(mirror, tmp_path, ["first"]).iterdir())
    fault(mirror)
    fails(message, mirror, tmp_path, ["second"])
    assert sorted(p.read_bytes() for p in (tmp_path / "raw").iterdir()) == before
    assert not list(tmp_path.rglob("*.partial"))


def test_the_catalog_names_all_datasets_and_the_full_preset_those_that_can_be_fetched():
    known = catalog.load(str(catalog.BUILTIN))
    assert len(known) == 13
    assert all(dataset.license for dataset in known.values())
    preset = YAML(typ="safe").load(ROOT / "presets/full.yaml")["data"]["datasets"]
    assert set(known) - set(preset) == {"sample", "ae_photos", "cityscapes"}
    assert len(catalog.select(preset, known, "")) == 10
    with pytest.raises(UserError, match=r"ae_photos\.zip by; download it yourself"):
        catalog.select(["ae_photos"], known, "")


# Lines that break


@pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
def test_a_cut_transfer_goes_on_where_it_stopped(mirror, server, tmp_path, share):
    size = (mirror / "second.zip").stat().st_size
    server.faults["second.zip"] = [cut(share)]
    assert same(
        fetch(server.url, tmp_path, ["second"], mirror / "catalog.yaml"), mirror, ["second"]
    )
    first, second = asked(server, "second.zip")
    assert first is None
    assert second == round(size * share)
    assert server.sent <= size + remote.CHUNK


def test_the_next_run_goes_on_where_the_last_one_gave_up(mirror, server, tmp_path, monkeypatch):
    monkeypatch.setattr(remote, "RETRIES", 0)
    size = (mirror / "second.zip").stat().st_size
    server.faults["second.zip"] = [cut(0.5)]
    fails("the connection broke, after 0 retries", server.url, tmp_path, ["second"])
    assert same(fetch(server.url, tmp_path, ["second"]), mirror, ["second"])
    assert asked(server, "second.zip")[1] == round(size / 2)


def test_what_came_from_one_mirror_need_not_come_from_another(mirror, server, tmp_path):
    data = (mirror / "second.zip").read_bytes()
    partial = remote.partial_of(kept(mirror, tmp_path, "second"))
    for address in (mirror, server.url):
        partial.parent.mkdir()
        partial.write_bytes(data[:1000])
        assert same(fetch(address, tmp_path, ["second"]), mirror, ["second"])
        shutil.rmtree(partial.parent)
    assert asked(server, "second.zip") == [1000]


@pytest.mark.parametrize("fault", [cut(0.2), cut(0.02), reset(0.02)])  # 80 kB, 8 kB
def test_every_byte_that_comes_gives_new_retries(mirror, server, tmp_path, fault):
    server.faults["second.zip"] = [fault] * (3 * remote.RETRIES)
    assert same(fetch(server.url, tmp_path, ["second"]), mirror, ["second"])
    starts = asked(server, "second.zip")[1:]
    assert len(starts) == 3 * remote.RETRIES
    assert starts == sorted(starts)


@pytest.mark.parametrize(
    "fault",
    [
        reset(0.5),
        reset(0),
        cut(0),
        status(500),
        status(408),
    ],
)
def test_what_passes_is_tried_again(mirror, server, tmp_path, fault):
    server.faults["second.zip"] = [fault, fault]
    assert same(fetch(server.url, tmp_path, ["second"]), mirror, ["second"])
    assert len(asked(server, "second.zip")) == 3


def test_a_silent_line_is_given_up_and_dialled_again(mirror, server, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(remote, "READ_SECONDS", 0.5)
    server.faults["second.zip"] = [stall(0.5), stall(0)]
    assert same(fetch(server.url, tmp_path, ["second"]), mirror, ["second"])
    assert asked(server, "second.zip")[1] > 0
    assert capsys.readouterr().err.count("nothing came for 0.5 s; again") >= 2


def elsewhere(handler, answer):
    """Another part than was asked for."""
    headers = answer.headers | {"Content-Range": "bytes 7-8/9"}
    handler.send(answer._replace(headers=headers))


@pytest.mark.parametrize("fault", [elsewhere, status(416)])
def test_a_server_that_cannot_go_on_is_asked_for_the_whole(mirror, server, tmp_path, fault):
    server.faults["second.zip"] = [cut(0.5), fault]
    assert same(fetch(server.url, tmp_path, ["second"]), mirror, ["second"])
    starts = asked(server, "second.zip")
    assert starts[0] is None
    assert starts[1] > 0
    assert starts[2:] == [None]


def test_a_server_without_ranges_starts_again(mirror, server, tmp_path):
    server.ranges = False
    server.faults["second.zip"] = [cut(0.5), cut(0.3)]
    assert same(fetch(server.url, tmp_path, ["second"]), mirror, ["second"])
    assert len(asked(server, "second.zip")) == 3


def test_a_server_without_ranges_that_never_gets_further_is_given_up(mirror, server, tmp_path):
    server.ranges = False
    server.faults["second.zip"] = [cut(0.5)] * 20
    fails(r"second\.zip: the connection broke, after 5 retries", server.url, tmp_path, ["second"])
    assert len(asked(server, "second.zip")) == 6


def test_an_answer_that_ends_early_without_saying_so_is_not_the_whole(mirror, server, tmp_path):
    server.ranges = False
    half = (mirror / "second.zip").read_bytes()[:1000]
    server.faults["second.zip"] = [replace(half, Content_Length="none")] * 20
    fails("the answer ended early, after 5 retries", server.url, tmp_path, ["second"])


def test_a_server_that_stays_down_is_given_up(mirror, server, tmp_path):
    server.faults["second.zip"] = [status(503)] * 20
    fails("503 Service Unavailable, after 5 retries", server.url, tmp_path, ["second"])
    assert len(asked(server, "second.zip")) == 6


@pytest.mark.parametrize(
    ("value", "longest", "waited"),
    [
        ("1", 300, "again in 1 s"),
        ("100", 0, "again in 0 s"),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 300, "again in 0 s"),
        ("soon", 300, "again in 2 s"),
    ],
)
def test_a_server_may_say_how_long_to_wait(
    mirror, server, tmp_path, monkeypatch, capsys, value, longest, waited
):
    monkeypatch.setattr(remote, "BACKOFF", 2)
    monkeypatch.setattr(remote, "LONGEST_WAIT", longest)
    server.faults["second.zip"] = [status(429, Retry_After=value)]
    assert same(fetch(server.url, tmp_path, ["second"]), mirror, ["second"])
    assert f"429 Too Many Requests; {waited}" in capsys.readouterr().err


def test_a_redirect_to_nowhere_is_one_line(mirror, server, tmp_path):
    server.faults["second.zip"] = [status(302, Location="http://[::bad")]
    fails(r"second\.zip: cannot be fetched: ", server.url, tmp_path, ["second"])


def test_what_a_server_says_gives_no_orders_to_the_terminal(mirror, server, tmp_path, capsys):
    def says(handler, answer):
        handler.wfile.write(b"HTTP/1.1 503 \x1b[2JGone\r\nContent-Length: 0\r\n\r\n")

    server.faults["second.zip"] = [says]
    assert same(fetch(server.url, tmp_path, ["second"]), mirror, ["second"])
    said = capsys.readouterr().err
    assert r"503 \x1b[2JGone; again" in said
    assert "\x1b[2J" not in said


# Lines that lie


def test_another_file_of_the_right_size_is_refused(mirror, server, tmp_path):
    size = (mirror / "second.zip").stat().st_size
    server.files["second.zip"] = noise(5, size)
    fails("its SHA-256 is not the catalog's", server.url, tmp_path, ["second"])
    assert asked(server, "second.zip") == [None]
    assert not list(tmp_path.rglob("*.partial"))


def test_pieces_that_do_not_fit_are_fetched_anew(mirror, server, tmp_path):
    path = kept(mirror, tmp_path, "second")
    size = (mirror / "second.zip").stat().st_size
    for length in (1000, size, size + 1):
        path.parent.mkdir(exist_ok=True)
        remote.partial_of(path).write_bytes(b"0" * length)
        assert same(fetch(server.url, tmp_path, ["second"]), mirror, ["second"])
        shutil.rmtree(path.parent)
    assert asked(server, "second.zip") == [1000, None, None, None]


def test_pieces_that_do_not_fit_are_fetched_anew_but_once(mirror, server, tmp_path):
    size = (mirror / "second.zip").stat().st_size
    server.files["second.zip"] = noise(5, size)
    server.faults["second.zip"] = [cut(0.5)]
    fails("its SHA-256 is not the catalog's", server.url, tmp_path, ["second"])
    first, second, third = asked(server, "second.zip")
    assert (first, third) == (None, None)
    assert second > 0
    assert not list(tmp_path.rglob("*.partial"))


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (replace(b"short"), r"second\.zip: 5 bytes, the catalog says [\d,]{7}$"),
        (replace(b"<html>", Content_Type="text/html; charset=utf-8"), "a web page, not a zip"),
        (
            replace(b"<html>", Content_Type="text/html", Content_Length="none"),
            r"of unknown size \(text/html: a web page, not a zip\), the catalog says",
        ),
        (replace(b"x" * 10**6, Content_Length="none"), "more than the catalog's"),
        (status(404), r"second\.zip: not found on the mirror \(data\.mirror\)"),
        (status(403), r"second\.zip: the server answers 403 Forbidden; .* in ~/\.netrc$"),
        (status(302, Location="ftp://x/y"), r"second\.zip: cannot be fetched: "),
    ],
)
def test_answers_that_will_not_get_better_end_the_run_at_once(
    mirror, server, tmp_path, fault, message
):
    server.faults["second.zip"] = [fault]
    fails(message, server.url, tmp_path, ["second"])
    assert asked(server, "second.zip") == [None]
    assert not (tmp_path / "raw").exists()


def test_a_file_that_changed_on_the_server_is_not_appended(mirror, server, tmp_path):
    server.files["second.zip"] += b"longer"
    server.faults["second.zip"] = [
        lambda handler, answer: cut(0.5)(
            handler, answer._replace(body=answer.body.removesuffix(b"longer"))
        )
    ]
    size = (mirror / "second.zip").stat().st_size
    fails(f"{size + 6:,} bytes, the catalog says {size:,}", server.url, tmp_path, ["second"])


# No line at all, no room


def test_nobody_at_the_address(mirror, tmp_path, monkeypatch, capsys):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    hint = "; check the network, or set data.mirror to a folder or URL that has the zips$"
    described = mirror / "catalog.yaml"
    fails(
        f"^cannot reach 127.0.0.1:{port}{hint}",
        f"http://127.0.0.1:{port}",
        tmp_path,
        BOTH,
        described,
    )
    fails(f"cannot read .*: cannot reach 127.0.0.1:{port}$", f"http://127.0.0.1:{port}", tmp_path)

    def unknown(*arguments, **named):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    fails(
        f"^cannot reach nowhere.invalid{hint}", "https://nowhere.invalid", tmp_path, BOTH, described
    )
    assert "again in" not in capsys.readouterr().err


def test_a_server_that_leaves_is_waited_for(mirror, server, tmp_path, monkeypatch):
    """After bytes came, no connection is a broken line, not a wrong address."""
    server.faults["second.zip"] = [cut(0.5)]
    connect, calls = socket.socket.connect, []

    def sometimes(self, address):
        calls.append(address)
        if len(calls) in (2, 3):
            raise ConnectionRefusedError
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", sometimes)
    raw = fetch(server.url, tmp_path, ["second"], mirror / "catalog.yaml")
    assert same(raw, mirror, ["second"])
    assert len(calls) == 4


def needs_password(handler, answer) -> None:
    given = handler.headers.get("Authorization")
    right = given == "Basic " + base64.b64encode(b"me:secret").decode()
    (Handler.send if right else status(401))(handler, answer)


def test_names_and_passwords_come_from_a_netrc_file(mirror, server, tmp_path, monkeypatch):
    for name in ("catalog.yaml", "second.zip"):
        server.faults[name] = [needs_password] * 3
    monkeypatch.setenv("NETRC", str(tmp_path / "none"))
    fails(
        "401 Unauthorized; .* in ~/.netrc",
        server.url,
        tmp_path,
        ["second"],
        mirror / "catalog.yaml",
    )
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert same(fetch(server.url, tmp_path, ["second"]), mirror, ["second"])


@pytest.mark.parametrize("key", ["catalog", "mirror"])
@pytest.mark.parametrize(
    "address", ["https://me:secret@host/zips", "http://secret@host", "cache::ftp://a:secret@host"]
)
def test_no_password_gets_into_parameters_and_messages(key, address):
    keys = {"datasets": ["first"], "catalog": "a", "mirror": "a", key: address}
    with pytest.raises(UserError, match=rf"^data\.{key}: names and passwords .*netrc$"):
        DownloadParameters.parse(keys, "data")


def test_room_on_the_disk_is_looked_for_first(mirror, server, tmp_path, monkeypatch):
    sizes = [(mirror / f"{name}.zip").stat().st_size for name in BOTH]
    usage = shutil.disk_usage(tmp_path)
    partial = remote.partial_of(kept(mirror, tmp_path, "first"))
    partial.parent.mkdir()
    partial.write_bytes((mirror / "first.zip").read_bytes()[:1000])
    free = sum(sizes) - 1001
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=free))
    fails(r"needs 0\.00 GB, 0\.00 GB are free in .*kept", server.url, tmp_path)
    assert server.names() == ["catalog.yaml"]
    free += 1
    assert same(fetch(server.url, tmp_path), mirror)


def test_one_failure_stops_the_others(mirror, server, tmp_path):
    partial = remote.partial_of(kept(mirror, tmp_path, "first"))
    failed = threading.Event()

    def slow(handler, answer):
        handler.send(answer, len(answer.body) // 2)
        failed.wait(30)
        handler.wfile.write(answer.body[len(answer.body) // 2 :])

    def late(handler, answer):
        server.wait_for(lambda: remote.size_of(partial) > 0)
        status(404)(handler, answer)

    server.faults |= {"first.zip": [slow], "second.zip": [late]}
    fails(r"second\.zip: not found", server.url, tmp_path)
    failed.set()
    server.wait_for(lambda: not [t for t in threading.enumerate() if t.name == THREAD])
    assert 0 < remote.size_of(partial) < (mirror / "first.zip").stat().st_size
    assert not kept(mirror, tmp_path, "first").exists()


# The stage as it is run


@pytest.fixture
def project(tmp_path):
    return checkout(tmp_path / "project")


# Tests that run in the background of a shell, and what they start, ignore Ctrl-C.
INTERRUPTIBLE = """
import runpy, signal
signal.signal(signal.SIGINT, signal.default_int_handler)
runpy.run_module("stages.download", run_name="__main__")
"""


def set_mirror(project, mirror, server) -> None:
    project.params(
        data__datasets=list(BOTH), data__catalog=f"{mirror}/catalog.yaml", data__mirror=server.url
    )


def kill(process, by: signal.Signals) -> str:
    """Signal the process alone, as a terminal or a system does; returns what it said."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(process.pid, by)
    return process.communicate(timeout=30)[1]


@pytest.mark.soak
def test_kills_at_any_moment_leave_a_run_that_ends_like_any_other(tmp_path, project):
    mirror = make_mirror(tmp_path / "mirror", 2_000_000, 2_000_000)
    files = {path.name: path.read_bytes() for path in mirror.glob("*.zip")}
    total = sum(map(len, files.values()))
    with serving(files) as server:
        set_mirror(project, mirror, server)
        project.stage("download")
        undisturbed = project.contents_of("data/raw")
        for folder in ("data", ".scratch"):
            shutil.rmtree(project.path(folder))
        server.log.clear()
        server.sent, server.pause = 0, 0.001
        for moment in sorted(np.random.default_rng(0).integers(0, total, 10)):
            process = project.start("python", "-m", "stages.download")
            server.wait_for(lambda: server.sent >= moment or process.poll() is not None)  # noqa: B023
            kill(process, signal.SIGKILL)
            assert process.returncode == -signal.SIGKILL
            assert not project.path("data/raw").exists()
        server.pause = 0
        project.stage("download")
        assert project.contents_of("data/raw") == undisturbed
        # Without resuming, the last run alone would ask for all of it.
        assert server.sent < 1.5 * total


@pytest.mark.soak
def test_ctrl_c_ends_a_silent_transfer(mirror, server, project):
    set_mirror(project, mirror, server)
    server.faults |= {"first.zip": [stall(0.5)], "second.zip": [stall(0)]}
    process = project.start("python", "-c", INTERRUPTIBLE)
    server.wait_for(lambda: any(map(remote.size_of, project.root.glob(".scratch/zips/*.partial"))))
    said = kill(process, signal.SIGINT)
    assert process.returncode == 130
    assert "interrupted" in said
    assert "Traceback" not in said
    assert not project.path("data/raw").exists()
    project.stage("download")
    assert max(filter(None, asked(server, "first.zip"))) > 0


def test_a_full_disk_is_one_line_and_the_next_run_goes_on(mirror, server, project):
    set_mirror(project, mirror, server)
    said = project.stage("download", largest_file=200_000, expect=1).stderr
    assert re.search(r"error: .*File too large: '\.scratch/zips/[0-9a-f]{64}\.partial'\n$", said)
    assert "Traceback" not in said
    project.stage("download")
    assert same(project.path("data/raw"), mirror)
    assert max(filter(None, asked(server, "first.zip") + asked(server, "second.zip"))) > 0


@pytest.mark.soak
def test_the_second_of_two_runs_waits_and_fetches_nothing(mirror, server, project):
    set_mirror(project, mirror, server)
    server.gate.clear()
    one = project.start("python", "-m", "stages.download")
    server.wait_for(lambda: len(server.log) == 2)
    other = project.start("python", "-m", "stages.download")
    assert "another process is running the stage download; waiting" in other.stderr.readline()
    server.gate.set()
    for process in (one, other):
        assert process.wait(30) == 0
        process.communicate()
    assert sorted(server.names()) == ["first.zip", "second.zip"]
    assert same(project.path("data/raw"), mirror)


# Folders of one's own


@pytest.fixture
def photos(tmp_path) -> Path:
    """Two hundred files, some of them in a folder of their own."""
    folder = tmp_path / "photos"
    (folder / "2019").mkdir(parents=True)
    for seed in range(200):
        name = f"2019/{seed:03}.jpg" if seed % 2 else f"{seed:03}.jpg"
        (folder / name).write_bytes(noise(seed, 100))
    return folder


def gather(photos, tmp_path, **keys) -> zipfile.ZipFile:
    described = zips.catalog(tmp_path, {"mine": {"folder": str(photos), **keys}})
    return zipfile.ZipFile(fetch("nowhere", tmp_path, ["mine"], described) / "mine.zip")


def places(archive) -> dict[str, str]:
    """Path below the folder -> trainA and the like."""
    split = [name.removeprefix("mine/").split("/", 1) for name in archive.namelist()]
    return {path: folder for folder, path in split}


def test_a_folder_becomes_a_zip_with_every_file(photos, tmp_path):
    archive = gather(photos, tmp_path)
    found = places(archive)
    assert len(found) == 200
    for path, folder in found.items():
        assert archive.read(f"mine/{folder}/{path}") == (photos / path).read_bytes()
    assert archive.namelist() == sorted(archive.namelist())
    share = sum(folder == "testA" for folder in found.values()) / 200
    assert 0.03 < share < 0.2
    assert set(found.values()) == {"trainA", "testA"}
    manifest = json.loads((tmp_path / "raw/datasets.json").read_text())
    assert manifest == {"mine": {"sides": {"A": "photograph", "B": "photograph"}}}


def test_a_folder_s_zip_depends_on_its_content_alone(photos, tmp_path):
    gather(photos, tmp_path)
    before = (tmp_path / "raw/mine.zip").read_bytes()
    moved = photos.rename(tmp_path / "elsewhere")
    for path in moved.rglob("*.jpg"):
        os.utime(path, (10**9, 10**9))
    gather(moved, tmp_path)
    assert (tmp_path / "raw/mine.zip").read_bytes() == before


def test_photographs_stay_in_their_split_when_others_come(photos, tmp_path):
    before = places(gather(photos, tmp_path))
    for seed in range(200, 300):
        (photos / f"{seed}.jpg").write_bytes(noise(seed, 100))
    (photos / "000.jpg").unlink()
    after = places(gather(photos, tmp_path))
    assert len(after) == 299
    assert before.items() - {("000.jpg", before["000.jpg"])} <= after.items()
    more = places(gather(photos, tmp_path, test=0.5))
    tested = {path for path, folder in after.items() if folder == "testA"}
    assert tested < {path for path, folder in more.items() if folder == "testA"}


def test_hidden_files_litter_and_links_are_left_out(photos, tmp_path, capsys):
    (photos / ".hidden.jpg").write_bytes(b"x")
    (photos / ".git").mkdir()
    (photos / ".git/a.jpg").write_bytes(b"x")
    (photos / "Thumbs.db").write_bytes(b"x")
    (photos / "link.jpg").symlink_to(photos / "000.jpg")
    (photos / "again").symlink_to(photos / "2019")
    os.mkfifo(photos / "pipe.jpg")
    assert len(places(gather(photos, tmp_path))) == 200
    said = capsys.readouterr().out.splitlines()
    assert sorted(line.split()[1] for line in said) == [
        str(photos / name) for name in ("again", "link.jpg", "pipe.jpg")
    ]


def test_a_folder_sorted_by_hand_is_used_as_it_is(photos, tmp_path, capsys):
    for folder in ("trainA", "testB/deep"):
        (photos / folder).mkdir(parents=True)
        (photos / folder / "x.jpg").write_bytes(b"x")
    assert places(gather(photos, tmp_path)) == {"x.jpg": "trainA", "deep/x.jpg": "testB"}
    assert "mine: 200 files are left out" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("folders", "expected", "is_split"),
    [
        ("4 train, 2 test", "4 trainA, 2 testA", True),
        ("4 Train, 3 VAL, 2 Test", "4 trainA, 3 valA, 2 testA", True),
        ("4 TrainA, 3 trainB, 2 testa", "4 trainA, 3 trainB, 2 testA", True),
        ("4 train, 3 validation, 1 valB, 2 test", "4 trainA, 3 valA, 1 valB, 2 testA", True),
        ("90 train/n01440764, 3 val/n01440764", "84 trainA, 3 valA, 6 testA", True),
        ("90 trainB", "84 trainB, 6 testB", True),
        ("90 train", "84 trainA, 6 testA", False),  # of trains, perhaps
        ("45 trains, 45 2019", "84 trainA, 6 testA", False),
    ],
)
def test_a_folder_that_is_split_already_stays_so(folders, expected, is_split, tmp_path, capsys):
    photos, seeds = tmp_path / "photos", itertools.count()
    for count, folder in re.findall(r"(\d+) ([^,]+)", folders):
        (photos / folder).mkdir(parents=True)
        for seed in itertools.islice(seeds, int(count)):
            (photos / folder / f"{seed:03}.jpg").write_bytes(noise(seed, 100))
    counts = Counter(name.split("/")[1] for name in gather(photos, tmp_path).namelist())
    wanted = {folder: int(count) for count, folder in re.findall(r"(\d+) (\w+)", expected)}
    assert counts == wanted
    assert ("split as its folders say" in capsys.readouterr().out) == is_split


def test_a_catalog_of_ones_own_adds_to_the_builtin_one(photos, tmp_path):
    described = zips.catalog(tmp_path, {"mine": {"folder": str(photos)}})
    raw = fetch("nowhere", tmp_path, ["sample", "mine"], described)
    assert sorted(path.stem for path in raw.glob("*.zip")) == ["mine", "sample"]


def test_files_of_any_name_are_copied_or_left_out(photos, tmp_path, capsys):
    (photos / os.fsdecode(b"M\xfcnchen.jpg")).write_bytes(b"x")
    (photos / "Icon\r").write_bytes(b"")
    (photos / "München\u202f.jpg").write_bytes(b"x")
    for name in ("train", "testA"):  # files, not folders
        (photos / name).write_bytes(b"x")
    assert len(places(gather(photos, tmp_path))) == 203
    (line,) = capsys.readouterr().out.splitlines()
    assert line.endswith(r"M\udcfcnchen.jpg is left out: its name is no UTF-8")


def test_room_for_a_folder_is_looked_for_first(photos, tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    free = 200 * 100 - 1
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=free))
    with pytest.raises(
        UserError, match=r"^mine: the copy of .*photos needs 0\.00 GB, 0\.00 GB are"
    ):
        gather(photos, tmp_path)
    free += 1
    assert len(places(gather(photos, tmp_path))) == 200


def test_a_folder_that_is_missing_or_empty_is_named(tmp_path):
    described = zips.catalog(tmp_path, {"mine": {"folder": str(tmp_path / "photos")}})
    fails("^mine: no folder .*photos", "nowhere", tmp_path, ["mine"], described)
    (tmp_path / "photos").mkdir()
    fails("^mine: no files in .*photos", "nowhere", tmp_path, ["mine"], described)
    assert not (tmp_path / "raw").exists()


def test_a_folder_and_zips_are_one_set(photos, mirror, tmp_path):
    entries = YAML(typ="safe").load(mirror / "catalog.yaml")
    described = zips.catalog(tmp_path, entries | {"mine": {"folder": str(photos)}})
    raw = fetch(mirror, tmp_path, ["mine", "second"], described)
    assert sorted(path.stem for path in raw.glob("*.zip")) == ["mine", "second"]
    assert list(json.loads((raw / "datasets.json").read_text())) == ["mine", "second"]
