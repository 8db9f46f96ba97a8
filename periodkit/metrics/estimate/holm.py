"""Probabilities of many tests, adjusted for their number."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from periodkit.errors import ArgumentError
from periodkit.metrics.estimate.rates import Floats

__all__ = ["holm", "holm_within"]

FAMILIES = 2  # all actions together, and groups


def holm(p: ArrayLike) -> Floats:
    """Adjust p-values for their number, step by step from the smallest.

    Parameters
    ----------
    p : array_like of float, shape (m,)
        From 0 to 1; NaN is no test and stays NaN.

    Returns
    -------
    numpy.ndarray of float64, shape (m,)
        Adjusted p-values in the order given, at most 1.

    Raises
    ------
    ArgumentError
        If a value is not between 0 and 1, or `p` is not a list.

    References
    ----------
    Holm (1979), A simple sequentially rejective multiple test procedure, Scandinavian Journal of Statistics 6, 65-70.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03, np.nan])
    array([0.03, 0.06, 0.06,  nan])
    """
    values = np.asarray(p, dtype=np.float64)
    if values.ndim != 1 or (values < 0).any() or (values > 1).any():
        raise ArgumentError("p must be a list of numbers between 0 and 1.")
    adjusted = np.full(values.shape, np.nan)
    tests = np.flatnonzero(~np.isnan(values))
    order = tests[np.argsort(values[tests], kind="stable")]
    raised = values[order] * np.arange(order.size, 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(raised), 1.0)
    return adjusted


def holm_within(p: ArrayLike, family: ArrayLike) -> Floats:
    """Adjust p-values within either of two families, and for there being two.

    As `holm` does (Holm 1979). The factor is 2 also where one family holds no test: it was going to be looked at.

    Parameters
    ----------
    p : array_like of float, shape (m,)
        From 0 to 1; NaN is no test and stays NaN.
    family : array_like of bool, shape (m,)
        Which of the two each belongs to: all actions together, or a group.

    Returns
    -------
    numpy.ndarray of float64, shape (m,)
        Twice Holm's adjusted p within the family, at most 1.

    Raises
    ------
    ArgumentError
        If a value of `p` is not between 0 and 1, or `family` has not one flag for each.

    Examples
    --------
    >>> holm_within([0.01, 0.04, 0.03], [True, False, False])
    array([0.02, 0.12, 0.12])
    """
    values, flags = np.asarray(p, dtype=np.float64), np.asarray(family)
    if flags.shape != values.shape or (flags.size and flags.dtype != np.bool_):
        raise ArgumentError("family must be a list of True and False, one for each p.")
    adjusted = np.full(values.shape, np.nan)
    for members in (flags.astype(bool), ~flags.astype(bool)):
        adjusted[members] = np.minimum(FAMILIES * holm(values[members]), 1.0)
    return adjusted
