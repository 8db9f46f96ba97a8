"""Two arms compared over strata of 2 x 2 tables: ratios, difference, whether the strata agree, and the E-value.

Everything is the first arm against the second; NaN means that the counts do not say.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import ArrayLike

from periodkit.errors import ArgumentError
from periodkit.metrics.estimate.rates import Floats, normal_quantile
from periodkit.metrics.tally.life_table import as_counts

__all__ = ["ChiSquared", "Interval", "MantelHaenszel", "e_value", "mantel_haenszel"]


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its limits.

    Parameters
    ----------
    value, std_error, low, high : float
        The estimate, its standard error (of a ratio: of its logarithm) and its limits.
    """

    value: float
    std_error: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class ChiSquared:
    """A chi-squared test.

    Parameters
    ----------
    statistic, p_value : float
        Statistic and its upper tail; NaN where there is nothing to test.
    df : int
        Degrees of freedom.
    """

    statistic: float
    df: int
    p_value: float


@dataclass(frozen=True, slots=True)
class MantelHaenszel:
    """What strata of 2 x 2 tables say together.

    Parameters
    ----------
    strata, strata_both, informative : int
        Strata with anyone; with both arms; and of these, those in which some met and some missed.
    used : int
        How many are in strata with both arms: those whom the estimates are of.
    crude_risk_ratio : float
        Of all strata taken together.
    risk_ratio, odds_ratio, risk_difference : Interval
        Mantel-Haenszel estimates; a ratio that is 0 or infinite is NaN.
    breslow_day, tarone : ChiSquared
        Whether one odds ratio fits all informative strata, without and with Tarone's correction.
    cmh : ChiSquared
        Whether there is any association, without continuity correction.
    """

    strata: int
    strata_both: int
    informative: int
    used: int
    crude_risk_ratio: float
    risk_ratio: Interval
    odds_ratio: Interval
    risk_difference: Interval
    breslow_day: ChiSquared
    tarone: ChiSquared
    cmh: ChiSquared


@dataclass(frozen=True, slots=True, eq=False)
class _Tables:
    """Cells a, b (first arm: met, missed), c, d (second arm), and their sums; floats, as products would overflow."""

    a: Floats
    b: Floats
    c: Floats
    d: Floats
    first: Floats
    second: Floats
    met: Floats
    n: Floats

    @classmethod
    def of(cls, met: Floats, missed: Floats) -> _Tables:
        (a, c), (b, d) = met.T, missed.T
        return cls(a, b, c, d, a + b, c + d, a + c, a + b + c + d)


NOTHING = Interval(np.nan, np.nan, np.nan, np.nan)


def _test(statistic: float, df: int) -> ChiSquared:
    return ChiSquared(float(statistic), df, float(scipy.special.chdtrc(df, statistic)))


def _ratio(value: float, variance: float, z: float) -> Interval:
    error = float(np.sqrt(variance))
    return Interval(float(value), error, float(value * np.exp(-z * error)), float(value * np.exp(z * error)))


def _risk_ratio(of: _Tables, z: float) -> Interval:
    up, down = (of.a * of.second / of.n).sum(), (of.c * of.first / of.n).sum()
    if up == 0.0 or down == 0.0:
        return NOTHING
    # (met first second - a c n) / n^2 without the difference, which is exactly 0 where nobody missed.
    spread = ((of.a * of.d * of.first + of.c * of.b * of.second) / of.n**2).sum()
    return _ratio(up / down, spread / (up * down), z)


def _odds_ratio(of: _Tables, z: float) -> Interval:
    up, down = of.a * of.d / of.n, of.b * of.c / of.n
    r, s = up.sum(), down.sum()
    if r == 0.0 or s == 0.0:
        return NOTHING
    agree, differ = (of.a + of.d) / of.n, (of.b + of.c) / of.n
    cross = (agree * down + differ * up).sum()
    variance = (agree * up).sum() / (2.0 * r**2) + cross / (2.0 * r * s) + (differ * down).sum() / (2.0 * s**2)
    return _ratio(r / s, variance, z)


