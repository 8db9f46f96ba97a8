"""Two arms compared: by stratum, and among like by direct standardisation, with what the comparison rests on.

Differences are the first arm minus the second, in the unit of the figures; NaN means that the counts do not say.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from periodkit.metrics.estimate.rates import Floats, normal_quantile
from periodkit.metrics.estimate.stratified import ArmFigures

__all__ = ["Contrast", "Support", "contrasts", "standardise", "support"]


@dataclass(frozen=True, slots=True, eq=False)
class Contrast:
    """Two arms and their difference, of shape (k,) by stratum or () over strata.

    Parameters
    ----------
    first, second, first_std_error, second_std_error : array of float64
        The arms' figures and standard errors.
    difference, std_error, low, high : array of float64
        First minus second, and its limits; its variance is the sum of the arms', weights being taken as fixed.
    std_error_random_weights : array of float64
        The error if the strata's shares are an estimate as well; the same as `std_error` in a single stratum.
    """

    first: Floats
    second: Floats
    first_std_error: Floats
    second_std_error: Floats
    difference: Floats
    std_error: Floats
    low: Floats
    high: Floats
    std_error_random_weights: Floats


@dataclass(frozen=True, slots=True)
class Support:
    """How much of the data a standardised difference rests on.

    Parameters
    ----------
    strata, strata_both, strata_compared : int
        Strata with anyone, with both arms, and with both arms followed.
    used, compared, one_arm, short : int
        All counted, and where they are: in strata compared, in strata with one arm, and in strata with both arms of
        which one is not followed; `used` is the sum of the other three.
    """

    strata: int
    strata_both: int
    strata_compared: int
    used: int
    compared: int
    one_arm: int
    short: int


def _both(figures: ArmFigures) -> NDArray[np.bool_]:
    there = figures.used > 0
    return there[:, 0] & there[:, 1]


def _compared(figures: ArmFigures) -> NDArray[np.bool_]:
    return _both(figures) & figures.followed[:, 0] & figures.followed[:, 1]


def _contrast(value: Floats, variance: Floats, between: Floats, confidence: float) -> Contrast:
    """Set the two arms, along the last axis, against each other; `between` is what random weights add."""
    z = normal_quantile(confidence)
    error = np.sqrt(variance)
    difference, total = value[..., 0] - value[..., 1], variance.sum(axis=-1)
    half = z * np.sqrt(total)
    return Contrast(
        first=value[..., 0],
        second=value[..., 1],
        first_std_error=error[..., 0],
        second_std_error=error[..., 1],
        difference=np.asarray(difference),
        std_error=np.sqrt(total),
        low=np.asarray(difference - half),
        high=np.asarray(difference + half),
        std_error_random_weights=np.sqrt(total + between),
    )


def contrasts(figures: ArmFigures, confidence: float = 0.95, *, carried: bool = False) -> Contrast:
    """Compare the arms in each stratum; of ``[pool(strata)]`` this is the crude comparison.

    Parameters
    ----------
    figures : ArmFigures
        From `incidence_by_stratum` or `mean_by_stratum`.
    confidence : float
        Coverage of the limits, strictly between 0 and 1.
    carried : bool
        Whether an arm not followed that long counts with its last share carried on.

    Returns
    -------
    Contrast
        Arrays with one element per stratum; an arm that is absent, or not followed unless `carried`, is NaN, and so
        is the difference then.

    Raises
    ------
    ArgumentError
        If `confidence` is not between 0 and 1.

    Examples
    --------
    >>> from periodkit.metrics.tally.life_table import LifeTable
    >>> from periodkit.metrics.estimate.stratified import incidence_by_stratum
    >>> quick, slow = LifeTable([1, 2], [1, 1], [0, 0], [0, 0]), LifeTable([3, 4], [1, 0], [0, 0], [0, 1])
    >>> contrasts(incidence_by_stratum([(quick, slow)], 3)).difference
    array([0.5])
    """
    said = figures.followed | carried
    value = np.where(said, figures.value, np.nan)
    variance = np.where(said, figures.std_error**2, np.nan)
    return _contrast(value, variance, np.zeros(len(value)), confidence)


def standardise(figures: ArmFigures, confidence: float = 0.95, *, carried: bool = False) -> Contrast:
    """Compare the arms among like: both take the strata in the shares in which both arms together have them.

    Parameters
    ----------
    figures : ArmFigures
        From `incidence_by_stratum` or `mean_by_stratum`.
    confidence : float
        Coverage of the limits, strictly between 0 and 1.
    carried : bool
        Whether strata of which an arm is not followed that long take part, its last share carried on; else they are
        left out.

    Returns
    -------
    Contrast
        Of shape (): sums over the strata with both arms, weighted by how many are used in both; NaN without any.
        `support` counts who is left out.

    Raises
    ------
    ArgumentError
        If `confidence` is not between 0 and 1.

    References
    ----------
    Direct standardisation: Rothman, Greenland and Lash (2008), Modern Epidemiology, 3rd edition, chapter 15. Random
    weights: by the delta method, multinomial shares add the variance of the strata's differences over the total.

    Examples
    --------
    >>> from periodkit.metrics.estimate.stratified import ArmFigures
    >>> followed = np.ones((2, 2), dtype=bool)
    >>> shares, errors = np.array([[0.9, 0.8], [0.5, 0.3]]), np.array([[0.03, 0.04], [0.05, 0.12]])
    >>> result = standardise(ArmFigures(np.array([[50, 25], [10, 15]]), followed, shares, errors))
    >>> result.difference.round(3).item(), result.low.round(3).item(), result.high.round(3).item()
    (0.125, 0.028, 0.222)
    """
    rows = _both(figures) if carried else _compared(figures)
    used = figures.used[rows].sum(axis=1)
    if not used.size:
        return _contrast(np.full(2, np.nan), np.full(2, np.nan), np.asarray(np.nan), confidence)
    weight, values = used / used.sum(), figures.value[rows]
    value = weight @ values
    spread = (values[:, 0] - values[:, 1]) - (value[0] - value[1])
    between = np.asarray(weight @ spread**2 / used.sum())
    return _contrast(value, weight**2 @ figures.std_error[rows] ** 2, between, confidence)


def support(figures: ArmFigures) -> Support:
    """Count the strata, and those in them, that a standardised comparison can use and those that it cannot.

    Parameters
    ----------
    figures : ArmFigures
        From `incidence_by_stratum` or `mean_by_stratum`.

    Returns
    -------
    Support
        The counts; strata without anyone are not among them.

    Examples
    --------
    >>> used, followed = np.array([[5, 5], [3, 2], [4, 0]]), np.array([[True, True], [True, False], [True, False]])
    >>> counts = support(ArmFigures(used, followed, used * 0.0, used * 0.0))
    >>> counts.strata, counts.strata_compared, counts.compared, counts.short, counts.one_arm
    (3, 1, 10, 5, 4)
    """
    both, compared, used = _both(figures), _compared(figures), figures.used.sum(axis=1)
    return Support(
        strata=int(np.count_nonzero(used)),
        strata_both=int(np.count_nonzero(both)),
        strata_compared=int(np.count_nonzero(compared)),
        used=int(used.sum()),
        compared=int(used[compared].sum()),
        one_arm=int(used[~both].sum()),
        short=int(used[both & ~compared].sum()),
    )
