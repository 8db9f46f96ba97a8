"""Life tables: exact counts at each duration, small, and added up by addition."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from periodkit.errors import ArgumentError

Ints: TypeAlias = NDArray[np.int64]
"""Counts and durations in whole units: an array of int64."""


def as_counts(values: ArrayLike, name: str) -> Ints:
    """Return `values` as an int64 array, or raise an ArgumentError that names it unless all are whole and >= 0.

    Parameters
    ----------
    values : array_like
        Counts.
    name : str
        What an error calls them.

    Returns
    -------
    array of int64
        The same values.

    Raises
    ------
    ArgumentError
        A value is negative or not a whole number.

    Examples
    --------
    >>> as_counts([3, 0], "events").tolist()
    [3, 0]
    """
    array = np.asarray(values)
    if array.size and array.dtype.kind not in "iu":
        raise ArgumentError(f"{name} must be whole numbers, not {array.dtype}.")
    if array.size and array.min() < 0:
        raise ArgumentError(f"{name} must not be negative; the least is {array.min()}.")
    return array.astype(np.int64, copy=False)


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