def _risk_difference(of: _Tables, z: float) -> Interval:
    size = (of.first * of.second / of.n).sum()
    if size == 0.0:
        return NOTHING
    value = ((of.a * of.second - of.c * of.first) / of.n).sum() / size
    sizes = of.first * of.second * (of.second - of.first) / 2.0
    slope = ((of.first**2 * of.c - of.second**2 * of.a + sizes) / of.n**2).sum()
    fixed = ((of.a * of.d + of.c * of.b) / (2.0 * of.n)).sum()
    # Where all of one arm met and none of the other the two cancel, and rounding may leave less than nothing.
    error = np.sqrt(np.maximum(value * slope + fixed, 0.0)) / size
    return Interval(float(value), float(error), float(value - z * error), float(value + z * error))


def _homogeneity(of: _Tables, odds: float) -> tuple[ChiSquared, ChiSquared]:
    """Breslow and Day's test at `odds`, and with Tarone's correction, of informative strata."""
    df = max(of.n.size - 1, 0)
    if df == 0 or np.isnan(odds):
        return ChiSquared(np.nan, df, np.nan), ChiSquared(np.nan, df, np.nan)
    # Whom the first arm would have met at these odds: the root of a quadratic, by the form that does not cancel.
    straight = of.second - of.met + odds * (of.met + of.first)
    product = odds * of.met * of.first
    half = (np.abs(straight) + np.sqrt(np.maximum(straight**2 + 4.0 * (1.0 - odds) * product, 0.0))) / 2.0
    # The second form is for odds below 1 alone: at 1 and above, `straight` is positive.
    expected = np.where(straight > 0.0, product / half, half / (1.0 - odds or 1.0))
    cells = np.array([expected, of.met - expected, of.first - expected, of.second - of.met + expected])
    variance = 1.0 / (1.0 / cells).sum(axis=0)
    excess = of.a - expected
    statistic = float((excess**2 / variance).sum())
    # Of equal strata the two cancel, and rounding may leave less than nothing.
    corrected = max(statistic - float(excess.sum() ** 2 / variance.sum()), 0.0)
    return _test(statistic, df), _test(corrected, df)


def _cmh(of: _Tables) -> ChiSquared:
    if not of.n.size:
        return ChiSquared(np.nan, 1, np.nan)
    excess = (of.a - of.first * of.met / of.n).sum()
    variance = of.first * of.second * of.met * (of.b + of.d) / (of.n**2 * (of.n - 1.0))
    return _test(excess**2 / variance.sum(), 1)


