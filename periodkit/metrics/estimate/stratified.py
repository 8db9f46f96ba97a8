"""Two arms by stratum: shares and restricted means at one duration, and who was on time, from life tables.

The same figures as for one group, for thousands of tables in one pass. Durations are in the tables' unit; NaN means
that the counts do not say. `standardise` compares the arms, `mantel_haenszel` the counts of those on time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from periodkit.errors import ArgumentError
from periodkit.metrics.estimate.rates import Floats
from periodkit.metrics.estimate.steps import count_at_risk, remaining
from periodkit.metrics.tally.life_table import Ints, LifeTable, merge

__all__ = ["ArmFigures", "Decided", "Strata", "decided", "incidence_by_stratum", "mean_by_stratum", "pool"]

Strata: TypeAlias = Sequence[tuple[LifeTable, LifeTable]]
"""One pair of tables per stratum, the first arm's and the second's; an absent arm is an empty table."""

CELLS = 1 << 20


@dataclass(frozen=True, slots=True, eq=False)
class ArmFigures:
    """One figure for each stratum and arm at one duration; rows are strata, the two columns are the arms.

    Parameters
    ----------
    used : array of int64, shape (k, 2)
        How many are counted.
    followed : array of bool, shape (k, 2)
        Whether one of them lasted at least that long, or none of the longest is still open: beyond that the last
        share is carried on without knowing.
    value, std_error : array of float64, shape (k, 2)
        The figure and its standard error; NaN for an arm without members.
    """

    used: Ints
    followed: NDArray[np.bool_]
    value: Floats
    std_error: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Decided:
    """Who reached the end within a target, by stratum (rows) and arm (two columns).

    Parameters
    ----------
    met, missed, undetermined : array of int64, shape (k, 2)
        Ended within the target; did not, or never will; still open and younger than the target.
    """

    met: Ints
    missed: Ints
    undetermined: Ints


def _check_target(t: float) -> float:
    # Written so that NaN fails too.
    if not 0.0 <= t < np.inf:
        raise ArgumentError(f"t must be a finite duration of at least 0, not {t!r}.")
    return float(t)


def _flatten(strata: Strata) -> list[LifeTable]:
    """Return the tables in one list: first and second arm of the first stratum, then of the next."""
    if any(len(arms) != 2 for arms in strata):
        raise ArgumentError("every stratum must have two tables: one per arm, an absent one being empty.")
    return [table for arms in strata for table in arms]


def pool(strata: Strata) -> tuple[LifeTable, LifeTable]:
    """Add up the strata: both arms as if there were no strata.

    Parameters
    ----------
    strata : sequence of pairs of LifeTable
        One pair per stratum; none gives two empty tables.

    Returns
    -------
    first, second : LifeTable
        Of all strata together; ``[pool(strata)]`` is what crude figures are computed from.

    Raises
    ------
    ArgumentError
        If a stratum has not two tables.

    Examples
    --------
    >>> one, none = LifeTable([5], [1], [0], [0]), LifeTable.empty()
    >>> [arm.n for arm in pool([(one, none), (one, one)])]
    [2, 1]
    """
    tables = _flatten(strata)
    return merge(tables[::2]), merge(tables[1::2])


def _followed(table: LifeTable, t: float) -> bool:
    rows = np.flatnonzero(table.event + table.competing + table.censored)
    # Of those equally long the open one goes on, so the last share is not final.
    return rows.size > 0 and bool(table.time[rows[-1]] >= t or not table.censored[rows[-1]])


def _batches(size: Ints) -> Iterator[NDArray[np.intp]]:
    """Group tables of like size, so that rows added to bring them to one width stay few."""
    order = np.argsort(-size, kind="stable")
    falling = -size[order]
    start = 0
    while start < order.size:
        widest = -int(falling[start])
        # Small ones go together whatever their size: one more batch costs more than their padding.
        like = int(np.searchsorted(falling, -(widest // 4) if widest > 64 else 0, side="right"))
        stop = min(like, start + max(CELLS // max(widest, 1), 1))
        yield order[start:stop]
        start = stop


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """Rows of many tables along the last axis, up to a target, at which anyone ended; what fills up has no ends."""

    time: Floats
    event: Ints
    other: Ints
    at_risk: Ints


def _gather(tables: Sequence[LifeTable], until: Sequence[int], t: float, *, competing: bool) -> _Rows:
    """Return the rows before `until` of every table; competing ends are ends of the other kind, else censored."""
    shape = (len(tables), max(*until, 1))
    time, at_risk = np.full(shape, t), np.ones(shape, dtype=np.int64)
    event, other = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    for row, (table, stop) in enumerate(zip(tables, until, strict=True)):
        ended = table.event[:stop] + table.competing[:stop] if competing else table.event[:stop]
        kept = np.flatnonzero(ended)
        time[row, : kept.size] = table.time[kept]
        at_risk[row, : kept.size] = count_at_risk(table)[kept]
        event[row, : kept.size] = table.event[kept]
        other[row, : kept.size] = ended[kept] - table.event[kept]
    return _Rows(time, event, other, at_risk)


def _figures(
    strata: Strata, t: float, kernel: Callable[[_Rows, float], tuple[Floats, Floats]], *, competing: bool
) -> ArmFigures:
    target, tables = _check_target(t), _flatten(strata)
    used = np.array([table.n for table in tables], dtype=np.int64)
    followed = np.array([_followed(table, target) for table in tables], dtype=np.bool_)
    until = np.array([np.searchsorted(table.time, target, side="right") for table in tables], dtype=np.int64)
    value, variance = np.empty(used.size), np.empty(used.size)
    for batch in _batches(until):
        rows = _gather([tables[i] for i in batch], until[batch].tolist(), target, competing=competing)
        value[batch], variance[batch] = kernel(rows, target)
    value[used == 0] = variance[used == 0] = np.nan
    error = np.sqrt(np.maximum(variance, 0.0))
    return ArmFigures(used.reshape(-1, 2), followed.reshape(-1, 2), value.reshape(-1, 2), error.reshape(-1, 2))


def _incidence(rows: _Rows, _t: float) -> tuple[Floats, Floats]:
    """Return the cumulative incidence at the last row and its variance: `aalen_johansen` where only one t is asked."""
    risk, left, weight = remaining(rows.event + rows.other, rows.at_risk)
    gain = weight / risk[:, :1]
    reached = np.cumsum(rows.event * gain, axis=1)
    incidence = reached[:, -1]
    share = np.divide(incidence[:, None] - reached, left, out=np.zeros_like(left), where=left > 0.0)
    own = gain - share
    mean = rows.event * own - rows.other * share
    variance = (rows.event * own**2 + rows.other * share**2 - mean**2 / risk).sum(axis=1)
    return np.minimum(incidence, 1.0), variance


def _mean(rows: _Rows, t: float) -> tuple[Floats, Floats]:
    """Return the area under Kaplan-Meier up to `t` and its variance: `restricted_mean` for many."""
    risk, left, weight = remaining(rows.event, rows.at_risk)
    pieces = weight * left / risk[:, :1] * np.diff(rows.time, axis=1, append=t)
    to_come = np.cumsum(pieces[:, ::-1], axis=1)[:, ::-1]
    terms = risk * left
    np.divide(rows.event, terms, out=terms, where=terms > 0.0)
    return rows.time[:, 0] + to_come[:, 0], (to_come**2 * terms).sum(axis=1)


def incidence_by_stratum(strata: Strata, t: float) -> ArmFigures:
    """Share that reached the end by `t` in each stratum and arm: Aalen-Johansen, competing ends competing.

    Parameters
    ----------
    strata : sequence of pairs of LifeTable
        One pair per stratum; ``[pool(strata)]`` for the crude shares.
    t : float
        Duration in the tables' unit, finite and >= 0. Past an arm's longest the last share is carried on.

    Returns
    -------
    ArmFigures
        Shares from 0 to 1 with infinitesimal-jackknife errors.

    Raises
    ------
    ArgumentError
        If a stratum has not two tables, or `t` is negative or not finite.

    References
    ----------
    As `aalen_johansen`: Aalen and Johansen (1978), Scandinavian Journal of Statistics 5, 141-150; Betensky and
    Schoenfeld (2001), Biometrics 57, 282-286.

    Examples
    --------
    >>> quick, slow = LifeTable([1, 2], [1, 1], [0, 0], [0, 0]), LifeTable([3, 4], [1, 0], [0, 0], [0, 1])
    >>> incidence_by_stratum([(quick, slow)], 3).value
    array([[1. , 0.5]])
    """
    return _figures(strata, t, _incidence, competing=True)


def mean_by_stratum(strata: Strata, t: float) -> ArmFigures:
    """Mean duration counted up to `t` in each stratum and arm: the area under Kaplan-Meier, competing ends censored.

    Parameters
    ----------
    strata : sequence of pairs of LifeTable
        One pair per stratum; ``[pool(strata)]`` for the crude means.
    t : float
        Horizon in the tables' unit, finite and >= 0. Past an arm's longest the last share is carried on.

    Returns
    -------
    ArmFigures
        Restricted means in the tables' unit with Greenwood errors; `t` and error 0 before the first event.

    Raises
    ------
    ArgumentError
        If a stratum has not two tables, or `t` is negative or not finite.

    References
    ----------
    As `restricted_mean`: Klein and Moeschberger (2003), Survival Analysis, 2nd edition, section 4.5; Irwin (1949),
    J. Hygiene 47, 188-189.

    Examples
    --------
    >>> quick, slow = LifeTable([1, 2], [1, 1], [0, 0], [0, 0]), LifeTable([3, 4], [1, 0], [0, 0], [0, 1])
    >>> mean_by_stratum([(quick, slow)], 4).value
    array([[1.5, 3.5]])
    """
    return _figures(strata, t, _mean, competing=False)


def decided(strata: Strata, t: float) -> Decided:
    """Count who reached the end within `t`, who did not, and of whom it cannot be said yet.

    An open one younger than `t` is undetermined. All else but an end in time is missed, competing ends among it: they
    never reach the end, as in the incidence.

    Parameters
    ----------
    strata : sequence of pairs of LifeTable
        One pair per stratum.
    t : float
        Target in the tables' unit, finite and >= 0.

    Returns
    -------
    Decided
        Counts by stratum and arm.

    Raises
    ------
    ArgumentError
        If a stratum has not two tables, or `t` is negative or not finite.

    Examples
    --------
    >>> arm = LifeTable([1, 2, 3], [1, 0, 1], [0, 1, 0], [1, 1, 0])
    >>> counts = decided([(arm, LifeTable.empty())], 2)
    >>> counts.met.tolist(), counts.missed.tolist(), counts.undetermined.tolist()
    ([[1, 0]], [[3, 0]], [[1, 0]])
    """
    target, tables = _check_target(t), _flatten(strata)
    met = [table.event[: np.searchsorted(table.time, target, side="right")].sum() for table in tables]
    young = [table.censored[: np.searchsorted(table.time, target, side="left")].sum() for table in tables]
    used = [table.n for table in tables]
    counts = np.array([met, young, used], dtype=np.int64).reshape(3, -1, 2)
    return Decided(counts[0], counts[2] - counts[0] - counts[1], counts[1])
