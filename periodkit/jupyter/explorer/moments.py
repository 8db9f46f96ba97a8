"""The moments of an event that the slider goes along, and where its markers lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from periodkit.frames import markers
from periodkit.wording import clean_label

__all__ = ["Moments", "moments_of"]

_MOST_STEPS = 720
_MINUTES = (1, 2, 5, 10, 15, 30, 60, 120, 360, 720, 1440)


@dataclass(frozen=True, slots=True)
class Moments:
    """Evenly spaced moments along an event; after the last of them comes "as fetched".

    Parameters
    ----------
    start : pandas.Timestamp or None
        The first; None where no time is known, and then there is none.
    step : pandas.Timedelta
        From one to the next.
    steps : int
        How many there are before "as fetched".
    ticks : tuple of (float, str)
        Each marker's place, as a share of the slider, and its name.
    """

    start: pd.Timestamp | None = None
    step: pd.Timedelta = pd.Timedelta(minutes=1)  # noqa: RUF009  (immutable)
    steps: int = 0
    ticks: tuple[tuple[float, str], ...] = ()

    def at(self, position: int) -> pd.Timestamp | None:
        """Return the moment at a position; None is as fetched."""
        return None if self.start is None or position >= self.steps else self.start + position * self.step

    def text(self, position: int) -> str | None:
        """Return the moment at a position as `as_of` takes it."""
        moment = self.at(position)
        return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def moments_of(actions: pd.DataFrame, periods: pd.DataFrame | None, chosen: Sequence[Any]) -> Moments:
    """Return the moments of the last of the periods chosen, from its start until it ended or was fetched.

    Parameters
    ----------
    actions, periods : pandas.DataFrame
        As the explorer was given them.
    chosen : sequence
        Ids of the periods chosen; of none, of all.
    """
    event = _last_period(actions, periods, chosen)
    narrowed = event["period_id"].tolist() if len(event) else [*chosen]
    rows = actions[actions["period_id"].isin(narrowed)] if narrowed and "period_id" in actions.columns else actions
    start, end = _extent(rows, event)
    if pd.isna(start) or pd.isna(end) or end <= start:
        return Moments()
    start = start.floor("min")
    minutes = (end - start) / pd.Timedelta(minutes=1)
    fine = (each for each in _MINUTES if minutes / each <= _MOST_STEPS)
    step = pd.Timedelta(minutes=next(fine, 1440 * (int(minutes / 1440 / _MOST_STEPS) + 1)))
    steps = int((end - start) // step) + 1
    return Moments(start, step, steps, _ticks(event, start, step * steps))


def _last_period(actions: pd.DataFrame, periods: pd.DataFrame | None, chosen: Sequence[Any]) -> pd.DataFrame:
    """Return, of the periods chosen that have actions, the one that began last; no rows where there is none."""
    if periods is None or "period_id" not in actions.columns:
        return pd.DataFrame()
    known = periods[periods["period_id"].isin(actions["period_id"])].dropna(subset=["start_date"])
    if len(chosen):
        known = known[known["period_id"].isin([key for key in chosen if key is not None])]
    return known.sort_values("start_date", kind="stable").tail(1)


def _extent(rows: pd.DataFrame, event: pd.DataFrame) -> tuple[Any, Any]:
    """Return from when until when: the period and nearly all of its actions, up to when they were fetched."""
    # Absurd times, such as 1970 for "none", are far outside of nearly all.
    created = rows["created_time"].dropna()
    first, last = (created.quantile(share) for share in (0.01, 0.99)) if len(created) else (pd.NaT, pd.NaT)
    ended = rows["closed_time"].dropna()
    last = max(last, ended.quantile(0.97)) if len(created) and len(ended) else last
    ends = [event[name].iloc[0] for name in ("start_date", "end_date")] if len(event) else [pd.NaT, pd.NaT]
    start = min((each for each in (first, ends[0]) if not pd.isna(each)), default=pd.NaT)
    end = max((each for each in (last, ends[1]) if not pd.isna(each)), default=pd.NaT)
    seen = rows["fetched_at"].max() if "fetched_at" in rows.columns else pd.NaT
    return start, end if pd.isna(seen) or pd.isna(end) else min(end, seen)


def _ticks(event: pd.DataFrame, start: pd.Timestamp, length: pd.Timedelta) -> tuple[tuple[float, str], ...]:
    if "markers" not in event.columns:
        return ()
    known = markers(event).dropna(subset=["timestamp"])
    places = ((known["timestamp"] - start) / length).tolist()
    names = ["no name" if pd.isna(name) else clean_label(name, 24) for name in known["marker"]]
    return tuple(sorted((place, name) for place, name in zip(places, names, strict=True) if 0 <= place <= 1))
