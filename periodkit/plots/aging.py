"""What is open now: ages, and which actions will pass the target next."""

from __future__ import annotations

from datetime import tzinfo
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from periodkit._arguments import AsOf, check_count, zone
from periodkit.frames import ActionsFrame, in_pandas
from periodkit.metrics.tally import EXCLUDED
from periodkit.plots import _drawing as draw
from periodkit.wording import Span, clean_label, count, duration, joined, round_duration, sentences

__all__ = ["aging"]

_STAGES: dict[str, dict[str, Any]] = {
    "unassigned": {"color": "#D55E00", "marker": "s"},
    "assigned, not begun": {"color": "#E69F00", "marker": "D"},
    "being worked on": {"color": "#0072B2", "marker": "o"},
}

_IDS = ("action_id", "period_action_id")
_LATE, _PAST = "#A33B00", "#FBEDE4"


@draw.styled
def aging(
    actions: ActionsFrame,
    target: Span | None = None,
    tz: str | tzinfo | None = None,
    as_of: AsOf | None = None,
    max_labels: int = 25,
    ax: Axes | None = None,
) -> Axes:
    """Draw the ages of the open actions, the oldest first, by what they are waiting for.

    With a target, the side past it is shaded, and each named action shows its time left or its time past the target.

    Parameters
    ----------
    actions, target, tz, as_of, ax
        As in `event_ribbon` and `cycle_time_ecdf`; an age counts from `as_of`, the target from created to closed.
    max_labels : int
        Up to this many open actions are all named; of more, those that pass the target next, or the oldest.

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
    >>> ax = pk.plots.aging(actions, target="30min")
    >>> ax.get_xlabel()
    'age since created (log scale)'
    >>> ax.figure.clear()
    """
    where = zone(tz)
    limit = draw.as_target(target)
    most = check_count(max_labels, "max_labels", 1)
    frame = in_pandas(actions, [*draw.NEEDED, *_IDS, "classification"])
    single = draw.replay(frame, "cycle", as_of)
    states = single["state"].value_counts()
    out = draw.left_out({name: int(states.get(name, 0)) for name in EXCLUDED})
    is_open = (single["state"] == "open").to_numpy()
    still = single[is_open].assign(name=_names(frame[is_open]))
    if not len(still):
        return draw.explain(ax, "Ages of open actions", draw.nothing_of(len(frame), "is open"), out)
    still["waits"] = np.select(
        [still["doing_time"].notna(), still["assigned_time"].notna()], [*_STAGES][:0:-1], "unassigned"
    )
    still = still.sort_values("seconds", ascending=False, kind="stable")
    few = len(still) <= most
    ax = draw.open_axes(ax, max(2.4, 1.8 + 0.22 * len(still)) if few else 4.5)
    limits = draw.duration_limits([*still["seconds"], limit or np.nan])
    draw.duration_axis(ax, "x", limits, "age since created (log scale)")
    _points(ax, still, limits[0], limit, few=few)
    if limit is not None:
        ax.axvspan(limit, limits[1], color=_PAST, linewidth=0, zorder=0)
        draw.target_line(ax, "x", limit, high=not few and bool(np.log(limit) > np.log(limits).mean()))
    coming = still[still["seconds"] <= (-1 if limit is None else limit)].head(5)
    if not few:
        _note(ax, still, coming, limit)
    numbers_in = still["waits"].value_counts()
    if few:
        # Rows with names use the whole width.
        draw.key_below(ax, *ax.get_legend_handles_labels())
    else:
        # Ages ascend from the lower left, so the lower right is free.
        ax.legend(loc="lower right", handletextpad=0.3)
    title = _title(still, limit)
    moment = draw.at_clock(single["seen"].max(), where)
    parts = [f"as of {moment} ({where[1]})", f"n = {len(still):,} open of {len(frame):,}", out]
    alt = sentences(
        f"Ages of open actions as of {moment} ({where[1]}), the oldest first",
        title,
        ", ".join(f"{int(numbers_in.get(name, 0)):,} {name}" for name in _STAGES),
        f"Oldest: {', '.join(_aged(still.head(5)))}",
        f"Next past {round_duration(limit)}: {'; '.join(_next(coming, limit))}" if limit and len(coming) else "",
        out,
    )
    return draw.finish(ax, title, joined(parts), alt)


