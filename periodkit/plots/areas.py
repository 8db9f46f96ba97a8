"""How it ended: shares closed, canceled and still open by each time since the start."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from periodkit._moment import AsOf
from periodkit.metrics.outcomes import outcome_curve
from periodkit.metrics.times import cycle_times
from periodkit.milestones import checked_stage
from periodkit.plots._canvas import INK, MUTED, TICK, check_actions, explain, finish, nothing_of, open_axes, styled
from periodkit.plots._labels import beside
from periodkit.plots._scales import as_target, duration_axis, event_limits, seconds, share_axis, target_line
from periodkit.plots._stages import DONE, axis_label, confidence_words, left_out, noun
from periodkit.plots._text import count, duration, exact, percent

__all__ = ["outcome_areas"]

_LOOKS: dict[str, dict[str, Any]] = {
    "closed": {"facecolor": "#0072B2"},
    "canceled": {"facecolor": "#E69F00", "hatch": "////", "edgecolor": "#8A5F00"},
    "open": {"facecolor": "#DCDCDC"},
}


@styled
def outcome_areas(
    actions: pd.DataFrame,
    stage: str = "cycle",
    target: Any = None,  # noqa: ANN401
    confidence: float = 0.95,
    as_of: AsOf | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the shares of actions that were closed, canceled and still open by each time since a stage began.

    The Aalen-Johansen cumulative incidence of `periodkit.outcome_curve`, stacked. Under the axis stands how many actions
    had lasted at least that long, which is what the picture rests on there.

    Parameters
    ----------
    actions : pandas.DataFrame
        An actions frame.
    stage : {"cycle", "dispatch", "pickup", "response", "work"}
        Between which milestones.
    target : timedelta or str, optional
        A promised time to mark, such as ``"15min"``.
    confidence : float
        Coverage of the intervals.
    as_of : datetime, Timestamp or ISO 8601 text, optional
        Replay that moment; by default each row's ``fetched_at``.
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
    >>> ax = pk.plots.outcome_areas(actions, target="15min")
    >>> [area.get_label() for area in ax.collections][:3]
    ['closed', 'canceled', 'open']
    >>> ax.figure.clear()
    """
    checked_stage(stage)
    limit = as_target(target)
    curve = outcome_curve(check_actions(actions), stage, confidence=confidence, as_of=as_of)
    total = curve.iloc[0] if len(curve) else pd.Series({"n": 0, "used": 0})
    out = left_out(total) if len(curve) else ""
    if not total["used"]:
        reason = nothing_of(int(total["n"]), f"has a {noun(stage)}")
        return explain(ax, "How actions ended", reason, out)
    time = seconds(curve["time"])
    ended = (curve["closed"] + curve["canceled"]).to_numpy()
    limits = event_limits(time, np.diff(ended, prepend=0.0), [limit or np.nan])
    ax = open_axes(ax)
    words = _words(stage)
    floor = np.zeros(len(time))
    for share, look in _LOOKS.items():
        top = floor + curve[share].to_numpy()
        edge = {"edgecolor": "none"} | look
        ax.fill_between(
            np.r_[time, limits[1] * 2],
            np.r_[floor, floor[-1]],
            np.r_[top, top[-1]],
            step="post",
            label=share,
            linewidth=0,
            **edge,
        )
        floor = top
    for side in ("low", "high"):
        ax.plot(time, curve[f"closed_{side}"], drawstyle="steps-post", color=INK, linewidth=0.9, linestyle=(0, (2, 2)))
    if limit is not None:
        target_line(ax, "x", limit, along=1.0)
    duration_axis(ax, "x", limits, axis_label(stage))
    share_axis(ax, "y", "share of actions")
    _at_risk(ax, actions, stage, as_of)
    last = _at(actions, stage, limits[1], confidence, as_of)
    middles = np.cumsum([last[share] for share in _LOOKS]) - np.array([last[share] / 2 for share in _LOOKS])
    beside(ax, middles.tolist(), [f"{words[share]}\n{percent(last[share])}" for share in _LOOKS], [INK] * 3)
    ticks = [float(each) for each in ax.get_xticks()]
    when = limit if limit is not None else max(ticks, default=limits[1])
    there = _at(actions, stage, when, confidence, as_of)
    title = (
        f"Within {exact(when)}, {percent(there['closed'])} were {words['closed']}, {percent(there['canceled'])} "
        f"{words['canceled']} and {percent(there['open'])} still {words['open']}"
    )
    band = f"dashed: {confidence_words(confidence)} of {words['closed']}"
    open_now = int(cycle_times(actions, stage=stage, as_of=as_of)["open"].iloc[0])
    parts = [f"n = {int(total['used']):,}, of which {open_now:,} open when last seen", "Aalen-Johansen", band, out]
    inside = f"{100 * there['closed_low']:.1f}–{percent(there['closed_high'])}"
    alt = (
        f"Stacked shares of {count(int(total['used']))} by {noun(stage)}. {title} ({confidence_words(confidence)} of "
        f"{words['closed']} {inside}, {int(there['at_risk']):,} had lasted that long). By {duration(limits[1])}: "
        f"{', '.join(f'{words[share]} {percent(last[share])}' for share in _LOOKS)}. {out}"
    )
    return finish(ax, title, " · ".join(filter(None, parts)), alt)


def _words(stage: str) -> dict[str, str]:
    if DONE[stage] == "closed":
        return {"closed": "closed", "canceled": "canceled", "open": "open"}
    return {"closed": DONE[stage], "canceled": "canceled or left", "open": "waiting"}


def _at(actions: pd.DataFrame, stage: str, when: float, confidence: float, as_of: AsOf | None) -> pd.Series:
    times = [pd.Timedelta(seconds=when).floor("us")]
    return outcome_curve(actions, stage, times=times, confidence=confidence, as_of=as_of).iloc[0]


def _at_risk(ax: Axes, actions: pd.DataFrame, stage: str, as_of: AsOf | None) -> None:
    ticks = ax.get_xticks()
    names = [text.get_text() for text in ax.get_xticklabels()]
    asked = [pd.Timedelta(seconds=float(each)) for each in ticks]
    left = outcome_curve(actions, stage, times=asked, as_of=as_of)["at_risk"]
    # Under each tick its number, and before the first what these numbers are.
    ax.set_xticks(ticks, [f"{name}\n{number:,}" for name, number in zip(names, left, strict=True)])
    ax.annotate(
        "\nlasted that long",
        (0, 0),
        (-6, -6.5),
        xycoords="axes fraction",
        textcoords="offset points",
        ha="right",
        va="top",
        fontsize=TICK,
        color=MUTED,
    )
