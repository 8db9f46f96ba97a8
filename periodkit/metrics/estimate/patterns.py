"""Patterns in a series that chance alone rarely makes: the rules by which a control chart signals.

All of them look at the points that have a value, in order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

from periodkit.metrics.estimate.rates import Floats
from periodkit.metrics.tally.life_table import Ints

__all__ = ["Signal", "near_limit", "run", "trend"]

Flags: TypeAlias = NDArray[np.bool_]

TOLERANCE = 1e-12  # a mean of equal values may miss them by a rounding error; such a point lies on the centre
RUN = TREND = 7


@dataclass(frozen=True, slots=True, eq=False)
class Signal:
    """Where a pattern is: every point that is `part` of one, and the points at which one is `complete`."""

    part: Flags
    complete: Flags


def side_of(off: Floats) -> Ints:
    """Return 1 above, -1 below, and 0 where what is left is rounding."""
    return np.where(np.abs(off) > TOLERANCE, np.sign(off), 0.0).astype(np.int64)


def run(side: ArrayLike, length: int = RUN) -> Signal:
    """Find runs of points on one side of the centre.

    Parameters
    ----------
    side : array_like of int, shape (n,)
        1 above, -1 below, 0 on the centre, which breaks a run.
    length : int
        How many in a row make a run.

    Returns
    -------
    Signal
        Flags of shape (n,).

    References
    ----------
    Nelson (1984), The Shewhart control chart - tests for special causes, Journal of Quality Technology 16, 237-239.
    Length 7: NHS England, Making Data Count.

    Examples
    --------
    >>> run([1, 1, 1, -1], length=3).part
    array([ True,  True,  True, False])
    """
    sides = np.asarray(side, dtype=np.int64)
    complete = np.zeros(sides.shape, dtype=np.bool_)
    if sides.size >= length:
        complete[length - 1 :] = np.abs(sliding_window_view(sides, length).sum(axis=-1)) == length
    return Signal(_reach_back(complete, length), complete)


def _reach_back(complete: Flags, length: int) -> Flags:
    """Mark the `length` points that end at each point that is marked."""
    part = complete.copy()
    for back in range(1, min(length, complete.size)):
        part[:-back] |= complete[back:]
    return part


def trend(x: ArrayLike, length: int = TREND) -> Signal:
    """Find points that rise, or fall, one after another.

    Parameters
    ----------
    x : array_like of float, shape (n,)
        Shares, or logarithms; two that differ by no more than rounding are equal, and break a trend.
    length : int
        How many points make a trend, the first among them: one more than its steps.

    Returns
    -------
    Signal
        Flags of shape (n,).

    References
    ----------
    Nelson (1984), see `run`. Length 7: NHS England, Making Data Count, as NHSRplotthedots has it.

    Examples
    --------
    >>> trend([1.0, 2.0, 3.0, 3.0], length=3).complete
    array([False, False,  True, False])
    """
    values = np.asarray(x, dtype=np.float64)
    complete = np.zeros(values.shape, dtype=np.bool_)
    complete[1:] = run(side_of(np.diff(values)), length - 1).complete
    return Signal(_reach_back(complete, length), complete)


def near_limit(side: ArrayLike, near: ArrayLike) -> Signal:
    """Find three in a row on one side of the centre of which two lie near the limit.

    Parameters
    ----------
    side : array_like of int, shape (n,)
        1 above, -1 below, 0 on the centre.
    near : array_like of bool, shape (n,)
        Whether a point lies beyond 2 and at most at 3 sigma.

    Returns
    -------
    Signal
        `part` holds the points near the limit alone; `complete` the last of the three.

    References
    ----------
    NHS England, Making Data Count: two of three points close to a process limit.

    Examples
    --------
    >>> near_limit([1, 1, 1], [True, False, True]).part
    array([ True, False,  True])
    """
    close = np.asarray(near, dtype=np.bool_)
    complete = run(side, 3).complete
    if close.size >= 3:
        complete[2:] &= sliding_window_view(close, 3).sum(axis=-1) >= 2
    return Signal(_reach_back(complete, 3) & close, complete)
