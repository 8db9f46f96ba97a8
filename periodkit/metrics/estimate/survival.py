"""Estimates from life tables: what the counts say of a duration while some of it is still running.

Each function makes one pass over the rows of a table. Durations are in the table's unit; NaN means that the counts do
not say.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from periodkit._arguments import check_share
from periodkit.errors import ArgumentError
from periodkit.metrics.estimate.rates import Floats, normal_quantile
from periodkit.metrics.estimate.steps import (
    count_at_risk,
    greenwood,
    lookup,
    remaining,
    risk_at,
    spread,
    step,
)
from periodkit.metrics.tally.life_table import Ints, LifeTable

TOLERANCE = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class SurvivalCurve:
    """Share not yet ended just after each duration of a life table, as a right-continuous step function.

    Parameters
    ----------
    time : array of int64, shape (m,)
        Every duration of the table, in its unit.
    at_risk, events : array of int64, shape (m,)
        How many lasted at least that long, and how many of them ended there.
    survival, std_error : array of float64, shape (m,)
        The share and its Greenwood error; the error is NaN where the share is 0.
    low, high : array of float64, shape (m,)
        Pointwise log-log band; 1 before the first event, NaN where the share is 0.

    Examples
    --------
    >>> from periodkit.metrics.estimate import LifeTable, kaplan_meier
    >>> kaplan_meier(LifeTable([60, 90], [1, 2], [0, 0], [1, 0])).survival.tolist()
    [0.75, 0.0]
    """

    time: Ints
    at_risk: Ints
    events: Ints
    survival: Floats
    std_error: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True, slots=True, eq=False)
class SurvivalPoints:
    """A survival curve read at chosen durations; fields as in `SurvivalCurve`, shapes as asked for.

    Parameters
    ----------
    time, at_risk, survival, std_error, low, high
        As in `SurvivalCurve`.

    Examples
    --------
    >>> from periodkit.metrics.estimate import LifeTable, kaplan_meier, survival_at
    >>> survival_at(kaplan_meier(LifeTable([10, 20], [1, 1], [0, 0], [0, 2])), 15).survival.item()
    0.75
    """

    time: Floats
    at_risk: Ints
    survival: Floats
    std_error: Floats
    low: Floats
    high: Floats


def kaplan_meier(table: LifeTable, confidence: float = 0.95) -> SurvivalCurve:
    """Kaplan-Meier estimate of the share not yet ended, competing ends taken as censored.

    Parameters
    ----------
    table : LifeTable
        Counts of one group.
    confidence : float
        Pointwise coverage of the band, strictly between 0 and 1.

    Returns
    -------
    SurvivalCurve
        One row per row of the table; no rows for an empty table.

    Raises
    ------
    ArgumentError
        If `confidence` is not between 0 and 1.

    References
    ----------
    Kaplan and Meier (1958), Nonparametric estimation from incomplete observations, JASA 53, 457-481. Error: Greenwood
    (1926). Log-log band: Kalbfleisch and Prentice (2002), The Statistical Analysis of Failure Time Data, section 1.4.

    Examples
    --------
    >>> curve = kaplan_meier(LifeTable([10, 20, 30], [1, 0, 1], [0, 0, 0], [0, 1, 1]))
    >>> curve.survival
    array([0.75 , 0.75 , 0.375])
    """
    z = normal_quantile(confidence)
    at_risk = count_at_risk(table)
    rows = np.flatnonzero(table.event)
    ended = table.event[rows]
    survival, std_error, low, high = survival_band(ended, at_risk[rows], z)
    size = table.time.size
    return SurvivalCurve(
        time=table.time,
        at_risk=at_risk,
        events=table.event,
        survival=spread(survival, rows, size, 1.0),
        std_error=spread(std_error, rows, size, 0.0),
        low=spread(low, rows, size, 1.0),
        high=spread(high, rows, size, 1.0),
    )


def survival_band(ended: Ints, at_risk: Ints, z: float) -> tuple[Floats, Floats, Floats, Floats]:
    """Return the share not yet ended, its error and its band, at rows where any ended; rows along the last axis."""
    risk, left, weight = remaining(ended, at_risk)
    root = greenwood(ended, risk, left)
    np.sqrt(root, out=root)
    survival = weight
    survival *= left
    survival /= risk[..., :1]
    all_ended = survival == 0.0
    survival[all_ended] = 0.5  # any share that has a finite log-log; the results are replaced below
    std_error = survival * root
    log_survival = np.log(survival, out=left)
    factor = np.divide(root, log_survival, out=root)
    factor *= -z
    np.exp(factor, out=factor)
    low = np.multiply(log_survival, factor, out=risk)
    np.exp(low, out=low)
    high = np.divide(log_survival, factor, out=log_survival)
    np.exp(high, out=high)
    survival[all_ended] = 0.0
    for values in (std_error, low, high):
        values[all_ended] = np.nan
    return survival, std_error, low, high


def _first_at_most(time: Ints, share: Floats, bound: float) -> float:
    # NaN compares as not reached, which is what it means in a band.
    reached = share <= bound
    row = reached.argmax() if reached.size else 0
    return float(time[row]) if reached.size and reached[row] else np.nan


def survival_quantile(curve: SurvivalCurve, q: float) -> tuple[float, float, float]:
    """Duration by which the share `q` has ended, with the interval that inverts the log-log band.

    The estimate is the least t with S(t) <= 1 - q, compared with a tolerance of 1e-12; no midpoint is taken where
    they are equal. The limits are the first times at which the lower and the upper band are that low.

    Parameters
    ----------
    curve : SurvivalCurve
        From `kaplan_meier`; its confidence is the interval's.
    q : float
        Share ended, strictly between 0 and 1: 0.5 for the median.

    Returns
    -------
    estimate, low, high : float
        In the table's unit; NaN where the curve or the band does not get there.

    Raises
    ------
    ArgumentError
        If `q` is not between 0 and 1.

    References
    ----------
    Brookmeyer and Crowley (1982), A confidence interval for the median survival time, Biometrics 38, 29-41.

    Examples
    --------
    >>> curve = kaplan_meier(LifeTable([10, 20, 30], [1, 0, 1], [0, 0, 0], [0, 1, 1]))
    >>> survival_quantile(curve, 0.5)
    (30.0, 10.0, nan)
    """
    bound = 1.0 - check_share(q, "q") + TOLERANCE
    return (
        _first_at_most(curve.time, curve.survival, bound),
        _first_at_most(curve.time, curve.low, bound),
        _first_at_most(curve.time, curve.high, bound),
    )


def survival_at(curve: SurvivalCurve, t: ArrayLike) -> SurvivalPoints:
    """Read a survival curve at any durations.

    Parameters
    ----------
    curve : SurvivalCurve
        From `kaplan_meier`.
    t : array_like
        Durations in the table's unit. Past the longest one the last share is carried on, and `at_risk` is 0.

    Returns
    -------
    SurvivalPoints
        Arrays of the shape of `t`; shares, errors and limits are NaN if the curve has no rows.

    Raises
    ------
    ArgumentError
        If any of `t` is NaN.

    References
    ----------
    Kaplan and Meier (1958), Nonparametric estimation from incomplete observations, JASA 53, 457-481.

    Examples
    --------
    >>> curve = kaplan_meier(LifeTable([10, 20, 30], [1, 0, 1], [0, 0, 0], [0, 1, 1]))
    >>> points = survival_at(curve, [0, 25])
    >>> points.survival, points.at_risk
    (array([1.  , 0.75]), array([4, 2]))
    """
    asked, row, later = lookup(curve.time, t)
    return SurvivalPoints(
        time=asked,
        at_risk=risk_at(curve.at_risk, later),
        survival=step(curve.survival, row, 1.0),
        std_error=step(curve.std_error, row, 0.0),
        low=step(curve.low, row, 1.0),
        high=step(curve.high, row, 1.0),
    )


def restricted_mean(table: LifeTable, tau: float) -> tuple[float, float]:
    """Mean duration counted up to `tau`: the area under the Kaplan-Meier curve from 0 to `tau`.

    Parameters
    ----------
    table : LifeTable
        Counts of one group; competing ends are taken as censored.
    tau : float
        Horizon in the table's unit, >= 0. Past the longest duration the last share is carried on, so a horizon
        beyond it leans on the assumption that nobody else ended.

    Returns
    -------
    mean, std_error : float
        In the table's unit; NaN for an empty table.

    Raises
    ------
    ArgumentError
        If `tau` is negative or not finite.

    References
    ----------
    Klein and Moeschberger (2003), Survival Analysis, 2nd edition, section 4.5; Irwin (1949), J. Hygiene 47, 188-189.

    Examples
    --------
    >>> mean, std_error = restricted_mean(LifeTable([10, 20, 30], [1, 1, 1], [0, 0, 0], [0, 0, 0]), 25)
    >>> round(mean, 4), round(std_error, 4)
    (18.3333, 3.6004)
    """
    if not 0.0 <= tau < np.inf:
        raise ArgumentError(f"tau must be a finite duration of at least 0, not {tau!r}.")
    if not table.n:
        return np.nan, np.nan
    rows = np.flatnonzero(table.event[: np.searchsorted(table.time, tau, side="right")])
    if not rows.size:
        return float(tau), 0.0
    ended = table.event[rows]
    risk, left, weight = remaining(ended, count_at_risk(table)[rows])
    time = table.time[rows].astype(np.float64)
    pieces = weight * left / risk[0] * np.diff(time, append=float(tau))
    to_come = np.cumsum(pieces[::-1])[::-1]
    terms = risk * left
    np.divide(ended, terms, out=terms, where=terms > 0.0)
    return float(time[0] + to_come[0]), float(np.sqrt(np.sum(to_come**2 * terms)))
