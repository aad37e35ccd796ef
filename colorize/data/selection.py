"""Which files of a union are kept, and why the others are not.

A row stands for a file (see index.csv). To leave it out is to give it a reason, the same in words,
and the file that was kept in its place. Only what is kept claims its content: a copy of a file that
is left out is looked at for itself.
"""

from collections import defaultdict
from collections.abc import Iterable

from colorize.data.members import Measures, Seen, name_of
from colorize.data.palette import Palette, is_gray

Row = dict[str, str]


def drop_sides(rows: list[Row], sides: str) -> None:
    """Leave out training images that are no photographs, where `sides` asks for photographs."""
    for row in rows:
        unwanted = sides == "photographs" and row["side"] != "photograph"
        if unwanted and row["split"] == "train" and not row["reject_reason"]:
            row |= {
                "reject_reason": "side",
                "reject_detail": f"{row['side']}, and data.sides is photographs",
            }


def distinct(rows: list[Row]) -> list[Row]:
    """The first of those with the same bytes, of rows that are not left out yet."""
    first = {}
    for row in rows:
        if not row["reject_reason"]:
            first.setdefault(row["sha256"], row)
    return list(first.values())


def decide(
    rows: list[Row], seen: Iterable[Seen], min_chroma: float, suffix: str, measures: Measures
) -> list[tuple[Row, int]]:
    """Name the rows that are not left out yet, and leave out copies and what does not serve.

    seen: of `distinct(rows)`. Returns the rows that are kept, with their photographs' number of
    pixels, in the order in which `measures` gets what was seen of them.
    """
    seen = iter(seen)
    kept = {}  # bytes or pixels -> row
    left_out: dict[str, Seen] = {}  # by bytes
    result = []
    for row in rows:
        if row["reject_reason"]:
            continue
        sha256 = row["sha256"]
        if sha256 in kept:
            _leave_to(kept[sha256], row, "file")
            continue
        found = left_out[sha256] if sha256 in left_out else next(seen)
        if found.pixels in kept:
            _leave_to(kept[found.pixels], row, "pixels")
            kept[sha256] = kept[found.pixels]
            continue
        if not found.rejected:
            row["name"] = name_of(found.pixels, suffix)
        row |= _flaw(found, row["side"], min_chroma)
        if row["reject_reason"]:
            left_out[sha256] = found
        else:
            kept[sha256] = kept[found.pixels] = row
            result.append((row, found.width * found.height))
            measures.add(row["name"], found)
    return result


def _leave_to(original: Row, row: Row, same: str) -> None:
    source = original["source"]
    row |= {
        "reject_reason": "duplicate",
        "reject_detail": f"same {same} as {source}",
        "duplicate_of": source,
    }
    row["name"] = original["name"]  # by which a group may be called


def _flaw(found: Seen, side: str, min_chroma: float) -> Row:
    if found.rejected:
        return {"reject_reason": "rejected", "reject_detail": found.rejected}
    if found.palette is None:
        reason = f"{found.width}x{found.height}, smaller than data.image_size"
        return {"reject_reason": "small", "reject_detail": reason}
    if side != "label map" and is_gray(found.palette, min_chroma):
        return {"reject_reason": "gray", "reject_detail": _gray_reason(found.palette)}
    return {}


def _gray_reason(colors: Palette) -> str:
    return (
        f"95 % of its pixels have chroma below {colors.chroma:.1f}, "
        f"and are within {colors.hue_spread:.1f} of one hue"
    )


def drop_near_duplicates(rows: list[tuple[Row, int]], measures: Measures, workers: int) -> None:
    """Of photographs that are alike, keep one: of test before train, larger before smaller.

    rows: as `decide` returned them.
    """
    alike = defaultdict(dict)  # number -> {number: similarity}
    for i, j, similarity in measures.alike(workers):
        alike[i][j] = alike[j][i] = similarity

    def preference(number: int) -> tuple:
        row, area = rows[number]
        return row["split"] != "test", -area, row["name"]

    for number in sorted(alike, key=preference):
        row = rows[number][0]
        better = [n for n in alike[number] if preference(n) < preference(number)]
        kept = [n for n in better if not rows[n][0]["reject_reason"]]
        if kept:
            most = max(kept, key=lambda n: (alike[number][n], rows[n][0]["name"]))
            original = rows[most][0]["source"]
            row |= {
                "reject_reason": "near-duplicate",
                "reject_detail": f"like {original} (similarity {alike[number][most]:.3f})",
                "duplicate_of": original,
            }


def name_groups(rows: list[Row]) -> None:
    """Call each group after the first of its photographs, kept or not."""
    names = {}
    for row in rows:
        if row["name"]:
            row["group"] = names.setdefault(row["group"], row["name"])


def drop_groups_of_test(rows: list[Row]) -> None:
    """Leave out training images of groups that the test has images of."""
    of_test = {}
    for row in rows:
        if not row["reject_reason"] and row["split"] == "test":
            of_test.setdefault(row["group"], row["source"])
    for row in rows:
        if not row["reject_reason"] and row["split"] == "train" and row["group"] in of_test:
            member = of_test[row["group"]]
            row |= {
                "reject_reason": "group",
                "reject_detail": f"of one group with {member}",
                "duplicate_of": member,
            }
