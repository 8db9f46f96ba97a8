"""What came in, what went out, and what was in progress."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from periodkit._arguments import AsOf, as_micros, named
from periodkit.errors import ArgumentError
from periodkit.frames import UTC_MICROS, collect, open_frame
from periodkit.metrics.tally import EXCLUDED
from periodkit.milestones import STAGES, STATES, enter_stage

__all__ = ["workload"]

_NEEDED = ["created_time", "closed_time", "status"]
_DAY = 86_400_000_000
Ints = NDArray[np.int64]


def workload(
    actions: Any,  # noqa: ANN401  (any engine's frame)
    freq: str = "5min",
    as_of: AsOf | None = None,
) -> pd.DataFrame:
    """Return arrivals, departures and work in progress over the clock.

    Exact sums of +1 at each ``created_time`` and -1 at each ``closed_time``, canceled or not; an open action never leaves.
    An action with an absurd time, as `periodkit.stage_times` flags it, is left out and counted as ``invalid``.

    Parameters
    ----------
    actions : pandas.DataFrame, polars frame, pyarrow.Table or DuckDB relation
        Actions.
    freq : str
        Length of a bin, such as ``"5min"`` or ``"1h"``. Bins begin at multiples of it since midnight UTC if it divides a
        day, else since the midnight UTC before the first arrival.
    as_of : datetime, Timestamp or ISO 8601 text, optional
        Replay that moment.

    Returns
    -------
    pandas.DataFrame
        One row per bin, without gaps from the first arrival to the last moment at which something came or went; while
        something is still open, to the last moment at which it was seen. ``time`` (the bin's start, UTC); ``arrivals`` and
        ``departures`` within it; ``in_progress`` at its end and ``in_progress_max`` within it; then ``n`` (actions
        counted) and, not counted, ``not_started``, ``invalid`` (closed before created, or an absurd time) and ``unknown``
        (ended, but it is not known when). No rows where nothing was counted.

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
    frame = enter_stage(open_frame(actions, [*_NEEDED, "fetched_at"], _NEEDED), STAGES["cycle"], as_of, _NEEDED)
    table = collect(frame.select("created_time", "closed_time", "_seen", "_state"))
    moments = {name: table[name].cast(UTC_MICROS).cast("int64") for name in ("created_time", "closed_time", "_seen")}
    states = table["_state"].to_numpy()
    left_out = {name: int((states == STATES.index(name)).sum()) for name in EXCLUDED}
    counted = np.isin(states, [STATES.index(name) for name in ("event", "canceled", "open")])
    columns: dict[str, Any] = dict.fromkeys(
        ("arrivals", "departures", "in_progress", "in_progress_max"), np.zeros(0, np.int64)
    )
    start = np.zeros(0, np.int64)
    if counted.any():
        came = moments["created_time"].filter(counted).to_numpy()
        went = moments["closed_time"].filter(counted).drop_null().to_numpy()
        # An event fetched months later has no load to show in between, unless something is open until then.
        seen_open = moments["_seen"].filter(states == STATES.index("open")).to_numpy()
        last = max(times.max(initial=came[0]) for times in (came, went, seen_open))
        start, columns = _bins(came, went, int(last), width)
    time = pd.Series(start.view("datetime64[us]")).dt.tz_localize("UTC")
    return pd.DataFrame({"time": time, **columns, "n": int(counted.sum()), **left_out})


def _bins(came: Ints, went: Ints, end: int, width: int) -> tuple[Ints, dict[str, Ints]]:
    # The bins of a length that divides a day are the same for any data; other bins begin with the first day.
    origin = 0 if _DAY % width == 0 else int(came.min()) // _DAY * _DAY
    came, went, end = came - origin, went - origin, end - origin
    first = int(came.min()) // width
    size = end // width - first + 1
    if size > 1_000_000:
        msg = f"freq makes {size:,} bins; pass a longer one, fewer periods at a time, or an as_of soon after the event."
        raise ArgumentError(msg)
    arrivals = np.bincount(came // width - first, minlength=size)
    departures = np.bincount(went // width - first, minlength=size)
    in_progress = np.cumsum(arrivals - departures)
    # Arrivals before departures of the same moment: one that takes no time is in progress for that moment.
    moment = np.concatenate([came, went])
    change = np.repeat([1, -1], [len(came), len(went)])
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
