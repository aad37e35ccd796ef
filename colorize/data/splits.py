"""Which photographs are for what, decided by content alone: none moves when a dataset is added."""


def validation(names: list[str], share: float, most: int) -> set[str]:
    """Training photographs with the smallest hashes: a share of all hashes, and at most so many."""
    chosen = [name for name in sorted(names) if int(name[:8], 16) / 16**8 < share]
    return set(chosen[:most])


def halves(names: list[str]) -> tuple[list[str], list[str]]:
    """Disjoint halves: photographs to be seen in gray, and to be seen in colour."""
    first = [name for name in names if int(name[8:16], 16) % 2 == 0]
    second = [name for name in names if int(name[8:16], 16) % 2 == 1]
    return first, second
