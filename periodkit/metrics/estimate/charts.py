"""Control charts: which points of a series lie beyond what the series' own scatter explains.

The centre and the scatter are taken from a baseline and held; points without a value are stepped over.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike, NDArray

from periodkit.errors import ArgumentError
from periodkit.metrics.estimate.patterns import TOLERANCE, Flags, near_limit, run, side_of, trend
from periodkit.metrics.estimate.rates import Floats
from periodkit.metrics.estimate.scales import from_log
from periodkit.metrics.tally.life_table import Ints, as_counts

__all__ = ["Chart", "laney_chart", "log_xmr_chart", "p_chart"]

D2 = 1.128  # mean range of two normal values, in standard deviations, as the tables have it


@dataclass(frozen=True, slots=True, eq=False)
class Chart:
    """A control chart, one entry per point in the order given.

    Parameters
    ----------
    value, center, lower, upper : array of float64
        The point, the centre, and the limits at 3 sigma; value and limits are NaN where there is no value, the limits
        also where nothing is known of the scatter, and any number that its holder cannot hold.
    near_lower, near_upper : array of float64
        The same at 2 sigma.
    sigma_z : array of float64
        How much more the shares scatter than the binomial law says (Laney); NaN in other charts.
    phase : array of str
        ``baseline``, ``monitored``, or ``trial`` throughout while the baseline is not full.
    outside, run, trend, near : array of bool
        Beyond the limits; part of a run of 7 on one side, of a trend of 7 points, or of two of three near a limit.
    run_complete, trend_complete, near_complete : array of bool
        Where the pattern is complete: what could be known at that point.

    Examples
    --------
    >>> from periodkit.metrics.estimate import log_xmr_chart
    >>> chart = log_xmr_chart([8.0, 9, 8, 10, 9, 30], baseline=5)
    >>> chart.signal.tolist()
    [False, False, False, False, False, True]
    """

    value: Floats
    center: Floats
    lower: Floats
    upper: Floats
    near_lower: Floats
    near_upper: Floats
    sigma_z: Floats
    phase: NDArray[np.str_]
    outside: Flags
    run: Flags
    trend: Flags
    near: Flags
    run_complete: Flags
    trend_complete: Flags
    near_complete: Flags

    @property
    def signal(self) -> Flags:
        """Whether a point is outside or part of any pattern."""
        return self.outside | self.run | self.trend | self.near


def _mean_range(x: Floats) -> float:
    return float(np.abs(np.diff(x)).mean()) if x.size > 1 else np.nan


def _baseline(known: Flags, baseline: int | None) -> tuple[Ints, NDArray[np.str_]]:
    """Return the rows that make the baseline, and the phase of every row."""
    rows = np.flatnonzero(known)
    if baseline is None:
        return rows, np.full(known.shape, "baseline")
    if rows.size < baseline:
        return rows, np.full(known.shape, "trial")
    rows = rows[:baseline]
    return rows, np.where(np.arange(known.size) <= rows[-1], "baseline", "monitored")


def _chart(
    x: Floats,
    value: Floats,
    center: float,
    sigma: Floats,
    sigma_z: float,
    phase: NDArray[np.str_],
    back: Callable[[Floats], Floats],
) -> Chart:
    """Draw limits and find signals on the scale of `x`, and show them on the scale that `back` leads to."""
    known = np.isfinite(x)
    sigma = np.where(known, sigma, np.nan)
    # A point without a value is stepped over; without a scatter there is nothing to compare with.
    rows = np.flatnonzero(known & np.isfinite(sigma))
    off = x[rows] - center
    far, close = (np.abs(off) > times * sigma[rows] + TOLERANCE for times in (3, 2))
    sides = side_of(off)
    runs, trends, nears = run(sides), trend(x[rows]), near_limit(sides, close & ~far)

    def place(flags: Flags) -> Flags:
        everywhere = np.zeros(x.shape, dtype=np.bool_)
        everywhere[rows] = flags
        return everywhere

    return Chart(
        value=value,
        center=back(np.full(x.shape, center)),
        lower=back(center - 3 * sigma),
        upper=back(center + 3 * sigma),
        near_lower=back(center - 2 * sigma),
        near_upper=back(center + 2 * sigma),
        sigma_z=np.full(x.shape, sigma_z),
        phase=phase,
        outside=place(far),
        run=place(runs.part),
        trend=place(trends.part),
        near=place(nears.part),
        run_complete=place(runs.complete),
        trend_complete=place(trends.complete),
        near_complete=place(nears.complete),
    )


def _by_segment(size: int, baseline: int | None, rebase: int | None, draw: Callable[[slice], Chart]) -> Chart:
    """Chart what comes before `rebase` and what comes after by themselves: other limits, and no pattern across."""
    if baseline is not None and baseline < 1:
        raise ArgumentError(f"baseline must be at least 1, not {baseline}.")
    if rebase is None:
        return draw(slice(0, size))
    if not 0 <= rebase < size:
        raise ArgumentError(f"rebase must be the position of one of the {size} points, from 0, not {rebase}.")
    parts = [draw(slice(0, rebase)), draw(slice(rebase, size))]
    return Chart(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Chart)))


def _shares(hits: ArrayLike, total: ArrayLike, baseline: int | None, rebase: int | None, laney: bool) -> Chart:
    count, size = np.broadcast_arrays(as_counts(hits, "hits"), as_counts(total, "total"))
    if size.ndim != 1 or (count > size).any():
        raise ArgumentError("hits and total must be two lists of one length, no hit beyond the total.")

    def draw(part: slice) -> Chart:
        x, n = count[part], size[part]
        known = n > 0
        safe = np.maximum(n, 1)
        share = np.where(known, x / safe, np.nan)
        base, phase = _baseline(known, baseline)
        center = x[base].sum() / n[base].sum() if base.size else np.nan
        # At 0 and 1 nothing scatters, so nothing is known of how much it would.
        sigma = np.sqrt(center * (1.0 - center) / safe) if 0.0 < center < 1.0 else np.full(n.shape, np.nan)
        ratio = _mean_range((share[base] - center) / sigma[base]) / D2 if laney else 1.0
        shown = ratio if laney else np.nan
        return _chart(share, share, center, sigma * ratio, shown, phase, lambda line: np.clip(line, 0.0, 1.0))

    return _by_segment(size.size, baseline, rebase, draw)


def p_chart(hits: ArrayLike, total: ArrayLike, baseline: int | None = 12, rebase: int | None = None) -> Chart:
    """Chart shares with binomial limits; for large counts these are too narrow, see `laney_chart`.

    Parameters
    ----------
    hits, total : array_like of int, shape (n,)
        Counts of successes and of all; a point whose total is 0 has no value.
    baseline : int or None
        Points with a value, from the first, that set centre and scatter; None takes all.
    rebase : int, optional
        Position, from 0, from which both are taken anew.

    Returns
    -------
    Chart
        Shares; limits are cut to [0, 1]. Where the baseline's share is 0 or 1: no limits, no signals.

    Raises
    ------
    ArgumentError
        If the counts are not whole numbers with 0 <= hits <= total, or `baseline` or `rebase` does not fit.

    References
    ----------
    Montgomery (2009), Introduction to Statistical Quality Control, 6th edition, section 7.2.

    Examples
    --------
    >>> chart = p_chart([10, 12, 30], [100, 100, 100], baseline=2)
    >>> chart.center.round(2), chart.upper.round(3), chart.outside
    (array([0.11, 0.11, 0.11]), array([0.204, 0.204, 0.204]), array([False, False,  True]))
    """
    return _shares(hits, total, baseline, rebase, laney=False)


def laney_chart(hits: ArrayLike, total: ArrayLike, baseline: int | None = 12, rebase: int | None = None) -> Chart:
    """Chart shares with Laney's p' limits: binomial ones times how much more the shares scatter in truth.

    Parameters
    ----------
    hits, total, baseline, rebase
        As for `p_chart`.

    Returns
    -------
    Chart
        As from `p_chart`, with `sigma_z`, also below 1. One value in the baseline: no `sigma_z`, no limits, no signals.

    Raises
    ------
    ArgumentError
        As `p_chart`.

    References
    ----------
    Laney (2002), Improved control charts for attributes, Quality Engineering 14, 531-537.

    Examples
    --------
    >>> chart = laney_chart([10, 12, 30], [100, 100, 100], baseline=2)
    >>> chart.sigma_z.round(3), chart.upper.round(3)
    (array([0.567, 0.567, 0.567]), array([0.163, 0.163, 0.163]))
    """
    return _shares(hits, total, baseline, rebase, laney=True)


def log_xmr_chart(
    value: ArrayLike, baseline: int | None = 12, rebase: int | None = None, ceiling: float = np.inf
) -> Chart:
    """Chart durations or counts as individual values, with limits from their moving ranges on the logarithm.

    Parameters
    ----------
    value : array_like of float, shape (n,)
        In any unit; a point that is not finite or not above 0 has no value.
    baseline, rebase
        As for `p_chart`.
    ceiling : float
        A limit at or beyond it is NaN: ``2.0**63`` for microseconds held in 64 bits.

    Returns
    -------
    Chart
        In the unit of `value`. One value in the baseline: no limits, no signals.

    Raises
    ------
    ArgumentError
        If `value` is not a list, or `baseline` or `rebase` does not fit.

    References
    ----------
    Wheeler (1993), Understanding Variation: the Key to Managing Chaos, SPC Press.

    Examples
    --------
    >>> chart = log_xmr_chart([300.0, 320.0, 290.0, 900.0], baseline=3)
    >>> chart.upper.round(1), chart.outside
    (array([376.4, 376.4, 376.4, 376.4]), array([False, False, False,  True]))
    """
    values = np.asarray(value, dtype=np.float64)
    if values.ndim != 1:
        raise ArgumentError("value must be a list.")

    def draw(part: slice) -> Chart:
        known = np.isfinite(values[part]) & (values[part] > 0)
        shown = np.where(known, values[part], np.nan)
        x = np.log(shown)
        base, phase = _baseline(known, baseline)
        center = float(x[base].mean()) if base.size else np.nan
        sigma = np.full(x.shape, _mean_range(x[base]) / D2)
        return _chart(x, shown, center, sigma, np.nan, phase, lambda line: from_log(line, ceiling))

    return _by_segment(values.size, baseline, rebase, draw)
