"""Estimates from life tables: what the counts say of a duration while some of it is still running.

Everything here is one pass over the rows of a table; durations come back in the table's unit, and NaN means that the
counts do not say. The whole family is importable from this module.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc

from periodkit.errors import ArgumentError
from periodkit.metrics.incidence import IncidenceCurve, aalen_johansen, incidence_at
from periodkit.metrics.lifetable import (
    LifeTable,
    count_at_risk,
    greenwood,
    lookup,
    merge,
    normal_quantile,
    remaining,
    risk_at,
    spread,
    step,
)
from periodkit.metrics.rates import (
    Floats,
    Ints,
    QuantileInterval,
    check_share,
    newcombe,
    observed_quantile,
    quantile_interval,
    wilson,
)

__all__ = [
    "IncidenceCurve",
    "LifeTable",
    "LogRank",
    "QuantileInterval",
    "SurvivalCurve",
    "SurvivalPoints",
    "aalen_johansen",
    "incidence_at",
    "kaplan_meier",
    "logrank",
    "merge",
    "newcombe",
    "observed_quantile",
    "quantile_interval",
    "restricted_mean",
    "survival_at",
    "survival_quantile",
    "wilson",
]

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
    """A survival curve read at chosen durations; fields as in `SurvivalCurve`, shapes as asked for."""

    time: Floats
    at_risk: Ints
    survival: Floats
    std_error: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True, slots=True, eq=False)
class LogRank:
    """Result of a log-rank test.

    Parameters
    ----------
    statistic, p_value : float
        Chi-squared statistic and its upper tail; NaN when the arms cannot be compared.
    df : int
        Degrees of freedom: one fewer than the arms in which any event was expected.
    observed, expected : array of float64, shape (arms,)
        Events seen in each arm, and events expected had all arms the same hazard.
    """

    statistic: float
    p_value: float
    df: int
    observed: Floats
    expected: Floats


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
    for each in (std_error, low, high):
        each[all_ended] = np.nan
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


def _scores(arms: Sequence[LifeTable]) -> tuple[Floats, Floats, Floats]:
    """Return observed and expected events by arm, and the variance of their difference, in one stratum."""
    pooled = merge(arms)
    rows = np.flatnonzero(pooled.event)
    time, ended = pooled.time[rows], pooled.event[rows].astype(np.float64)
    total = count_at_risk(pooled)[rows].astype(np.float64)
    observed = np.array([arm.event.sum() for arm in arms], dtype=np.float64)
    risk = [risk_at(count_at_risk(arm), np.searchsorted(arm.time, time, side="left")) for arm in arms]
    share = np.array(risk, dtype=np.float64) / total
    # The hypergeometric factor is 0 when one alone is at risk, as its numerator is.
    weighted = share * (ended * (total - ended) / np.maximum(total - 1.0, 1.0))
    variance = -(weighted @ share.T)
    # One arm alone at risk must add exactly nothing, which a difference of two sums would miss by rounding.
    np.fill_diagonal(variance, (weighted * (1.0 - share)).sum(axis=1))
    return observed, share @ ended, variance


def logrank(
    tables: Sequence[LifeTable] | Sequence[Sequence[LifeTable]] = (),
    strata: Sequence[Sequence[LifeTable]] | None = None,
) -> LogRank:
    """Log-rank test that arms share one hazard, plain or stratified; competing ends are taken as censored.

    Parameters
    ----------
    tables : sequence of LifeTable, or sequence of sequences of LifeTable, optional
        One table per arm; or one sequence per stratum, each with one table per arm in the same order, an absent arm
        being an empty table.
    strata : sequence of sequences of LifeTable, optional
        The stratified form by name, in place of `tables`.

    Returns
    -------
    LogRank
        Statistic and p-value are NaN where nothing can be compared: fewer than two arms with an event expected, or a
        singular variance. Observed and expected events are summed over strata.

    Raises
    ------
    ArgumentError
        If strata differ in their number of arms, or both forms are given at once.

    References
    ----------
    Mantel (1966), Evaluation of survival data and two new rank order statistics arising in its consideration, Cancer
    Chemotherapy Reports 50, 163-170; Peto and Peto (1972), JRSS A 135, 185-207.

    Examples
    --------
    >>> fast = LifeTable([1, 2, 3], [1, 1, 1], [0, 0, 0], [0, 0, 0])
    >>> slow = LifeTable([4, 5, 6], [1, 1, 1], [0, 0, 0], [0, 0, 0])
    >>> test = logrank([fast, slow])
    >>> round(test.statistic, 3), round(test.p_value, 3), test.expected
    (5.052, 0.025, array([1.15, 4.85]))
    """
    if strata is not None and len(tables):
        raise ArgumentError("tables and strata exclude each other: each stratum holds its own tables.")
    given = tables if strata is None else strata
    layers = cast("Sequence[Sequence[LifeTable]]", [given] if given and isinstance(given[0], LifeTable) else given)
    arms = {len(layer) for layer in layers}
    if len(arms) > 1:
        raise ArgumentError(f"strata must have one table per arm in each; their lengths are {sorted(arms)}.")
    k = arms.pop() if arms else 0
    observed, expected, variance = np.zeros(k), np.zeros(k), np.zeros((k, k))
    for layer in layers:
        seen, due, spread = _scores(layer)
        observed += seen
        expected += due
        variance += spread
    compared = np.flatnonzero(expected > 0.0)
    df = max(compared.size - 1, 0)
    # Any one arm is settled by the others; scaled to correlations, singular does not depend on the arms' sizes.
    keep = compared[1:]
    scale = np.sqrt(np.diag(variance)[keep])
    if df == 0 or not scale.all():
        return LogRank(np.nan, np.nan, df, observed, expected)
    matrix = variance[np.ix_(keep, keep)] / np.outer(scale, scale)
    if np.linalg.matrix_rank(matrix, rtol=1e-10, hermitian=True) < df:
        return LogRank(np.nan, np.nan, df, observed, expected)
    score = (observed - expected)[keep] / scale
    statistic = float(score @ np.linalg.solve(matrix, score))
    return LogRank(statistic, float(chdtrc(df, statistic)), df, observed, expected)
