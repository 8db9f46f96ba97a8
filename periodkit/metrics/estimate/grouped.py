"""Quantiles of many groups at once, from their counts; what `estimate` and `rates` give one group at a time.

A season by period, classification and channel has thousands of small groups: a call for each would take longer than the
estimates themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from periodkit.metrics.estimate.rates import Floats, binomial_ranks, interpolate, normal_quantile
from periodkit.metrics.estimate.survival import TOLERANCE, survival_band
from periodkit.metrics.tally.cells import sum_up
from periodkit.metrics.tally.life_table import Ints
from periodkit.metrics.tally.stage_counts import StageCounts, gone_states
from periodkit.metrics.threads import side_by_side
from periodkit.milestones import STATES

__all__ = ["observed_quantiles", "survival_quantiles"]

_CHUNK = 1 << 17
"""Durations estimated at a time, so that they stay in the caches."""


def survival_quantiles(counts: StageCounts, quantiles: Sequence[float], canceled: str, confidence: float) -> Floats:
    """Return the Kaplan-Meier quantiles of each group with their intervals, as `survival_quantile` gives them.

    Parameters
    ----------
    counts : StageCounts
        Counts of a stage.
    quantiles : sequence of float
        Shares ended.
    canceled : {"exclude", "censor"}
        What cancellations and leavers count as.
    confidence : float
        Coverage of the intervals.

    Returns
    -------
    array of float64, shape (groups, quantiles, 3)
        Estimate, lower and upper limit in units of the counts; NaN where not reached.

    Examples
    --------
    >>> from periodkit.metrics.tally import count_stage
    >>> import periodkit as pk
    >>> with pk.demo_client() as client:
    ...     actions = client.actions(client.periods().head(1))
    >>> found = survival_quantiles(count_stage(actions, by="ai_dispatched"), [0.5, 0.9], "exclude", 0.95)
    >>> found.shape
    (3, 2, 3)
    """
    z = normal_quantile(confidence)
    used = ("event", *gone_states(canceled), "open")

    def estimate(part: StageCounts) -> Floats:
        entered = sum_up(part.only(*used))
        # At equal durations events stand first, so at an event all that follow in its group are at risk, and itself.
        events = np.flatnonzero(part.state == STATES.index("event"))
        starts = np.searchsorted(events, part.bounds)
        size = np.diff(starts)
        found = np.full((len(size), len(quantiles), 3), np.nan)
        for groups in _alike(size):
            column = np.arange(size[groups].max())
            inside = column < size[groups][:, np.newaxis]
            row = events[np.minimum(starts[groups][:, np.newaxis] + column, len(events) - 1)]
            at_risk = entered[part.bounds[groups + 1]][:, np.newaxis] - entered[row]
            # Where a group has fewer rows than the longest beside it, none of one at risk ends: its curve goes on level.
            survival, _, low, high = survival_band(np.where(inside, part.n[row], 0), np.where(inside, at_risk, 1), z)
            for position, q in enumerate(quantiles):
                for side, share in enumerate((survival, low, high)):
                    reached = share <= 1.0 - q + TOLERANCE
                    first = reached.argmax(axis=1)[:, np.newaxis]
                    at = np.take_along_axis(row, first, axis=1)[:, 0]
                    hit = np.take_along_axis(reached, first, axis=1)[:, 0]
                    found[groups, position, side] = np.where(hit, part.duration[at], np.nan)
        return found

    none = np.empty((0, len(quantiles), 3))
    return np.concatenate([none, *side_by_side(estimate, counts.in_parts())])


def observed_quantiles(counts: StageCounts, quantiles: Sequence[float], confidence: float) -> Floats:
    """Return the type-7 quantiles of the durations that ended, as `observed_quantile` and `quantile_interval` give them.

    Parameters
    ----------
    counts : StageCounts
        Counts of a stage.
    quantiles : sequence of float
        Shares.
    confidence : float
        Least coverage of the intervals.

    Returns
    -------
    array of float64, shape (groups, quantiles, 3)
        Estimate, lower and upper limit in units of the counts; NaN where too few are counted.

    Examples
    --------
    >>> from periodkit.metrics.tally import count_stage
    >>> import periodkit as pk
    >>> with pk.demo_client() as client:
    ...     actions = client.actions(client.periods().head(1))
    >>> found = observed_quantiles(count_stage(actions), [0.5], 0.95)
    >>> found.shape
    (1, 1, 3)
    """
    done = sum_up(counts.only("event"))
    before = done[counts.bounds[:-1]]
    n = done[counts.bounds[1:]] - before

    def value(rank: Ints) -> Floats:
        """Return the duration of that rank, from 1; NaN beyond the data."""
        known = (rank >= 1) & (rank <= n)
        cell = np.searchsorted(done, (before + rank)[known]) - 1
        values = np.full(len(n), np.nan)
        values[known] = counts.duration[cell]
        return values

    found = np.empty((len(n), len(quantiles), 3))
    for position, q in enumerate(quantiles):
        place = np.maximum(n - 1, 0) * q
        rank = place.astype(np.int64)
        found[:, position, 0] = interpolate(value(rank + 1), value(np.minimum(rank + 2, n)), place - rank)
        first, last = binomial_ranks(n, q, confidence)
        found[:, position, 1], found[:, position, 2] = value(first), value(last)
    return found


def _alike(size: Ints) -> Iterator[Ints]:
    """Yield the groups that have rows, those of like size together, no more at a time than make a chunk."""
    order = np.argsort(size, kind="stable")
    order = order[size[order] > 0]
    start = 0
    while start < len(order):
        stop = start + 1
        while stop < len(order) and (stop + 1 - start) * size[order[stop]] <= _CHUNK:
            stop += 1
        yield order[start:stop]
        start = stop
