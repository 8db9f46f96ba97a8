"""Where actions piled up: how many had reached each milestone by each time."""

from __future__ import annotations

from datetime import tzinfo
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from periodkit._arguments import AsOf, Zone, zone
from periodkit.frames import ActionsFrame, in_pandas
from periodkit.metrics.tally import EXCLUDED
from periodkit.milestones import MILESTONES
from periodkit.plots import _drawing as draw
from periodkit.wording import count, joined, listed, percent, sentences, was_or_were

__all__ = ["cumulative_flow"]

_BANDS = ("unassigned", "assigned", "being worked on")
_LOOKS: tuple[dict[str, Any], ...] = (
    {"facecolor": "#E69F00"},
    {"facecolor": "#56B4E9", "hatch": "////", "edgecolor": "#2B7CB0"},
    {"facecolor": "#0072B2"},
    {"facecolor": "#E4E4E4"},
)

_INKS = ("#8A5F00", "#2B7CB0", "#0072B2", draw.MUTED)
_MOST_STEPS = 5000


@draw.styled
def cumulative_flow(
    actions: ActionsFrame,
    periods: pd.DataFrame | None = None,
    tz: str | tzinfo | None = None,
    as_of: AsOf | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw how many actions had been created, assigned, begun and closed by each time.

    The height of a band is the number of actions waiting there, its width the time they waited. An action has passed a
    milestone once it has reached that one or a later one, so a skipped stage takes no time.

    Parameters
    ----------
    actions, periods, tz, as_of, ax
        As in `event_ribbon`; the plot ends at `as_of` at the latest.

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
    ...     actions = client.actions(client.periods().tail(1))
    >>> ax = pk.plots.cumulative_flow(actions)
    >>> [line.get_label() for line in ax.get_lines()][:4]
    ['created', 'assigned', 'begun', 'closed']
    >>> ax.figure.clear()
    """
    where = zone(tz)
    frame = in_pandas(actions, draw.NEEDED)
    single = draw.replay(frame, "cycle", as_of)
    chosen = draw.periods_of(frame, periods)
    states = single["state"].value_counts()
    out = draw.left_out({name: int(states.get(name, 0)) for name in EXCLUDED})
    single = single[single["state"].isin(["event", "canceled", "open"])]
    if not len(single):
        reason = draw.nothing_of(len(frame), "can be placed in time")
        return draw.explain(ax, "Actions by how far they had come", reason, out)
    begin, end = draw.view(single["created_time"], single["closed_time"], chosen)
    # Drawn further, the unknown would look as if nothing had happened.
    limits = begin, min(end, max(float(draw.numbers(single["seen"]).max()), begin + 1 / 1440))
    moments, reached = _reached(single, limits[1])
    ax = draw.open_axes(ax)
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
            color=draw.INK,
            linewidth=1.2,
            linestyle=style,
            label=name,
            zorder=3,
        )
    ax.set_xlim(*limits)
    ax.set_ylim(0, 1.03 * float(reached[0].max()))
    marked, unmarked = draw.mark_times(ax, chosen, limits)
    draw.clock(ax, where)
    ax.yaxis.set_major_locator(MaxNLocator(6, integer=True))
    ax.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    ax.yaxis.grid(visible=True, color=draw.FAINT, linewidth=0.8)
    ax.set_ylabel("actions so far")
    ends = [int(reached[at][np.searchsorted(moments, limits[1], side="right") - 1]) for at in range(4)]
    now = [*(ends[at] - ends[at + 1] for at in range(3)), ends[3]]
    # Labels of empty bands keep the order of the bands.
    middles = [(ends[at] + ends[at + 1]) / 2 for at in range(3)] + [ends[3] / 2]
    heights = [middle - 1e-6 * at for at, middle in enumerate(middles)]
    labels = [f"{name} {n:,}" for name, n in zip((*_BANDS, "closed"), now, strict=True)]
    draw.beside(ax, heights, labels, list(_INKS))
    title, most = _title(single, len(frame), moments, reached, where)
    until = draw.at_clock(pd.Timestamp(draw.local(limits[1], where)), where)
    parts = [f"n = {len(single):,}", "closed: includes canceled", f"on the right: at {until}", unmarked, out]
    alt = sentences(
        f"How many of {count(len(single))} had been created, assigned, begun and closed by each time",
        title,
        most,
        f"At {until} ({where[1]}): {', '.join(labels)}",
        f"Markers: {listed(marked)}" if marked else "",
        out,
    )
    return draw.finish(ax, title, joined(parts), alt)


def _reached(single: pd.DataFrame, end: float) -> tuple[draw.Floats, list[draw.Floats]]:
    """Return the moments at which something happened, and how many actions had reached each milestone by then."""
    times = [draw.numbers(single[name]) for name in MILESTONES]
    for at in (2, 1, 0):
        times[at] = np.fmin(times[at], times[at + 1])
    moments = np.unique(np.concatenate([*(column[np.isfinite(column)] for column in times), [end]]))
    # No screen shows more steps than this.
    moments = np.unique(np.r_[moments[:: -(len(moments) // _MOST_STEPS + 1)], end])
    reached = [np.sort(column[np.isfinite(column)]) for column in times]
    return moments, [np.searchsorted(column, moments, side="right").astype(np.float64) for column in reached]


def _title(
    single: pd.DataFrame, n: int, moments: draw.Floats, reached: list[draw.Floats], where: Zone
) -> tuple[str, str]:
    waiting = reached[0] - reached[2]
    at = int(waiting.argmax())
    most = int(waiting[at])
    when = draw.at_clock(pd.Timestamp(draw.local(float(moments[at]), where)), where)
    text = f"The most were waiting to be begun at {when}: {most:,}" if most else "None had to wait"
    left = single[single["state"] == "open"]
    if not len(left):
        if len(single) == 1:
            return f"{draw.the_only(n)} was closed", text
        tail = f"at most {most:,} {was_or_were(most)} waiting to be begun at once" if most else "none had to wait"
        return f"All of {count(len(single))} were closed; {tail}", text
    unassigned = int((left["assigned_time"].isna() & left["doing_time"].isna()).sum())
    idle = int((left["assigned_time"].notna() & left["doing_time"].isna()).sum())
    if len(single) == 1:
        stands = "unassigned" if unassigned else "assigned and not begun" if idle else "being worked on"
        return f"{draw.the_only(n)} is still open: {stands}", text
    return (
        f"{len(left):,} of {count(len(single))} ({percent(len(left) / len(single))}) still open: {unassigned:,} "
        f"unassigned, {idle:,} assigned, {len(left) - unassigned - idle:,} being worked on"
    ), text