def _names(frame: pd.DataFrame) -> list[str]:
    ids = next((frame[name] for name in _IDS if name in frame.columns), frame.index)
    kinds = frame["classification"] if "classification" in frame.columns else [None] * len(frame)
    return [
        f"{clean_label(key, 16)}" + ("" if pd.isna(kind) else f" {clean_label(kind, 24)}")
        for key, kind in zip(ids, kinds, strict=True)
    ]


def _points(ax: Axes, still: pd.DataFrame, lowest: float, target: float | None, *, few: bool) -> None:
    place = np.arange(len(still))
    age = still["seconds"].clip(lower=lowest).to_numpy()
    if few:
        ax.hlines(place, lowest, age, color=draw.FAINT, linewidth=1.2, zorder=1)
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
    if not few:
        ax.set_yticks([])
        ax.set_ylabel("open actions, the oldest at the top")
        return
    # Smaller letters where names would overlap.
    letters = min(draw.small_points(), 0.95 * draw.row_points(ax, len(still)))
    ax.set_yticks(place, [draw.drawable(name) for name in still["name"]], fontsize=letters)
    for at, seconds in enumerate(still["seconds"]):
        colour = _LATE if target is not None and seconds > target else draw.INK
        draw.write(ax, _against(seconds, target), (1, at), (6, 0), draw.BESIDE, fontsize=letters, color=colour)


def _against(seconds: float, target: float | None) -> str:
    if target is None:
        return duration(seconds)
    return f"{duration(abs(target - seconds))} {'past' if seconds > target else 'left'}"


def _note(ax: Axes, still: pd.DataFrame, coming: pd.DataFrame, target: float | None) -> None:
    most = 5 if draw.points_of(ax)[1] > 26 * draw.small_points() else 3
    if target is not None and len(coming):
        lines = [f"Next past {round_duration(target)}:", *_next(coming.head(most), target)]
    else:
        lines = ["Oldest:", *_aged(still.head(most))]
    ax.text(
        0.01,
        0.99,
        draw.drawable("\n".join(lines)),
        transform=ax.transAxes,
        va="top",
        fontsize=draw.SMALL,
        color=draw.INK,
        linespacing=1.35,
        bbox={"facecolor": "white", "alpha": 0.85, "edgecolor": draw.FAINT, "pad": 4},
        zorder=6,
    )


def _aged(still: pd.DataFrame) -> list[str]:
    return [f"{name} {duration(age)}" for name, age in zip(still["name"], still["seconds"], strict=True)]


def _next(coming: pd.DataFrame, target: float) -> list[str]:
    return [f"{name} in {duration(target - age)}" for name, age in zip(coming["name"], coming["seconds"], strict=True)]


def _title(still: pd.DataFrame, target: float | None) -> str:
    oldest, n = duration(still["seconds"].iloc[0]), count(len(still), "open action")
    if target is None:
        half = duration(float(still["seconds"].median()))
        many = f", half of them over {half}" if len(still) > 2 else ""
        return f"{n}, the oldest {oldest} old{many}" if len(still) > 1 else f"{n}, {oldest} old"
    past = int((still["seconds"] > target).sum())
    coming = still[still["seconds"] <= target]
    if len(still) == 1:
        gap = duration(abs(target - still["seconds"].iloc[0]))
        is_late = f"is {gap} past {round_duration(target)}" if past else f"passes {round_duration(target)} in {gap}"
        return f"The only open action {is_late}"
    tail = f"; the next passes it in {duration(target - coming['seconds'].iloc[0])}" if len(coming) else ""
    late = f"{past:,} of {n} past" if past else f"None of {n} is past"
    return f"{late} {round_duration(target)}{tail}"
