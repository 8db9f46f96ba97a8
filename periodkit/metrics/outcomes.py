"""How it ended: cumulative incidence over time, and the share that made a target."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd

from periodkit._arguments import AsOf, as_micros, check_share, one_of
from periodkit.errors import ArgumentError
from periodkit.frames import grouped, sort_rows
from periodkit.metrics.estimate import Floats, IncidenceCurve, aalen_johansen, incidence_at, wilson
from periodkit.metrics.tally import UNITS, By, LifeTable, count_stage, gone_states, grouping, named_resolution
from periodkit.metrics.times import COUNT_COLUMNS, as_timedelta, checked_ways, stage_totals

__all__ = ["on_time", "outcome_curve"]

_SHARES = {"closed": "event", "canceled": "competing", "open": "open"}
_SUFFIXES = {"": "", "_se": "_std_error", "_low": "_low", "_high": "_high"}
_NO_CURVE = {
    field.name: np.zeros(0, np.int64 if field.name == "at_risk" else float) for field in fields(IncidenceCurve)
}
_CURVE_COUNTS = ["n", "used", "skipped", "not_started", "invalid", "unknown"]
_CURVE_COLUMNS = ["time", "at_risk", *(share + suffix for share in _SHARES for suffix in _SUFFIXES)]
_ON_TIME_COLUMNS = ("met", "missed", "undetermined", "skipped_late", "rate", "low", "high", "worst", "best")


@grouped
def outcome_curve(
    actions: Any,  # noqa: ANN401  (any engine's frame)
    stage: str = "cycle",
    by: By = None,
    times: Any = None,  # noqa: ANN401
    skipped: str = "exclude",
    confidence: float = 0.95,
    as_of: AsOf | None = None,
    resolution: str | None = None,
) -> pd.DataFrame:
    """Return the shares that have ended, been canceled or are still open at each time since a stage began.

    Parameters
    ----------
    actions : pandas, Polars or Spark frame, pyarrow.Table or DuckDB relation
        Actions.
    stage : {"cycle", "dispatch", "pickup", "response", "work"}
        Between which milestones.
    by : str, Series, callable or list of these, optional
        What to group by, see `periodkit.cycle_times`; null is a group of its own.
    times : list of timedelta or str, optional
        Times to read the curve at; by default 0 and every duration at which something happened.
    skipped : {"exclude", "at_close"}
        What an action counts as that was closed without a record of the stage's end, as in `periodkit.cycle_times`.
    confidence : float
        Coverage of the intervals.
    as_of : datetime, Timestamp or ISO 8601 text, optional
        Replay that moment; by default each row's ``fetched_at``.
    resolution : {None, "ms", "s", "us", "min"}
        Unit in which durations are counted, see `periodkit.cycle_times`; above a millisecond, `times` must be whole in it.

    Returns
    -------
    pandas.DataFrame
        One row per group and time: the keys; ``time`` as a timedelta; ``at_risk``, how many were still in it just before;
        ``closed``, ``canceled`` (cancellations, and actions canceled before the stage's end) and ``open``, which sum to 1;
        each with ``_se``, ``_low`` and ``_high``; then ``n``, ``used``, ``skipped``, ``not_started``, ``invalid``,
        ``unknown``. Shares are NaN for a group in which nothing has a duration. ``attrs["resolution"]`` names the
        resolution.

    Raises
    ------
    SchemaError
        A needed column is missing or does not hold UTC times.
    ArgumentError
        An argument is not one of those it takes.

    Notes
    -----
    Aalen and Johansen (1978), Scand. J. Stat. 5, 141-150. Cancellation competes with closing: counting it as merely
    unfinished would give the share that would have closed if nothing were ever canceled.

    Examples
    --------
    >>> import periodkit as pk
    >>> with pk.demo_client() as client:
    ...     actions = client.actions(client.periods().tail(1))
    >>> curve = outcome_curve(actions, times=["15min"])
    >>> float(round(curve[["closed", "canceled", "open"]].sum(axis=1).iloc[0], 12))
    1.0
    """
    checked_ways("censor", skipped)
    check_share(confidence, "confidence")
    grouping(by, [*_CURVE_COLUMNS, *_CURVE_COUNTS])
    if isinstance(times, str) or not (times is None or isinstance(times, Iterable)):
        msg = f'times is {times!r}; pass a list, such as ["5min", "15min"].'
        raise ArgumentError(msg)
    micros = None if times is None else [as_micros(each, "times") for each in times]
    counts = count_stage(actions, stage, by, as_of, resolution)
    asked = None if micros is None else np.array([counts.units(each, "times") for each in micros], dtype=np.float64)
    totals = stage_totals(counts, "censor", skipped)
    curves = [_read_curve(table, asked, confidence) for table in counts.life_tables("censor", skipped)]
    joined = {
        name: np.concatenate([none, *(getattr(curve, name) for curve in curves)]) for name, none in _NO_CURVE.items()
    }
    columns = {"time": as_timedelta(joined["time"], counts.unit), "at_risk": joined["at_risk"]}
    columns |= {
        share + end: joined[name + field] for share, name in _SHARES.items() for end, field in _SUFFIXES.items()
    }
    rows = np.repeat(np.arange(len(curves)), [len(curve.time) for curve in curves])
    groups = pd.concat([counts.keys(), totals], axis=1).iloc[rows].reset_index(drop=True)
    curve = pd.concat([groups[list(counts.by)], pd.DataFrame(columns), groups[_CURVE_COUNTS]], axis=1)
    return named_resolution(curve, counts)


def _read_curve(table: LifeTable, asked: Floats | None, confidence: float) -> IncidenceCurve:
    at = asked if asked is not None else table.time if table.time[:1].tolist() == [0] else np.r_[0, table.time]
    return incidence_at(aalen_johansen(table, confidence), at)


@grouped
def on_time(
    actions: Any,  # noqa: ANN401
    target: str | timedelta,
    stage: str = "cycle",
    by: By = None,
    canceled: str = "exclude",
    skipped: str = "exclude",
    confidence: float = 0.95,
    as_of: AsOf | None = None,
    resolution: str | None = None,
    sort: str | None = None,
) -> pd.DataFrame:
    """Return the share of actions that reached the end of a stage within a target.

    Parameters
    ----------
    actions : pandas, Polars or Spark frame, pyarrow.Table or DuckDB relation
        Actions.
    target : timedelta or str
        The promised time, such as ``"15min"``; taking exactly that long is on time.
    stage : {"cycle", "dispatch", "pickup", "response", "work"}
        Between which milestones.
    by : str, Series, callable or list of these, optional
        What to group by, see `periodkit.cycle_times`; null is a group of its own.
    canceled : {"exclude", "censor"}
        ``"exclude"``: actions canceled before the stage's end do not count. ``"censor"``: one that was canceled before the
        target is undetermined, after it a miss.
    skipped : {"exclude", "at_close"}
        What an action counts as that was closed without a record of the stage's end. ``"exclude"``: it does not.
        ``"at_close"``: met if it was closed within the target; else a miss, though it may have been met, as `best` says.
    confidence : float
        Coverage of the interval.
    as_of : datetime, Timestamp or ISO 8601 text, optional
        Replay that moment; by default each row's ``fetched_at``.
    resolution : {None, "us", "ms", "s", "min"}
        Unit in which durations are counted; `target` must be whole in it. None is ``"us"``: each action is held against
        the target itself, so that no rounding is needed, on a cluster neither.
    sort : str, optional
        A column of the result to sort by, such as ``"n"``, the largest first; by default groups are in order of key.

    Returns
    -------
    pandas.DataFrame
        One row per group: the keys; ``n`` and the counts as in `cycle_times`; ``met``; ``missed`` (ended later, or still
        open at the target); ``undetermined`` (open or gone for less than the target); ``skipped_late``, how many of
        `missed` were only closed later, with ``"at_close"``; ``rate``, ``low``, ``high`` of met over the determined ones
        with a Wilson interval; and ``worst``, ``best``, the rate if all undetermined and ``skipped_late`` ones missed or
        made it. NaN where there is nothing to count. ``attrs["resolution"]`` names the resolution.

    Raises
    ------
    SchemaError
        A needed column is missing or does not hold UTC times.
    ArgumentError
        An argument is not one of those it takes.

    Notes
    -----
    Wilson (1927), J. Am. Stat. Assoc. 22, 209-212. While actions are open, ``rate`` leans towards the early ones;
    ``outcome_curve(times=[target])`` is the estimate that does not.

    Examples
    --------
    >>> import periodkit as pk
    >>> with pk.demo_client() as client:
    ...     actions = client.actions(client.periods().tail(1))
    >>> row = on_time(actions, "20min").iloc[0]
    >>> bool(row["worst"] <= row["rate"] <= row["best"])
    True
    """
    checked_ways(canceled, skipped)
    grouping(by, [*COUNT_COLUMNS, *_ON_TIME_COLUMNS])
    limit = as_micros(target, "target")
    if resolution is not None and limit % UNITS[one_of(resolution, "resolution", UNITS)]:
        raise ArgumentError(
            f"target is {target!r}, no whole number of units at resolution {resolution!r}. Leave out resolution."
        )
    counts = count_stage(actions, stage, by, as_of, around=limit)
    closed_only = counts.only("skipped") if skipped == "at_close" else np.zeros_like(counts.n)
    ended, unfinished = counts.only("event") + closed_only, counts.only("open", *gone_states(canceled))
    within, before = counts.duration <= limit, counts.duration < limit
    met = counts.sum_by_group(ended * within)
    missed = counts.sum_by_group(ended * ~within + unfinished * ~before)
    undetermined = counts.sum_by_group(unfinished * before)
    skipped_late = counts.sum_by_group(closed_only * ~within)
    rate, low, high = wilson(met, met + missed, confidence)
    result = pd.concat([counts.keys(), stage_totals(counts, canceled, skipped)], axis=1)
    result.attrs["resolution"] = counts.resolution if resolution is None else resolution
    everyone = np.where(met + missed + undetermined > 0, met + missed + undetermined, np.nan)
    result = result.assign(
        met=met,
        missed=missed,
        undetermined=undetermined,
        skipped_late=skipped_late,
        rate=rate,
        low=low,
        high=high,
        worst=met / everyone,
        best=(met + undetermined + skipped_late) / everyone,
    )
    return sort_rows(result, sort)
