"""Life tables: the counts that every estimator starts from, how they add up, and the sums that estimators share.

A table is exact, small and merges by addition, so whoever counts decides where the actions live.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from periodkit.errors import ArgumentError
from periodkit.metrics.rates import Floats, Ints, as_counts, check_share

__all__ = ["LifeTable", "merge"]


@dataclass(frozen=True, slots=True, eq=False)
class LifeTable:
    """How many of a group ended, left or were still open at each duration; one row per duration.

    At equal durations, events and competing ends happen before censorings: those censored at t are at risk at t.

    Parameters
    ----------
    time : array of int64, shape (m,)
        Durations in whole units of some resolution, from 0, strictly increasing.
    event : array of int64, shape (m,)
        How many reached the end at that duration.
    competing : array of int64, shape (m,)
        How many ended another way (cancellations and leavers).
    censored : array of int64, shape (m,)
        How many were last seen still open.

    Raises
    ------
    ArgumentError
        If the four differ in length, hold anything but whole numbers >= 0, or `time` does not increase.

    Examples
    --------
    >>> table = LifeTable([60, 90], [1, 2], [0, 0], [1, 0])
    >>> table.n
    4
    """

    time: Ints
    event: Ints
    competing: Ints
    censored: Ints

    def __post_init__(self) -> None:
        for field in fields(self):
            object.__setattr__(self, field.name, as_counts(getattr(self, field.name), field.name))
        shape = self.time.shape
        if (
            len(shape) != 1
            or self.event.shape != shape
            or self.competing.shape != shape
            or self.censored.shape != shape
        ):
            raise ArgumentError("time, event, competing and censored must be four lists of one length.")
        if (self.time[1:] <= self.time[:-1]).any():
            raise ArgumentError("time must be strictly increasing: one row per duration, shortest first.")

    @classmethod
    def empty(cls) -> LifeTable:
        """Return the table of a group without members."""
        none = np.zeros(0, dtype=np.int64)
        return cls(none, none, none, none)

    @property
    def n(self) -> int:
        """How many are counted in the table."""
        return int(self.event.sum() + self.competing.sum() + self.censored.sum())


def merge(tables: Iterable[LifeTable]) -> LifeTable:
    """Add life tables of one resolution: the table of all their members together.

    Parameters
    ----------
    tables : iterable of LifeTable
        Any number of them; none gives the empty table.

    Returns
    -------
    LifeTable
        One row per duration found in any of them, counts summed.

    Examples
    --------
    >>> both = merge([LifeTable([1, 2], [1, 1], [0, 0], [0, 0]), LifeTable([2, 5], [1, 0], [0, 0], [0, 3])])
    >>> both.time.tolist(), both.event.tolist(), both.censored.tolist()
    ([1, 2, 5], [1, 2, 0], [0, 0, 3])
    """
    parts = list(tables)
    if len(parts) < 2:
        return parts[0] if parts else LifeTable.empty()
    time = np.concatenate([part.time for part in parts])
    if not time.size:
        return LifeTable.empty()
    # A stable sort is a merge of runs here: every part is sorted already.
    order = np.argsort(time, kind="stable")
    time = time[order]
    starts = np.flatnonzero(np.concatenate(([True], time[1:] != time[:-1])))

    def total(name: str) -> Ints:
        counts = np.concatenate([getattr(part, name) for part in parts])
        return np.add.reduceat(counts[order], starts)

    return LifeTable(time[starts], total("event"), total("competing"), total("censored"))


def count_at_risk(table: LifeTable) -> Ints:
    leaving = table.event + table.competing
    leaving += table.censored
    through = np.cumsum(leaving)
    if through.size:
        leaving += through[-1]
    leaving -= through
    return leaving


def remaining(ended: Ints, at_risk: Ints) -> tuple[Floats, Floats, Floats]:
    """Return those at risk, those left after the end, and the weight of one end, at rows where any ended.

    The rows of one group stand along the last axis; several groups may stand along others.

    The product of (n - d) / n telescopes while nothing is censored, so it is kept as left / first n times a weight
    that only censoring moves (Efron's redistribution to the right): exact shares as long as nothing is censored.
    """
    risk = at_risk.astype(np.float64)
    left = risk - ended
    weight = np.ones_like(risk)
    np.divide(left[..., :-1], risk[..., 1:], out=weight[..., 1:])
    np.cumprod(weight, axis=-1, out=weight)
    return risk, left, weight


def greenwood(ended: Ints, risk: Floats, left: Floats) -> Floats:
    """Return the running sum along the last axis of d / (n (n - d)); the term at which all ended counts as 0 and is last."""
    terms = risk * left
    np.divide(ended, terms, out=terms, where=terms > 0.0)
    return np.cumsum(terms, axis=-1, out=terms)


def spread(values: Floats, rows: NDArray[np.intp], size: int, before: float) -> Floats:
    """Carry values at some rows forward over all rows, with `before` ahead of the first."""
    if rows.size == size:
        return values
    lead = np.full(rows[0] if rows.size else size, before)
    return np.concatenate((lead, np.repeat(values, np.diff(rows, append=size))))


def normal_quantile(confidence: float) -> float:
    return -float(ndtri((1.0 - check_share(confidence, "confidence")) / 2.0))


def lookup(time: Ints, t: ArrayLike) -> tuple[Floats, NDArray[np.intp], NDArray[np.intp]]:
    """Return the durations asked for, the row in force at each (-1 before the first), and the next row not earlier."""
    asked = np.asarray(t, dtype=np.float64)
    if np.isnan(asked).any():
        raise ArgumentError("t must be durations; one of them is NaN.")
    return asked, np.searchsorted(time, asked, side="right") - 1, np.searchsorted(time, asked, side="left")


def step(values: Floats, row: NDArray[np.intp], before: float) -> Floats:
    if not values.size:
        return np.full(row.shape, np.nan)
    return np.where(row < 0, before, values[np.maximum(row, 0)])


def risk_at(at_risk: Ints, row: NDArray[np.intp]) -> Ints:
    return np.append(at_risk, 0)[row]
