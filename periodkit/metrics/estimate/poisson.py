"""Rates of what happens in time, with exact limits."""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import ArrayLike

from periodkit._arguments import check_share
from periodkit.errors import ArgumentError
from periodkit.metrics.estimate.rates import Floats
from periodkit.metrics.tally.life_table import as_counts

__all__ = ["garwood"]


def garwood(n: ArrayLike, exposure: ArrayLike, confidence: float = 0.95) -> tuple[Floats, Floats, Floats]:
    """Poisson rates with Garwood's exact interval.

    Parameters
    ----------
    n : array_like of int
        How many happened.
    exposure : array_like of float
        In how long a time, in any unit; of a shape that broadcasts with `n`.
    confidence : float
        Least coverage, strictly between 0 and 1.

    Returns
    -------
    rate, low, high : numpy.ndarray of float64
        Per unit of exposure; `low` is 0 where nothing happened, all three NaN where `exposure` is 0 or NaN.

    Raises
    ------
    ArgumentError
        If `confidence` is not between 0 and 1, `n` is not whole numbers >= 0, or an exposure is negative or infinite.

    References
    ----------
    Garwood (1936), Fiducial limits for the Poisson distribution, Biometrika 28, 437-442.

    Examples
    --------
    >>> rate, low, high = garwood([12, 0], [60.0, 60.0])
    >>> rate, low.round(4), high.round(4)
    (array([0.2, 0. ]), array([0.1033, 0.    ]), array([0.3494, 0.0615]))
    """
    tail = (1.0 - check_share(confidence, "confidence")) / 2.0
    count, time = np.broadcast_arrays(as_counts(n, "n"), np.asarray(exposure, dtype=np.float64))
    if (time < 0).any() or np.isinf(time).any():
        raise ArgumentError("exposure must be finite and not negative.")
    # Half the chi-squared quantile with twice the shape is a gamma quantile. Nothing divides by 0: NaN is put first.
    known = np.where(time > 0, time, np.nan)
    low = np.where(count > 0, scipy.special.gammaincinv(np.maximum(count, 1), tail), 0.0)
    return count / known, low / known, scipy.special.gammainccinv(count + 1.0, tail) / known
