"""Cumulative incidence: how durations ended when they can end in two ways, from a life table."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from periodkit.metrics.estimate.rates import Floats, normal_quantile
from periodkit.metrics.estimate.steps import (
    count_at_risk,
    greenwood,
    lookup,
    remaining,
    risk_at,
    spread,
    step,
)
from periodkit.metrics.tally.life_table import Ints, LifeTable

__all__ = ["IncidenceCurve", "aalen_johansen", "incidence_at"]


@dataclass(frozen=True, slots=True, eq=False)
class IncidenceCurve:
    """Shares that have ended, ended another way, or are still open just after each duration; they sum to 1.

    Parameters
    ----------
    time : array
        Durations in the table's unit.
    at_risk : array of int64
        How many lasted at least that long.
    event, competing, open : array of float64
        The three shares.
    event_std_error, competing_std_error, open_std_error : array of float64
        Their standard errors.
    event_low, event_high, competing_low, competing_high, open_low, open_high : array of float64
        Their pointwise limits on the log scale, cut at 1; a share of 0 has both limits 0.

    Examples
    --------
    >>> from periodkit.metrics.estimate import LifeTable, aalen_johansen
    >>> curve = aalen_johansen(LifeTable([60, 90], [1, 2], [1, 0], [0, 0]))
    >>> curve.time.tolist(), curve.at_risk.tolist(), (curve.event + curve.competing + curve.open).tolist()
    ([60, 90], [4, 2], [1.0, 1.0])
    """

    time: NDArray[np.number]
    at_risk: Ints
    event: Floats
    competing: Floats
    open: Floats
    event_std_error: Floats
    competing_std_error: Floats
    open_std_error: Floats
    event_low: Floats
    event_high: Floats
    competing_low: Floats
    competing_high: Floats
    open_low: Floats
    open_high: Floats


def _cause(cause: Ints, ended: Ints, risk: Floats, left: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Return the cumulative incidence of one cause and its variance, at rows where any ended.

    The influence of one end at s on the incidence F at t is w / N - (F(t) - F(s)) / left(s) for this cause and the
    second term alone for another (w its weight, N those at risk at first); the variance sums their squares about the
    mean over those at risk. Written with R = F(end) - F, every term stays of the size of the variance itself.
    """
    gain = weight / risk[0]
    incidence = np.cumsum(cause * gain)
    to_come = incidence[-1] - incidence
    share = np.divide(1.0, left, out=np.zeros_like(left), where=left > 0.0)
    # The squares are a polynomial in R(t): constant, linear and quadratic parts are running sums.
    other = ended - cause
    fixed_own, fixed_other = gain - to_come * share, -to_come * share
    mean_fixed, mean_slope = cause * fixed_own + other * fixed_other, ended * share
    constant = np.cumsum(cause * fixed_own**2 + other * fixed_other**2 - mean_fixed**2 / risk)
    linear = np.cumsum(share * mean_fixed - mean_fixed * mean_slope / risk)
    quadratic = np.cumsum(ended * share**2 - mean_slope**2 / risk)
    variance = constant + to_come * (2.0 * linear + to_come * quadratic)
    variance[incidence == 0.0] = 0.0  # rounding would leave a hair, which the root makes visible
    return np.minimum(incidence, 1.0), np.maximum(variance, 0.0)


def _log_limits(share: Floats, std_error: Floats, z: float) -> tuple[Floats, Floats]:
    ratio = np.divide(std_error, share, out=np.zeros_like(share), where=share > 0.0)
    ratio *= z
    np.exp(ratio, out=ratio)
    return share / ratio, np.minimum(share * ratio, 1.0)


def aalen_johansen(table: LifeTable, confidence: float = 0.95) -> IncidenceCurve:
    """Aalen-Johansen cumulative incidence of the event and of the competing end, and the share still open.

    Parameters
    ----------
    table : LifeTable
        Counts of one group.
    confidence : float
        Pointwise coverage of the limits, strictly between 0 and 1.

    Returns
    -------
    IncidenceCurve
        One row per row of the table; no rows for an empty table. Errors are the infinitesimal jackknife's, which are
        binomial as long as nothing is censored; limits are symmetric on the log scale and cut at 1.

    Raises
    ------
    ArgumentError
        If `confidence` is not between 0 and 1.

    References
    ----------
    Aalen and Johansen (1978), An empirical transition matrix for non-homogeneous Markov chains based on censored
    observations, Scandinavian Journal of Statistics 5, 141-150. Variance in this form: Betensky and Schoenfeld (2001),
    Nonparametric estimation in a cure model with random cure times, Biometrics 57, 282-286; infinitesimal jackknife:
    Therneau and Grambsch (2000), Modeling Survival Data, section 7.2.

    Examples
    --------
    >>> curve = aalen_johansen(LifeTable([10, 20, 30], [1, 0, 1], [0, 1, 0], [0, 0, 1]))
    >>> curve.event, curve.competing, curve.open
    (array([0.25, 0.25, 0.5 ]), array([0.  , 0.25, 0.25]), array([0.75, 0.5 , 0.25]))
    """
    z = normal_quantile(confidence)
    at_risk = count_at_risk(table)
    every = table.event + table.competing
    rows = np.flatnonzero(every)
    size = table.time.size
    shares: dict[str, Floats] = {}
    if rows.size:
        ended = every[rows]
        risk, left, weight = remaining(ended, at_risk[rows])
        still = weight * left / risk[0]
        parts = {
            "event": _cause(table.event[rows], ended, risk, left, weight),
            "competing": _cause(table.competing[rows], ended, risk, left, weight),
            "open": (still, still**2 * greenwood(ended, risk, left)),
        }
    else:
        parts = {name: (np.zeros(0), np.zeros(0)) for name in ("event", "competing", "open")}
    for name, (share, variance) in parts.items():
        error = np.sqrt(variance)
        low, high = _log_limits(share, error, z)
        before = 1.0 if name == "open" else 0.0
        shares[name] = spread(share, rows, size, before)
        shares[f"{name}_std_error"] = spread(error, rows, size, 0.0)
        shares[f"{name}_low"] = spread(low, rows, size, before)
        shares[f"{name}_high"] = spread(high, rows, size, before)
    return IncidenceCurve(time=table.time, at_risk=at_risk, **shares)


def incidence_at(curve: IncidenceCurve, t: ArrayLike) -> IncidenceCurve:
    """Read an incidence curve at any durations.

    Parameters
    ----------
    curve : IncidenceCurve
        From `aalen_johansen`.
    t : array_like
        Durations in the table's unit. Past the longest one the last shares are carried on, and `at_risk` is 0.

    Returns
    -------
    IncidenceCurve
        Arrays of the shape of `t`; shares, errors and limits are NaN if the curve has no rows.

    Raises
    ------
    ArgumentError
        If any of `t` is NaN.

    References
    ----------
    Aalen and Johansen (1978), Scandinavian Journal of Statistics 5, 141-150.

    Examples
    --------
    >>> curve = aalen_johansen(LifeTable([10, 20, 30], [1, 0, 1], [0, 1, 0], [0, 0, 1]))
    >>> incidence_at(curve, [5, 25]).competing
    array([0.  , 0.25])
    """
    asked, row, later = lookup(cast("Ints", curve.time), t)
    names = [field.name for field in fields(curve) if field.name not in ("time", "at_risk")]
    before = {"open": 1.0, "open_low": 1.0, "open_high": 1.0}
    shares = {name: step(getattr(curve, name), row, before.get(name, 0.0)) for name in names}
    return IncidenceCurve(time=asked, at_risk=risk_at(curve.at_risk, later), **shares)
