"""When it was slow: every action at its moment, by how long it took."""

from __future__ import annotations

from datetime import tzinfo
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from periodkit._moment import AsOf
from periodkit.metrics.times import cycle_times
from periodkit.milestones import STAGES
from periodkit.plots._canvas import MUTED, check_actions, explain, finish, nothing_of, open_axes, styled
from periodkit.plots._event import mark_times, shade_after
from periodkit.plots._replay import periods_of, replay, view
from periodkit.plots._scales import as_target, clock, duration_axis, duration_limits, numbers, target_line, zone
from periodkit.plots._stages import DONE, axis_label, left_out, noun
from periodkit.plots._text import count, duration, exact, percent

__all__ = ["cycle_scatter"]

_KINDS: dict[str, dict[str, Any]] = {
    "AI-dispatched": {"color": "#0072B2", "marker": "o"},
    "not AI-dispatched": {"color": "#D55E00", "marker": "s"},
    "dispatch unknown": {"color": "#595959", "marker": "x"},
}


@styled
def cycle_scatter(
    actions: pd.DataFrame,
    periods: pd.DataFrame | None = None,
    stage: str = "cycle",
    target: Any = None,  # noqa: ANN401
    tz: str | tzinfo | None = None,
    as_of: AsOf | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw each action at the moment its stage began, by how long it took; open ones as triangles at their age.

    Parameters
    ----------
    actions : pandas.DataFrame
        An actions frame.
    periods : pandas.DataFrame, optional
        Periods of these actions: their markers are drawn, and their time is what is looked at.
    stage : {"cycle", "dispatch", "pickup", "response", "work"}
        Between which milestones.
    target : timedelta or str, optional
        A promised time to mark, such as ``"15min"``.
    tz : str or tzinfo, optional
        The venue's zone, such as ``"Europe/London"``; by default UTC. The axis names it.
    as_of : datetime, Timestamp or ISO 8601 text, optional
        Replay that moment; by default each row's ``fetched_at``. What lies after it is shaded.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default on a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The Axes drawn on. Canceled actions, and those that left the stage without reaching its end, are not drawn.

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
    >>> ax = pk.plots.cycle_scatter(actions, target="15min")
    >>> ax.get_xlabel()
    'created at (UTC)'
    >>> ax.figure.clear()
    """
    where = zone(tz)
    limit = as_target(target)
    single = replay(check_actions(actions), stage, as_of)
    chosen = periods_of(actions, periods)
    row = cycle_times(actions, stage=stage, as_of=as_of).iloc[0]
    out = left_out(row)
    single["kind"] = _kinds(actions)
    start = STAGES[stage].start
    shown = single[single["state"].isin(["event", "open"])]
    if not len(shown):
        reason = nothing_of(len(actions), f"has a {noun(stage)}")
        return explain(ax, f"{noun(stage).capitalize()} of each action", reason, out)
    ax = open_axes(ax)
    ended = shown["state"] == "event"
    span = view(shown[start], shown[start].iloc[:0], chosen)
    # Those of no length lie on the lower edge.
    limits = duration_limits([*shown["seconds"], float("nan") if limit is None else limit])
    handles = _points(ax, shown.assign(at=numbers(shown[start])), ended, limits[0] * 1.06)
    ax.set_xlim(*span)
    duration_axis(ax, "y", limits, axis_label(stage).partition(":")[0] + " (log scale)", most=7)
    marked = mark_times(ax, chosen, span)
    if limit is not None:
        target_line(ax, "y", limit)
    _quantiles(ax, row)
    shade_after(ax, single["seen"].max(), span)
    clock(ax, where, f"{start.removesuffix('_time').replace('doing', 'begun')} at")
    ax.legend(
        handles,
        [str(each.get_label()) for each in handles],
        loc="upper center",
        bbox_to_anchor=(0.5, -0.16),
        ncols=len(handles),
        frameon=False,
        handletextpad=0.2,
        columnspacing=1.4,
    )
    title = _title(shown, row, stage, limit)
    gone = int(row["canceled"] + row["left"])
    at_once = int((shown["seconds"] == 0).sum())
    parts = [
        f"n = {len(shown):,}",
        f"{at_once:,} of no length on the lower edge" if at_once else "",
        f"{gone:,} canceled or left not drawn" if gone else "",
        out,
    ]
    kinds = ", ".join(f"{name} {int((shown['kind'] == name).sum()):,}" for name in _KINDS)
    alt = (
        f"Every action by the moment it was {start.removesuffix('_time').replace('doing', 'begun')} and its {noun(stage)}. "
        f"{title}. {int(ended.sum()):,} {DONE[stage]}, {int((~ended).sum()):,} open; {kinds}. "
        f"P50 {duration(row['p50'])}, P90 {duration(row['p90'])}. "
        + (f"Markers: {', '.join(marked)}. " if marked else "")
        + out
    )
    return finish(ax, title, " · ".join(filter(None, parts)), alt)


def _kinds(actions: pd.DataFrame) -> list[str]:
    if "ai_dispatched" not in actions.columns:
        return ["dispatch unknown"] * len(actions)
    known, unknown = ("not AI-dispatched", "AI-dispatched"), "dispatch unknown"
    return [unknown if pd.isna(each) else known[bool(each)] for each in actions["ai_dispatched"]]


def _points(ax: Axes, shown: pd.DataFrame, ended: pd.Series, lowest: float) -> list[Line2D]:
    crowd = len(shown)
    size, alpha = (5.0, 0.75) if crowd < 1000 else (3.0, 0.45) if crowd < 5000 else (2.0, 0.3)
    handles = []
    for name, look in _KINDS.items():
        rows = shown[ended & (shown["kind"] == name)]
        if not len(rows):
            continue
        ax.plot(
            rows["at"],
            rows["seconds"].clip(lower=lowest),
            linestyle="none",
            markersize=size,
            alpha=alpha,
            markeredgewidth=1.0 if look["marker"] == "x" else 0.0,
            label=name,
            zorder=2,
            **look,
        )
        handles.append(Line2D([], [], linestyle="none", markersize=6, label=f"{name} ({len(rows):,})", **look))
    still = shown[~ended]
    if len(still):
        marks: dict[str, Any] = {"linestyle": "none", "marker": "^", "color": "#000000", "markerfacecolor": "#F0E442"}
        ax.plot(
            still["at"],
            still["seconds"].clip(lower=lowest),
            markersize=7 if len(still) < 500 else 4,
            markeredgewidth=0.9,
            label="open",
            zorder=3,
            **marks,
        )
        handles.append(Line2D([], [], markersize=7, label=f"open, at its age ({len(still):,})", **marks))
    return handles


def _quantiles(ax: Axes, row: pd.Series) -> None:
    found = [(name, row[name] / pd.Timedelta(seconds=1)) for name in ("p50", "p90") if pd.notna(row[name])]
    # No length at all is below any log axis, where words would pull the picture apart.
    found = [(name, at) for name, at in found if at > 0]
    for _, at in found:
        ax.axhline(at, color=MUTED, linewidth=1.2, linestyle="-", zorder=1)
    if found:
        texts = [f"{name.upper()} {duration(at)}" for name, at in found]
        for text, (_, at) in zip(texts, found, strict=True):
            ax.annotate(
                text,
                (1, at),
                (4, 0),
                xycoords=("axes fraction", "data"),
                textcoords="offset points",
                va="center",
                fontsize=9,
                color=MUTED,
            )


def _title(shown: pd.DataFrame, row: pd.Series, stage: str, target: float | None) -> str:
    still = int((shown["state"] == "open").sum())
    if target is None:
        tail = f"; {still:,} still open" if still else ""
        return f"{noun(stage).capitalize()}: P50 {duration(row['p50'])}, P90 {duration(row['p90'])}{tail}"
    late = int((shown["seconds"] > target).sum())
    waiting = int(((shown["seconds"] > target) & (shown["state"] == "open")).sum())
    tail = f", {waiting:,} of them still open" if waiting else ""
    return f"{late:,} of {count(len(shown))} ({percent(late / len(shown))}) went past {exact(target)}{tail}"
