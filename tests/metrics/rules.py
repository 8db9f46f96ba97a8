"""The rules of how an action enters a stage's statistics, one action at a time, in plain Python.

It uses nothing of periodkit, so that a fault in its rules cannot hide.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

STAGES = {
    "dispatch": ("created_time", "assigned_time"),
    "pickup": ("assigned_time", "doing_time"),
    "response": ("created_time", "doing_time"),
    "work": ("doing_time", "closed_time"),
    "cycle": ("created_time", "closed_time"),
}
MINUTE, DAY, ZERO = (pd.Timedelta(minutes=number) for number in (1, 1440, 0))
ENDED = ("closed", "complete", "completed", "done", "finished", "resolved")


def enter(row: dict[str, Any], stage: str, as_of: pd.Timestamp | None) -> tuple[str, pd.Timedelta | None, Any]:
    """Return the state of one action in a stage, its time in it if it has one, and when the action was last seen."""
    names = ("created_time", "assigned_time", "doing_time", "closed_time", "fetched_at")
    given = {name: None if pd.isna(row[name]) else row[name] for name in names}
    times, fetched = dict(given), given["fetched_at"]
    seen = min((each for each in (fetched, as_of) if each is not None), default=None)
    status = "" if pd.isna(row["status"]) else row["status"].replace("\ufeff", "").replace("İ", "i").strip().lower()
    canceled, ended = status.startswith(("canceled", "cancelled")), status in ENDED
    if as_of is not None:
        for name in names[:4]:
            if times[name] is not None and times[name] > as_of:
                times[name] = None
        if given["closed_time"] != times["closed_time"]:
            canceled = ended = False
        if given["created_time"] is not None and given["created_time"] > as_of:
            return "not_started", None, seen
    start, end, closed = (times[name] for name in (*STAGES[stage], "closed_time"))
    if start is None:
        return "not_started", None, seen
    stop = closed if end is None else end
    if any(_is_absurd(each, fetched) for each in (start, stop)):
        return "invalid", None, seen
    if stop is not None:
        return (
            ("invalid", None, seen) if stop < start else (_reached(stage, end, canceled=canceled), stop - start, seen)
        )
    if seen is not None and seen - start < -MINUTE:
        return "invalid", None, seen
    if canceled or ended or seen is None:
        return "unknown", None, seen
    return "open", max(seen - start, ZERO), seen


def _reached(stage: str, end: Any, *, canceled: bool) -> str:
    if end is None:
        return "left" if canceled else "skipped"
    return "canceled" if canceled and stage in ("work", "cycle") else "event"


def _is_absurd(time: Any, fetched: Any) -> bool:
    if time is None:
        return False
    return time.year < 2000 or (fetched is not None and time - fetched > DAY)
