"""Rows -> cells: group, duration and state of a row in one whole number, and how many rows have the same."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from periodkit.errors import ArgumentError
from periodkit.metrics.tally.life_table import Ints
from periodkit.milestones import STATES, TIMED

__all__ = ["count_cells", "is_in", "join_entry", "sum_up"]

_STATE_BITS = (len(STATES) - 1).bit_length()
_PART = 1 << 17
"""Rows worked on at a time: they stay in the caches, and memory that is new to a process costs more than sums."""


def sum_up(counts: Ints) -> Ints:
    """Return running sums, with 0 before the first.

    Parameters
    ----------
    counts : array of int64, shape (n,)
        Counts.

    Returns
    -------
    array of int64, shape (n + 1,)
        Entry i is the sum of those before i.

    Examples
    --------
    >>> sum_up([2, 0, 3]).tolist()
    [0, 2, 2, 5]
    """
    total = np.zeros(len(counts) + 1, dtype=np.int64)
    np.cumsum(counts, out=total[1:])
    return total


def join_entry(duration: Ints, state: NDArray[np.int8]) -> Ints:
    """Return each duration and state as one whole number; it sorts by duration, then state, none having a duration of 0.

    Parameters
    ----------
    duration : array of int64, shape (n,)
        Durations in whole units.
    state : array of int8, shape (n,)
        Positions in `periodkit.milestones.STATES`.

    Returns
    -------
    array of int64, shape (n,)
        One number a row.

    Raises
    ------
    ArgumentError
        A duration does not fit beside its state.

    Examples
    --------
    >>> entries = join_entry(np.array([5, 3]), np.full(2, STATES.index("event"), dtype=np.int8))
    >>> bool(entries[1] < entries[0])
    True
    """
    entry = np.where(is_in(state, TIMED), duration, 0)
    _check_bits(int(entry.max(initial=0)).bit_length() + _STATE_BITS)
    entry <<= _STATE_BITS
    entry |= state
    return entry


def count_cells(
    codes: Iterable[Ints], packed: Ints, n: Ints | None, groups: int
) -> tuple[Ints, Ints, NDArray[np.int8], Ints]:
    """Return bounds, duration, state and n of the cells of `StageCounts`.

    Parameters
    ----------
    codes : iterable of int64 arrays
        The group of each row, in as many parts as there are.
    packed : array of int64
        What `join_entry` gave for each row, over all parts; it is used up.
    n : array of int64, optional
        How many actions each row is, over all parts; by default one.
    groups : int
        How many groups there are.

    Returns
    -------
    bounds, duration, state, n : arrays
        As in `StageCounts`: one entry per cell, and of bounds one per group and one more.

    Raises
    ------
    ArgumentError
        Groups and durations do not fit into one whole number.

    Examples
    --------
    >>> entries = join_entry(np.array([60, 60, 90]), np.full(3, STATES.index("event"), dtype=np.int8))
    >>> bounds, duration, state, n = count_cells([np.array([0, 0, 1])], entries, None, 2)
    >>> bounds.tolist(), duration.tolist(), n.tolist()
    ([0, 1, 2], [60, 90], [2, 1])
    """
    # One sort of one whole number a row, group in its highest bits and state in its lowest, is the quickest way to count.
    bits = int(packed.max(initial=0)).bit_length()
    _check_bits(bits + groups.bit_length())
    start = 0
    for code in codes:
        packed[start : start + len(code)] |= code << bits
        start += len(code)
    if n is None:
        packed.sort()
        packed, n = _run_lengths(packed)
    else:
        order = np.argsort(packed, kind="stable")  # which merges what is sorted already
        packed, n = packed[order], n[order]
        first = np.flatnonzero(np.concatenate(([True], packed[1:] != packed[:-1]))[: len(packed)])
        packed, n = packed[first], np.add.reduceat(n, first)
    bounds = np.searchsorted(packed, np.arange(groups + 1) << bits)
    packed &= (1 << bits) - 1
    state = packed.astype(np.int8)
    state &= (1 << _STATE_BITS) - 1
    packed >>= _STATE_BITS
    return bounds, packed, state, n


def _check_bits(needed: int) -> None:
    if needed > 63:
        msg = "The durations are too long for this resolution; pass a coarser one."
        raise ArgumentError(msg)


def _run_lengths(values: Ints) -> tuple[Ints, Ints]:
    """Return the distinct ones of sorted values, which are used up, and how many there are of each."""
    n = np.empty(len(values), dtype=np.int64)
    found = before = 0
    for start in range(0, len(values), _PART):
        part = values[start : start + _PART]
        stop = start + len(part)
        is_last = np.ones(len(part), dtype=np.bool_)
        np.not_equal(part[1:], part[:-1], out=is_last[:-1])
        if stop < len(values):
            is_last[-1] = values[stop] != part[-1]
        last = np.flatnonzero(is_last)
        filled = slice(found, found + len(last))
        values[filled] = part[last]  # never more than was read
        n[filled] = np.diff(last + (start + 1), prepend=before)
        found, before = filled.stop, before + int(n[filled].sum())
    few = found < len(values) // 2
    return (values[:found].copy(), n[:found].copy()) if few else (values[:found], n[:found])


def is_in(state: NDArray[np.int8], names: Sequence[str]) -> NDArray[np.bool_]:
    """Return which states are among those named.

    Parameters
    ----------
    state : array of int8, shape (n,)
        Positions in `periodkit.milestones.STATES`.
    names : sequence of str
        Names of states.

    Returns
    -------
    array of bool, shape (n,)
        One value a state.

    Examples
    --------
    >>> is_in(np.array([STATES.index("open"), STATES.index("event")]), ["open"]).tolist()
    [True, False]
    """
    return np.array([name in names for name in STATES])[state]
