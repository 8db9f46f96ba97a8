"""What is waiting now: the ages of open actions, and which will pass the target next."""

from __future__ import annotations

from datetime import tzinfo
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from periodkit._moment import AsOf
from periodkit.plots._canvas import FAINT, INK, check_actions, explain, finish, nothing_of, open_axes, styled
from periodkit.plots._groups import at_most
from periodkit.plots._replay import at_clock, replay
from periodkit.plots._scales import as_target, duration_axis, duration_limits, target_line, zone
from periodkit.plots._stages import left_out
from periodkit.plots._text import count, drawable, duration, exact, plain

__all__ = ["aging"]

_STAGES: dict[str, dict[str, Any]] = {
    "unassigned": {"color": "#D55E00", "marker": "s"},
    "assigned, not begun": {"color": "#E69F00", "marker": "D"},
    "being worked on": {"color": "#0072B2", "marker": "o"},
}


@styled
def aging(
    actions: pd.DataFrame,
    target: Any = None,  # noqa: ANN401
    tz: str | tzinfo | None = None,
    as_of: AsOf | None = None,
    max_labels: int = 25,
    ax: Axes | None = None,
) -> Axes:
    """Draw the ages of the actions that are open, the oldest first, by what they are waiting for.

    Parameters
    ----------
    actions : pandas.DataFrame
        An actions frame.
    target : timedelta or str, optional
        The promised time from created to closed, such as ``"30min"``; what passes it next is named.
    tz : str or tzinfo, optional
        The venue's zone, such as ``"Europe/London"``; by default UTC.
    as_of : datetime, Timestamp or ISO 8601 text, optional
        Replay that moment; by default each row's ``fetched_at``, from which its age is counted.
    max_labels : int
        Up to this many open actions are each named; of more, those that pass the target next, or the oldest.
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
    >>> ax = pk.plots.aging(actions, target="30min")
    >>> ax.get_xlabel()
    'age since created (log scale)'
    >>> ax.figure.clear()
    """
    where = zone(tz)
    limit = as_target(target)
    most = at_most(max_labels, "max_labels", 1)
    single = replay(check_actions(actions), "cycle", as_of)
    states = single["state"].value_counts()
    out = left_out({name: int(states.get(name, 0)) for name in ("not_started", "invalid", "unknown")})
    single["name"] = _names(actions)
    still = single[single["state"] == "open"].copy()
    if not len(still):
        reason = nothing_of(len(actions), "is open")
        return explain(ax, "Ages of open actions", reason, out)
    still["waits"] = np.select(
        [still["doing_time"].notna(), still["assigned_time"].notna()], [*_STAGES][:0:-1], "unassigned"
    )
    still = still.sort_values("seconds", ascending=False, kind="stable")
    few = len(still) <= most
    ax = open_axes(ax, max(2.4, 1.8 + 0.24 * len(still)) if few else 4.5)
    limits = duration_limits([*still["seconds"], limit or np.nan])
    _points(ax, still, limits[0], few=few)
    if limit is not None:
        target_line(ax, "x", limit)
    duration_axis(ax, "x", limits, "age since created (log scale)")
    coming = still[still["seconds"] <= limit].head(5) if limit is not None else still.iloc[:0]
    if not few:
        _note(ax, still, coming, limit)
    numbers_in = still["waits"].value_counts()
    handles, labels = ax.get_legend_handles_labels()
    ax.legend(handles, labels, loc="lower right", handletextpad=0.3)
    title = _title(still, limit)
    moment = at_clock(single["seen"].max(), where)
    parts = [f"as of {moment} ({where[1]})", f"n = {len(still):,} open of {len(actions):,}", out]
    following = _next(coming, limit)
    oldest = ", ".join(_aged(still.head(5)))
    stages = ", ".join(f"{int(numbers_in.get(name, 0)):,} {name}" for name in _STAGES)
    after = f"Next past {exact(limit)}: {'; '.join(following)}. " if limit is not None and following else ""
    alt = (
        f"Ages of open actions as of {moment} ({where[1]}), the oldest first. {title}. {stages}. Oldest: {oldest}. "
        f"{after}{out}"
    )
    return finish(ax, title, " · ".join(filter(None, parts)), alt)


def _names(actions: pd.DataFrame) -> list[str]:
    ids = next((actions[each] for each in ("action_id", "period_action_id") if each in actions.columns), actions.index)
    kinds = actions["classification"] if "classification" in actions.columns else [None] * len(actions)
    return [
        f"{plain(each, 16)}" + ("" if pd.isna(kind) else f" {plain(kind, 24)}")
        for each, kind in zip(ids, kinds, strict=True)
    ]


def _points(ax: Axes, still: pd.DataFrame, lowest: float, *, few: bool) -> None:
    place = np.arange(len(still))
    age = still["seconds"].clip(lower=lowest).to_numpy()
    if few:
        ax.hlines(place, lowest, age, color=FAINT, linewidth=1.2, zorder=1)
    for name, look in _STAGES.items():
        rows = (still["waits"] == name).to_numpy()
        if rows.any():
            label = f"{name} ({int(rows.sum()):,})"
            size = 7 if few else 5 if len(still) < 300 else 3
            ax.plot(age[rows], place[rows], linestyle="none", markersize=size, label=label, zorder=3, **look)
    room = max(0.6, 0.02 * len(still))
    ax.set_ylim(len(still) - 1 + room, -room)
    ax.spines["left"].set_visible(False)
    ax.tick_params(axis="y", length=0)
    if few:
        ax.set_yticks(place, [drawable(name) for name in still["name"]])
    else:
        ax.set_yticks([])
        ax.set_ylabel("open actions, the oldest at the top")


def _note(ax: Axes, still: pd.DataFrame, coming: pd.DataFrame, target: float | None) -> None:
    if target is not None and len(coming):
        lines = [f"Next past {exact(target)}:", *_next(coming, target)]
    else:
        lines = ["Oldest:", *_aged(still.head(5))]
    ax.text(
        0.01,
        0.99,
        drawable("\n".join(lines)),
        transform=ax.transAxes,
        va="top",
        fontsize=9,
        color=INK,
        linespacing=1.35,
        bbox={"facecolor": "white", "alpha": 0.85, "edgecolor": FAINT, "pad": 4},
        zorder=6,
    )


def _aged(still: pd.DataFrame) -> list[str]:
    return [f"{name} {duration(age)}" for name, age in zip(still["name"], still["seconds"], strict=True)]


def _next(coming: pd.DataFrame, target: float | None) -> list[str]:
    if target is None:
        return []
    return [f"{name} in {duration(target - age)}" for name, age in zip(coming["name"], coming["seconds"], strict=True)]


def _title(still: pd.DataFrame, target: float | None) -> str:
    oldest = duration(still["seconds"].iloc[0])
    if target is None:
        half = duration(float(still["seconds"].median()))
        many = f", half for more than {half}" if len(still) > 2 else ""
        return f"{count(len(still), 'open action')}, the oldest for {oldest}{many}"
    past = int((still["seconds"] > target).sum())
    coming = still[still["seconds"] <= target]
    tail = f"; the next passes it in {duration(target - coming['seconds'].iloc[0])}" if len(coming) else ""
    return f"{past:,} of {count(len(still), 'open action')} past {exact(target)}{tail}"
