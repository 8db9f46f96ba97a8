"""How many actions ended, left or were still open at each duration of a stage: exact counts, which add up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from periodkit.errors import ArgumentError
from periodkit.metrics.tally.cells import count_cells, is_in, join_entry, sum_up
from periodkit.metrics.tally.keys import encode, sort_keys
from periodkit.metrics.tally.life_table import Ints, LifeTable
from periodkit.metrics.threads import side_by_side
from periodkit.milestones import STATES, TIMED

__all__ = [
    "EXCLUDED",
    "TIMED",
    "UNITS",
    "StageCounts",
    "gone_states",
    "named_resolution",
    "unused_states",
]

UNITS = {"us": 1, "ms": 1_000, "s": 1_000_000, "min": 60_000_000}
"""The resolutions of a life table, and how many microseconds a unit of each is."""
EXCLUDED = tuple(name for name in STATES if name not in TIMED)
"""The states without a duration."""
_PART = 1 << 17
"""Cells worked on at a time: they stay in the caches."""


@dataclass(frozen=True, slots=True, eq=False)
class StageCounts:
    """How many actions of each group were in which state at each duration of a stage.

    A cell is a group, a duration and a state; cells without actions are left out. Cells are sorted by group, then
    duration, then state. States without a duration stand at 0.

    Parameters
    ----------
    groups : pandas.DataFrame
        The key columns, one row per group, sorted by key with nulls last.
    bounds : array of int64, shape (groups + 1,)
        The cells of group g are those from ``bounds[g]`` up to ``bounds[g + 1]``.
    duration : array of int64, shape (cells,)
        Duration in whole units of `resolution`.
    state : array of int8, shape (cells,)
        Position in `periodkit.milestones.STATES`.
    n : array of int64, shape (cells,)
        How many actions.
    by : tuple of str
        The key columns.
    resolution : str
        Unit of `duration`.
    stage : str
        The stage whose durations these are.
    around : int, optional
        The one duration, in microseconds, that all others were counted against.

    Examples
    --------
    >>> import periodkit as pk
    >>> from periodkit.metrics.tally import count_stage
    >>> with pk.demo_client() as client:
    ...     first, second = (client.actions(period_id) for period_id in client.periods()["period_id"].head(2))
    >>> both = count_stage(first) + count_stage(second)
    >>> int(both.n.sum()) == len(first) + len(second)
    True
    """

    groups: pd.DataFrame
    bounds: Ints
    duration: Ints
    state: NDArray[np.int8]
    n: Ints
    by: tuple[str, ...]
    resolution: str = "ms"
    stage: str = "cycle"
    around: int | None = None

    def __add__(self, other: object) -> StageCounts:
        """Count both: what counting the two frames as one would give."""
        return self.add_up([self, other]) if isinstance(other, StageCounts) else NotImplemented

    def __radd__(self, other: object) -> StageCounts:
        """Take part in `sum`, which starts with 0."""
        return self if other == 0 else NotImplemented

    @classmethod
    def add_up(cls, parts: Sequence[StageCounts]) -> StageCounts:
        """Return the counts of all parts, of which there is at least one, together."""
        one = parts[0]
        for name in ("stage", "by", "resolution", "around"):
            differing = {getattr(part, name) for part in parts} - {getattr(one, name)}
            if differing:
                these = f"{getattr(one, name)!r} and {differing.pop()!r}"
                raise ArgumentError(f"Counts can be added only if they have the same {name}: these have {these}.")
        if len(parts) == 1:
            return one
        joined = pd.concat([part.groups for part in parts], ignore_index=True)
        try:
            keys, code = encode(pa.Table.from_pandas(joined, preserve_index=True), one.by)
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            msg = f"Counts can be added only if their keys are of the same kind: {error.args[0]}."
            raise ArgumentError(msg) from None
        groups, rank = sort_keys(keys, one.by, joined)
        ranks = np.split(rank[code], np.cumsum([len(part.groups) for part in parts])[:-1])
        cells = count_cells(
            (own[part.code()] for own, part in zip(ranks, parts, strict=True)),
            np.concatenate([join_entry(part.duration, part.state) for part in parts]),
            np.concatenate([part.n for part in parts]),
            len(groups),
        )
        bounds, duration, state, n = cells
        return replace(one, groups=groups, bounds=bounds, duration=duration, state=state, n=n)

    @property
    def unit(self) -> int:
        """Microseconds in one unit of duration."""
        return UNITS[self.resolution]

    def units(self, micros: int, argument: str) -> float:
        """Return a length of time in units, or say that it is no whole number of them.

        At a millisecond, the API's own unit, nothing that happened lies between two units, and a length may.
        """
        if self.unit > UNITS["ms"] and micros % self.unit:
            unit = {"s": "seconds", "min": "minutes"}[self.resolution]
            raise ArgumentError(
                f"{argument} is or holds {micros / 1e6:.15g} s, which is no whole number of units at resolution "
                f"{self.resolution!r}: what took about that long could not be put on one side of it. Pass whole {unit}, or "
                'resolution="ms", if the function takes one.'
            )
        return micros / self.unit

    def in_parts(self) -> Iterator[StageCounts]:
        """Yield the counts of a few groups after another.

        Yields
        ------
        StageCounts
            A view of about as many cells as the caches hold, or of one larger group.
        """
        start = 0
        while start < len(self.groups):
            most = self.bounds[start] + _PART
            stop = max(int(np.searchsorted(self.bounds, most, side="right")) - 1, start + 1)
            cells = slice(self.bounds[start], self.bounds[stop])
            bounds = self.bounds[start : stop + 1] - self.bounds[start]
            arrays = {name: getattr(self, name)[cells] for name in ("duration", "state", "n")}
            yield replace(self, groups=self.groups.iloc[start:stop], bounds=bounds, **arrays)
            start = stop

    def code(self) -> Ints:
        """Return the group of each cell."""
        return np.repeat(np.arange(len(self.groups)), np.diff(self.bounds))

    def keys(self) -> pd.DataFrame:
        """Return the key columns, one row per group."""
        return self.groups.copy()

    def totals(self) -> pd.DataFrame:
        """Return one row per group: ``n`` and how many there are of each state."""

        def add(part: StageCounts) -> Ints:
            # Counts stay far below 2**53, so the float sums of bincount are exact.
            cell = part.code() * len(STATES) + part.state
            return np.bincount(cell, part.n, len(part.groups) * len(STATES)).astype(np.int64)

        sums = [np.zeros(0, dtype=np.int64), *side_by_side(add, self.in_parts())]
        found = np.concatenate(sums).reshape(-1, len(STATES))
        states = pd.DataFrame(found, columns=list(STATES))
        states.insert(0, "n", found.sum(axis=1))
        return states

    def only(self, *states: str) -> Ints:
        """Return how many actions each cell has in those states: all of its own, or 0."""
        return np.where(is_in(self.state, states), self.n, 0)

    def sum_by_group(self, counts: Ints) -> Ints:
        """Add up counts of cells by group."""
        return np.diff(sum_up(counts)[self.bounds])

    def taking_skipped(self, skipped: str) -> StageCounts:
        """Return the counts in which ``skipped="at_close"`` makes events of the skipped; ``"exclude"`` changes nothing."""
        if skipped == "exclude":
            return self
        state = self.state.copy()
        state[self.only("skipped") > 0] = STATES.index("event")
        bounds, duration, state, n = count_cells(
            [self.code()], join_entry(self.duration, state), self.n, len(self.groups)
        )
        return replace(self, bounds=bounds, duration=duration, state=state, n=n)

    def life_tables(self, canceled: str = "exclude", skipped: str = "exclude") -> Iterator[LifeTable]:
        """Yield the life table of each group.

        Parameters
        ----------
        canceled : {"exclude", "censor"}
            Whether cancellations and leavers are left out, or are the table's competing ends.
        skipped : {"exclude", "at_close"}
            Whether those that skipped the stage's end are left out, or are events at their closing.

        Yields
        ------
        LifeTable
            The table of one group, in the order of `groups`.
        """
        if skipped != "exclude":
            yield from self.taking_skipped(skipped).life_tables(canceled)
            return
        used = ("event", *gone_states(canceled), "open")
        for start, stop in pairwise(self.bounds):
            timed = np.flatnonzero(is_in(self.state[start:stop], used)) + start
            duration, state, n = self.duration[timed], self.state[timed], self.n[timed]
            first = np.flatnonzero(np.diff(duration, prepend=-1))
            event, gone, still = (
                np.add.reduceat(np.where(is_in(state, names), n, 0), first)
                for names in (("event",), ("canceled", "left"), ("open",))
            )
            yield LifeTable(duration[first], event, gone, still)


def named_resolution(result: pd.DataFrame, counts: StageCounts) -> pd.DataFrame:
    """Return a metric's frame that says in ``attrs["resolution"]`` in which unit durations were counted for it.

    Parameters
    ----------
    result : pandas.DataFrame
        What a metric gives.
    counts : StageCounts
        The counts that it was made of.

    Returns
    -------
    pandas.DataFrame
        The same frame, row for row.

    Examples
    --------
    >>> import periodkit as pk
    >>> from periodkit.metrics.tally import count_stage
    >>> with pk.demo_client() as client:
    ...     counts = count_stage(client.actions(client.periods().head(1)))
    >>> named_resolution(counts.totals(), counts).attrs
    {'resolution': 'ms'}
    """
    result.attrs["resolution"] = counts.resolution
    return result


def gone_states(canceled: str) -> tuple[str, ...]:
    """Return the states that count as ended another way: none where ``canceled="exclude"`` leaves them out.

    Parameters
    ----------
    canceled : {"exclude", "censor"}
        What cancellations and leavers count as.

    Returns
    -------
    tuple of str
        Names of states.

    Examples
    --------
    >>> gone_states("censor")
    ('canceled', 'left')
    """
    return ("canceled", "left") if canceled == "censor" else ()


def unused_states(canceled: str = "exclude", skipped: str = "exclude") -> tuple[str, ...]:
    """Return the states that are left out of an estimate.

    Parameters
    ----------
    canceled : {"exclude", "censor"}
        What cancellations and leavers count as.
    skipped : {"exclude", "at_close"}
        What skipped ones count as.

    Returns
    -------
    tuple of str
        Names of states.

    Examples
    --------
    >>> unused_states("censor")
    ('skipped', 'not_started', 'invalid', 'unknown')
    """
    gone = ("canceled", "left") if canceled == "exclude" else ()
    return (*gone, *(("skipped",) if skipped == "exclude" else ()), *EXCLUDED)
