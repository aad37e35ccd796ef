"""Which files of a union are kept, and why the others are not.

Only what is kept claims its content: a copy of a file that is rejected is looked at for itself.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from colorize.data.archive import SPLITS
from colorize.data.members import Measures, Seen, name_of
from colorize.data.palette import Palette, is_gray


@dataclass(kw_only=True, slots=True)
class File:
    """A file of a zip: a row of index.csv, whose columns these are."""

    name: str = ""  # in the union: by its pixels
    group: str = ""  # photographs of one group show the same
    dataset: str
    side: str  # what it shows: photograph, painting, rendering or label map
    source: str  # its name in the zip
    sha256: str = ""
    split: str  # train or test; val is chosen among train
    kept: bool = True
    reject_reason: str = ""
    reject_detail: str = ""
    duplicate_of: str = ""  # the source that was kept in its place

    def reject(self, reason: str, detail: str, duplicate_of: str = "") -> None:
        self.kept = False
        self.reject_reason, self.reject_detail = reason, detail
        self.duplicate_of = duplicate_of


def rank(file: File) -> int:
    """Which goes first, where only one of two is kept: test, val, train."""
    return SPLITS.index(file.split or "train")


def reject_sides(files: Iterable[File], sides: str) -> None:
    """Reject training images that are no photographs, where `sides` asks for photographs."""
    for file in files:
        unwanted = sides == "photographs" and file.side != "photograph"
        if unwanted and file.kept and file.split == "train":
            file.reject("side", f"{file.side}, and data.sides is photographs")


def distinct(files: Iterable[File]) -> list[File]:
    """The first of those with the same bytes, of files that are not rejected yet."""
    first = {}
    for file in files:
        if file.kept:
            first.setdefault(file.sha256, file)
    return list(first.values())


def select(
    files: Iterable[File],
    seen: Iterable[Seen],
    min_chroma: float,
    suffix: str,
    measures: Measures,
) -> list[tuple[File, int]]:
    """Name the files that are not rejected yet, and reject copies and what does not serve.

    seen: of `distinct(files)`. Returns the files that are kept, with their photographs' number of
    pixels, in the order in which `measures` gets what was seen of them.
    """
    seen = iter(seen)
    originals: dict[str, File] = {}  # that are kept, by SHA-256 of their bytes and of their pixels
    rejected: dict[str, Seen] = {}  # by SHA-256 of their bytes
    selected = []
    for file in files:
        if not file.kept:
            continue
        if file.sha256 in originals:
            _reject_copy(file, originals[file.sha256], "file")
            continue
        image = rejected[file.sha256] if file.sha256 in rejected else next(seen)
        if image.pixels in originals:
            original = originals[file.sha256] = originals[image.pixels]
            _reject_copy(file, original, "pixels")
            continue
        if not image.rejected:
            file.name = name_of(image.pixels, suffix)
        _reject_flawed(file, image, min_chroma)
        if file.kept:
            originals[file.sha256] = originals[image.pixels] = file
            selected.append((file, image.width * image.height))
            measures.add(file.name, image)
        else:
            rejected[file.sha256] = image
    return selected


def _reject_copy(file: File, original: File, same: str) -> None:
    file.reject("duplicate", f"same {same} as {original.source}", original.source)
    file.name = original.name  # by which a group may be called


def _reject_flawed(file: File, image: Seen, min_chroma: float) -> None:
    if image.rejected:
        file.reject("rejected", image.rejected)
    elif image.palette is None:
        file.reject("small", f"{image.width}x{image.height}, smaller than data.image_size")
    elif file.side != "label map" and is_gray(image.palette, min_chroma):
        file.reject("gray", _gray_detail(image.palette))


def _gray_detail(colors: Palette) -> str:
    return (
        f"95 % of its pixels have chroma below {colors.chroma:.1f}, "
        f"and are within {colors.hue_spread:.1f} of one hue"
    )


def reject_near_duplicates(
    selected: list[tuple[File, int]], measures: Measures, workers: int
) -> None:
    """Of photographs that are alike, keep one: of the first split, and there the largest.

    selected: as `select` returned them.
    """
    alike = defaultdict(dict)  # number -> {number: similarity}
    for i, j, similarity in measures.alike(workers):
        alike[i][j] = alike[j][i] = similarity

    def preference(number: int) -> tuple:
        file, area = selected[number]
        return rank(file), -area, file.name

    for number in sorted(alike, key=preference):
        better = [n for n in alike[number] if preference(n) < preference(number)]
        kept = [n for n in better if selected[n][0].kept]
        if kept:
            most = max(kept, key=lambda n: (alike[number][n], selected[n][0].name))
            original = selected[most][0].source
            detail = f"like {original} (similarity {alike[number][most]:.3f})"
            selected[number][0].reject("near-duplicate", detail, original)


def name_groups(files: Iterable[File]) -> None:
    """Call each group after the first of its photographs, kept or not."""
    names = {}
    for file in files:
        if file.name:
            file.group = names.setdefault(file.group, file.name)


def reject_groups_of_other_splits(files: Iterable[File]) -> None:
    """Leave each group in the first of its splits alone.

    files: by `rank`.
    """
    first: dict[str, File] = {}
    for file in files:
        if file.kept:
            other = first.setdefault(file.group, file)
            if file.split != other.split:
                file.reject("group", f"of one group with {other.source}", other.source)
