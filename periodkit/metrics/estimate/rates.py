"""Plain quantiles and rates from counts, each with its interval; nothing here is censored.

The null of every result is NaN: nothing was counted, or the interval has no limit on that side.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import TypeAlias

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

from periodkit._arguments import check_share
from periodkit.errors import ArgumentError
from periodkit.metrics.tally.life_table import Ints, as_counts

__all__ = ["QuantileInterval", "newcombe", "observed_quantile", "quantile_interval", "wilson"]

Floats: TypeAlias = NDArray[np.float64]
"""Estimates: an array of float64, in which NaN is not known."""


@dataclass(frozen=True, slots=True)
class QuantileInterval:
    """Distribution-free interval of a quantile, between two order statistics.

    Parameters
    ----------
    rank_low, rank_high : int
        Ranks of the two limits among the sorted values, from 1; 0 and n + 1 are beyond the data.
    low, high : float
        The values at those ranks; NaN where the rank is beyond the data, so that side has no limit.
    coverage : float
        Probability with which the interval covers, at least the confidence asked for; NaN without values.

    Examples
    --------
    >>> from periodkit.metrics.estimate import quantile_interval
    >>> quantile_interval([10, 20, 30, 40, 50], [2, 2, 2, 2, 2], 0.5).rank_low
    2
    """

    rank_low: int
    rank_high: int
    low: float
    high: float
    coverage: float


def _sorted_counts(values: ArrayLike, counts: ArrayLike) -> tuple[NDArray[np.number], Ints]:
    """Return the values and, beside each, how many are at or below it."""
    numbers, weights = np.asarray(values), as_counts(counts, "counts")
    if numbers.ndim != 1 or numbers.shape != weights.shape:
        raise ArgumentError(f"values and counts must be two lists of one length, not {numbers.shape}, {weights.shape}.")
    if (numbers[1:] <= numbers[:-1]).any():
        raise ArgumentError("values must be strictly increasing; sort them and add up the counts of equal ones.")
    return numbers, np.cumsum(weights)


def observed_quantile(values: ArrayLike, counts: ArrayLike, q: float) -> float:
    """Type-7 quantile of counted values: ``numpy.quantile`` of the expanded data, without expanding it.

    Parameters
    ----------
    values : array_like, shape (m,)
        Strictly increasing values, in any unit.
    counts : array_like of int, shape (m,)
        How often each value occurs; 0 is allowed.
    q : float
        Share of the data at or below the quantile, strictly between 0 and 1.

    Returns
    -------
    float
        In the unit of `values`; NaN when nothing was counted.

    Raises
    ------
    ArgumentError
        If `q` is not between 0 and 1, `values` do not increase, or `counts` are not whole numbers >= 0.

    References
    ----------
    Hyndman and Fan (1996), Sample quantiles in statistical packages, The American Statistician 50, 361-365.

    Examples
    --------
    >>> observed_quantile([10, 20, 40], [1, 2, 1], 0.9)
    34.0
    """
    share = check_share(q, "q")
    numbers, below = _sorted_counts(values, counts)
    n = int(below[-1]) if below.size else 0
    if n == 0:
        return np.nan
    # The position and the two-sided interpolation are NumPy's own, so that results agree to the last bit.
    position = (n - 1) * share
    rank = int(position)
    at = np.searchsorted(below, [rank, min(rank + 1, n - 1)], side="right")
    left, right = (float(value) for value in numbers[at])
    return float(interpolate(left, right, position - rank))


def interpolate(left: ArrayLike, right: ArrayLike, weight: ArrayLike) -> Floats:
    """Return what lies between two values, from the nearer one, as NumPy does."""
    low, high, share = (np.asarray(values, dtype=np.float64) for values in (left, right, weight))
    return np.where(share >= 0.5, high - (high - low) * (1.0 - share), low + (high - low) * share)


def quantile_interval(values: ArrayLike, counts: ArrayLike, q: float, confidence: float = 0.95) -> QuantileInterval:
    """Interval of a quantile between two order statistics, whatever the distribution.

    The number of values below the quantile is binomial; the ranks are its (1 - confidence) / 2 quantile and one above
    its (1 + confidence) / 2 quantile, so the coverage is at least `confidence`.

    Parameters
    ----------
    values : array_like, shape (m,)
        Strictly increasing values, in any unit.
    counts : array_like of int, shape (m,)
        How often each value occurs; 0 is allowed.
    q : float
        Share of the distribution at or below the quantile, strictly between 0 and 1.
    confidence : float
        Least coverage, strictly between 0 and 1.

    Returns
    -------
    QuantileInterval
        Ranks, limits and true coverage. A limit is NaN where too few values are counted to set it.

    Raises
    ------
    ArgumentError
        If `q` or `confidence` is not between 0 and 1, `values` do not increase, or `counts` are not whole numbers >= 0.

    References
    ----------
    Conover (1999), Practical Nonparametric Statistics, 3rd edition, section 3.2.

    Examples
    --------
    >>> interval = quantile_interval([10, 20, 30, 40, 50], [2, 2, 2, 2, 2], 0.5)
    >>> interval.low, interval.high, round(interval.coverage, 4)
    (10.0, 50.0, 0.9785)
    """
    numbers, below = _sorted_counts(values, counts)
    n = int(below[-1]) if below.size else 0
    first, last = (int(rank) for rank in binomial_ranks(n, q, confidence))
    if n == 0:
        return QuantileInterval(0, 1, np.nan, np.nan, np.nan)
    low = float(numbers[np.searchsorted(below, first)]) if first >= 1 else np.nan
    high = float(numbers[np.searchsorted(below, last)]) if last <= n else np.nan
    coverage = float(scipy.special.bdtr(last - 1, n, q) - (scipy.special.bdtr(first - 1, n, q) if first else 0.0))
    return QuantileInterval(first, last, low, high, coverage)


def binomial_ranks(n: ArrayLike, q: float, confidence: float) -> tuple[Ints, Ints]:
    """Return the ranks, from 1, of the limits of a quantile among n values; 0 and n + 1 are beyond them."""
    from scipy import stats  # noqa: PLC0415  slow to import and needed here alone

    share, tail = check_share(q, "q"), (1.0 - check_share(confidence, "confidence")) / 2.0
    total = np.asarray(n, dtype=np.int64)
    binomial = stats.binom(np.maximum(total, 1), share)
    first, last = (np.asarray(binomial.ppf(tail_share)).astype(np.int64) for tail_share in (tail, 1.0 - tail))
    return np.where(total > 0, first, 0), np.where(total > 0, last, 0) + 1


def normal_quantile(confidence: float) -> float:
    """Return how many standard errors from the middle the limits of that coverage lie: 1.96 for 0.95."""
    # The standard library's, since most estimates need nothing else of SciPy, whose functions take a while to load.
    return -NormalDist().inv_cdf((1.0 - check_share(confidence, "confidence")) / 2.0)


def _rates(successes: ArrayLike, n: ArrayLike, names: tuple[str, str]) -> tuple[Ints, Ints]:
    """Check the two counts of a rate and bring them to one shape."""
    hits, total = np.broadcast_arrays(as_counts(successes, names[0]), as_counts(n, names[1]))
    if (hits > total).any():
        raise ArgumentError(f"{names[0]} must not exceed {names[1]}.")
    return hits, total


def _wilson(hits: Ints, total: Ints, confidence: float) -> tuple[Floats, Floats, Floats]:
    # Written out, because the libraries that have it take a second to import or one rate at a time.
    known = total > 0
    # Where nothing was counted any total will do: the answer is overwritten.
    safe = np.where(known, total, 1)
    rate = hits / safe
    z2 = normal_quantile(confidence) ** 2
    middle = (rate + z2 / (2.0 * safe)) / (1.0 + z2 / safe)
    half = np.sqrt(z2 * (rate * (1.0 - rate) + z2 / (4.0 * safe)) / safe) / (1.0 + z2 / safe)
    # The limits at no and at all successes are 0 and 1 by algebra; rounding would leave a hair.
    low = np.where(hits == 0, 0.0, middle - half)
    high = np.where(hits == safe, 1.0, middle + half)
    return np.where(known, rate, np.nan), np.where(known, low, np.nan), np.where(known, high, np.nan)


def wilson(successes: ArrayLike, n: ArrayLike, confidence: float = 0.95) -> tuple[Floats, Floats, Floats]:
    """Rates with Wilson's score interval.

    Parameters
    ----------
    successes, n : array_like of int
        Counts of successes and of all, of shapes that broadcast.
    confidence : float
        Nominal coverage, strictly between 0 and 1.

    Returns
    -------
    rate, low, high : numpy.ndarray of float64
        Shares from 0 to 1; all three NaN where `n` is 0.

    Raises
    ------
    ArgumentError
        If `confidence` is not between 0 and 1, or the counts are not whole numbers with 0 <= successes <= n.

    References
    ----------
    Wilson (1927), Probable inference, the law of succession, and statistical inference, JASA 22, 209-212.

    Examples
    --------
    >>> rate, low, high = wilson([8, 0], [10, 0])
    >>> low.round(4), high.round(4)
    (array([0.4902,    nan]), array([0.9433,    nan]))
    """
    return _wilson(*_rates(successes, n, ("successes", "n")), confidence)


def newcombe(
    x1: ArrayLike, n1: ArrayLike, x2: ArrayLike, n2: ArrayLike, confidence: float = 0.95
) -> tuple[Floats, Floats, Floats]:
    """Differences of two independent rates, ``x1 / n1 - x2 / n2``, with Newcombe's hybrid score interval.

    Parameters
    ----------
    x1, n1, x2, n2 : array_like of int
        Counts of successes and of all in either group, of shapes that broadcast.
    confidence : float
        Nominal coverage, strictly between 0 and 1.

    Returns
    -------
    difference, low, high : numpy.ndarray of float64
        From -1 to 1; all three NaN where either group is empty.

    Raises
    ------
    ArgumentError
        If `confidence` is not between 0 and 1, or the counts are not whole numbers with 0 <= x <= n.

    References
    ----------
    Newcombe (1998), Interval estimation for the difference between independent proportions: comparison of eleven
    methods, Statistics in Medicine 17, 873-890 (method 10).

    Examples
    --------
    >>> difference, low, high = newcombe(56, 70, 48, 80)
    >>> difference.round(4).item(), low.round(4).item(), high.round(4).item()
    (0.2, 0.0524, 0.3339)
    """
    rate1, low1, high1 = _wilson(*_rates(x1, n1, ("x1", "n1")), confidence)
    rate2, low2, high2 = _wilson(*_rates(x2, n2, ("x2", "n2")), confidence)
    difference = np.asarray(rate1 - rate2)
    low = difference - np.hypot(rate1 - low1, high2 - rate2)
    high = difference + np.hypot(high1 - rate1, rate2 - low2)
    return difference, np.asarray(low), np.asarray(high)
