"""Sums and differences of estimates that have intervals of their own, such as quantiles, and the interval of the sum."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from periodkit.metrics.estimate.rates import Floats

__all__ = ["combine"]


def combine(weights: ArrayLike, value: ArrayLike, low: ArrayLike, high: ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Weighted sum of independent estimates along the last axis, its interval recovered from theirs (MOVER).

    Parameters
    ----------
    weights : array_like of float
        One per estimate; ``[1, -1]`` makes a difference. Taken as fixed.
    value, low, high : array_like of float
        Estimates and limits, of one coverage, on a scale on which they add: logarithms make ratios.

    Returns
    -------
    value, low, high : numpy.ndarray of float64
        Of the sums, with the same coverage; NaN where one of the parts is.

    References
    ----------
    Zou and Donner (2008), Construction of confidence limits about effect measures: a general approach, Statistics in
    Medicine 27, 1693-1702. Of two rates with Wilson's limits it is `newcombe`.

    Examples
    --------
    >>> value, low, high = combine([1, -1], [0.8, 0.6], [0.692, 0.491], [0.877, 0.700])
    >>> value.round(3).item(), low.round(3).item(), high.round(3).item()
    (0.2, 0.053, 0.333)
    """
    weight = np.asarray(weights, dtype=np.float64)
    middle, lower, upper = (np.asarray(values, dtype=np.float64) for values in (value, low, high))
    sums = np.asarray((weight * middle).sum(axis=-1))
    ends = [np.where(weight > 0.0, *pair) for pair in ((lower, upper), (upper, lower))]
    down, up = (np.sqrt((weight**2 * (middle - end) ** 2).sum(axis=-1)) for end in ends)
    return sums, np.asarray(sums - down), np.asarray(sums + up)
