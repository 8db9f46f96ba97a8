"""The log-rank test on life tables, plain and stratified."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import scipy

from periodkit.errors import ArgumentError
from periodkit.metrics.estimate.rates import (
    Floats,
)
from periodkit.metrics.estimate.steps import (
    count_at_risk,
    risk_at,
)
from periodkit.metrics.tally.life_table import LifeTable, merge


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

    Examples
    --------
    >>> from periodkit.metrics.estimate import LifeTable, logrank
    >>> quick, slow = LifeTable([1, 2], [5, 5], [0, 0], [0, 0]), LifeTable([3, 4], [5, 5], [0, 0], [0, 0])
    >>> result = logrank([quick, slow])
    >>> result.df, result.observed.tolist()
    (1, [10.0, 10.0])
    """

    statistic: float
    p_value: float
    df: int
    observed: Floats
    expected: Floats


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
    return LogRank(statistic, float(scipy.special.chdtrc(df, statistic)), df, observed, expected)
