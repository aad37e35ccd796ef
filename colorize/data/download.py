"""Getting the datasets: one verified zip for each, all or none of them."""

import contextlib
import functools
import os
import queue
import shutil
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError
from tqdm import tqdm

from colorize.base.errors import UserError
from colorize.base.files import (
    check_room,
    expanded,
    only_one,
    replaced_folder,
    sha256_of,
    write_json,
)
from colorize.base.parameters import Parameters
from colorize.base.progress import INTERVAL
from colorize.data import catalog, local
from colorize.data.archive import FOLDERS, MANIFEST, contents
from colorize.data.catalog import Dataset
from colorize.data.remote import (
    SECRET,
    Cancelled,
    Remote,
    fetch,
    holds_secret,
    partial_of,
    size_of,
)

AT_ONCE = 4  # transfers
THREAD = "transfer"  # name of the threads that carry them out
STOP_SECONDS = 1  # how long transfers that were told to stop are waited for


class DownloadParameters(Parameters):
    """The leaves of `data` that decide which zips there are, and where they lie."""

    datasets: list[str] = Field(min_length=1)
    catalog: str
    mirror: str

    @field_validator("catalog", "mirror")
    @classmethod
    def _without_secrets(cls, address: str) -> str:
        if holds_secret(address):
            raise PydanticCustomError("secret", SECRET)
        return address

    @field_validator("datasets")
    @classmethod
    def _distinct(cls, names: list[str]) -> list[str]:
        if len(set(names)) < len(names):
            raise ValueError("a dataset is named twice")
        return names


def download(parameters: DownloadParameters, target: Path, kept: Path) -> list[str]:
    """Write one zip a dataset and `datasets.json` to the folder `target`, replacing it whole.

    Verified zips also stay under `kept`/SHA256, and are linked from there: a set that changes
    fetches only what is new.
    Returns `catalog.local_sources`. Raises UserError, and leaves `target` as it was, for a dataset
    that is missing in the catalog or on the mirror, or whose size, checksum or content is wrong,
    and where the disk has too little room.
    """
    known = catalog.load(parameters.catalog)
    chosen = catalog.select(parameters.datasets, known, parameters.catalog)
    # Two runs share what is kept: the second waits, and finds what the first has fetched.
    with only_one(kept / "lock", "downloading", seconds=-1), replaced_folder(target) as raw:
        _place(chosen, parameters.mirror, kept, raw)
        manifest = {
            name: chosen[name].facts().model_dump(exclude_none=True) for name in sorted(chosen)
        }
        write_json(raw / MANIFEST, manifest)
    return catalog.local_sources(parameters.catalog, chosen)


def _place(chosen: dict[str, Dataset], mirror: str, kept: Path, raw: Path) -> None:
    """The zips of the datasets in `raw`, built or fetched, and checked."""
    fetched = {n: _remote(d, mirror) for n, d in chosen.items() if d.file is not None}
    for name, dataset in chosen.items():
        if name not in fetched:
            _build(name, dataset, raw / f"{name}.zip")
    _fetch_all(fetched, kept)
    for name, remote in fetched.items():
        _link(kept / remote.sha256, raw / f"{name}.zip")
    for name, dataset in chosen.items():
        _check_content(raw / f"{name}.zip", name, dataset)


def _remote(dataset: Dataset, mirror: str) -> Remote:
    return Remote(f"{mirror.rstrip('/')}/{dataset.file}", dataset.bytes, dataset.sha256)


def _build(name: str, dataset: Dataset, target: Path) -> None:
    if dataset.folder is None:
        local.build_sample(target)
    else:
        local.build_from_folder(
            expanded(dataset.folder), name, dataset.test or catalog.TEST, target
        )


def _fetch_all(remotes: dict[str, Remote], kept: Path) -> None:
    """Fetch what is not kept yet. Raises what `fetch` raises."""
    distinct = {remote.sha256: remote for remote in remotes.values()}
    missing = [remote for remote in distinct.values() if not _is_kept(remote, kept)]
    _check_space(missing, kept)
    stop = threading.Event()
    with contextlib.ExitStack() as bars:
        tasks = []
        for line, remote in enumerate(missing):
            path, bar = kept / remote.sha256, bars.enter_context(_bar(remote, line))
            tasks.append(functools.partial(fetch, remote, path, bar, stop))
        _in_parallel(tasks, stop)


def _is_kept(remote: Remote, kept: Path) -> bool:
    path = kept / remote.sha256
    return size_of(path) == remote.size and sha256_of(path) == remote.sha256


def _check_space(missing: list[Remote], kept: Path) -> None:
    partials = [partial_of(kept / remote.sha256) for remote in missing]
    needed = sum(remote.size for remote in missing) - sum(map(size_of, partials))
    check_room(needed, kept, "the download")


def _bar(remote: Remote, line: int) -> tqdm:
    return tqdm(
        desc=remote.address.rpartition("/")[2],
        total=remote.size,
        unit="B",
        unit_scale=True,
        leave=False,
        mininterval=INTERVAL,
        position=line if sys.stderr.isatty() else 0,  # a file has no lines to go back to
    )


def _in_parallel(tasks: list[Callable[[], None]], stop: threading.Event) -> None:
    """Run `tasks` in threads. When one fails, stop all and raise the first one's error.

    The threads are daemons, unlike those of an executor: while one waits for a silent server,
    nothing but the end of the process can end it.
    """
    todo, done, errors = queue.SimpleQueue(), queue.SimpleQueue(), {}
    for numbered in enumerate(tasks):
        todo.put(numbered)

    def work() -> None:
        with contextlib.suppress(queue.Empty):
            while not stop.is_set():
                number, task = todo.get_nowait()
                try:
                    task()
                except Cancelled:
                    pass
                except BaseException as error:
                    errors[number] = error
                done.put(number not in errors)

    threads = [threading.Thread(target=work, name=THREAD, daemon=True) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    try:
        all(done.get() for _ in tasks)  # up to the first that failed
    finally:
        stop.set()
        end = time.monotonic() + STOP_SECONDS
        for thread in threads:
            thread.join(max(0, end - time.monotonic()))
    if errors:
        raise errors[min(errors)]


def _link(source: Path, target: Path) -> None:
    """Hard link where the file system can, copy where it cannot."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _check_content(path: Path, name: str, dataset: Dataset) -> None:
    """Raise UserError unless the zip opens and has as many images as the catalog says."""
    label = dataset.file or name
    try:
        zipped = contents(path, name)
    except UserError as error:
        raise UserError(str(error).replace(str(path), label)) from None
    # What is refused is there all the same: the next stage says why it is not read.
    refused = (name for name, _ in zipped.refused)
    places = Counter(tuple(s.split("/")[:2]) for s in (*zipped.members, *refused))
    counts = {folder: places[name, folder] for folder in FOLDERS}
    if dataset.images is not None:
        expected = {folder: dataset.images.get(folder, 0) for folder in FOLDERS}
        if counts != expected:
            raise UserError(f"{label}: holds {counts}, the catalog says {expected}")
    if not any(counts.values()):
        raise UserError(f"{label}: no image under {name}/{{{','.join(FOLDERS)}}}/")
