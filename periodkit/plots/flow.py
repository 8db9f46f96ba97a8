"""Where actions piled up: how many had reached each milestone by each moment."""

from __future__ import annotations

from datetime import tzinfo
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from periodkit._moment import AsOf
from periodkit.milestones import MILESTONES
from periodkit.plots._canvas import FAINT, INK, check_actions, explain, finish, nothing_of, open_axes, styled
from periodkit.plots._event import mark_times
from periodkit.plots._labels import beside
from periodkit.plots._replay import at_clock, periods_of, replay, view
from periodkit.plots._scales import Floats, clock, numbers, zone
from periodkit.plots._stages import left_out
from periodkit.plots._text import be, count, percent

__all__ = ["cumulative_flow"]

_BANDS = ("unassigned", "assigned", "being worked on")
_LOOKS: tuple[dict[str, Any], ...] = (
    {"facecolor": "#E69F00"},
    {"facecolor": "#56B4E9", "hatch": "////", "edgecolor": "#2B7CB0"},
    {"facecolor": "#0072B2"},
    {"facecolor": "#E4E4E4"},
)


@styled
def cumulative_flow(
    actions: pd.DataFrame,
    periods: pd.DataFrame | None = None,
    tz: str | tzinfo | None = None,
    as_of: AsOf | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw how many actions had been created, assigned, begun and closed by each moment.

    The height of a band is how many were waiting there; its width, how long for. An action counts as past a milestone
    once it has reached that one or a later one, so a skipped stage takes no time.

    Parameters
    ----------
    actions : pandas.DataFrame
        An actions frame.
    periods : pandas.DataFrame, optional
        Periods of these actions: their markers are drawn, and their time is what is looked at.
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
    ...     actions = client.actions(client.periods().tail(1))
    >>> ax = pk.plots.cumulative_flow(actions)
    >>> [line.get_label() for line in ax.get_lines()][:4]
    ['created', 'assigned', 'begun', 'closed']
    >>> ax.figure.clear()
    """
    where = zone(tz)
    single = replay(check_actions(actions), "cycle", as_of)
    chosen = periods_of(actions, periods)
    states = single["state"].value_counts()
    out = left_out({name: int(states.get(name, 0)) for name in ("not_started", "invalid", "unknown")})
    single = single[single["state"].isin(["event", "canceled", "open"])]
    if not len(single):
        reason = nothing_of(len(actions), "can be placed in time")
        return explain(ax, "Actions by how far they had come", reason, out)
    begin, end = view(single["created_time"], single["closed_time"], chosen)
    # What is not known yet would look like nothing happening.
    limits = begin, min(end, max(float(numbers(single["seen"]).max()), begin + 1 / 1440))
    moments, reached = _reached(single, limits[1])
    ax = open_axes(ax)
    floor = np.zeros(len(moments))
    for at in (3, 2, 1, 0):
        look = {"edgecolor": "none"} | _LOOKS[at]
        ax.fill_between(moments, floor, reached[at], step="post", linewidth=0, zorder=2, **look)
        floor = reached[at]
    names = ("created", "assigned", "begun", "closed")
    for at, name in enumerate(names):
        style = ("-", (0, (4, 1.5)), (0, (1, 1)), "-")[at]
        ax.plot(
            moments,
            reached[at],
            drawstyle="steps-post",
            color=INK,
            linewidth=1.2,
            linestyle=style,
            label=name,
            zorder=3,
        )
    ax.set_xlim(*limits)
    ax.set_ylim(0, 1.03 * float(reached[0].max()))
    marked = mark_times(ax, chosen, limits)
    clock(ax, where)
    ax.yaxis.set_major_locator(MaxNLocator(7, integer=True))
    ax.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    ax.yaxis.grid(visible=True, color=FAINT, linewidth=0.8)
    ax.set_ylabel("actions so far")
    ends = [int(reached[at][np.searchsorted(moments, limits[1], side="right") - 1]) for at in range(4)]
    now = [*(ends[at] - ends[at + 1] for at in range(3)), ends[3]]
    # Empty bands are of one height; their labels keep the order of the bands.
    middles = [(ends[at] + ends[at + 1]) / 2 for at in range(3)] + [ends[3] / 2]
    heights = [middle - 1e-6 * at for at, middle in enumerate(middles)]
    labels = [f"{name} {n:,}" for name, n in zip((*_BANDS, "closed"), now, strict=True)]
    beside(ax, heights, labels, [INK] * 4)
    title, most = _title(single, moments, reached, where)
    parts = [f"n = {len(single):,}", "closed: canceled ones as well", "right: at the end of the picture", out]
    alt = (
        f"How many of {count(len(single))} had been created, assigned, begun and closed by each moment. {title}. {most} "
        f"At the end of the picture: {', '.join(labels)}. "
        + (f"Markers: {', '.join(marked)}. " if marked else "")
        + out
    )
    return finish(ax, title, " · ".join(filter(None, parts)), alt)


def _reached(single: pd.DataFrame, end: float) -> tuple[Floats, list[Floats]]:
    """Return the moments at which something happened, and how many had reached each milestone by then."""
    times = [numbers(single[name]) for name in MILESTONES]
    for at in (2, 1, 0):
        times[at] = np.fmin(times[at], times[at + 1])
    moments = np.unique(np.concatenate([*(each[np.isfinite(each)] for each in times), [end]]))
    sorted_times = [np.sort(each[np.isfinite(each)]) for each in times]
    return moments, [np.searchsorted(each, moments, side="right").astype(np.float64) for each in sorted_times]


def _title(single: pd.DataFrame, moments: Floats, reached: list[Floats], where: tuple[tzinfo, str]) -> tuple[str, str]:
    waiting = reached[0] - reached[2]
    at = int(waiting.argmax())
    most = int(waiting[at])
    when = pd.Timestamp(moments[at] * 86_400e6, unit="us", tz="UTC").round("s")
    text = f"Most were waiting to be begun at {at_clock(when, where)}: {most:,}." if most else "None had to wait."
    left = single[single["state"] == "open"]
    if not len(left):
        return (
            f"All of {count(len(single))} {be(len(single))} closed; at most {most:,} {be(most)} waiting to be begun",
            text,
        )
    unassigned = int((left["assigned_time"].isna() & left["doing_time"].isna()).sum())
    idle = int((left["assigned_time"].notna() & left["doing_time"].isna()).sum())
    share = percent(len(left) / len(single))
    return (
        f"{len(left):,} of {count(len(single))} ({share}) still open: {unassigned:,} unassigned, {idle:,} assigned, "
        f"{len(left) - unassigned - idle:,} being worked on"
    ), text
