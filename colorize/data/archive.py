"""Zips in the form of the CycleGAN authors: NAME/{trainA,trainB,testA,testB}/*.

Photographs for validation may lie in valA and valB; theirs have none.
A zip comes from anywhere, so nothing in it is trusted: members are only ever read by name, one at a
time, and never unpacked to where their names point.
"""

import re
import stat
import zipfile
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from colorize.base.errors import UserError, printable

SPLITS = ("test", "val", "train")
FOLDERS = tuple(f"{split}{letter}" for split in SPLITS for letter in "AB")
MANIFEST = "datasets.json"  # beside the zips in data/raw: which there are, and what they show

# The largest file of the official zips has 2 MB. A zip bomb's members unpack to gigabytes.
MEMBER_BYTES = 256 * 2**20

# What operating systems leave in folders, and then in zips.
LITTER = ("__MACOSX", "Thumbs.db", "desktop.ini", "Icon\r")

_CONTROL = re.compile(r"[\0-\x1f\x7f]")  # characters that would break a line of index.csv


class Contents(NamedTuple):
    """What a zip holds."""

    members: list[str]  # files in the dataset's folders, sorted
    refused: list[tuple[str, str]]  # files that are not read, and why, sorted
    ignored: dict[str, int]  # other folders -> number of files in them


def open_zip(path: Path) -> zipfile.ZipFile:
    """Raises UserError where the file is missing or its directory of members cannot be read."""
    try:
        return zipfile.ZipFile(path)
    except FileNotFoundError:
        raise UserError(f"{path}: missing; run the download stage again") from None
    except Exception as error:  # a damaged directory raises what its fields lead to
        raise UserError(f"{path}: not a zip: {error}") from None


def contents(path: Path, name: str) -> Contents:
    """Look at every member of the dataset `name`. Raises UserError where `path` is not a zip."""
    members, refused, ignored = set(), [], Counter()
    with open_zip(path) as archive:
        for member in archive.infolist():
            parts = member.filename.split("/")
            reason = _refusal(member)
            if member.filename.endswith("/"):
                continue
            if reason is not None:
                refused.append((printable(member.filename), reason))
            elif _is_litter(parts) or not parts[2:] or parts[0] != name or parts[1] not in FOLDERS:
                folder = "/".join(parts[:2]) if len(parts) > 2 else parts[0]
                ignored[printable(folder)] += 1
            elif member.filename in members:
                refused.append((member.filename, "another file in the zip has the same name"))
            else:
                members.add(member.filename)
    return Contents(sorted(members), sorted(refused), dict(sorted(ignored.items())))


def folder_of(source: str) -> str:
    """trainA of NAME/trainA/x.jpg."""
    return source.split("/")[1]


def split_of(source: str) -> str:
    return folder_of(source)[:-1]


def _is_litter(parts: list[str]) -> bool:
    return any(part.startswith(".") or part in LITTER for part in parts)


def _refusal(member: zipfile.ZipInfo) -> str | None:
    parts = member.filename.replace("\\", "/").split("/")
    mode = member.external_attr >> 16
    if ".." in parts or parts[0] == "" or ":" in parts[0]:
        return "its name points outside the zip"
    if _CONTROL.search(member.filename) and not _is_litter(parts):
        return "its name holds control characters"
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "a link or device, not a file"
    if member.flag_bits & 1:
        return "encrypted"
    if member.file_size > MEMBER_BYTES:
        return f"unpacks to {member.file_size:,} bytes, more than {MEMBER_BYTES:,}"
    return None
