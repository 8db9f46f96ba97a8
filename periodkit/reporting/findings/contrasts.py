"""Two groups compared: an estimate of their difference or ratio, and its interval.

The interval is made from the intervals of the two sides (MOVER: Zou and Donner 2008, Statistics in Medicine 27,
1693-1702); for rates that is Newcombe's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from periodkit.metrics.estimate import kaplan_meier, newcombe, survival_quantile, wilson
from periodkit.metrics.tally import LifeTable

__all__ = ["Contrast", "quantile_ratio", "rate_above", "rate_difference", "trend"]


@dataclass(frozen=True, slots=True)
class Contrast:
    """How much one group differs from another.

    Parameters
    ----------
    estimate, low, high : float
        The difference, ratio or slope, with its interval; NaN where it is not known.
    null : float
        Its value if there were no difference.
    """

    estimate: float
    low: float
    high: float
    null: float

    @property
    def known(self) -> bool:
        """Whether there is an estimate with an interval."""
        return bool(np.isfinite(self.estimate)) and not (np.isnan(self.low) or np.isnan(self.high))

    @property
    def excludes_null(self) -> bool:
        """Whether the interval excludes "no difference"."""
        return self.known and not self.low <= self.null <= self.high


def rate_difference(hits: int, n: int, other_hits: int, other_n: int, confidence: float) -> Contrast:
    """Difference of two independent rates, with Newcombe's interval.

    Examples
    --------
    >>> found = rate_difference(56, 70, 48, 80, 0.95)
    >>> round(found.estimate, 4), round(found.low, 4), found.excludes_null
    (0.2, 0.0524, True)
    """
    estimate, low, high = newcombe(hits, n, other_hits, other_n, confidence)
    return Contrast(float(estimate), float(low), float(high), 0.0)


def rate_above(hits: int, n: int, bound: float, confidence: float) -> Contrast:
    """Return a rate with Wilson's interval, against a fixed bound."""
    estimate, low, high = wilson(hits, n, confidence)
    return Contrast(float(estimate), float(low), float(high), bound)


def quantile_ratio(table: LifeTable, other: LifeTable, q: float, confidence: float) -> Contrast:
    """Ratio of two Kaplan-Meier quantiles, with an interval made from theirs on the log scale.

    Where a limit of a quantile is not reached, the ratio has no limit on that side.

    Examples
    --------
    >>> import numpy as np
    >>> none = np.zeros(100, dtype=int)
    >>> slow = LifeTable(np.arange(200, 300), none + 1, none, none)
    >>> fast = LifeTable(np.arange(100, 200), none + 1, none, none)
    >>> found = quantile_ratio(slow, fast, 0.5, 0.95)
    >>> round(found.estimate, 2), round(found.low, 2), round(found.high, 2)
    (1.67, 1.55, 1.81)
    """
    with np.errstate(divide="ignore"):
        (top, top_low, top_high), (base, base_low, base_high) = (
            np.log(survival_quantile(kaplan_meier(side, confidence), q)) for side in (table, other)
        )
    if not (np.isfinite(top) and np.isfinite(base)):
        return Contrast(np.nan, np.nan, np.nan, 1.0)
    down = _together(top - top_low, base_high - base)
    up = _together(top_high - top, base - base_low)
    ratio = top - base
    return Contrast(float(np.exp(ratio)), float(np.exp(ratio - down)), float(np.exp(ratio + up)), 1.0)


def trend(values: Sequence[float], confidence: float) -> Contrast:
    """Slope from one value to the next, by Theil and Sen: the median of the slopes between all pairs.

    The interval rests on the scatter of the values around a line, so it holds whatever their precision
    (Sen 1968, J. Am. Stat. Assoc. 63, 1379-1389). NaN marks an unknown value and keeps its place.

    Examples
    --------
    >>> found = trend([1, 2, 3, 5, 5, 6, 8, 8, 9], 0.95)
    >>> round(found.estimate, 2), found.excludes_null
    (1.0, True)
    """
    y = np.asarray(values, dtype=np.float64)
    x = np.flatnonzero(np.isfinite(y))
    y = y[x]
    n = len(y)
    if n < 2:
        return Contrast(np.nan, np.nan, np.nan, 0.0)
    # `scipy.stats.theilslopes` gives the same, and takes longer to import than a report's findings to make.
    later, earlier = np.tril_indices(n, -1)
    slopes = np.sort((y[later] - y[earlier]) / (x[later] - x[earlier]))
    ties = np.unique(y, return_counts=True)[1]
    # Sen's equation 2.6: the variance of Kendall's score.
    variance = (n * (n - 1) * (2 * n + 5) - float(np.sum(ties * (ties - 1) * (2 * ties + 5)))) / 18
    half = NormalDist().inv_cdf((1 + confidence) / 2) * np.sqrt(variance)
    low = max(round((len(slopes) - half) / 2) - 1, 0)
    high = min(round((len(slopes) + half) / 2), len(slopes) - 1)
    return Contrast(float(np.median(slopes)), float(slopes[low]), float(slopes[high]), 0.0)


def _together(one: float, other: float) -> float:
    """Return the margin of a difference from the margins of its sides; NaN is infinite."""
    return float(np.inf if np.isnan(one) or np.isnan(other) else np.hypot(one, other))
