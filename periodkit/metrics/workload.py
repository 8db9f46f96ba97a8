"""What came in, what went out, and what was in progress."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import narwhals as nw
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from periodkit._arguments import AsOf, as_micros, named
from periodkit.errors import ArgumentError
from periodkit.frames import UTC_MICROS, aggregate, collect, epoch_micros, on_cluster, open_frame
from periodkit.metrics.tally import EXCLUDED, UNITS, checked_resolution
from periodkit.milestones import STAGES, STATES, enter_stage

__all__ = ["workload"]

_NEEDED = ["created_time", "closed_time", "status"]
_DAY = 86_400_000_000
Ints = NDArray[np.int64]


def workload(
    actions: Any,  # noqa: ANN401  (any engine's frame)
    freq: str = "5min",
    as_of: AsOf | None = None,
    resolution: str | None = None,
) -> pd.DataFrame:
    """Return arrivals, departures and work in progress over the clock.

    Exact sums of +1 at each ``created_time`` and -1 at each ``closed_time``, canceled or not; an open action never leaves.
    An action with an absurd time, as `periodkit.stage_times` flags it, is left out and counted as ``invalid``.

    Parameters
    ----------
    actions : pandas, Polars or Spark frame, pyarrow.Table or DuckDB relation
        Actions.
    freq : str
        Length of a bin, such as ``"5min"`` or ``"1h"``. Bins begin at multiples of it since midnight UTC if it divides a
        day, else since the midnight UTC before the first arrival.
    as_of : datetime, Timestamp or ISO 8601 text, optional
        Replay that moment.
    resolution : {None, "ms", "s", "us", "min"}
        Unit in which moments are counted; bins must be whole in it. What arrives and departs within one is in progress
        together. None is ``"ms"`` where the rows are at hand, ``"s"`` on a cluster, see `periodkit.cycle_times`.

    Returns
    -------
    pandas.DataFrame
        One row per bin, without gaps from the first arrival to the last moment at which something came or went; while
        something is still open, to the last moment at which it was seen. ``time`` (the bin's start, UTC); ``arrivals`` and
        ``departures`` within it; ``in_progress`` at its end and ``in_progress_max`` within it; then ``n`` (actions
        counted) and, not counted, ``not_started``, ``invalid`` (closed before created, or an absurd time) and ``unknown``
        (ended, but it is not known when). No rows where nothing was counted. ``attrs["resolution"]`` names the
        resolution.

    Raises
    ------
    SchemaError
        A needed column is missing or does not hold UTC times.
    ArgumentError
        `freq` is no fixed length of time, or makes more than a million bins.

    Examples
    --------
    >>> import pandas as pd
    >>> t = pd.to_datetime(["2024-07-01T19:01Z", "2024-07-01T19:04Z", "2024-07-01T19:12Z"]).as_unit("us")
    >>> actions = pd.DataFrame({"created_time": t[:2], "closed_time": t[1:], "status": "closed", "fetched_at": t[2]})
    >>> workload(actions)[["arrivals", "departures", "in_progress", "in_progress_max"]].to_numpy().tolist()
    [[2, 1, 1, 2], [0, 0, 1, 1], [0, 1, 0, 1]]
    """
    width = _width(freq)
    frame = open_frame(actions, [*_NEEDED, "fetched_at"], _NEEDED)
    resolution = checked_resolution(resolution, frame)
    unit = UNITS[resolution]
    if width % unit:
        raise ArgumentError(f"freq is {named(freq)}, no whole number of units at resolution {resolution!r}.")
    frame = enter_stage(frame, STAGES["cycle"], as_of, _NEEDED)
    came, went, states, seen_open = (_count_moments if on_cluster(frame) else _read_moments)(frame, unit)
    left_out = {name: int(states[STATES.index(name)]) for name in EXCLUDED}
    counted = int(sum(states[STATES.index(name)] for name in _COUNTED))
    columns: dict[str, Any] = dict.fromkeys(
        ("arrivals", "departures", "in_progress", "in_progress_max"), np.zeros(0, np.int64)
    )
    start = np.zeros(0, np.int64)
    if counted:
        # An event fetched months later has no load to show in between, unless something is open until then.
        last = max(came.moment.max(), went.moment.max(initial=came.moment[0]), seen_open)
        start, columns = _bins(came, went, int(last), width)
    time = pd.Series(start.view("datetime64[us]")).dt.tz_localize("UTC")
    load = pd.DataFrame({"time": time, **columns, "n": counted, **left_out})
    load.attrs["resolution"] = resolution
    return load


class _Moments(NamedTuple):
    """Moments in microseconds, and how many actions came or went at each."""

    moment: Ints
    n: Ints


_Read: TypeAlias = tuple[_Moments, _Moments, Ints, int]
_FIRST = np.iinfo(np.int64).min
_COUNTED = ("event", "canceled", "open")
_COUNTED_CODES = [STATES.index(name) for name in _COUNTED]


def _read_moments(frame: Any, unit: int) -> _Read:  # noqa: ANN401
    """Return when each action came and went, how many there are of each state, and when the last open one was seen."""
    table = collect(frame.select("created_time", "closed_time", "_seen", "_state"))
    moments = {name: table[name].cast(UTC_MICROS).cast("int64") for name in ("created_time", "closed_time", "_seen")}
    states = table["_state"].to_numpy()
    counted = np.isin(states, _COUNTED_CODES)
    came = moments["created_time"].filter(counted).to_numpy()
    went = moments["closed_time"].filter(counted).drop_null().to_numpy()
    seen_open = moments["_seen"].filter(states == STATES.index("open")).to_numpy().max(initial=_FIRST)
    came, went = (_Moments(at // unit * unit, np.ones(len(at), dtype=np.int64)) for at in (came, went))
    return came, went, np.bincount(states, minlength=len(STATES)), int(seen_open)


def _count_moments(frame: Any, unit: int) -> _Read:  # noqa: ANN401
    """Return the same, counted where the actions are."""
    found = [
        aggregate(
            frame.with_columns(_at=epoch_micros(frame, nw.col(time)) // unit), ["_state", "_at"], {"_n": nw.len()}
        )
        for time in ("created_time", "closed_time")
    ]
    open_ = frame.filter(nw.col("_state") == STATES.index("open"))
    seen = aggregate(open_, [], {"_last": epoch_micros(frame, nw.col("_seen")).max()})["_last"][0].as_py()
    states = np.zeros(len(STATES), dtype=np.int64)
    np.add.at(states, found[0]["_state"].to_numpy(), found[0]["_n"].to_numpy())
    came, went = (
        _Moments(*(each[name].cast("int64").to_numpy() * factor for name, factor in (("_at", unit), ("_n", 1))))
        for each in (
            each.filter(pc.is_in(each["_state"], pa.array(_COUNTED_CODES, each["_state"].type))).drop_null()
            for each in found
        )
    )
    return came, went, states, _FIRST if seen is None else seen


def _bins(came: _Moments, went: _Moments, end: int, width: int) -> tuple[Ints, dict[str, Ints]]:
    # The bins of a length that divides a day are the same for any data; other bins begin with the first day.
    origin = 0 if _DAY % width == 0 else int(came.moment.min()) // _DAY * _DAY
    came, went, end = _Moments(came.moment - origin, came.n), _Moments(went.moment - origin, went.n), end - origin
    first = int(came.moment.min()) // width
    size = end // width - first + 1
    if size > 1_000_000:
        msg = f"freq makes {size:,} bins; pass a longer one, fewer periods at a time, or an as_of soon after the event."
        raise ArgumentError(msg)
    # Counts stay far below 2**53, so the float sums of bincount are exact.
    arrivals, departures = (
        np.bincount(each.moment // width - first, each.n, minlength=size).astype(np.int64) for each in (came, went)
    )
    in_progress = np.cumsum(arrivals - departures)
    # Arrivals before departures of the same moment: one that takes no time is in progress for that moment.
    moment = np.concatenate([came.moment, went.moment])
    change = np.concatenate([came.n, -went.n])
    order = np.lexsort((-change, moment))
    running = np.cumsum(change[order])
    highest = np.r_[0, in_progress[:-1]]
    np.maximum.at(highest, moment[order] // width - first, running)
    start = (np.arange(size) + first) * width + origin
    counts = {"arrivals": arrivals, "departures": departures, "in_progress": in_progress, "in_progress_max": highest}
    return start, counts


def _width(freq: str) -> int:
    width = as_micros(freq, "freq")
    if width < 1000:
        msg = f"freq is {named(freq)}; a bin is a millisecond or longer."
        raise ArgumentError(msg)
    return width
