"""Groups of actions as plots need them: named, in order, and not too many."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from periodkit._arguments import check_count, require_columns
from periodkit.errors import ArgumentError
from periodkit.frames import (
    CHANGED,
    PERIOD_KEYS,
    ActionsFrame,
    aggregate,
    column_names,
    keyed,
    natural_order,
    number_rows,
    numbered,
    open_frame,
    period_starts,
    require_one_venue,
    where_counted,
)
from periodkit.metrics.tally import By, Ints, grouping
from periodkit.wording import FEWEST, LONGEST, clean_label, label, named_groups, other, short_labels, unique_labels

__all__ = ["GROUP", "Groups", "group_by", "widened"]

GROUP = "_group"
_DISPATCHED = {"AI-dispatched": 0, "not AI-dispatched": 1}
_VALUES = {("ai_dispatched", True): "AI-dispatched", ("ai_dispatched", False): "not AI-dispatched"}


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """Actions by group.

    Parameters
    ----------
    actions : pandas.DataFrame, Spark or lazy Polars frame, or DuckDB relation
        The actions, with the number of their group in the column ``_group``.
    names : list of str
        Name of each group.
    by : str
        The grouping in words; empty if there is none.
    folded : int
        How many groups are in the last one, "other".
    n : int
        How many actions there are.
    in_time : bool
        Whether the groups are periods, in order of time.
    aside : frozenset of int
        Groups that titles do not compare: those of null keys or of fewer than 20 actions, and "other".
    looks : tuple of int
        Each group's colour, mark and line style; AI-dispatched and not have the same ones in every plot.
    note : str
        What an action counts for, where it can be in several groups.
    """

    actions: ActionsFrame
    names: list[str]
    by: str = ""
    folded: int = 0
    n: int = 0
    in_time: bool = False
    aside: frozenset[int] = frozenset()
    looks: tuple[int, ...] = (0,)
    note: str = ""

    def known(self, found: pd.DataFrame) -> pd.DataFrame:
        """Return what was found by group, or say that actions have keys that were not there when the groups were made."""
        if found[GROUP].isna().any():
            raise ArgumentError(CHANGED)
        return found

    def began(self) -> pd.Series:
        """Return when the first action of each group was created, by the number of the group."""
        frame = open_frame(self.actions, [GROUP, "created_time"])
        table = aggregate(frame, [GROUP], {"created_time": nw.col("created_time").min()})
        found: pd.DataFrame = table.to_pandas()
        return found.set_index(GROUP)["created_time"]

    def compared(self, found: Sequence[bool]) -> list[int]:
        """Return the groups that a title may compare, of those that have a value."""
        usable = [at for at, is_there in enumerate(found) if is_there]
        chosen = [at for at in usable if at not in self.aside]
        return chosen if len(chosen) > 1 else usable

    def ends(self, found: pd.DataFrame, value: str) -> tuple[pd.Series, pd.Series] | None:
        """Return the rows with the lowest and the highest value of the groups that a title may compare, if any."""
        table = found.sort_values(GROUP)
        rest = table.iloc[self.compared(table[value].notna().tolist())]
        return None if rest.empty else (rest.iloc[int(rest[value].argmin())], rest.iloc[int(rest[value].argmax())])

    def name(self, row: pd.Series, limit: int = 30) -> str:
        """Return the name of a row's group, short enough for a title."""
        return clean_label(self.names[int(row[GROUP])], limit)


def widened(confidence: float, groups: int) -> float:
    """Return the coverage that each of so many intervals needs to cover all at once with the given confidence.

    The extremes of many groups differ by chance more often than two groups do.
    """
    return 1 - (1 - confidence) / groups if groups > 2 else confidence


