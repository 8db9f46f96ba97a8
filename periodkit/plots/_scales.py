"""Axes that people can read: durations on a log scale in human units, moments in the venue's own time."""

from __future__ import annotations

from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo

import matplotlib.dates as mdates
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator, PercentFormatter
from numpy.typing import ArrayLike, NDArray

from periodkit.errors import ArgumentError
from periodkit.metrics.outcomes import as_micros
from periodkit.plots._canvas import FAINT, INK
from periodkit.plots._text import exact

__all__ = [
    "as_target",
    "clock",
    "duration_axis",
    "duration_limits",
    "event_limits",
    "numbers",
    "seconds",
    "share_axis",
    "target_line",
    "zone",
]

Floats = NDArray[np.float64]

_UNITS = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
# From fine to coarse; the first of which few enough fall into view is taken.
_TICKS = tuple(
    tuple((number * _UNITS[unit], f"{number} {unit}") for unit, numbers in steps.items() for number in numbers)
    for steps in (
        {
            "ms": (1, 2, 5, 10, 20, 50, 100, 200, 500),
            "s": (1, 2, 5, 10, 15, 20, 30, 40),
            "min": (1, 2, 3, 5, 10, 15, 20, 30, 40),
            "h": (1, 2, 3, 4, 6, 8, 12, 16),
            "d": (1, 2, 3, 5, 7, 14, 30, 60, 100, 200, 365, 1000),
        },
        {
            "ms": (1, 10, 100),
            "s": (1, 2, 5, 10, 30),
            "min": (1, 2, 5, 10, 30),
            "h": (1, 2, 4, 12),
            "d": (1, 2, 4, 7, 14, 30, 100, 365, 1000),
        },
        {"ms": (1, 10, 100), "s": (1, 10), "min": (1, 5, 20), "h": (1, 4), "d": (1, 7, 30, 100, 365, 1000)},
        {"ms": (1, 100), "s": (1, 10), "min": (1, 10), "h": (1,), "d": (1, 10, 100, 1000)},
    )
)


def seconds(values: pd.Series) -> Floats:
    """Return timedeltas as seconds; NaT becomes NaN."""
    found: Floats = values.dt.total_seconds().to_numpy(dtype=np.float64, na_value=np.nan)
    return found


def as_target(target: object) -> float | None:
    """Return a target in seconds."""
    if target is None:
        return None
    micros = as_micros(target, "target")
    if not micros:
        msg = f'target is {target!r}; it takes a length of time above zero, such as "15min".'
        raise ArgumentError(msg)
    return micros / 1e6


def duration_limits(values: ArrayLike, margin: float = 1.25) -> tuple[float, float]:
    """Return limits of a log axis around the durations above zero, at least a factor of ten apart."""
    given = np.asarray(values, dtype=np.float64)
    given = given[np.isfinite(given) & (given > 0)]
    if not given.size:
        return 1.0, 3600.0
    low, high = float(given.min()) / margin, float(given.max()) * margin
    stretch = max(np.sqrt(10 / (high / low)), 1.0)
    return low / stretch, high * stretch


def event_limits(time: Floats, events: ArrayLike, extra: ArrayLike = ()) -> tuple[float, float]:
    """Return limits of a log axis around nearly all events, by their durations and numbers, and around `extra`.

    Actions left open for months would squeeze all that happened into a corner.
    """
    number = np.asarray(events, dtype=np.float64)
    # Those of no length are left of any log axis.
    some = (time > 0) & (number > 0)
    if not some.any():
        return duration_limits(np.r_[time, extra])
    order = np.argsort(time[some], kind="stable")
    reached = np.cumsum(number[some][order]) / number[some].sum()
    last = int(some.sum()) - 1
    low, high = (time[some][order][min(int(np.searchsorted(reached, share)), last)] for share in (0.002, 0.995))
    return duration_limits(np.r_[low, high, extra])