def mantel_haenszel(met: ArrayLike, missed: ArrayLike, confidence: float = 0.95) -> MantelHaenszel:
    """Compare two arms over strata by Mantel-Haenszel, and test whether the strata agree.

    Parameters
    ----------
    met, missed : array_like of int, shape (k, 2)
        How many of each stratum (row) and arm (column) met a target and missed it, as in `Decided`.
    confidence : float
        Coverage of the limits, strictly between 0 and 1.

    Returns
    -------
    MantelHaenszel
        The estimates use the strata with both arms, the tests those in which some met and some missed as well. Where
        nobody missed, the risk ratio is 1 with error 0. Breslow-Day needs two informative strata and an odds ratio.

    Raises
    ------
    ArgumentError
        If `confidence` is not between 0 and 1, or the counts are not whole numbers >= 0 in two tables of two columns.

    References
    ----------
    Mantel and Haenszel (1959), J. National Cancer Institute 22, 719-748. Errors: Greenland and Robins (1985),
    Biometrics 41, 55-68 (risk ratio); Robins, Breslow and Greenland (1986), Biometrics 42, 311-323 (odds ratio); Sato,
    Greenland and Robins (1989), Biometrics 45, 1323-1324 (risk difference). Homogeneity: Breslow and Day (1980),
    Statistical Methods in Cancer Research I, section 4.4; Tarone (1985), Biometrika 72, 91-95.

    Examples
    --------
    >>> result = mantel_haenszel([[8, 6], [5, 2]], [[2, 4], [5, 8]])
    >>> ratio = result.risk_ratio
    >>> round(ratio.value, 3), round(ratio.low, 3), round(ratio.high, 3), round(result.tarone.p_value, 3)
    (1.625, 0.901, 2.929, 0.778)
    """
    z = normal_quantile(confidence)
    hits, misses = as_counts(met, "met"), as_counts(missed, "missed")
    if not hits.size and not misses.size:
        hits, misses = hits.reshape(0, 2), misses.reshape(0, 2)
    if hits.ndim != 2 or hits.shape != misses.shape or hits.shape[1] != 2:
        raise ArgumentError(f"met and missed must be two tables of two columns, not {hits.shape}, {misses.shape}.")
    arms = hits + misses
    both = (arms > 0).all(axis=1)
    informative = both & hits.any(axis=1) & misses.any(axis=1)
    pairs, telling = (_Tables.of(hits[rows].astype(float), misses[rows].astype(float)) for rows in (both, informative))
    total, reached = arms.sum(axis=0), hits.sum(axis=0)
    odds_ratio = _odds_ratio(telling, z)
    breslow_day, tarone = _homogeneity(telling, odds_ratio.value)
    return MantelHaenszel(
        strata=int(np.count_nonzero(arms.any(axis=1))),
        strata_both=int(np.count_nonzero(both)),
        informative=int(np.count_nonzero(informative)),
        used=int(arms[both].sum()),
        crude_risk_ratio=float(reached[0] / total[0] / (reached[1] / total[1])) if reached.all() else np.nan,
        risk_ratio=_risk_ratio(pairs, z),
        odds_ratio=odds_ratio,
        risk_difference=_risk_difference(pairs, z),
        breslow_day=breslow_day,
        tarone=tarone,
        cmh=_cmh(telling),
    )


def e_value(ratio: ArrayLike, low: ArrayLike, high: ArrayLike) -> tuple[Floats, Floats]:
    """Return the E-value: how strongly something unmeasured must go with both arm and outcome to explain a risk ratio.

    Parameters
    ----------
    ratio, low, high : array_like of float
        Risk ratios and their limits, >= 0; NaN where there is none.

    Returns
    -------
    value, limit : numpy.ndarray of float64
        r + sqrt(r (r - 1)) of the ratio, turned round where it is below 1, and of the limit nearer 1; the latter is 1
        where the interval holds 1. NaN where the ratio or that limit is.

    Raises
    ------
    ArgumentError
        If any of them is negative.

    References
    ----------
    VanderWeele and Ding (2017), Sensitivity analysis in observational research: introducing the E-value, Annals of
    Internal Medicine 167, 268-274.

    Examples
    --------
    >>> value, limit = e_value(3.9, 1.8, 8.7)
    >>> value.round(2).item(), limit.round(2).item()
    (7.26, 3.0)
    """
    value, lower, upper = np.broadcast_arrays(*(np.asarray(values, dtype=np.float64) for values in (ratio, low, high)))
    if any((values < 0.0).any() for values in (value, lower, upper)):
        raise ArgumentError("ratio, low and high must be ratios of at least 0.")
    # The limit nearer 1, and no farther than 1 itself.
    nearer = np.where(value > 1.0, np.maximum(lower, 1.0), np.where(value < 1.0, np.minimum(upper, 1.0), 1.0))
    nearer = np.where(np.isnan(value) | np.isnan(lower) | np.isnan(upper), np.nan, nearer)
    return _e_value(value), _e_value(nearer)


def _e_value(ratio: Floats) -> Floats:
    with np.errstate(divide="ignore"):
        turned = np.where(ratio < 1.0, np.divide(1.0, ratio), ratio)
    return turned + np.sqrt(turned * (turned - 1.0))