def group_by(
    actions: ActionsFrame, columns: Iterable[str], by: By, max_groups: object, *, every_period: bool = False
) -> Groups:
    """Return the actions by group: periods in order of time, all else by key; the smallest above `max_groups` as one.

    Those of fewer than 20 actions are with the smallest, where two or more larger ones are left. With `every_period` no
    period in order of time is. Without `by` they are one group. Periods are grouped by id and labelled by name. Of a lazy
    frame only the keys are read; of another engine's frame the `columns` are, and those of the groups.
    """
    most = check_count(max_groups, "max_groups", 2)
    found = keyed(actions, by)
    names = grouping(found.by)
    present = column_names(found.frame)
    require_columns(present, names)
    read = [name for name in PERIOD_KEYS if name in present] if _are_periods(names) else [*names]
    if names == ("period_name",):  # plots identify periods by their id
        require_one_venue(found.frame)
    frame = where_counted(found.frame, [*columns, *read])
    in_time = _are_periods(names) and "created_time" in present
    keys, sizes, add = numbered(frame, read)
    most = len(keys) + 2 if every_period and in_time else most
    code, groups = _group(keys, sizes, names, most, period_starts(frame, read))
    return replace(groups, actions=add(GROUP, code), n=int(sizes.sum()), in_time=in_time, note=found.note)


def _group(
    keys: pd.DataFrame, sizes: Ints, names: tuple[str, ...], most: int, began: Mapping[str, Mapping[Any, Any]]
) -> tuple[Ints, Groups]:
    """Return the group of each key, of which so many actions have it, and the groups, still without these actions."""
    if not names:
        return np.zeros(len(keys), dtype=np.int64), Groups(None, ["all actions"])
    rows = _without_names(keys) if _are_periods(names) else keys
    code, first = number_rows(rows)
    rows = rows.iloc[first]
    place = natural_order(rows, began)
    code, rows = np.argsort(place)[code], rows.iloc[place]
    if _are_periods(names):
        texts, null = _period_names(keys, code), rows.isna().all(axis="columns").to_numpy()
    else:
        texts = [
            " · ".join(_text(*pair) for pair in zip(names, row, strict=True)) for row in rows.itertuples(index=False)
        ]
        texts = short_labels(texts, LONGEST * len(names))
        null = rows.isna().any(axis="columns").to_numpy()
    folded = 0
    fewest = 0 if _are_periods(names) else FEWEST
    kept = np.array(named_groups(np.bincount(code, sizes, len(texts)).tolist(), most, fewest), dtype=np.int64)
    if len(kept) < len(texts):
        folded = len(texts) - len(kept)
        position = np.full(len(texts), len(kept))
        position[kept] = np.arange(len(kept))
        code, texts = position[code], [*(texts[at] for at in kept), other(folded)]
        null = np.r_[null[kept], True]
    if not _are_periods(names):
        null = null | (np.bincount(code, sizes, len(texts)) < FEWEST)
    words = "period" if _are_periods(names) else " and ".join(label(name) for name in names)
    aside = frozenset(np.flatnonzero(null).tolist())
    looks = range(len(texts)) if names != ("ai_dispatched",) else [_DISPATCHED.get(text, 2) for text in texts]
    return code, Groups(None, texts, words, folded, aside=aside, looks=tuple(looks))


def _are_periods(names: Sequence[str]) -> bool:
    return bool(names) and {*names} <= {*PERIOD_KEYS}


def _without_names(keys: pd.DataFrame) -> pd.DataFrame:
    """Return the keys of periods: the id, and the name only where there is no id."""
    if len(keys.columns) < len(PERIOD_KEYS):
        return keys
    return keys.assign(period_name=keys["period_name"].where(keys["period_id"].isna()))


def _period_names(keys: pd.DataFrame, code: Ints) -> list[str]:
    found = {
        name: keys[name].groupby(code).first().astype("object").tolist()
        if name in keys.columns
        else [None] * len(np.unique(code))
        for name in PERIOD_KEYS
    }
    return unique_labels(found["period_name"], found["period_id"])


def _text(column: str, value: object) -> str:
    if pd.isna(value):  # type: ignore[call-overload]
        return "unknown" if column == "ai_dispatched" else f"no {label(column)}"
    if isinstance(value, bool | np.bool_):
        return _VALUES.get((column, bool(value)), f"{label(column)}: {'yes' if value else 'no'}")
    return clean_label(value + 0.0 if isinstance(value, float) else value, 4 * LONGEST)  # not -0.0
