"""How actions ended: the shares closed, canceled and still open by each time since the start."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from periodkit._arguments import AsOf
from periodkit.frames import ActionsFrame
from periodkit.metrics import cycle_times, outcome_curve
from periodkit.metrics.tally import unused_states
from periodkit.milestones import checked_stage
from periodkit.plots import _drawing as draw
from periodkit.wording import Span, count, duration, interval, joined, percent, round_duration, sentences

__all__ = ["outcome_areas"]

_LOOKS: dict[str, dict[str, Any]] = {
    "closed": {"facecolor": "#0072B2"},
    "canceled": {"facecolor": "#E69F00", "hatch": "////", "edgecolor": "#8A5F00"},
    "open": {"facecolor": "#DCDCDC"},
}

_INKS = {"closed": "#0072B2", "canceled": "#8A5F00", "open": draw.MUTED}


@draw.styled
def outcome_areas(
    actions: ActionsFrame,
    stage: str = "cycle",
    target: Span | None = None,
    confidence: float = 0.95,
    as_of: AsOf | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the shares of actions that were closed, canceled and still open by each time since a stage began.

    The Aalen-Johansen cumulative incidence of `periodkit.outcome_curve`, stacked. The numbers under the axis say how many
    actions lasted at least that long.

    Parameters
    ----------
    actions, stage, target, confidence, as_of, ax
        As in `cycle_time_ecdf`.

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
    >>> ax = pk.plots.outcome_areas(actions, target="15min")
    >>> [area.get_label() for area in ax.collections][:3]
    ['closed', 'canceled', 'open']
    >>> ax.figure.clear()
    """
    checked_stage(stage)
    limit = draw.as_target(target)
    curve = outcome_curve(actions, stage, confidence=confidence, as_of=as_of)
    total = curve.iloc[0] if len(curve) else pd.Series({"n": 0, "used": 0})
    out = draw.left_out(total, unused_states("censor")) if len(curve) else ""
    if not total["used"]:
        reason = draw.nothing_of(int(total["n"]), f"has a {draw.noun(stage)}")
        return draw.explain(ax, "How actions ended", reason, out)
    time = draw.seconds(curve["time"])
    ended = (curve["closed"] + curve["canceled"]).to_numpy()
    limits = draw.event_limits(time, np.diff(ended, prepend=0.0), [limit or np.nan])
    # Nothing is known beyond the longest observation, unless all have ended by then.
    until = float(time[-1]) if curve["open"].iloc[-1] > 1e-12 else np.inf
    ax = draw.open_axes(ax)
    words = _words(stage)
    right = min(until, limits[1] * 2)
    floor = np.zeros(len(time))
    for share, look in _LOOKS.items():
        top = floor + curve[share].to_numpy()
        edge = {"edgecolor": "none"} | look
        ax.fill_between(
            np.r_[time, right],
            np.r_[floor, floor[-1]],
            np.r_[top, top[-1]],
            step="post",
            label=share,
            linewidth=0,
            **edge,
        )
        floor = top
    for side in ("low", "high"):
        ax.plot(
            time, curve[f"closed_{side}"], drawstyle="steps-post", color=draw.INK, linewidth=0.9, linestyle=(0, (2, 2))
        )
    draw.duration_axis(ax, "x", limits, draw.axis_label(stage), partial(_at_risk_texts, curve, time))
    if limit is not None:
        draw.target_line(ax, "x", limit)
    draw.share_axis(ax, "y", "share of actions")
    last = _at(curve, time, min(limits[1], until))
    middles = np.cumsum([last[share] for share in _LOOKS]) - np.array([last[share] / 2 for share in _LOOKS])
    # Labels of empty areas keep the order of the areas.
    heights = (middles + 1e-9 * np.arange(len(_LOOKS))).tolist()
    draw.beside(ax, heights, [f"{words[share]}\n{percent(last[share])}" for share in _LOOKS], list(_INKS.values()))
    _name_counts(ax)
    when = limit if limit is not None else max([float(tick) for tick in ax.get_xticks()], default=limits[1])
    known = when <= until
    there = _at(curve, time, min(when, until))
    reached = f"Within {round_duration(when)}" if known else f"Within {duration(until)}"
    title = (
        f"{reached}, {percent(there['closed'])} were {words['closed']}, {percent(there['canceled'])} "
        f"{words['canceled']} and {percent(there['open'])} still {words['open']}"
    )
    open_now = int(cycle_times(actions, stage=stage, as_of=as_of)["open"].iloc[0])
    parts = [
        f"n = {int(total['used']):,}, of which {open_now:,} open when last seen",
        "" if known else f"none was observed for {round_duration(when)}",
        "Aalen-Johansen",
        f"dashed: {draw.confidence_words(confidence)} of {words['closed']}",
        out,
    ]
    inside = interval(float(there["closed"]), there["closed_low"], there["closed_high"])
    alt = sentences(
        f"Stacked shares of {count(int(total['used']))} by {draw.noun(stage)}",
        f"{title} ({draw.confidence_words(confidence)} of {words['closed']} {inside} %, "
        f"{_at_risk(curve, time, [min(when, until)])[0]:,} had lasted that long)",
        f"By {duration(min(limits[1], until))}: "
        + ", ".join(f"{words[share]} {percent(last[share])}" for share in _LOOKS),
        "" if known else f"None was observed for {round_duration(when)}",
        out,
    )
    return draw.finish(ax, title, joined(parts), alt)


def _words(stage: str) -> dict[str, str]:
    if draw.DONE[stage] == "closed":
        return {"closed": "closed", "canceled": "canceled", "open": "open"}
    return {"closed": draw.DONE[stage], "canceled": "canceled or left", "open": "waiting"}


def _at(curve: pd.DataFrame, time: draw.Floats, when: float) -> pd.Series:
    """Return the row of a step curve that holds at a time."""
    return curve.iloc[max(int(np.searchsorted(time, when, side="right")) - 1, 0)]


def _at_risk(curve: pd.DataFrame, time: draw.Floats, asked: Sequence[float]) -> list[int]:
    """Return how many were at risk just before each time: as many as at the next step."""
    at_risk = np.r_[curve["at_risk"].to_numpy(dtype=np.int64), 0]
    return [int(at_risk[place]) for place in np.searchsorted(time, asked, side="left")]


def _at_risk_texts(curve: pd.DataFrame, time: draw.Floats, asked: Sequence[float]) -> list[str]:
    return [f"{number:,}" for number in _at_risk(curve, time, asked)]


def _name_counts(ax: Axes) -> None:
    # To the left of the numbers under the ticks.
    small = draw.small_points()
    draw.write(
        ax,
        "\nlasted that long",
        (0, 0),
        (-0.6 * small, -0.7 * small),
        "axes fraction",
        ha="right",
        va="top",
        color=draw.MUTED,
    )
