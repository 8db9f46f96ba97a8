"""How much each person or channel had in hand at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from periodkit._arguments import AsOf
from periodkit.frames import SHARED, UTC_MICROS, collect, grouped, in_utc, open_frame, sort_rows, spelled
from periodkit.metrics.tally import EXCLUDED, TIMED, By, Ints, encode, grouping, sort_keys
from periodkit.metrics.times import as_timedelta
from periodkit.milestones import STATES, checked_stage, enter_stage

__all__ = ["load"]

_ENDS = ("channel", "latest_channel")
_COLUMNS = ("n", "used", *EXCLUDED, "max_open", "max_at", "mean_open", "busy", "shared", "rerouted")


@grouped
def load(
    actions: Any,  # noqa: ANN401  (any engine's frame)
    by: By = "assigned_user_names",
    stage: str = "cycle",
    as_of: AsOf | None = None,
    sort: str | None = None,
) -> pd.DataFrame:
    """Return how many actions each person, or each channel, had in hand at once.

    Parameters
    ----------
    actions : pandas.DataFrame, polars frame, pyarrow.Table or DuckDB relation
        Actions.
    by : str, Series, callable or list of these
        Whose load: ``"assigned_user_names"``, ``"channel"`` or whatever `periodkit.cycle_times` takes. An action counts in
        full for each person it names. `periodkit.pseudonymize` the actions first where people must not be named.
    stage : {"cycle", "dispatch", "pickup", "response", "work"}
        From when to when an action is in hand, see `periodkit.stage_times`: ``"cycle"`` from created to closed, ``"work"``
        from doing to closed. One that leaves the stage in another way is in hand until it was closed or canceled, and an
        open one until it was last seen.
    as_of : datetime, Timestamp or ISO 8601 text, optional
        Replay that moment; by default each row's ``fetched_at``. For a past event pass its end: an action never closed is
        otherwise in hand until it was fetched, and ``busy`` and ``mean_open`` are of months.
    sort : str, optional
        A column of the result to sort by, such as ``"max_open"``, the largest first; by default groups are in order of key.

    Returns
    -------
    pandas.DataFrame
        One row per person, channel or other group: the keys; ``n`` actions, of which ``used``; ``not_started``, ``invalid``,
        ``unknown`` (not used: no start, an impossible length, or no known end); ``max_open``, the most in hand at one
        moment, and ``max_at``, when that was first so (UTC); ``busy``, for how long anything was in hand (timedelta); and
        ``mean_open``, how many on average while anything was. Then what can be seen of handoffs, among the used: ``shared``,
        how many name another item of a list as well, such as another person, and ``rerouted``, how many ended in another
        channel than their first: null where the frame lacks these columns. The API shows the last state only, so both are
        lower bounds. Null where there is nothing to count. Where `by` is a list, ``frame.attrs["note"]`` says that an action
        counts once for each item.

    Raises
    ------
    SchemaError
        A needed column is missing or does not hold UTC times.
    ArgumentError
        An argument is not one of those it takes.

    Notes
    -----
    Exact sums of +1 at each start and -1 at each end, as in `periodkit.workload`: of one moment, arrivals come first.

    Examples
    --------
    >>> import pandas as pd
    >>> t = pd.to_datetime([f"2024-07-01T19:{minute:02}Z" for minute in (0, 4, 6, 10)]).as_unit("us")
    >>> actions = pd.DataFrame({"created_time": t[:2], "closed_time": t[2:], "status": "closed", "fetched_at": t[3],
    ...                         "assigned_user_names": [["Ada"], ["Ada", "Bo"]]})
    >>> load(actions)[["assigned_user_names", "n", "max_open", "mean_open", "shared"]].to_numpy().tolist()
    [['Ada', 2, 2, 1.2, 1], ['Bo', 1, 1, 1.0, 1]]
    """
    chosen = checked_stage(stage)
    names = grouping(by, _COLUMNS)
    needed = dict.fromkeys([chosen.start, chosen.end, "created_time", "closed_time", "status", *names])
    opened = open_frame(actions, dict.fromkeys([*needed, *_ENDS, SHARED, "fetched_at"]), needed)
    frame = in_utc(enter_stage(opened, chosen, as_of, spelled(opened, needed)), [chosen.start])
    wanted, schema = dict.fromkeys([*names, chosen.start, *_ENDS, SHARED]), frame.collect_schema()
    present = {name: own for name, own in zip(wanted, spelled(frame, wanted), strict=True) if own in schema}
    table = collect(frame.select(*present.values(), "_state", "_micros")).rename_columns(
        [*present, "_state", "_micros"]
    )
    keys, code = encode(table, names)
    groups, rank = sort_keys(keys, names, actions)
    code, states = rank[code], table["_state"].to_numpy()
    used = np.isin(states, [STATES.index(name) for name in TIMED])
    counts = {"n": np.ones(len(code)), "used": used} | {name: states == STATES.index(name) for name in EXCLUDED}
    result = groups.assign(**{name: _count(code, flag, len(groups)) for name, flag in counts.items()})
    start = table[chosen.start].cast(UTC_MICROS).cast("int64").filter(pa.array(used)).to_numpy()
    length = table["_micros"].cast("int64").filter(pa.array(used)).to_numpy()
    result = result.assign(**_in_hand(code[used], start, length, len(groups)))
    shared = SHARED in table.column_names  # where a key was a list
    result["shared"] = _whole(code, used & _flag(table, SHARED), len(groups)) if shared else _nulls(len(groups))
    routed = {*_ENDS} <= {*table.column_names}
    if routed:
        moved = pc.not_equal(*(pc.cast(table[name], pa.string()) for name in _ENDS)).fill_null(False).to_numpy()
    result["rerouted"] = _whole(code, used & moved, len(groups)) if routed else _nulls(len(groups))
    return sort_rows(result, sort)


def _in_hand(code: Ints, start: Ints, length: Ints, size: int) -> dict[str, Any]:
    """Return of each group the most at once, when, for how long anything was in hand, and how many then on average."""
    groups = np.concatenate([code, code])
    moment = np.concatenate([start, start + length])
    change = np.repeat([1, -1], len(code))
    order = np.lexsort((-change, moment, groups))
    groups, moment = groups[order], moment[order]
    # Each group begins and ends with nothing in hand, so one running sum serves all.
    running = np.cumsum(change[order])
    gap = np.where(np.diff(groups, append=-1) == 0, np.diff(moment, append=0), 0)
    busy = np.bincount(groups, gap * (running > 0), size)
    held = np.bincount(groups, gap * running, size)
    most = np.zeros(size, dtype=np.int64)
    np.maximum.at(most, groups, running)
    peaks = np.flatnonzero(running == most[groups])
    when = np.full(size, np.iinfo(np.int64).min)
    at, first = np.unique(groups[peaks], return_index=True)
    when[at] = moment[peaks[first]]
    mean = np.divide(held, busy, out=np.full(size, np.nan), where=busy > 0)
    return {
        "max_open": most,
        "max_at": pd.Series(when.view("datetime64[us]")).dt.tz_localize("UTC"),
        "mean_open": mean,
        "busy": as_timedelta(busy, 1),
    }


def _count(code: Ints, flag: Any, size: int) -> Ints:  # noqa: ANN401
    # Counts stay far below 2**53, so the float sums of bincount are exact.
    return np.bincount(code, flag, size).astype(np.int64)


def _whole(code: Ints, flag: Any, size: int) -> pd.Series:  # noqa: ANN401
    return pd.Series(_count(code, flag, size), dtype="Int64")


def _nulls(size: int) -> pd.Series:
    return pd.Series(pd.NA, index=range(size), dtype="Int64")


def _flag(table: pa.Table, name: str) -> Any:  # noqa: ANN401
    return table[name].cast(pa.bool_()).fill_null(False).to_numpy().astype(bool)
