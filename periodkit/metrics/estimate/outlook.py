"""How many of those that are unfinished will still be so later on: conditional survival, and how far it can be off."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import ArrayLike

from periodkit._arguments import check_share
from periodkit.errors import ArgumentError
from periodkit.metrics.estimate.rates import Floats, normal_quantile
from periodkit.metrics.estimate.steps import count_at_risk
from periodkit.metrics.tally.life_table import Ints, LifeTable, as_counts

__all__ = ["Remaining", "count_limits", "remaining_share"]

NODES = 24
MANY = 2000  # beyond so many the normal law serves


@dataclass(frozen=True, slots=True, eq=False)
class Remaining:
    """Of those that lasted longer than an age, the share that lasts longer than a later time.

    Parameters
    ----------
    share : array of float64
        ``S(later) / S(age)``; NaN where the counts do not reach that far.
    at_risk : array of int64
        How many of the table lasted longer than the age.
    smoothed : array of float64
        The share with half an action added on either side, so that 0 and 1 are not certain.
    variance : float
        Error variance of the sum of the shares, each taken `n` times, by Greenwood; those that are NaN left out.
    """

    share: Floats
    at_risk: Ints
    smoothed: Floats
    variance: float


def remaining_share(table: LifeTable, age: ArrayLike, later: ArrayLike, n: ArrayLike = 1) -> Remaining:
    """Estimate how many of those unfinished at an age are unfinished at a later time, by Kaplan-Meier.

    Parameters
    ----------
    table : LifeTable
        Earlier actions; competing ends are ends as well.
    age, later : array_like of float
        In the table's unit, ``age <= later``, of shapes that broadcast.
    n : array_like of int
        How many are of that age.

    Returns
    -------
    Remaining
        Not known beyond the last duration of the table, unless all had ended by then.

    Raises
    ------
    ArgumentError
        If `later` is before `age`, or `n` is not whole numbers >= 0.

    References
    ----------
    Kaplan and Meier (1958), JASA 53, 457-481; the share is the same estimate of those still at risk at the age. Error of
    a sum: Greenwood's terms (1926), each weighted by the shares that it enters.

    Examples
    --------
    >>> table = LifeTable([10, 20, 30, 40], [1, 1, 1, 1], [0, 0, 0, 0], [0, 0, 0, 0])
    >>> ahead = remaining_share(table, [0, 15], [25, 35])
    >>> ahead.share, ahead.at_risk
    (array([0.5       , 0.33333333]), array([4, 3]))
    """
    begin, end, many = np.broadcast_arrays(
        np.asarray(age, dtype=np.float64), np.asarray(later, dtype=np.float64), as_counts(n, "n")
    )
    if (end < begin).any():
        raise ArgumentError("later must not be before age.")
    ended = table.event + table.competing
    at_risk = count_at_risk(table)
    left = at_risk - ended
    # Both curves are read just after an age: who ended exactly then is not among those who are still in it.
    first, stop = (np.searchsorted(table.time, edge, side="right") for edge in (begin, end))
    risk = np.append(at_risk, 0)[first]
    with np.errstate(divide="ignore", invalid="ignore"):
        step = np.append(0.0, np.cumsum(np.log(np.where(left > 0, left, 1) / np.maximum(at_risk, 1))))
        term = np.where(left > 0, ended / (np.maximum(at_risk, 1) * np.maximum(left, 1)), 0.0)
    # A curve is at 0 from the row at which all that were left had ended, and known ever after.
    zero = np.flatnonzero((left == 0) & (ended > 0))
    all_ended = zero[0] if zero.size else table.time.size
    share = np.where(stop > all_ended, 0.0, np.exp(step[stop] - step[first]))
    last = table.time[-1] if table.time.size else -np.inf
    known = (risk > 0) & ((end <= last) | (stop > all_ended))
    share = np.where(known, share, np.nan)
    weight = np.where(known, share * many, 0.0).ravel()
    entered = np.zeros(table.time.size + 1)
    np.add.at(entered, first.ravel(), weight)
    np.add.at(entered, stop.ravel(), -weight)
    variance = float(np.sum(np.cumsum(entered)[:-1] ** 2 * term))
    return Remaining(share, risk, (share * risk + 0.5) / (risk + 1), variance)


def count_limits(share: ArrayLike, n: ArrayLike, variance: float, confidence: float = 0.95) -> tuple[int, int]:
    """Return between how many independent actions will be of a kind, each with its own share, which is uncertain.

    Parameters
    ----------
    share : array_like of float
        Between 0 and 1, both excluded.
    n : array_like of int
        How many actions have each.
    variance : float
        Error variance of the sum of the shares.
    confidence : float
        Least coverage, strictly between 0 and 1.

    Returns
    -------
    low, high : int
        The narrowest limits outside which lies at most half of the rest on either side.

    Raises
    ------
    ArgumentError
        If `confidence` is not between 0 and 1, or `n` is not whole numbers >= 0.

    Notes
    -----
    A sum of independent unequal trials (Poisson's binomial law; Hong 2013, Computational Statistics and Data Analysis 59,
    41-51), averaged over a common shift of all log odds that has the variance given (Gauss-Hermite quadrature).

    Examples
    --------
    >>> count_limits([0.5], [20], 0.0)
    (6, 14)
    >>> count_limits([0.5], [20], 4.0)
    (4, 16)
    """
    tail = (1.0 - check_share(confidence, "confidence")) / 2.0
    p = np.repeat(np.asarray(share, dtype=np.float64), as_counts(n, "n"))
    if not p.size:
        return 0, 0
    if p.size > MANY:
        half = normal_quantile(confidence) * np.sqrt(np.sum(p * (1.0 - p)) + variance)
        return max(int(np.floor(p.sum() - half)), 0), min(int(np.ceil(p.sum() + half)), p.size)
    node, weight = np.polynomial.hermite_e.hermegauss(NODES)
    # The derivative of the sum by a shift of all log odds.
    shift = np.sqrt(variance) / np.sum(p * (1.0 - p))
    shares = scipy.special.expit(scipy.special.logit(p) + shift * node[:, np.newaxis])
    # The law of a sum is the product of the single laws' transforms.
    turn = np.exp(2j * np.pi * np.arange(p.size + 1) / (p.size + 1))
    law = np.zeros(p.size + 1)
    for row, part in zip(shares, weight / weight.sum(), strict=True):
        values = np.ones(p.size + 1, dtype=np.complex128)
        for start in range(0, p.size, 256):
            values *= np.prod(1.0 + np.outer(turn - 1.0, row[start : start + 256]), axis=1)
        law += part * np.fft.fft(values).real / (p.size + 1)
    below = np.cumsum(np.maximum(law, 0.0))
    low = int(np.searchsorted(below, tail, side="right"))
    high = int(np.searchsorted(below, 1.0 - tail - 1e-12, side="left"))
    return low, min(high, p.size)
