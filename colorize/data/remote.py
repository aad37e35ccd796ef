"""A file on the mirror, a folder or a server: opened where it is to go on, and what errors mean."""

import contextlib
import email.utils
import os
import re
import time
from collections.abc import Iterable, Iterator
from typing import NamedTuple
from urllib.parse import urlsplit

import fsspec
import requests
import urllib3

from colorize.base.errors import UserError, one_line

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
                yield start, answer.iter_content(CHUNK)
    except requests.RequestException as error:
        raise _broken(error, remote.address) from error


def _extent(answer: requests.Response) -> tuple[int, int | None]:
    """Where the body starts in the file, and the size of the whole file where the server says."""
    if answer.status_code == 206:
        found = re.match(r"bytes (\d+)-\d+/(\d+)?", answer.headers.get("Content-Range", ""))
        return (int(found[1]), found[2] and int(found[2])) if found else (-1, None)
    length = answer.headers.get("Content-Length", "")
    return 0, int(length) if length.isdecimal() else None


def _check_status(remote: Remote, answer: requests.Response) -> None:
    status = answer.status_code
    said = f"the server answers {status} {answer.reason}"
    if status in (404, 410):
        raise _not_found(remote)
    if status in (408, 429) or status >= 500:
        raise Broken(said, _retry_after(answer))
    if status in (401, 403):
        raise UserError(f"{remote.address}: {said}; a name and password are looked for in ~/.netrc")
    if status not in (200, 206, 416):
        raise UserError(f"{remote.address}: {said}")


def _check_size(remote: Remote, size: int | None, content_type: str = "") -> None:
    """Before the body comes: a mirror's page that says sorry need not be downloaded."""
    page = content_type.startswith("text/html")
    if size == remote.size or (size is None and not page):
        return
    found = "of unknown size" if size is None else f"{size:,} bytes"
    hint = " (text/html: a web page, not a zip)" if page else ""
    raise UserError(f"{remote.address}: {found}{hint}, the catalog says {remote.size:,}")


def _retry_after(answer: requests.Response) -> float | None:
    """Seconds that the server asks to wait; the header has them, or a date."""
    value = answer.headers.get("Retry-After", "")
    if value.isdecimal():
        return float(value)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return None


def _broken(error: requests.RequestException, address: str) -> Exception:
    """What an exception of requests means here."""
    cause = error.args[0] if error.args else None
    cause = getattr(cause, "reason", None) or cause
    if isinstance(error, requests.exceptions.SSLError):
        return UserError(f"{address}: cannot be fetched: {one_line(cause)}")
    if isinstance(cause, urllib3.exceptions.NewConnectionError | urllib3.exceptions.ProxyError):
        return Unreachable(f"cannot reach {_host(address)}")
    if isinstance(error, requests.ConnectTimeout):
        return Unreachable(f"cannot reach {_host(address)} within {CONNECT_SECONDS} s")
    if isinstance(error, requests.Timeout) or isinstance(cause, urllib3.exceptions.TimeoutError):
        return Broken(f"nothing came for {READ_SECONDS} s")
    if isinstance(error, requests.ConnectionError | requests.exceptions.ChunkedEncodingError):
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
