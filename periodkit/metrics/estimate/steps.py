"""Life tables: the counts that every estimator starts from, how they add up, and the sums that estimators share.

A table is exact, small and merges by addition, so the engine that holds the actions can count them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from periodkit.errors import ArgumentError
from periodkit.metrics.estimate.rates import Floats
from periodkit.metrics.tally.life_table import Ints, LifeTable, merge

__all__ = ["LifeTable", "merge"]


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
