"""How many actions were open at each moment, and how many of them past their target."""

from __future__ import annotations

from datetime import tzinfo
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from periodkit._arguments import AsOf, zone
from periodkit.frames import in_pandas
from periodkit.metrics.tally import EXCLUDED
from periodkit.plots._drawing import (
    COLOURS,
    FAINT,
    INK,
    NEEDED,
    SMALL,
    Floats,
    as_target,
    at_clock,
    clock,
    explain,
    finish,
    left_out,
    local,
    mark_times,
    nothing_of,
    numbers,
    open_axes,
    periods_of,
    replay,
    styled,
    view,
)
from periodkit.wording import count, round_duration, was_or_were

__all__ = ["backlog"]

_DAY = 86_400.0


@styled
def backlog(
    actions: Any,  # noqa: ANN401  (any engine's frame)
    periods: pd.DataFrame | None = None,
    target: Any = None,  # noqa: ANN401
    tz: str | tzinfo | None = None,
    as_of: AsOf | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw how many actions were open at each moment: created, and neither closed nor canceled.

    Parameters
    ----------
    actions : pandas.DataFrame, polars frame, pyarrow.Table or DuckDB relation
        Actions.
    periods : pandas.DataFrame, optional
        Periods of these actions: their markers are drawn, and their time is what is looked at.
    target : timedelta or str, optional
        The promised time from created to closed: those open for longer are drawn as a part of the whole.
    tz : str or tzinfo, optional
        The venue's zone, such as ``"Europe/London"``; by default UTC. The axis names it.
    as_of : datetime, Timestamp or ISO 8601 text, optional
        Replay that moment; by default each row's ``fetched_at``. The picture ends there at the latest.
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
    ...     periods = client.periods()
    ...     actions = client.actions(periods.tail(1))
    >>> ax = pk.plots.backlog(actions, periods, target="30min")
    >>> [line.get_label() for line in ax.get_lines()][:2]
    ['open', 'past the target']
    >>> ax.figure.clear()
    """
    where, limit = zone(tz), as_target(target)
    frame = in_pandas(actions, NEEDED)
    single = replay(frame, "cycle", as_of)
    chosen = periods_of(frame, periods)
    states = single["state"].value_counts()
    out = left_out({name: int(states.get(name, 0)) for name in EXCLUDED})
    single = single[single["state"].isin(["event", "canceled", "open"])]
    if not len(single):
        return explain(ax, "Open actions", nothing_of(len(frame), "can be placed in time"), out)
    begin, end = view(single["created_time"], single["closed_time"], chosen)
    limits = begin, min(end, max(float(numbers(single["seen"]).max()), begin + 1 / 1440))
    came, went = numbers(single["created_time"]), numbers(single["closed_time"])
    moments, number = _open_at(came, went, limits)
    ax = open_axes(ax)
    ax.fill_between(moments, 0, number, step="post", color=COLOURS[5], alpha=0.45, linewidth=0, zorder=2)
    ax.plot(moments, number, drawstyle="steps-post", color=COLOURS[0], linewidth=1.6, label="open", zorder=4)
    late_words = ""
    if limit is not None:
        late = came + limit / _DAY
        stays = ~(went <= late)
        late_at, late_number = _open_at(late[stays], went[stays], limits)
        ax.fill_between(late_at, 0, late_number, step="post", color=COLOURS[1], alpha=0.6, linewidth=0, zorder=3)
        ax.plot(
            late_at,
            late_number,
            drawstyle="steps-post",
            color=COLOURS[1],
            linewidth=1.2,
            label="past the target",
            zorder=4,
        )
        worst = int(late_number.max())
        promised = f"the {round_duration(limit)} target"
        late_words = f"{worst:,} past {promised} at most" if worst else f"none past {promised}"
    ax.set_xlim(*limits)
    ax.set_ylim(0, 1.1 * float(number.max()) + 0.5)
    marked, unmarked = mark_times(ax, chosen, limits)
    clock(ax, where)
    ax.yaxis.set_major_locator(MaxNLocator(6, integer=True))
    ax.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    ax.yaxis.grid(visible=True, color=FAINT, linewidth=0.8)
    ax.set_ylabel("actions open")
    if limit is not None:
        ax.legend(loc="best", fontsize=SMALL)
    top = int(number.argmax())
    when = at_clock(pd.Timestamp(local(float(moments[top]), where)), where)
    ax.plot(moments[top], number[top], "o", color=INK, markersize=5, zorder=5)
    most, last = int(number[top]), int(number[-1])
    until = at_clock(pd.Timestamp(local(limits[1], where)), where)
    title = f"{most:,} {was_or_were(most)} open at once at {when}"
    if late_words:
        title += f", {late_words}"
    parts = [f"n = {len(single):,}", f"at {until}: {last:,} open", unmarked, out]
    alt = (
        f"How many of {count(len(single))} were open at each moment. {title}. At {until} ({where[1]}): {last:,}. "
        + (f"Markers: {', '.join(marked)}. " if marked else "")
        + out
    )
    return finish(ax, title, " · ".join(filter(None, parts)), alt)


def _open_at(came: Floats, went: Floats, limits: tuple[float, float]) -> tuple[Floats, Floats]:
    """Return the moments in view at which the number open changes, and how many are open from each on."""
    gone = went[np.isfinite(went)]
    moment = np.r_[limits[0], came, gone, limits[1]]
    change = np.r_[0.0, np.ones(len(came)), -np.ones(len(gone)), 0.0]
    # Arrivals before departures of one moment, as in `workload`: one that takes no time is open for that moment.
    order = np.lexsort((-change, moment))
    moment, running = moment[order], np.cumsum(change[order])
    inside = (moment >= limits[0]) & (moment <= limits[1])
    return moment[inside], running[inside]
