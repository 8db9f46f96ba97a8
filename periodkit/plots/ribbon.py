"""Arrivals, departures and actions in progress through an event."""

from __future__ import annotations

from datetime import tzinfo

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from periodkit._arguments import AsOf, as_micros, read_moment, zone
from periodkit.errors import ArgumentError
from periodkit.frames import ActionsFrame, in_pandas
from periodkit.metrics import workload
from periodkit.metrics.tally import EXCLUDED
from periodkit.plots import _drawing as draw
from periodkit.wording import count, joined, listed, round_duration, sentences

__all__ = ["event_ribbon"]

_IN, _OUT, _OUT_INK = "#0072B2", "#E69F00", "#8A5F00"
_DAY = 86_400_000_000
# Width of a bar in minutes, and up to how many hours of view it is taken.
_WIDTHS = ((1, 1), (5, 12), (15, 36), (60, 144), (360, 864), (1440, 9600), (10080, np.inf))
_NAMES: dict[float, str] = {60: "hour", 1440: "day", 10080: "week"}
_MOST_BARS = 10_000


@draw.styled
def event_ribbon(
    actions: ActionsFrame,
    periods: pd.DataFrame | None = None,
    freq: str | None = None,
    tz: str | tzinfo | None = None,
    as_of: AsOf | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw arrivals as bars upwards, departures as bars downwards, and the actions in progress as a line.

    The plot shows the time of the periods and of nearly all arrivals and departures; the subtitle counts those outside.

    Parameters
    ----------
    actions, as_of, ax
        As in `cycle_time_ecdf`; what lies after `as_of` is shaded.
    periods : pandas.DataFrame, optional
        The periods of these actions: the plot shows their time and their markers.
    freq : str, optional
        Width of a bar, such as ``"5min"``; by default one that fits the time shown: 1 minute up to an hour, 5 minutes up
        to 12 hours, and so on up to a week.
    tz : str or tzinfo, optional
        The venue's zone, such as ``"Europe/London"``; by default UTC. The axis names it.

    Returns
    -------
    matplotlib.axes.Axes
        The Axes drawn on.

    Raises
    ------
    SchemaError, ArgumentError
        As `cycle_time_ecdf`.

    Examples
    --------
    >>> import periodkit as pk
    >>> with pk.demo_client() as client:
    ...     periods = client.periods().tail(1)
    ...     actions = client.actions(periods)
    >>> ax = pk.plots.event_ribbon(actions, periods, tz="Europe/London")
    >>> ax.get_xlabel()
    'time on 17 May 2025 (Europe/London)'
    >>> ax.figure.clear()
    """
    where = zone(tz)
    width = None if freq is None else as_micros(freq, "freq")
    frame = in_pandas(actions, draw.NEEDED)
    chosen = draw.periods_of(frame, periods)
    everything = draw.replay(frame, "cycle", as_of)
    states = everything["state"].value_counts()
    out = draw.left_out({name: int(states.get(name, 0)) for name in EXCLUDED})
    counted = everything["state"].isin(["event", "canceled", "open"]).to_numpy()
    single = everything[counted]
    if not len(single):
        reason = draw.nothing_of(len(frame), "can be placed in time")
        return draw.explain(ax, "Arrivals, departures and actions in progress", reason, out)
    limits = draw.view(single["created_time"], single["closed_time"], chosen)
    width = _width(limits) if width is None else _checked(width, freq, limits)
    unit = _unit(width)
    moment = single["seen"].max()
    shown = _bins(frame[counted], width, limits, as_of, moment)
    edges = np.r_[draw.numbers(shown["time"]), draw.numbers(shown["time"].tail(1)) + width / _DAY]
    ax = draw.open_axes(ax)
    _bars(ax, shown, edges, float(draw.numbers(single["seen"]).max()))
    ax.set_xlim(*limits)
    draw.shade_after(ax, moment, limits)
    marked, unmarked = draw.mark_times(ax, chosen, limits)
    draw.clock(ax, where)
    ax.yaxis.set_major_locator(MaxNLocator(6, integer=True))
    ax.yaxis.set_major_formatter(FuncFormatter(_size))
    ax.yaxis.grid(visible=True, color=draw.FAINT, linewidth=0.8)
    ax.set_ylabel(f"actions (bars: per {unit})")
    busiest = shown.iloc[int(shown["arrivals"].argmax())]
    n, open_now = len(single), int((single["state"] == "open").sum())
    most, peak = _peak(single, edges)
    title = (
        f"Up to {most:,} of {count(n)} were in progress at once, at {draw.at_clock(peak, where)}"
        if n > 1
        else f"{draw.the_only(len(frame))} was created at {draw.at_clock(peak, where)}"
        + (" and is still open" if open_now else "")
    )
    beyond = (n - int(shown["arrivals"].sum()), n - open_now - int(shown["departures"].sum()))
    outside = listed(
        count(number, noun) for number, noun in zip(beyond, ("arrival", "departure"), strict=True) if number
    )
    parts = [
        f"n = {n:,}, of which {open_now:,} still open",
        f"outside the plot: {outside}" if outside else "",
        unmarked,
        out,
    ]
    alt = sentences(
        title,
        f"Most arrivals per {unit}: {int(busiest['arrivals']):,} from {draw.at_clock(busiest['time'], where)}",
        f"{int(shown['arrivals'].sum()):,} arrivals and {int(shown['departures'].sum()):,} departures are drawn",
        f"Still open at {draw.at_clock(moment, where)} ({where[1]}): {open_now:,}",
        f"Markers: {listed(marked)}" if marked else "",
        f"Outside the plot: {outside}" if outside else "",
        out,
    )
    return draw.finish(ax, title, joined(parts), alt)


def _unit(width: int) -> str:
    hours, rest = divmod(width, 3_600_000_000)
    return _NAMES.get(width / 60e6) or (f"{hours} h" if hours and not rest else round_duration(width / 1e6))


def _size(value: float, _: int | None) -> str:
    return f"{abs(value):,.0f}"


def _width(limits: tuple[float, float]) -> int:
    hours = 24 * (limits[1] - limits[0])
    return next(minutes for minutes, most in _WIDTHS if hours <= most) * 60_000_000


def _checked(width: int, freq: str | None, limits: tuple[float, float]) -> int:
    bars = (limits[1] - limits[0]) * _DAY / max(width, 1)
    if bars > _MOST_BARS:
        msg = f"freq is {freq!r}, which makes {bars:,.0f} bars. Pass a longer one, or None to have one chosen."
        raise ArgumentError(msg)
    return width


def _bins(
    frame: pd.DataFrame, width: int, limits: tuple[float, float], as_of: AsOf | None, seen: pd.Timestamp
) -> pd.DataFrame:
    """Return the workload in the bins in view, up to the last moment at which anything was known."""
    begin, end = (pd.Timestamp(int(limit * _DAY), unit="us", tz="UTC") for limit in limits)
    # Replaying a bin after the end of the view leaves the counts within it as they are.
    cut = end + pd.Timedelta(width, unit="us")
    asked = None if as_of is None else pd.Timestamp(read_moment(as_of, "as_of", ArgumentError))
    found = workload(frame, f"{width}us", cut if asked is None else min(asked, cut))
    found = found.set_index(found["time"].dt.as_unit("us"))
    bar = pd.Timedelta(width, unit="us")
    origin = found.index[0]
    first, last = (origin + max((moment - origin) // bar, 0) * bar for moment in (begin, min(seen, end)))
    bins = pd.date_range(first, max(first, last), freq=bar)
    shown = found.reindex(bins)
    shown["in_progress"] = shown["in_progress"].ffill()
    shown["in_progress_max"] = shown["in_progress_max"].fillna(shown["in_progress"])
    return shown.fillna({"arrivals": 0, "departures": 0}).assign(time=bins).reset_index(drop=True)


def _peak(single: pd.DataFrame, edges: draw.Floats) -> tuple[int, pd.Timestamp]:
    """Return the most actions in progress within the view, and the first moment of it."""
    came, went = single["created_time"], single["closed_time"].dropna()
    moments = pd.concat([came, went], ignore_index=True)
    change = np.repeat([1, -1], [len(came), len(went)])
    days = draw.numbers(moments)
    # Arrivals before departures of the same moment, as `workload` counts them.
    order = np.lexsort((-change, days))
    running, at = np.cumsum(change[order]), days[order]
    # Actions in progress when the view begins count too.
    first, last = (int(np.searchsorted(at, edge, side="left")) for edge in (edges[0], edges[-1]))
    start = max(first - 1, 0)
    most = start + int(running[start:last].argmax())
    begin = pd.Timestamp(edges[0] * _DAY, unit="us", tz="UTC").round("s")
    return int(running[most]), max(moments.iloc[order[most]], begin)


def _bars(ax: Axes, shown: pd.DataFrame, edges: draw.Floats, seen: float) -> None:
    came, went = (shown[name].to_numpy(dtype=np.float64) for name in ("arrivals", "departures"))
    running = shown["in_progress"].to_numpy(dtype=np.float64)
    ax.stairs(came, edges, fill=True, color=_IN, label="arrivals", zorder=2)
    ax.stairs(-went, edges, fill=True, facecolor=_OUT, edgecolor=_OUT_INK, hatch="////", label="departures", zorder=2)
    # The line is at each bar's end, but not later than anything was known.
    ends = np.minimum(edges[1:], max(seen, edges[0]))
    mark = "o" if len(ends) == 1 else ""
    ax.plot(
        ends,
        running,
        drawstyle="steps-post",
        color=draw.INK,
        linewidth=1.6,
        marker=mark,
        markersize=4,
        label="in progress",
        zorder=3,
    )
    ax.axhline(0, color=draw.MUTED, linewidth=0.8, zorder=3)
    top, bottom = max(came.max(), running.max(), 1.0), max(went.max(), 1.0)
    ax.set_ylim(-max(1.25 * bottom, 0.12 * top), 1.12 * top)
    most = int(running.argmax())
    # Above the peak, on the side with more room.
    place = (ends[most] - edges[0]) / (edges[-1] - edges[0])
    draw.write(
        ax,
        "in progress" if running[most] else "",
        (ends[most], running[most]),
        (-4 if place > 0.15 else 4, 2),
        boxed=True,
        ha="right" if place > 0.15 else "left",
        va="bottom",
        zorder=5,
    )
    for text, up, colour in (("arrivals", True, _IN), ("departures", False, _OUT_INK)):
        draw.write(ax, text, (1, 0), (6, 2 if up else -2), draw.BESIDE, va="bottom" if up else "top", color=colour)
