"""Two arms side by side: the counts of a stage by group, stratum and arm, from one pass over the actions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from periodkit._arguments import AsOf
from periodkit.errors import ArgumentError, SchemaError
from periodkit.frames import VENUE, number_rows, require_one_venue
from periodkit.metrics.estimate.stratified import Strata
from periodkit.metrics.tally import By, Ints, LifeTable, StageCounts, count_stage, grouping, unused_states
from periodkit.milestones import STATES

__all__ = ["AI", "EXCLUSIONS", "ArmCounts", "check_flag", "count_arms", "number_keys"]

AI = "ai_dispatched"
EXCLUSIONS = ("not_started", "invalid", "skipped", "unknown")


@dataclass(frozen=True, slots=True, eq=False)
class ArmCounts:
    """The counts of a stage by group, stratum and arm.

    Parameters
    ----------
    counts : StageCounts
        Grouped by all of the columns.
    arms : tuple
        The two values of the arm; None where there is none.
    groups : pandas.DataFrame
        The key columns of the groups, one row per group.
    strata : pandas.DataFrame
        The key columns of the strata, those of their group among them, one row per stratum.
    group, stratum, arm : array of int64
        Of each group of `counts`: its group, its stratum, and its arm: 0 or 1, or -1 where that is not known.
    skipped : {"exclude", "at_close"}
        What the skipped count as.
    """

    counts: StageCounts
    arms: tuple[Any, Any]
    groups: pd.DataFrame
    strata: pd.DataFrame
    group: Ints
    stratum: Ints
    arm: Ints
    skipped: str

    def rows(self) -> Ints:
        """Return of each stratum where its two arms are among the groups of `counts`; -1 for an absent one."""
        found = np.full((len(self.strata), 2), -1)
        known = np.flatnonzero(self.arm >= 0)
        found[self.stratum[known], self.arm[known]] = known
        return found

    def tables(self) -> Strata:
        """Return the life tables of each stratum's two arms, canceled and left ones competing."""
        tables = [*self.counts.life_tables("censor", self.skipped), LifeTable.empty()]
        return [(tables[first], tables[second]) for first, second in self.rows()]

    def strata_of(self) -> list[Ints]:
        """Return the strata of each group."""
        group = np.zeros(len(self.strata), dtype=np.int64)
        group[self.stratum] = self.group
        return [np.flatnonzero(group == number) for number in range(len(self.groups))]

    def totals(self, *, by_stratum: bool = False) -> pd.DataFrame:
        """Return one row per group, or per stratum.

        ``n``; ``used`` as ``first`` and ``second``; ``unknown_arm``, which would be used were the arm known; and what is
        left out, by state.
        """
        code, size = (self.stratum, len(self.strata)) if by_stratum else (self.group, len(self.groups))
        states = self.counts.totals()
        unused = unused_states("censor", self.skipped)
        used = states[[name for name in STATES if name not in unused]].sum(axis=1)
        columns = {"n": states["n"]}
        columns |= {
            name: used.where(self.arm == at, 0) for name, at in (("first", 0), ("second", 1), ("unknown_arm", -1))
        }
        columns |= {name: states[name] for name in EXCLUSIONS}
        # Counts stay far below 2**53, so the float sums of bincount are exact.
        return pd.DataFrame({name: np.bincount(code, n, size).astype(np.int64) for name, n in columns.items()})


def count_arms(
    actions: Any,  # noqa: ANN401  (any engine's frame)
    arm: str,
    stage: str,
    by: Sequence[str],
    strata: By,
    as_of: AsOf | None,
    skipped: str = "exclude",
    argument: str = "strata",
    resolution: str | None = None,
) -> ArmCounts:
    """Count a stage by group, stratum and arm.

    Parameters
    ----------
    actions : frame of any supported engine
        Actions.
    arm : str
        A column of two values; ``ai_dispatched`` must be true, false or null.
    stage : str
        One of `periodkit.milestones.STAGES`.
    by : sequence of str
        Columns to group by.
    strata : str or sequence of str, optional
        Columns of what is alike; those that are among `by` are the same within a group anyway.
    as_of : datetime or text, optional
        The moment to replay.
    skipped : {"exclude", "at_close"}
        What the skipped count as.
    argument : str
        What the caller calls `strata`.
    resolution : {None, "ms", "s", "us", "min"}
        Unit of the durations.

    Raises
    ------
    ArgumentError
        The arm has not two values, or is among the other columns.
    SchemaError
        A column is missing or not of its kind.
    """
    alike = grouping(strata, argument=argument)
    for name, names in (("by", by), (argument, alike)):
        if arm in names:
            msg = f"{name} is {list(names)}; it cannot hold {arm!r}, which is what is compared."
            raise ArgumentError(msg)
    layers = tuple(dict.fromkeys([*by, *alike]))
    if "period_id" in (*layers, arm) and VENUE not in layers:
        require_one_venue(actions)
    counts = count_stage(actions, stage, [*layers, arm], as_of, resolution)
    groups = counts.groups
    arms = _arms(groups[arm], arm)
    values = groups[arm].astype("object")
    number = np.full(len(groups), -1)
    for position, value in enumerate(arms):
        if value is not None:
            number[np.flatnonzero((values == value).fillna(value=False))] = position
    group, keys = number_keys(groups, by)
    stratum, layer = number_keys(groups, layers)
    return ArmCounts(counts, arms, keys, layer, group, stratum, number, skipped)


def check_flag(column: pd.Series) -> pd.Series:
    """Return a column of flags, or say that it holds something else: a text or a number could be read either way."""
    wrong = [value for value in column.dropna() if not isinstance(value, bool | np.bool_)]
    if wrong:
        msg = f"The column {column.name!r} holds {wrong[0]!r}, not true, false or null. Convert it with astype('boolean')."
        raise SchemaError(msg)
    return column


def number_keys(groups: pd.DataFrame, names: Sequence[str]) -> tuple[Ints, pd.DataFrame]:
    """Return the number of each row's key, in order, and the keys."""
    if not names:
        return np.zeros(len(groups), dtype=np.int64), pd.DataFrame(index=range(1))
    # Keys are sorted already, nulls last.
    keys = groups[list(names)]
    code, first = number_rows(keys)
    return code, keys.iloc[first].reset_index(drop=True)


def _arms(column: pd.Series, arm: str) -> tuple[Any, Any]:
    """Return the two values of an arm: true before false, all else in order."""
    values = column.drop_duplicates().dropna().sort_values().astype("object").tolist()
    if arm == AI:
        check_flag(column)
    if arm == AI or (values and all(isinstance(value, bool | np.bool_) for value in values)):
        return True, False
    if not values:
        return None, None
    if len(values) != 2:
        some = ", ".join(repr(value) for value in values[:6]) + (", …" if len(values) > 6 else "")
        msg = f"arm is {arm!r}, which has {len(values):,} values ({some}); it takes a column of two. Keep those to compare."
        raise ArgumentError(msg)
    return values[0], values[1]
