"""Zips in the form of the CycleGAN authors: NAME/{trainA,trainB,testA,testB}/*."""

import zipfile

FOLDERS = ("testA", "testB", "trainA", "trainB")
MANIFEST = "datasets.json"  # beside the zips in data/raw: which there are, and what they show


def members(archive: zipfile.ZipFile, name: str) -> list[str]:
    """The files in the dataset's four folders, sorted; all else that a zip may hold is ignored."""
    prefixes = tuple(f"{name}/{folder}/" for folder in FOLDERS)
    return sorted(m for m in archive.namelist() if m.startswith(prefixes) and m[-1] != "/")
