"""Fetching one file from the mirror, a folder or a server: resumed, and verified."""

import contextlib
import email.utils
import os
import re
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import fsspec
import requests
import urllib3
from tqdm import tqdm

from colorize.base.errors import UserError, one_line, printable
from colorize.base.files import give_name, named, sha256_of

CONNECT_SECONDS = 30
READ_SECONDS = 20  # a line that brings nothing for so long is dead
CHUNK = 1 << 16  # bytes
SECRET = "names and passwords belong into the environment or ~/.netrc"  # where `holds_secret`


class Remote(NamedTuple):
    """A file on the mirror, and what it has to be."""

    address: str
    size: int  # bytes
    sha256: str


class Broken(Exception):
    """An attempt failed in a way that the next one may not."""

    def __init__(self, reason: str, delay: float | None = None):
        super().__init__(reason)
        self.delay = delay  # seconds that the server asks to wait


class Unreachable(Broken):
    """Nobody answers at the address."""


def holds_secret(address: str) -> bool:
    """Whether a password stands in a URL, or a name, which on the web may be an access token.

    Addresses end up in params.yaml, dvc.lock and messages. Secrets are for ~/.netrc, where
    requests finds them, or for the environment variables of the other file systems.
    """
    return re.search(r"://[^/?#@]*:[^/?#]*@|https?://[^/?#]*@", address) is not None


def read(address: str) -> bytes:
    """The whole of a small file at a path or URL; each file system raises its own errors."""
    if not _is_http(address):
        with _file(address) as file:
            return file.read()
    try:
        response = requests.get(address, timeout=(CONNECT_SECONDS, READ_SECONDS))
    except requests.ConnectionError as error:
        raise _broken(error, address) from None
    response.raise_for_status()
    return response.content


def opened(
    remote: Remote, have: int
) -> contextlib.AbstractContextManager[tuple[int, Iterable[bytes]]]:
    """Open the file to read on after `have` bytes.

    Yields where its chunks start, which is 0 where the file has to come anew, and the chunks.
    Raises UserError where the mirror does not have this file, Broken where it may be worth trying
    again.
    """
    return (_over_http if _is_http(remote.address) else _through_fsspec)(remote, have)


@contextlib.contextmanager
def _through_fsspec(remote: Remote, have: int) -> Iterator[tuple[int, Iterable[bytes]]]:
    try:
        source = _file(remote.address)
        size = source.seek(0, os.SEEK_END)
        source.seek(have)
    except FileNotFoundError:
        raise _not_found(remote) from None
    except Exception as error:  # each file system raises its own
        raise _unfit(remote, error) from error
    with source:
        _check_size(remote, size)
        yield have, _chunks(remote, source)


def _file(address: str) -> fsspec.spec.AbstractBufferedFile:
    system, path = fsspec.url_to_fs(address)
    if system.info(path)["type"] != "file":  # to open a named pipe may take for ever
        raise OSError("not a file")
    return system.open(path, "rb")


def _chunks(remote: Remote, source: fsspec.spec.AbstractBufferedFile) -> Iterator[bytes]:
    try:
        while chunk := source.read(CHUNK):
            yield chunk
    except Exception as error:
        raise _unfit(remote, error) from error


@contextlib.contextmanager
def _over_http(remote: Remote, have: int) -> Iterator[tuple[int, Iterable[bytes]]]:
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    timeout = (CONNECT_SECONDS, READ_SECONDS)
    try:
        with requests.get(remote.address, headers=headers, stream=True, timeout=timeout) as answer:
            _check_status(remote, answer)
            start, size = _extent(answer)
            if answer.status_code == 416 or start not in (0, have):
                yield 0, ()
            else:
                _check_size(remote, size, answer.headers.get("Content-Type", ""))
                yield start, _as_it_comes(answer)
    except (requests.RequestException, urllib3.exceptions.HTTPError, ValueError) as error:
        raise _broken(error, remote.address) from error


def _as_it_comes(answer: requests.Response) -> Iterator[bytes]:
    """To wait for so many bytes each time would lose those that come before a break."""
    while chunk := answer.raw.read1(CHUNK, decode_content=True):
        yield chunk


def _extent(answer: requests.Response) -> tuple[int, int | None]:
    """Where the body starts in the file, and the size of the whole file where the server says."""
    if answer.status_code == 206:
        extent = re.match(r"bytes (\d+)-\d+/(\d+)?", answer.headers.get("Content-Range", ""))
        return (int(extent[1]), extent[2] and int(extent[2])) if extent else (-1, None)
    length = answer.headers.get("Content-Length", "")
    return 0, int(length) if length.isdecimal() else None


def _check_status(remote: Remote, answer: requests.Response) -> None:
    status = answer.status_code
    answered = f"the server answers {status} {answer.reason}"
    if status in (404, 410):
        raise _not_found(remote)
    if status in (408, 429) or status >= 500:
        raise Broken(answered, _retry_after(answer))
    if status in (401, 403):
        raise UserError(
            f"{remote.address}: {answered}; a name and password are looked for in ~/.netrc"
        )
    if status not in (200, 206, 416):
        raise UserError(f"{remote.address}: {answered}")


def _check_size(remote: Remote, size: int | None, content_type: str = "") -> None:
    """Before the body comes: a mirror's page that says sorry need not be downloaded."""
    page = content_type.startswith("text/html")
    if size == remote.size or (size is None and not page):
        return
    there = "of unknown size" if size is None else f"{size:,} bytes"
    hint = " (text/html: a web page, not a zip)" if page else ""
    raise UserError(f"{remote.address}: {there}{hint}, the catalog says {remote.size:,}")


