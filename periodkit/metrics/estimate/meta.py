"""Where an ordinary night would lie: random-effects prediction of the last point of a series.

Series stand along the last axis, so one call serves one season or thousands of simulated ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

from periodkit._arguments import check_share
from periodkit.errors import ArgumentError
from periodkit.metrics.estimate.rates import Floats
from periodkit.metrics.tally.life_table import Ints

__all__ = ["LEAST", "Prediction", "paule_mandel", "predict"]

Flags: TypeAlias = NDArray[np.bool_]

COEFFICIENTS = {"level": 1, "trend": 2}
LEAST = {"level": 8, "trend": 12}
STEPS = 200


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """Where the last point of each series should lie, and how far off it is; NaN means that it cannot be said.

    Parameters
    ----------
    k : array of int64
        How many earlier points could be used.
    df : array of int64
        `k` less the number of coefficients.
    tau2 : array of float64
        Variance between nights, beyond their errors.
    expected, se : array of float64
        The model's value at the last position, and its Knapp-Hartung error.
    sd : array of float64
        Error of the prediction: ``sqrt(tau2 + se**2 + v)``, v that of the last point.
    t, p : array of float64
        How many `sd` the last point is off, and its two-sided probability by Student's t.
    low, high : array of float64
        Where an ordinary last point would lie.

    Examples
    --------
    >>> from periodkit.metrics.estimate import predict
    >>> found = predict([[1.0, 1.2, 0.9, 1.1, 1.0, 0.8, 1.1, 0.9, 2.0]], [[0.01] * 9])
    >>> found.k.tolist(), found.low.round(2).tolist(), found.high.round(2).tolist()
    ([8], [0.67], [1.33])
    """

    k: Ints
    df: Ints
    tau2: Floats
    expected: Floats
    se: Floats
    sd: Floats
    t: Floats
    p: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True, slots=True, eq=False)
class _Fit:
    weight: Floats
    middle: Floats
    mean: Floats
    slope: Floats
    spread: Floats
    residual: Floats


def _fit(y: Floats, variance: Floats, used: Flags, position: Floats, trend: bool) -> _Fit:
    """Weighted mean, or weighted line about the weighted mean position: closed forms, without a matrix."""
    weight = np.where(used, 1.0 / variance, 0.0)
    total = weight.sum(axis=-1)
    middle = (weight * position).sum(axis=-1) / total
    mean = (weight * y).sum(axis=-1) / total
    residual = y - mean[..., None]
    slope, spread = np.zeros_like(total), np.full_like(total, np.inf)
    if trend:
        off = position - middle[..., None]
        spread = (weight * off**2).sum(axis=-1)
        slope = (weight * off * residual).sum(axis=-1) / spread
        residual = residual - slope[..., None] * off
    return _Fit(weight, middle, mean, slope, spread, residual)


def _tau2(y: Floats, v: Floats, used: Flags, position: Floats, trend: bool, df: Ints) -> Floats:
    # Q is a sum of c / (d + tau2) with c and d >= 0, so 1 / Q is concave and increasing: Newton's steps on it, begun
    # at 0, never pass the root, and with equal variances the first one hits it.
    tau2 = np.zeros(y.shape[:-1])
    for _ in range(STEPS):
        fit = _fit(y, v + tau2[..., None], used, position, trend)
        weighted = fit.weight * fit.residual**2
        q = weighted.sum(axis=-1)
        rise = (q / df - 1.0) * q / (fit.weight * weighted).sum(axis=-1)
        step = np.where(q <= df, 0.0, rise)
        tau2 = tau2 + step
        going = ~(step <= 1e-15 * tau2) & np.isfinite(tau2)
        if not going.any():
            return tau2
    return np.where(going, np.nan, tau2)


def _usable(y: ArrayLike, v: ArrayLike, position: ArrayLike | None) -> tuple[Floats, Floats, Floats, Flags]:
    """Check a batch of series; what cannot be used is given an innocent value and left out by its flag."""
    values, errors = np.broadcast_arrays(np.asarray(y, dtype=np.float64), np.asarray(v, dtype=np.float64))
    if values.ndim == 0 or not values.shape[-1]:
        raise ArgumentError("y and v must hold at least one point.")
    if (errors < 0).any():
        raise ArgumentError("v must not be negative: it is a variance.")
    size = values.shape[-1]
    place = np.arange(1.0, size + 1.0) if position is None else np.asarray(position, dtype=np.float64)
    if place.shape != (size,) or not np.isfinite(place).all():
        raise ArgumentError(f"position must be {size} finite numbers, one for each point.")
    used = np.isfinite(values) & np.isfinite(errors) & (errors > 0)
    return np.where(used, values, 0.0), np.where(used, errors, 1.0), place, used


def _check_model(model: str) -> bool:
    if model not in COEFFICIENTS:
        raise ArgumentError(f"model must be 'level' or 'trend', not {model!r}.")
    return model == "trend"


def paule_mandel(
    y: ArrayLike, v: ArrayLike, model: Literal["level", "trend"] = "level", position: ArrayLike | None = None
) -> Floats:
    """Variance between nights: the tau2 at which the weighted residuals are as large as chance makes them.

    Parameters
    ----------
    y, v : array_like of float, shape (..., n)
        Values and error variances. A point counts where both are finite and `v` is above 0.
    model : {"level", "trend"}
        Whether the nights lie about a level, or about a line in `position`.
    position : array_like of float, shape (n,), optional
        Where the points stand; 1, 2, ... by default.

    Returns
    -------
    numpy.ndarray of float64, shape (...)
        Root of Q(tau2) = df, to the last digits; 0 where Q(0) <= df, NaN where no degree of freedom is left.

    Raises
    ------
    ArgumentError
        If `model` is neither of the two, `v` is negative, or `position` does not fit.

    References
    ----------
    Paule and Mandel (1982), Consensus values and weighting factors, Journal of Research of the National Bureau of
    Standards 87, 377-385. With a covariate: DerSimonian and Kacker (2007), Contemporary Clinical Trials 28, 105-114.

    Examples
    --------
    >>> paule_mandel([1.0, 2.0, 3.0], [0.25, 0.25, 0.25]).item()
    0.75
    """
    trend = _check_model(model)
    values, errors, place, used = _usable(y, v, position)
    df = used.sum(axis=-1) - COEFFICIENTS[model]
    with np.errstate(all="ignore"):
        tau2 = _tau2(values, errors, used, place, trend, np.maximum(df, 1))
    return np.where(df >= 1, tau2, np.nan)


def predict(
    y: ArrayLike,
    v: ArrayLike,
    model: Literal["level", "trend"] = "level",
    position: ArrayLike | None = None,
    least: int | None = None,
    confidence: float = 0.95,
) -> Prediction:
    """Predict the last point of each series from those before it, by a random-effects model.

    Parameters
    ----------
    y, v : array_like of float, shape (..., n)
        Values and error variances in order, the point to be predicted last. A point counts where both are finite and
        `v` is above 0; the others are left out and their positions not closed up.
    model : {"level", "trend"}
        An intercept alone, or an intercept and a slope in `position`.
    position : array_like of float, shape (n,), optional
        Where the points stand; 1, 2, ... by default.
    least : int, optional
        Earlier points that are needed; by default 8 for a level and 12 for a trend. With fewer, all is NaN.
    confidence : float
        Coverage of `low` to `high`, strictly between 0 and 1.

    Returns
    -------
    Prediction
        Arrays of shape (...). Where the last point cannot be used, `expected`, `se` and `tau2` still stand.

    Raises
    ------
    ArgumentError
        If `model` is neither of the two, `v` is negative, `position` does not fit, or `confidence` is not between 0
        and 1.

    References
    ----------
    tau2: Paule and Mandel (1982), see `paule_mandel`. Error: Knapp and Hartung (2003), Improved tests for a random
    effects meta-regression with a single covariate, Statistics in Medicine 22, 2693-2710; its residual variance is
    used as it is, also below 1. Prediction: Higgins, Thompson and Spiegelhalter (2009), JRSS A 172, 137-159.

    Examples
    --------
    >>> ordinary = predict([1.0, 1.2, 0.9, 1.1, 1.0, 0.8, 1.1, 0.9, 2.0], [0.01] * 9)
    >>> ordinary.expected.item(), ordinary.low.round(3).item(), ordinary.high.round(3).item()
    (1.0, 0.672, 1.328)
    >>> ordinary.p.round(4).item()
    0.0002
    """
    trend, tail = _check_model(model), (1.0 + check_share(confidence, "confidence")) / 2.0
    values, errors, place, used = _usable(y, v, position)
    before, variances, at, usable = values[..., :-1], errors[..., :-1], place[:-1], used[..., :-1]
    k = usable.sum(axis=-1)
    df = k - COEFFICIENTS[model]
    free = np.maximum(df, 1)
    with np.errstate(all="ignore"):
        tau2 = _tau2(before, variances, usable, at, trend, free)
        fit = _fit(before, variances + tau2[..., None], usable, at, trend)
        off = place[-1] - fit.middle
        residual = (fit.weight * fit.residual**2).sum(axis=-1) / free
        expected = fit.mean + fit.slope * off
        se = np.sqrt(residual * (1.0 / fit.weight.sum(axis=-1) + off**2 / fit.spread))
        # Too few points, equal positions or numbers beyond floats: then nothing is said at all.
        known = (k >= (LEAST[model] if least is None else least)) & (df >= 1) & np.isfinite(expected + se + tau2)
        tau2, expected, se = (np.where(known, values, np.nan) for values in (tau2, expected, se))
        sd = np.where(used[..., -1], np.sqrt(tau2 + se**2 + errors[..., -1]), np.nan)
        t = (values[..., -1] - expected) / sd
        half = scipy.special.stdtrit(free, tail) * sd
    p = np.minimum(2.0 * scipy.special.stdtr(free, -np.abs(t)), 1.0)
    return Prediction(k, df, tau2, expected, se, sd, t, p, expected - half, expected + half)
