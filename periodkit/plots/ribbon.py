"""What came, what went, and what was in progress through an event."""

from __future__ import annotations

from datetime import tzinfo

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from periodkit._moment import AsOf
from periodkit.metrics.flow import workload
from periodkit.metrics.outcomes import as_micros
from periodkit.plots._canvas import FAINT, INK, MUTED, check_actions, explain, finish, nothing_of, open_axes, styled
from periodkit.plots._event import mark_times, shade_after
from periodkit.plots._replay import at_clock, periods_of, replay, view
from periodkit.plots._scales import Floats, clock, numbers, zone
from periodkit.plots._stages import left_out
from periodkit.plots._text import be, count, listed

__all__ = ["event_ribbon"]

_IN, _OUT = "#0072B2", "#E69F00"


@styled
def event_ribbon(
    actions: pd.DataFrame,
    periods: pd.DataFrame | None = None,
    freq: str = "5min",
    tz: str | tzinfo | None = None,
    as_of: AsOf | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw arrivals upwards, departures downwards, and the actions in progress as a line over them.

    Parameters
    ----------
    actions : pandas.DataFrame
        An actions frame.
    periods : pandas.DataFrame, optional
        Periods of these actions: their markers are drawn, and their time is what is looked at.
    freq : str
        Width of a bar, such as ``"5min"``.
    tz : str or tzinfo, optional
        The venue's zone, such as ``"Europe/London"``; by default UTC. The axis names it.
    as_of : datetime, Timestamp or ISO 8601 text, optional
        Replay that moment; by default each row's ``fetched_at``. What lies after it is shaded.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default on a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The Axes drawn on.

    Raises
    ------
    SchemaError
        A needed column is missing or does not hold UTC times.
    ArgumentError
        An argument is not one of those it takes.

    Examples
    --------
    >>> import periodkit as pk
    >>> with pk.demo_client() as client:
    ...     periods = client.periods().tail(1)
    ...     actions = client.actions(periods)
    >>> ax = pk.plots.event_ribbon(actions, periods, tz="Europe/London")
    >>> ax.get_xlabel()
    'time (Europe/London)'
    >>> ax.figure.clear()
    """
    where = zone(tz)
    width = as_micros(freq, "freq") / 86_400e6
    found = workload(check_actions(actions), freq, as_of)
    chosen = periods_of(actions, periods)
    if not len(found):
        reason = nothing_of(len(actions), "can be placed in time")
        return explain(ax, "Arrivals, departures and actions in progress", reason)
    single = replay(actions, "cycle", as_of)
    single = single[single["state"].isin(["event", "canceled", "open"])]
    limits = view(single["created_time"], single["closed_time"], chosen)
    start = numbers(found["time"])
    seen = (start + width > limits[0]) & (start < limits[1])
    shown = found[seen]
    edges = np.r_[start[seen], start[seen][-1] + width]
    ax = open_axes(ax)
    _bars(ax, shown, edges, float(numbers(single["seen"]).max()))
    ax.set_xlim(*limits)
    moment = single["seen"].max()
    shade_after(ax, moment, limits)
    marked = mark_times(ax, chosen, limits)
    clock(ax, where)
    ax.yaxis.set_major_locator(MaxNLocator(7, integer=True))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{abs(value):,.0f}"))
    ax.yaxis.grid(visible=True, color=FAINT, linewidth=0.8)
    ax.set_ylabel(f"actions; bars: per {freq}")
    peak = found.iloc[int(found["in_progress_max"].argmax())]
    busiest = found.iloc[int(found["arrivals"].argmax())]
    n = int(found["n"].iloc[0])
    open_now = int((single["state"] == "open").sum())
    title = (
        f"At most {int(peak['in_progress_max']):,} of {count(n)} {be(n)} in progress at once, "
        f"around {at_clock(peak['time'], where)}"
    )
    beyond = (
        int(found["arrivals"].sum() - shown["arrivals"].sum()),
        int(found["departures"].sum() - shown["departures"].sum()),
    )
    outside = listed([f"{beyond[0]:,} arrivals" if beyond[0] else "", f"{beyond[1]:,} departures" if beyond[1] else ""])
    parts = [
        f"n = {n:,}, of which {open_now:,} still open",
        f"outside the picture: {outside}" if outside else "",
        left_out(found.iloc[0]),
    ]
    alt = (
        f"{title}. Most arrivals per {freq}: {int(busiest['arrivals']):,} from {at_clock(busiest['time'], where)}. In the "
        f"picture {int(shown['arrivals'].sum()):,} arrived and {int(shown['departures'].sum()):,} departed. "
        f"{open_now:,} were still open at {at_clock(moment, where)} ({where[1]}). "
        + (f"Markers: {listed(marked)}. " if marked else "")
        + (f"Outside the picture: {outside}. " if outside else "")
        + left_out(found.iloc[0])
    )
    return finish(ax, title, " · ".join(filter(None, parts)), alt)


def _bars(ax: Axes, shown: pd.DataFrame, edges: Floats, seen: float) -> None:
    came, went = (shown[name].to_numpy(dtype=np.float64) for name in ("arrivals", "departures"))
    running = shown["in_progress"].to_numpy(dtype=np.float64)
    ax.stairs(came, edges, fill=True, color=_IN, label="arrivals", zorder=2)
    ax.stairs(-went, edges, fill=True, facecolor=_OUT, edgecolor="#8A5F00", hatch="////", label="departures", zorder=2)
    # The line is at each bar's end, but not later than anything was known.
    ends = np.minimum(edges[1:], max(seen, edges[0]))
    ax.plot(ends, running, drawstyle="steps-post", color=INK, linewidth=1.6, label="in progress", zorder=3)
    ax.axhline(0, color=MUTED, linewidth=0.8, zorder=3)
    top, bottom = max(came.max(), running.max(), 1.0), max(went.max(), 1.0)
    ax.set_ylim(-max(1.25 * bottom, 0.12 * top), 1.12 * top)
    most = int(running.argmax())
    ax.annotate(
        "in progress",
        (ends[most], running[most]),
        (0, 3),
        textcoords="offset points",
        ha="left" if most < 0.1 * len(running) else "right" if most > 0.9 * len(running) else "center",
        va="bottom",
        fontsize=9,
        color=INK,
        bbox={"facecolor": "white", "alpha": 0.7, "edgecolor": "none", "pad": 0.5},
        zorder=5,
    )
    for text, offset, colour in (("arrivals", 9, _IN), ("departures", -9, "#8A5F00")):
        ax.annotate(
            text,
            (1, 0),
            (6, offset),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            va="center",
            fontsize=9,
            color=colour,
        )
