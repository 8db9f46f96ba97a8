"""When it happened by the venue's clock: columns to group by."""

from __future__ import annotations

from datetime import tzinfo
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from periodkit._arguments import require_columns, require_pandas, zone
from periodkit.errors import ArgumentError
from periodkit.frames.engines import in_utc, open_frame
from periodkit.frames.order import Ints, natural
from periodkit.frames.periods import distinct_periods, markers
from periodkit.frames.venues import require_one_venue

__all__ = ["add_clock"]

_WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]


def add_clock(
    actions: pd.DataFrame,
    periods: pd.DataFrame | None = None,
    tz: str | tzinfo = "Europe/London",
    marker: str = "Kick-off",
) -> pd.DataFrame:
    """Return the actions with when each was created by the venue's clock, so that ``by="hour"`` works everywhere.

    Parameters
    ----------
    actions : pandas.DataFrame
        An actions frame; it is not changed.
    periods : pandas.DataFrame, optional
        Their periods, whose markers give the last two columns.
    tz : str or tzinfo
        The venue's zone. On the nights when clocks change, ``hour`` is what the clock on the wall shows: the hour that comes
        twice in autumn is one hour here. Minutes are real ones on any night.
    marker : str
        The name of the marker to count minutes from.

    Returns
    -------
    pandas.DataFrame
        A copy with these columns at the end, in place of columns of the same name:

        - ``hour``: 0 to 23, local (``Int64``).
        - ``weekday``: Monday to Sunday, local; an ordered category, so that results are in that order.
        - ``date``: the local date as text, such as ``2024-07-01``; after midnight it is the next day.
        - ``minutes_from_marker``: minutes from the marker to the creation, negative before it (``Float64``); from the
          nearest one if a period has several of the name. Null where the period has none, or no time of it.
        - ``phase``: between which markers of its period, such as ``Doors to Kick-off``; an ordered category. Null where the
          period has no marker with a time.

        Null where ``created_time`` is. Without `periods` the last two are left out.

    Raises
    ------
    SchemaError
        A needed column is missing, or ``created_time`` does not hold times in a zone.
    ArgumentError
        `tz` is no zone; or the periods have markers, but none is called `marker`.

    Examples
    --------
    >>> import periodkit as pk
    >>> with pk.demo_client() as client:
    ...     periods = client.periods().tail(1)
    ...     actions = add_clock(client.actions(periods), periods)
    >>> actions["phase"].cat.categories.tolist()
    ['before Doors', 'Doors to Kick-off', 'after Kick-off']
    >>> pk.ai_dispatch_rate(actions, by="hour")["hour"].tolist()[:3]
    [13, 14, 15]
    """
    require_pandas(actions)
    require_columns(actions.columns, ["created_time", *(["period_id"] if periods is not None else [])])
    if periods is not None:
        periods = distinct_periods(periods)
        require_one_venue(actions, periods)
    where, _ = zone(tz)
    created = actions["created_time"]
    if not isinstance(created.dtype, pd.DatetimeTZDtype):
        in_utc(open_frame(actions, ["created_time"]), ["created_time"])  # refuses all others
        created = created.astype(pd.DatetimeTZDtype("us", "UTC"))
    local = created.dt.tz_convert(where)
    added: dict[str, Any] = {
        "hour": local.dt.hour.astype("Int64"),
        "weekday": pd.Categorical(local.dt.day_of_week.map(dict(enumerate(_WEEKDAYS))), _WEEKDAYS, ordered=True),
        "date": local.dt.strftime("%Y-%m-%d").astype("str"),
    }
    if periods is not None:
        added["minutes_from_marker"], added["phase"] = _from_markers(actions, periods, marker)
    return actions.drop(columns=[name for name in added if name in actions.columns]).assign(**added)


def _from_markers(actions: pd.DataFrame, periods: pd.DataFrame, marker: str) -> tuple[pd.Series, pd.Categorical]:
    known = markers(periods).dropna(subset=["marker", "timestamp"]).sort_values("timestamp", kind="stable")
    known = known.drop_duplicates(["period_id", "marker", "timestamp"])
    names = sorted({*known["marker"].astype("str")}, key=natural)
    if names and marker not in names:
        msg = f"marker is {marker!r}, which no period has. Their markers are {', '.join(map(repr, names[:20]))}."
        raise ArgumentError(msg)
    minutes = np.full(len(actions), np.nan)
    phases = np.full(len(actions), None, dtype=object)
    created = actions["created_time"].astype("datetime64[us, UTC]").to_numpy(dtype="datetime64[us]")
    place: dict[str, list[float]] = {}
    rows_of = actions.reset_index(drop=True).groupby("period_id", dropna=True).indices
    for period_id, own in known.groupby("period_id"):
        times = own["timestamp"].to_numpy(dtype="datetime64[us]")
        texts = _phase_names(own["marker"].astype("str").tolist())
        since = [-np.inf, *((times - times[0]) / np.timedelta64(1, "m"))]
        for text, start in zip(texts, since, strict=True):
            place.setdefault(text, []).append(start)
        rows: Ints = np.asarray(rows_of.get(period_id, ()), dtype=np.int64)
        rows = rows[~np.isnat(created[rows])]
        passed = np.searchsorted(times, created[rows], side="right")
        phases[rows] = np.array(texts, dtype=object)[passed]
        wanted = times[(own["marker"] == marker).to_numpy()]
        if len(wanted) and len(rows):
            apart = (created[rows][:, None] - wanted) / np.timedelta64(1, "m")
            minutes[rows] = apart[np.arange(len(rows)), np.abs(apart).argmin(axis=1)]
    order = sorted(place, key=lambda text: (float(np.median(place[text])), natural(text)))
    found = pd.Series(pd.array(minutes, dtype="Float64"), index=actions.index)
    return found, pd.Categorical(phases, categories=order, ordered=True)


def _phase_names(names: list[str]) -> list[str]:
    """Return what lies before, between and after markers."""
    between = [f"{first} to {last}" for first, last in pairwise(names)]
    return [f"before {names[0]}", *between, f"after {names[-1]}"]
