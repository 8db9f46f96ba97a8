"""The scales on which nights are compared: y with its error variance v, and the way back.

An entry that cannot be used is NaN in both: nothing counted, too little of it, or limits that do not exist.
"""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import ArrayLike

from periodkit.errors import ArgumentError
from periodkit.metrics.estimate.rates import Floats, normal_quantile
from periodkit.metrics.tally.life_table import as_counts

__all__ = ["from_log", "from_logit", "log_count", "log_time", "logit_share"]

LEAST = 20  # below so many actions, the normal approximation of a quantile's or a share's error is poor


def log_time(
    value: ArrayLike, low: ArrayLike, high: ArrayLike, used: ArrayLike, confidence: float = 0.95, least: int = LEAST
) -> tuple[Floats, Floats]:
    """Logarithm of a quantile of durations, its variance read from the width of its interval.

    Parameters
    ----------
    value, low, high : array_like of float
        Quantile and its limits (from the log-log band), in any one unit; NaN where not reached.
    used : array_like of int
        How many durations each quantile is made of.
    confidence : float
        Coverage of the limits, strictly between 0 and 1.
    least : int
        Entries made of fewer are not used.

    Returns
    -------
    y, v : numpy.ndarray of float64
        ``ln value`` and ``((ln high - ln low) / 2 z) ** 2``; NaN where `used` is below `least`, one of the three does
        not exist or is not positive, or the limits coincide.

    Raises
    ------
    ArgumentError
        If `confidence` is not between 0 and 1, or `used` is not whole numbers >= 0.

    Examples
    --------
    >>> y, v = log_time([300.0, 300.0], [240.0, 240.0], [400.0, np.nan], [50, 50])
    >>> y.round(3), v.round(4)
    (array([5.704,   nan]), array([0.017,   nan]))
    """
    z = normal_quantile(confidence)
    middle, first, last = (np.asarray(values, dtype=np.float64) for values in (value, low, high))
    usable = (as_counts(used, "used") >= least) & (middle > 0) & (first > 0) & (last > first) & np.isfinite(last)
    usable &= np.isfinite(middle)
    y, left, right = (np.log(np.where(usable, values, 1.0)) for values in (middle, first, last))
    return np.where(usable, y, np.nan), np.where(usable, ((right - left) / (2.0 * z)) ** 2, np.nan)


def logit_share(hits: ArrayLike, total: ArrayLike, least: int = LEAST) -> tuple[Floats, Floats]:
    """Logit of a share, half a success and half a failure added so that 0 and 1 have one too.

    Parameters
    ----------
    hits, total : array_like of int
        Counts of successes and of all, of shapes that broadcast.
    least : int
        Shares of fewer are not used.

    Returns
    -------
    y, v : numpy.ndarray of float64
        With x successes of n: ``ln((x + 1/2) / (n - x + 1/2))`` and ``1 / (x + 1/2) + 1 / (n - x + 1/2)``; NaN where
        `total` is below `least`.

    Raises
    ------
    ArgumentError
        If the counts are not whole numbers with 0 <= hits <= total.

    References
    ----------
    Gart and Zweifel (1967), On the bias of various estimators of the logit and its variance, Biometrika 54, 181-187.

    Examples
    --------
    >>> y, v = logit_share([12, 0, 1], [40, 40, 3])
    >>> y.round(3), v.round(3)
    (array([-0.824, -4.394,    nan]), array([0.115, 2.025,   nan]))
    """
    x, n = np.broadcast_arrays(as_counts(hits, "hits"), as_counts(total, "total"))
    if (x > n).any():
        raise ArgumentError("hits must not exceed total.")
    success, failure = x + 0.5, n - x + 0.5
    usable = n >= least
    y, v = np.log(success) - np.log(failure), 1.0 / success + 1.0 / failure
    return np.where(usable, y, np.nan), np.where(usable, v, np.nan)


def log_count(n: ArrayLike) -> tuple[Floats, Floats]:
    """Logarithm of a count, with the variance it has if the count is Poisson.

    Parameters
    ----------
    n : array_like of int
        Counts.

    Returns
    -------
    y, v : numpy.ndarray of float64
        ``ln n`` and ``1 / n``; NaN where nothing was counted.

    Raises
    ------
    ArgumentError
        If `n` is not whole numbers >= 0.

    Examples
    --------
    >>> y, v = log_count([100, 0])
    >>> y.round(3), v
    (array([4.605,   nan]), array([0.01,  nan]))
    """
    counts = as_counts(n, "n")
    some = np.maximum(counts, 1)
    return np.where(counts > 0, np.log(some), np.nan), np.where(counts > 0, 1.0 / some, np.nan)


def from_log(y: ArrayLike, ceiling: float = np.inf) -> Floats:
    """Return from the logarithm; NaN at and beyond the `ceiling`, which the result cannot hold.

    Parameters
    ----------
    y : array_like of float
        Natural logarithms.
    ceiling : float
        In the unit of the result: ``2.0**63`` for microseconds in 64 bits.

    Returns
    -------
    numpy.ndarray of float64
        ``exp(y)``, never infinite.

    Examples
    --------
    >>> from_log([0.0, 800.0])
    array([ 1., nan])
    """
    with np.errstate(over="ignore"):
        value = np.exp(np.asarray(y, dtype=np.float64))
    return np.where(value < ceiling, value, np.nan)


def from_logit(y: ArrayLike) -> Floats:
    """Return from the logit to a share between 0 and 1.

    Parameters
    ----------
    y : array_like of float
        Logits.

    Returns
    -------
    numpy.ndarray of float64
        ``1 / (1 + exp(-y))``.

    Examples
    --------
    >>> from_logit([0.0, -800.0])
    array([0.5, 0. ])
    """
    return np.asarray(scipy.special.expit(np.asarray(y, dtype=np.float64)), dtype=np.float64)
