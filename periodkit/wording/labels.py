"""Names of groups side by side: short and still different, and the small groups as one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from periodkit.wording.phrases import clean_label

__all__ = ["FEWEST", "named_groups", "other", "short_labels"]

FEWEST = 20
"""A group of fewer actions than this is not compared, and stands with others of its size."""

_HEAD = 5


def named_groups(sizes: Sequence[int], most: int | None = None, fewest: int = FEWEST) -> list[int]:
    """Return which groups stand by themselves; all the others are one, `other`.

    The others are those of fewer than `fewest` actions, if these are two or more and two or more are left, and then the
    smallest until there are at most `most` rows.

    Parameters
    ----------
    sizes : sequence of int
        The number of actions of each group.
    most : int, optional
        The most rows, with that of the others.
    fewest : int
        The fewest actions of a group that stands by itself.

    Examples
    --------
    >>> named_groups([90, 5, 40, 7, 30]), named_groups([90, 5, 40, 7, 30], 3), named_groups([5, 7])
    ([0, 2, 4], [0, 2], [0, 1])
    """
    every = sorted(range(len(sizes)), key=lambda at: -sizes[at])
    large = [at for at in every if sizes[at] >= fewest]
    kept = large if len(large) > 1 and len(every) - len(large) > 1 else every
    rows = len(kept) + (len(kept) < len(every))
    if most is not None and rows > most:
        kept = kept[: most - 1]
    return sorted(kept)


def other(groups: int) -> str:
    """Return the name of so many groups that stand as one.

    Examples
    --------
    >>> other(1200)
    'other (1,200)'
    """
    return f"other ({groups:,})"


def short_labels(names: Sequence[object], limit: int) -> list[str]:
    """Return names on one line of at most `limit` characters; where the ends of two are alike, cut before they differ.

    Examples
    --------
    >>> short_labels(["Guest Services · Dispatched", "Guest Services · Despatched", "Bar"], 20)
    ['Guest… · Dispatched', 'Guest… · Despatched', 'Bar']
    """
    labels = [clean_label(name, limit) for name in names]
    whole = [clean_label(name, 10 * limit) for name in names]
    often = Counter(labels)
    for label in [label for label, n in often.items() if n > 1]:
        rows = [at for at, own in enumerate(labels) if own == label]
        alike = [whole[at] for at in rows]
        if len({*alike}) > 1:
            # A word that differs is kept whole.
            pairs = enumerate(zip(min(alike), max(alike), strict=False))
            shared = next((at for at, (one, other) in pairs if one != other), len(min(alike)))
            begin = max(alike[0].rfind(" ", 0, shared), 0)
            begin -= 2 if alike[0][:begin].endswith(" ·") else 0
            for at in rows:
                labels[at] = _cut_before(whole[at], begin, limit)
    return labels


def _cut_before(name: str, begin: int, limit: int) -> str:
    room = limit - _HEAD - 1
    tail = name[begin:]
    if begin <= _HEAD or len(name) <= limit:
        return clean_label(name, limit)
    if len(tail) > room:
        tail = clean_label(tail.lstrip(" ·"), room)
    return f"{name[:_HEAD].rstrip()}…{tail}"
