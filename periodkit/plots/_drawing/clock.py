"""Time axes in the venue's own time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

import matplotlib as mpl
import matplotlib.dates as mdates
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import Formatter, Locator
from numpy.typing import NDArray

from periodkit._arguments import Zone
from periodkit.plots._drawing.canvas import points_of

__all__ = ["Floats", "at_clock", "clock", "date_ticks", "day", "local", "numbers"]

Floats = NDArray[np.float64]

_MINUTE = 1 / 1440
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720)
# Beyond this many days dates say more than hours.
_LONGEST = 4.2


def numbers(times: pd.Series) -> Floats:
    """Return times as matplotlib's days; NaT becomes NaN."""
    micros = times.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy(dtype="datetime64[us]")
    return np.asarray(mdates.date2num(micros), dtype=np.float64)  # type: ignore[no-untyped-call]


def local(number: float, where: Zone) -> datetime:
    """Return the time at one of matplotlib's days, to the second, in a zone."""
    moment = pd.Timestamp(number * 86_400e6, unit="us", tz="UTC").round("s").to_pydatetime()
    return moment.astimezone(where[0])


def day(moment: datetime, *, year: bool = True) -> str:
    """Return the date of a time.

    Examples
    --------
    >>> day(datetime(2024, 7, 1, 19, 0))
    '1 Jul 2024'
    """
    return f"{moment.day} {moment:%b}" + (f" {moment:%Y}" if year else "")


def at_clock(moment: pd.Timestamp, where: Zone, *, date: bool = True) -> str:
    """Return a time on the venue's clock."""
    there = moment.tz_convert(where[0])
    return f"{there:%H:%M}" + (f" on {day(there)}" if date else "")


def clock(ax: Axes, where: Zone, label: str = "time") -> None:
    """Make the x axis a time axis between its current limits, in a zone that its label names."""
    low, high = ax.get_xlim()
    first, last = local(low, where), local(high, where)
    if high - low > _LONGEST:
        most = max(int(points_of(ax)[0] / (5 * _em())), 3)
        locator = mdates.AutoDateLocator(tz=where[0], minticks=2, maxticks=most)  # type: ignore[no-untyped-call]
        ax.xaxis.set_major_locator(locator)
        shown = mdates.ConciseDateFormatter(locator, tz=where[0], show_offset=False)  # type: ignore[no-untyped-call]
        ax.xaxis.set_major_formatter(shown)
    else:
        # matplotlib's own locator loses or repeats an hour in the nights in which clocks change.
        ax.xaxis.set_major_locator(_Hours(ax, where, _em()))
        ax.xaxis.set_major_formatter(_HourNames(where))
    if first.date() == last.date():
        span = f" on {day(first)}"
    else:
        span = f", {day(first, year=first.year != last.year)} to {day(last)}"
    ax.set_xlabel(f"{label}{span} ({where[1]})")


def date_ticks(ax: Axes, start: pd.Series, where: Zone, label: str = "") -> None:
    """Write the dates of periods that stand at 0, 1, ... on the x axis, as many as there is room for.

    The year is under the first date and wherever another begins.
    """
    wide = 0.9 * points_of(ax)[0] / (4.2 * _em())
    step = max(-(-len(start) // max(int(wide), 1)), 1)
    texts: list[str] = []
    year = None
    for moment in start.iloc[::step]:
        if pd.isna(moment):
            texts.append("no date")
            continue
        there = moment.tz_convert(where[0])
        texts.append(day(there, year=False) + ("" if there.year == year else f"\n{there.year}"))
        year = there.year
    ax.set_xticks(np.arange(len(start))[::step], texts)
    ax.set_xlim(-0.8, len(start) - 0.2)
    ax.xaxis.grid(visible=False)
    if label:
        ax.set_xlabel(f"{label} ({where[1]})")


def _em() -> float:
    return float(0.833 * mpl.rcParams["font.size"])


class _Hours(Locator):
    """Every so many minutes of local time, as many as there is room for, also where clocks change."""

    def __init__(self, ax: Axes, where: Zone, em: float) -> None:
        self._ax, self._where, self._em = ax, where, em

    def __call__(self) -> Sequence[float]:
        low, high = sorted(self._ax.get_xlim())
        return self.tick_values(low, high)

    def tick_values(self, vmin: float, vmax: float) -> Sequence[float]:
        most = max(points_of(self._ax)[0] / (4.2 * self._em), 2)
        span = (vmax - vmin) / _MINUTE
        step = next((minutes for minutes in _STEPS if span / minutes <= most), _STEPS[-1])
        # Zones differ by quarters of an hour.
        grain = math.gcd(step, 15)
        at = np.arange(math.ceil(vmin / _MINUTE / grain), math.floor(vmax / _MINUTE / grain + 1e-9) + 1) * grain
        there = [local(minute * _MINUTE, self._where) for minute in at]
        kept = [(time.hour * 60 + time.minute) % step == 0 for time in there]
        return list(at[np.array(kept, dtype=bool)] * _MINUTE)


class _HourNames(Formatter):
    """Local times; the date under the first of each day, and the zone where clocks change."""

    def __init__(self, where: Zone) -> None:
        self._where = where

    def __call__(self, x: float, pos: int | None = None) -> str:  # noqa: ARG002
        return f"{local(x, self._where):%H:%M}"

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        there = [local(value, self._where) for value in values]
        days = len({time.date() for time in there}) > 1
        shifts = len({time.utcoffset() or timedelta() for time in there}) > 1
        texts, before = [], None
        for time in there:
            text = f"{time:%H:%M}"
            if shifts and (before is None or before.utcoffset() != time.utcoffset()):
                text += f"\n{time:%Z}"
            if days and (before is None or before.date() != time.date()):
                text += f"\n{day(time, year=False)}"
            texts.append(text)
            before = time
        return texts