def _retry_after(answer: requests.Response) -> float | None:
    """Seconds that the server asks to wait; the header has them, or a date."""
    value = answer.headers.get("Retry-After", "")
    if value.isdecimal():
        return float(value)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return None


def _broken(error: Exception, address: str) -> Exception:
    """What an exception of requests or urllib3 means here; ValueError: of a malformed address."""
    cause = error.args[0] if error.args else None
    cause = getattr(cause, "reason", None) or cause
    if isinstance(error, requests.exceptions.SSLError):
        return UserError(f"{address}: cannot be fetched: {one_line(cause)}")
    if isinstance(cause, urllib3.exceptions.NewConnectionError | urllib3.exceptions.ProxyError):
        return Unreachable(f"cannot reach {_host(address)}")
    if isinstance(error, requests.ConnectTimeout):
        return Unreachable(f"cannot reach {_host(address)} within {CONNECT_SECONDS} s")
    late = (requests.Timeout, urllib3.exceptions.TimeoutError)
    if isinstance(error, late) or isinstance(cause, late):
        return Broken(f"nothing came for {READ_SECONDS} s")
    if isinstance(error, requests.ConnectionError | urllib3.exceptions.ProtocolError):
        return Broken("the connection broke")
    return UserError(f"{address}: cannot be fetched: {one_line(error)}")


def _not_found(remote: Remote) -> UserError:
    return UserError(f"{remote.address}: not found on the mirror (data.mirror)")


def _unfit(remote: Remote, error: Exception) -> UserError:
    return UserError(f"{remote.address}: cannot be fetched: {one_line(error)}")


def _is_http(address: str) -> bool:
    return address.startswith(("http://", "https://"))


def _host(address: str) -> str:
    return urlsplit(address).netloc


# What has come lies in a partial file beside the final name, where it survives whatever ends the
# process; the next attempt or the next run goes on from there. The final name stands for a file
# that is whole and has the right checksum.

RETRIES = 5  # since the last byte that came
BACKOFF = 1.0  # seconds before the first retry; twice as many before each further one
LONGEST_WAIT = 300  # seconds: a server may ask for more, but does not get it


class Cancelled(Exception):
    """The transfer was told to stop: another one failed, or the user has had enough."""


def fetch(remote: Remote, path: Path, bar: tqdm, stop: threading.Event) -> None:
    """Bring a file to `path`; `bar` shows how many of its bytes are there.

    Raises UserError where the mirror does not have the file, has another one, or cannot be
    reached; OSError where it cannot be written; Cancelled soon after `stop` is set. What has come
    by then stays, unless it is known to be wrong.
    """
    partial = partial_of(path)
    for last_try in (False, True):
        resumed = _complete(remote, partial, bar, stop)
        if sha256_of(partial) == remote.sha256:
            break
        partial.unlink()
        # Pieces may be of two versions of a file, or torn by a power cut; a whole is what it is.
        if last_try or not resumed:
            raise UserError(f"{remote.address}: its SHA-256 is not the catalog's, {remote.sha256}")
    give_name(partial, path)


def partial_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.partial")


def size_of(path: Path) -> int:
    """In bytes; 0 where there is no file."""
    return path.stat().st_size if path.exists() else 0


def _complete(remote: Remote, partial: Path, bar: tqdm, stop: threading.Event) -> bool:
    """Attempt after attempt until `partial` is full; True where its bytes are of more than one."""
    first = most = size_of(partial)
    failures = 0
    while size_of(partial) < remote.size:
        try:
            _attempt(remote, partial, bar, stop)
        except Broken as error:
            # A server that cannot resume starts again: only what was never there is progress.
            failures = 1 if size_of(partial) > most else failures + 1
            most = max(most, size_of(partial))
            if isinstance(error, Unreachable) and (most == first or failures > RETRIES):
                raise UserError(
                    f"{error}; check the network, or set data.mirror to a folder or URL that has "
                    "the zips"
                ) from None
            if failures > RETRIES:
                raise UserError(f"{remote.address}: {error}, after {RETRIES} retries") from None
            _wait(remote, error, failures, stop)
    return first > 0 or most > 0


def _wait(remote: Remote, error: Broken, failures: int, stop: threading.Event) -> None:
    delay = BACKOFF * 2 ** (failures - 1) if error.delay is None else error.delay
    delay = min(delay, LONGEST_WAIT)
    line = printable(f"{remote.address}: {error}; again in {delay:.0f} s")
    tqdm.write(line, file=sys.stderr)
    if stop.wait(delay):
        raise Cancelled


def _attempt(remote: Remote, partial: Path, bar: tqdm, stop: threading.Event) -> None:
    """Append to `partial` what one answer brings. Raises Broken where that is not the rest."""
    with (
        opened(remote, size_of(partial)) as (start, chunks),
        named(partial, partial),
        open(partial, "ab") as file,
    ):
        file.truncate(start)
        _rewind(bar, start)
        have = start
        for chunk in chunks:
            have += len(chunk)
            if stop.is_set():
                raise Cancelled
            if have > remote.size:
                raise UserError(f"{remote.address}: more than the catalog's {remote.size:,} bytes")
            file.write(chunk)
            bar.update(len(chunk))
    if have < remote.size:
        raise Broken("the answer ended early")


def _rewind(bar: tqdm, start: int) -> None:
    """Start where this answer does; the rate leaves out what was there, and the waiting."""
    bar.n = bar.initial = bar.last_print_n = start
    bar.unpause()
    bar.refresh()
