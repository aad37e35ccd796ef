"""Which photographs are for what, by content alone: none moves when a dataset is added.

What shows the same is a group, and a group is never split: it is in one part of the data, and in
one part of unpaired training. A group is called after the hash of one of its photographs.
"""

from collections.abc import Mapping


def is_validation(group: str, share: float) -> bool:
    """Is a group of training photographs held out for val? `share` of all hashes are."""
    return int(group[:8], 16) / 16**8 < share


def parts(groups: Mapping[str, str], count: int) -> list[list[str]]:
    """`count` disjoint parts of photographs, each to be seen in one domain alone.

    groups: the group of each photograph.
    """
    found = [[] for _ in range(count)]
    for name, group in groups.items():
        found[(int(group[8:16], 16) + 1) % count].append(name)
    return found


def others(groups: Mapping[str, str]) -> dict[str, str]:
    """For each photograph one of another group: a fixed choice that looks random.

    Within a group photographs take turns. Of a single group nothing else is to be had: there each
    photograph gets the next.
    """
    members = _members(groups)
    order = sorted(members)
    following = dict(zip(order, order[1:] + order[:1], strict=True))
    if len(order) == 1:
        (names,) = members.values()
        return dict(zip(names, names[1:] + names[:1], strict=True))
    chosen = {}
    for group, names in members.items():
        theirs = members[following[group]]
        chosen |= {name: theirs[i % len(theirs)] for i, name in enumerate(names)}
    return chosen


def _members(groups: Mapping[str, str]) -> dict[str, list[str]]:
    members = {}
    for name in sorted(groups):
        members.setdefault(groups[name], []).append(name)
    return members