def target_line(ax: Axes, side: str, target: float, *, along: float = 0.0, flat: bool = False) -> None:
    """Mark a target on a duration axis, its name at the beginning or the end of the line, along it or (`flat`) across."""
    upright = side == "x"
    (ax.axvline if upright else ax.axhline)(target, color=INK, linewidth=1.3, linestyle=(0, (2, 2)), zorder=1.5)
    at_end = along == 1.0
    if upright:
        place, offset, top = (target, along), (4 if flat else -3, -4 if at_end else 4), at_end
    else:
        place, offset, top = (along, target), (-4 if at_end else 4, 3), False
    ax.annotate(
        f"target {exact(target)}",
        place,
        offset,
        xycoords=("data", "axes fraction") if upright else ("axes fraction", "data"),
        textcoords="offset points",
        rotation=90 if upright and not flat else 0,
        ha="left" if flat or (not upright and not at_end) else "right",
        va="top" if top else "bottom",
        fontsize=9,
        color=INK,
        bbox={"facecolor": "white", "alpha": 0.7, "edgecolor": "none", "pad": 0.5},
        zorder=5,
    )


def duration_axis(ax: Axes, side: str, limits: tuple[float, float], label: str, most: int = 8) -> None:
    """Make an axis one of durations in seconds, on a log scale, marked in seconds, minutes, hours and days."""
    low, high = limits
    if side == "x":
        ax.set_xscale("log", nonpositive="clip")
        ax.set_xlim(low, high)
        ax.set_xlabel(label)
    else:
        ax.set_yscale("log", nonpositive="clip")
        ax.set_ylim(low, high)
        ax.set_ylabel(label)
    views = [[(at, text) for at, text in ticks if low <= at <= high] for ticks in _TICKS]
    gap = (0.68 if side == "x" else 0.35) / most
    shown = next((view for view in views if len(view) <= most and _apart(view, limits, gap)), views[-1])
    axis = ax.xaxis if side == "x" else ax.yaxis
    axis.set_major_locator(FixedLocator([at for at, _ in shown]))
    axis.set_major_formatter(FixedFormatter([text for _, text in shown]))
    axis.set_minor_locator(NullLocator())
    axis.grid(visible=True, color=FAINT, linewidth=0.8)


def _apart(view: list[tuple[float, str]], limits: tuple[float, float], gap: float) -> bool:
    steps = np.diff(np.log([at for at, _ in view])) / np.log(limits[1] / limits[0])
    return bool((steps >= gap).all())


def share_axis(ax: Axes, side: str, label: str, limits: tuple[float, float] = (0.0, 1.0)) -> None:
    """Make an axis one of shares in percent."""
    axis = ax.xaxis if side == "x" else ax.yaxis
    (ax.set_xlim if side == "x" else ax.set_ylim)(*limits)
    axis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol=" %"))
    axis.set_label_text(label)
    axis.grid(visible=True, color=FAINT, linewidth=0.8)


def zone(tz: str | tzinfo | None) -> tuple[tzinfo, str]:
    """Return a time zone and its name; none is UTC."""
    if tz is None:
        return UTC, "UTC"
    if isinstance(tz, tzinfo):
        return tz, str(tz)
    try:
        return ZoneInfo(tz), tz
    except (ValueError, TypeError, OSError, KeyError):
        msg = f'tz is {tz!r}, which is no time zone. Pass an IANA name, such as "Europe/London".'
        raise ArgumentError(msg) from None


def numbers(times: pd.Series) -> Floats:
    """Return moments as matplotlib's days; NaT becomes NaN."""
    micros = times.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy(dtype="datetime64[us]")
    return np.asarray(mdates.date2num(micros), dtype=np.float64)  # type: ignore[no-untyped-call]


def clock(ax: Axes, where: tuple[tzinfo, str], label: str = "time") -> None:
    """Make the x axis one of moments, in a zone that its label names."""
    at, name = where
    locator = mdates.AutoDateLocator(tz=at, minticks=4, maxticks=9)  # type: ignore[no-untyped-call]
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator, tz=at))  # type: ignore[no-untyped-call]
    ax.set_xlabel(f"{label} ({name})")
    ax.xaxis.get_offset_text().set_fontsize(9)
