"""Is it getting better, and which periods stand out: a control chart of a season."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from datetime import timedelta
from inspect import unwrap
from typing import Any, NamedTuple

import narwhals as nw
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from periodkit._arguments import AsOf, check_count
from periodkit.errors import ArgumentError
from periodkit.frames import (
    MASKED,
    SHARED,
    UTC_MICROS,
    VENUE,
    collect,
    column_names,
    grouped,
    hand_on,
    in_utc,
    open_frame,
    ordered_periods,
    position_of,
    require_one_venue,
    require_same_ids,
)
from periodkit.metrics.dispatch import ai_dispatch_rate, reroute_rate
from periodkit.metrics.estimate import Floats, laney_chart, log_xmr_chart
from periodkit.metrics.outcomes import on_time
from periodkit.metrics.tally import By, count_flags, grouping
from periodkit.metrics.times import as_timedelta, cycle_times
from periodkit.milestones import MILESTONES, existing

__all__ = ["season"]

_COLUMNS = ("period_id", "period_name", "start_date", "n", "value", "center", "lower", "upper", "sigma_z", "phase")
_FLAGS = ("outside", "run", "trend", "near", "signal")
_LINES = ("value", "center", "lower", "upper")
_SHARES = {"ai_rate": ("ai", "not_ai"), "reroute_rate": ("rerouted", "stayed"), "on_time": ("met", "missed")}
_QUANTILES = {"p50": 0.5, "p90": 0.9}
_MEASURES = (*_SHARES, *_QUANTILES, "actions")
_LONGEST = 2.0**63  # microseconds that 64 bits cannot hold


@grouped
def season(
    actions: Any,  # noqa: ANN401  (any engine's frame)
    periods: pd.DataFrame | None = None,
    measure: str = "ai_rate",
    by: By = None,
    stage: str = "cycle",
    target: str | timedelta | None = None,
    baseline: int = 12,
    rebase: Any = None,  # noqa: ANN401
    as_of: AsOf | None = None,
    resolution: str | None = None,
) -> pd.DataFrame:
    """Return a control chart of a measure over the periods of a season: what changed, and what was chance.

    Parameters
    ----------
    actions : pandas, Polars or Spark frame, pyarrow.Table or DuckDB relation
        Actions of many periods.
    periods : pandas.DataFrame, optional
        The periods to chart; actions of others are left out, and ``attrs["note"]`` says how many. By default those of the
        actions, each beginning with its first action.
    measure : {"ai_rate", "reroute_rate", "on_time", "p50", "p90", "actions"}
        What to chart. Cancellations do not count in ``on_time``, ``p50`` and ``p90``.
    by : str, Series, callable or list of these, optional
        What to group by, see `periodkit.cycle_times`: a chart for each group.
    stage : {"cycle", "dispatch", "pickup", "response", "work"}
        Which stage ``on_time``, ``p50`` and ``p90`` are of.
    target : timedelta or str, optional
        The promised time of ``on_time``.
    baseline : int
        How many periods with a value, from the first, set centre and limits, which are then held.
    rebase : int or str, optional
        Id or name of a period from which centre and limits are taken anew, after a known change.
    as_of : datetime, Timestamp or ISO 8601 text, optional
        Replay that moment; by default each row's ``fetched_at``.
    resolution : {None, "ms", "s", "us", "min"}
        Unit in which ``p50`` and ``p90`` are counted, see `periodkit.cycle_times`; for ``on_time`` see `periodkit.on_time`.

    Returns
    -------
    pandas.DataFrame
        One row per group and period, in order of start: the keys; ``period_id, period_name, start_date``; ``n``, on how
        many actions the value rests; ``value``, ``center``, ``lower``, ``upper`` (timedeltas for quantiles, else floats);
        ``sigma_z`` (how much more a share scatters than the binomial law says); ``phase`` (``baseline``, ``monitored``, or
        ``trial`` while the baseline is not full); ``outside`` (beyond a limit), ``run`` (one of 7 or more on one side of the
        centre), ``trend`` (one of 7 or more that rise or fall), ``near`` (two of three beyond 2 of 3 sigma), and ``signal``
        (any of these). A period without a value has no limits and no flags, and runs go on across it. Of a measure of
        times, ``attrs["resolution"]`` names the resolution.

    Raises
    ------
    SchemaError
        A needed column is missing or does not hold UTC times.
    ArgumentError
        An argument is not one of those it takes.

    Notes
    -----
    Shares: Laney (2002), Quality Engineering 14, 531-537. Times and counts: individual values with limits from their
    moving ranges, on the logarithm (Wheeler 1993). Runs, trends and points near a limit as NHS England has them (Making
    Data Count). Limits are 3 sigma.

    Examples
    --------
    >>> import periodkit as pk
    >>> with pk.demo_client() as client:
    ...     periods = client.periods()
    ...     actions = client.actions(periods)
    >>> chart = season(actions, periods, "ai_rate")
    >>> len(chart), chart["phase"].value_counts().to_dict()
    (26, {'monitored': 14, 'baseline': 12})
    >>> chart.loc[chart["signal"], "period_name"].iloc[-1]
    'Harbour Park v Old Quay'
    """
    names = grouping(by, [*_COLUMNS, *_FLAGS])
    if measure not in _MEASURES:
        raise ArgumentError(f"measure is {measure!r}; it takes one of {', '.join(_MEASURES)}.")
    if (measure == "on_time") != (target is not None):
        says = "on_time needs a target" if target is None else f"{measure} takes no target; on_time does"
        raise ArgumentError(f'target is {target!r}: {says}. Give target="20min" with measure="on_time".')
    check_count(baseline, "baseline", 1)
    given = actions if as_of is None else _existing(actions, as_of, names)
    order = _periods_of(given) if periods is None else ordered_periods(periods)
    require_same_ids(open_frame(given, ["period_id"], ["period_id"]), order)
    require_one_venue(given, order if periods is None else periods)
    start = None if rebase is None else position_of(rebase, order, "rebase")
    counted = _count(given, measure, [*names, "period_id"], stage, target, as_of, resolution)
    groups, (hits, n) = lay_out(counted.keys, [counted.hits, counted.n], names, order)
    parts = [_chart(measure, *each, baseline, start) for each in zip(hits, n, strict=True)]
    parts = parts or [_chart(measure, hits.ravel(), n.ravel(), baseline, None)]
    keys = groups.loc[groups.index.repeat(len(order))].reset_index(drop=True)
    if isinstance(actions, pd.DataFrame):
        keys = keys.astype({name: actions[name].dtype for name in names})
    when = pd.concat([order] * max(len(groups), 1), ignore_index=True).iloc[: len(keys)]
    chart = pd.concat([keys, when, pd.concat(parts, ignore_index=True)], axis=1)
    chart.attrs |= counted.attrs
    elsewhere = ~counted.keys["period_id"].isin(order["period_id"]).to_numpy()
    if elsewhere.any():
        what = "counts of actions" if SHARED in column_names(given) else "actions"  # which may be of several groups
        note = f"Left out: {counted.actions[elsewhere].sum():,} {what} whose period is not among those given."
        chart.attrs["note"] = " ".join(filter(None, [counted.attrs.get("note"), note]))
    return chart


class _Counted(NamedTuple):
    """By group and period: the hits of a share, else the value, on how many it rests, and how many actions there are."""

    keys: pd.DataFrame
    hits: Floats
    n: Floats
    actions: NDArray[np.int64]
    attrs: dict[Hashable, Any]


def _count(
    actions: Any,  # noqa: ANN401
    measure: str,
    keys: list[str],
    stage: str,
    target: str | timedelta | None,
    as_of: AsOf | None,
    resolution: str | None,
) -> _Counted:
    """Make one pass over the actions, whose keys are columns by now."""
    if measure == "actions":
        table = count_flags(actions, {}, keys)
        hits = n = table["n"].to_numpy(dtype=np.float64)
    elif measure in _QUANTILES:
        table = unwrap(cycle_times)(actions, keys, stage, [_QUANTILES[measure]], as_of=as_of, resolution=resolution)
        hits = 1e6 * table[measure].dt.total_seconds().to_numpy(dtype=np.float64)
        n = table["used"].to_numpy(dtype=np.float64)
    else:
        shares: Mapping[str, Callable[[], pd.DataFrame]] = {
            "ai_rate": lambda: unwrap(ai_dispatch_rate)(actions, keys),
            "reroute_rate": lambda: unwrap(reroute_rate)(actions, keys),
            "on_time": lambda: unwrap(on_time)(actions, target or "", stage, keys, as_of=as_of, resolution=resolution),
        }
        table = shares[measure]()
        hits, misses = (table[name].to_numpy(dtype=np.float64) for name in _SHARES[measure])
        n = hits + misses
    return _Counted(table[keys], hits, n, table["n"].to_numpy(), table.attrs)


def lay_out(
    keys: pd.DataFrame, counts: Sequence[Floats], names: Sequence[str], order: pd.DataFrame
) -> tuple[pd.DataFrame, list[Floats]]:
    """Return the groups of counts by group and period, and each count as a row a group and a column a period.

    Parameters
    ----------
    keys : pandas.DataFrame
        The key columns, ``period_id`` among them, sorted.
    counts : sequence of arrays
        One entry per row of `keys`.
    names : sequence of str
        The key columns without ``period_id``.
    order : pandas.DataFrame
        Periods, as `ordered_periods` returns them; rows of others are left out. Where there are no actions stands 0.
    """
    column = pd.Index(order["period_id"].astype("object")).get_indexer(pd.Index(keys["period_id"].astype("object")))
    rows = np.flatnonzero(column >= 0)
    kept, groups = keys.iloc[rows], pd.DataFrame(index=range(1))
    code: NDArray[np.integer[Any]] = np.zeros(len(rows), dtype=np.int64)
    if names:
        # Keys come sorted with nulls last, and stay so.
        grouped = kept.groupby(list(names), dropna=False, sort=False, observed=True)
        code = grouped.ngroup().to_numpy(dtype=np.int64)
        groups = kept[list(names)].iloc[np.unique(code, return_index=True)[1]].reset_index(drop=True)
    matrices = [np.zeros((len(groups), len(order)), dtype=np.float64) for _ in counts]
    for matrix, values in zip(matrices, counts, strict=True):
        matrix[code, column[rows]] = values[rows]
    return groups, matrices


def _chart(measure: str, hits: Floats, n: Floats, baseline: int, rebase: int | None) -> pd.DataFrame:
    timed = measure in _QUANTILES
    if measure in _SHARES:
        chart = laney_chart(hits.astype(np.int64), n.astype(np.int64), baseline, rebase)
    else:
        chart = log_xmr_chart(hits, baseline, rebase, _LONGEST if timed else np.inf)
    lines = {name: getattr(chart, name) for name in _LINES}
    columns = {
        "n": n.astype(np.int64),
        **{name: as_timedelta(line, 1) if timed else line for name, line in lines.items()},
        "sigma_z": chart.sigma_z,
        "phase": pd.Series(chart.phase, dtype="str"),
        **{name: getattr(chart, name) for name in _FLAGS},
    }
    return pd.DataFrame(columns)


def _existing(actions: Any, as_of: AsOf, names: tuple[str, ...]) -> Any:  # noqa: ANN401
    """Return what the charts need of the actions that were there at a moment."""
    columns = [
        *MILESTONES,
        "status",
        "fetched_at",
        "period_id",
        "period_name",
        "ai_dispatched",
        "channel",
        "latest_channel",
        VENUE,
    ]
    frame = open_frame(actions, dict.fromkeys([*columns, *names]), ["created_time"])
    return hand_on(existing(frame, as_of))


def _periods_of(actions: Any) -> pd.DataFrame:  # noqa: ANN401
    """Return the periods of actions; each is taken to begin with its first action."""
    columns = ["period_id", "period_name", "created_time"]
    frame = in_utc(open_frame(actions, columns, columns), ["created_time"])
    if isinstance(frame.collect_schema()["period_name"], nw.Categorical | nw.Enum):
        # Engines disagree on which of an enumeration is last.
        frame = frame.with_columns(nw.col("period_name").cast(nw.String))
    found = frame.group_by("period_id").agg(nw.col("period_name").max(), start_date=nw.col("created_time").min())
    table = collect(found)
    # DuckDB shows times in the session's zone.
    table = table.set_column(2, "start_date", table["start_date"].cast(UTC_MICROS))
    periods = table.to_pandas(types_mapper=MASKED.get)
    if isinstance(actions, pd.DataFrame):  # a column without values has lost its kind
        periods = periods.astype({name: actions[name].dtype for name in columns[:2]})
    return ordered_periods(periods)
