"""Fetching one file over a line that breaks: resumed where it stopped, and verified.

What has come lies in a partial file beside the final name, where it survives whatever ends the
process; the next attempt or the next run goes on from there. The final name stands for a file that
is whole and has the right checksum.
"""

import sys
import threading
from pathlib import Path

from tqdm import tqdm

from colorize.base.errors import UserError
from colorize.base.files import give_name, sha256_of
from colorize.data.remote import Broken, Remote, Unreachable, opened

RETRIES = 5  # since the last byte that came
BACKOFF = 1.0  # seconds before the first retry; twice as many before each further one
LONGEST_WAIT = 300  # seconds: a server may ask for more, but does not get it


class Stopped(Exception):
    """The transfer was told to stop: another one failed, or the user has had enough."""


def fetch(remote: Remote, path: Path, bar: tqdm, stop: threading.Event) -> None:
    """Bring a file to `path`; `bar` shows how many of its bytes are there.

    Raises UserError where the mirror does not have the file, has another one, or cannot be
    reached; OSError where it cannot be written; Stopped soon after `stop` is set. What has come
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
    tqdm.write(f"{remote.address}: {error}; again in {delay:.0f} s", file=sys.stderr)
    if stop.wait(delay):
        raise Stopped


def _attempt(remote: Remote, partial: Path, bar: tqdm, stop: threading.Event) -> None:
    """Append to `partial` what one answer brings. Raises Broken where that is not the rest."""
    with opened(remote, size_of(partial)) as (start, chunks), open(partial, "ab") as file:
        file.truncate(start)
        _rewind(bar, start)
        have = start
        for chunk in chunks:
            have += len(chunk)
            if stop.is_set():
                raise Stopped
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
