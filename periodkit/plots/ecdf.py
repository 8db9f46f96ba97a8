"""How fast: the share done by each time since the start."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from periodkit._moment import AsOf
from periodkit.metrics.estimate import SurvivalCurve, kaplan_meier
from periodkit.metrics.rates import check_share
from periodkit.metrics.tally import By, count_stage
from periodkit.metrics.times import checked_canceled, quantile_table
from periodkit.milestones import checked_stage
from periodkit.plots._canvas import (
    COLOURS,
    FAINT,
    LINES,
    MARKS,
    MUTED,
    check_actions,
    explain,
    finish,
    nothing_of,
    open_axes,
    styled,
)
from periodkit.plots._groups import GROUP, Groups, group_by
from periodkit.plots._scales import as_target, duration_axis, event_limits, seconds, share_axis, target_line
from periodkit.plots._stages import DONE, axis_label, confidence_words, left_out, noun
from periodkit.plots._text import be, count, drawable, duration, interval, plain, with_interval

__all__ = ["cycle_time_ecdf"]

_MANY = 4
_INSIDE = 2


@styled
def cycle_time_ecdf(
    actions: pd.DataFrame,
    by: By = None,
    stage: str = "cycle",
    target: Any = None,  # noqa: ANN401
    canceled: str = "censor",
    confidence: float = 0.95,
    as_of: AsOf | None = None,
    max_groups: int = 6,
    ax: Axes | None = None,
) -> Axes:
    """Draw the share of actions that had reached the end of a stage by each time since its start.

    One minus the Kaplan-Meier curve, with its pointwise log-log band, so actions that are still open count for what they
    tell. P50 and P90 are marked with their intervals, as `periodkit.cycle_times` gives them.

    Parameters
    ----------
    actions : pandas.DataFrame
        An actions frame.
    by : str or list of str, optional
        Columns to group by.
    stage : {"cycle", "dispatch", "pickup", "response", "work"}
        Between which milestones.
    target : timedelta or str, optional
        A promised time to mark, such as ``"15min"``.
    canceled : {"censor", "exclude"}
        What cancellations count as, see `periodkit.cycle_times`.
    confidence : float
        Coverage of the bands and intervals.
    as_of : datetime, Timestamp or ISO 8601 text, optional
        Replay that moment; by default each row's ``fetched_at``.
    max_groups : int
        The smallest groups above this number are drawn as one, "other".
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
    >>> ax = pk.plots.cycle_time_ecdf(actions, by="ai_dispatched")
    >>> pk.plots.alt_text(ax)[:42]
    'Share of actions closed by each cycle time'
    >>> ax.figure.clear()
    """
    checked_stage(stage)
    limit = as_target(target)
    groups = group_by(check_actions(actions), by, max_groups)
    checked_canceled(canceled)
    check_share(confidence, "confidence")
    counts = count_stage(groups.actions, stage, GROUP, as_of)
    found = quantile_table(counts, {0.5: "p50", 0.9: "p90"}, canceled, confidence)
    curves = [kaplan_meier(table, confidence) for table in counts.life_tables(canceled)]
    total = found[["n", "used", "events", "open", "not_started", "invalid", "unknown"]].sum()
    out = left_out(total)
    if not total["used"]:
        reason = nothing_of(int(total["n"]), f"has a {noun(stage)}")
        return explain(ax, noun(stage).capitalize(), reason, out)
    ax = open_axes(ax)
    limits = _limits(curves, found, counts.unit, limit)
    drawn = np.flatnonzero(found["used"])
    shown = [
        _draw(ax, curves[at], counts.unit, cast("dict[str, Any]", found.iloc[at].to_dict()), look, limits, len(drawn))
        for look, at in enumerate(drawn)
    ]
    _guides(ax, limit, limits)
    texts = [_legend_text(groups.names[at], found.iloc[at], len(drawn)) for at in drawn]
    _legend(ax, shown, texts)
    duration_axis(ax, "x", limits, axis_label(stage), most=8 if len(drawn) <= _INSIDE else 6)
    share_axis(ax, "y", f"share {DONE[stage]} by then", (0, 1.02))
    ax.set_yticks([0, 0.25, 0.5, 0.75, 0.9, 1])
    many = len(drawn) > _MANY
    bars = "" if many else f"bands and bars: {confidence_words(confidence)}"
    parts = [f"n = {total['used']:,}, of which {total['open']:,} open", "Kaplan-Meier", bars, out]
    title = _title(groups, found, stage)
    details = "; ".join(
        f"{plain(groups.names[at])}: n {row['used']:,}, P50 {with_interval(row['p50'], row['p50_low'], row['p50_high'])}, "
        f"P90 {with_interval(row['p90'], row['p90_low'], row['p90_high'])}"
        for at, row in ((at, found.iloc[at]) for at in drawn)
    )
    what = f"Share of actions {DONE[stage]} by each {noun(stage)}, in brackets the {confidence_words(confidence)}"
    alt = f"{what}. {title}. {details}. {out}"
    return finish(ax, title, " · ".join(filter(None, parts)), alt)


def _draw(
    ax: Axes,
    curve: SurvivalCurve,
    unit: int,
    row: dict[str, Any],
    look: int,
    limits: tuple[float, float],
    groups: int,
) -> Line2D:
    colour, mark = COLOURS[look % len(COLOURS)], MARKS[look % len(MARKS)]
    time = curve.time * unit / 1e6
    (line,) = ax.plot(
        np.r_[0.0, time],
        np.r_[0.0, 1 - curve.survival],
        drawstyle="steps-post",
        color=colour,
        linestyle=LINES[look % len(LINES)],
        marker=mark,
        markevery=[],
        markersize=6,
        zorder=3,
    )
    if groups <= _MANY:
        ax.fill_between(
            time, 1 - curve.high, 1 - curve.low, step="post", color=colour, alpha=0.18, linewidth=0, zorder=2
        )
    for share, name in ((0.5, "p50"), (0.9, "p90")):
        at, low, high = (row[name + side] / pd.Timedelta(seconds=1) for side in ("", "_low", "_high"))
        # An interval that has no upper end runs off the picture, and its arrow says so.
        if np.isfinite(low) and groups <= _MANY:
            ax.plot(
                [low, high if np.isfinite(high) else limits[1]], [share, share], color=colour, linewidth=3, alpha=0.55
            )
        if np.isfinite(low) and not np.isfinite(high) and groups <= _MANY:
            ax.plot([limits[1]], [share], marker=">", color=colour, markersize=7, clip_on=False)
        if np.isfinite(at):
            ax.plot([at], [share], marker=mark, color=colour, markersize=7, markeredgecolor="white", zorder=4)
    return line


def _limits(curves: list[SurvivalCurve], found: pd.DataFrame, unit: int, target: float | None) -> tuple[float, float]:
    time = np.concatenate([curve.time for curve in curves]) * unit / 1e6
    events = np.concatenate([curve.events for curve in curves])
    marks = [seconds(found[name]) for name in ("p50", "p50_high", "p90", "p90_high")]
    return event_limits(time, events, [target or np.nan, *np.concatenate(marks)])


def _guides(ax: Axes, target: float | None, limits: tuple[float, float]) -> None:
    for share, name in ((0.5, "P50"), (0.9, "P90")):
        ax.axhline(share, color=FAINT, linewidth=1.0, zorder=1)
        ax.annotate(
            name,
            (0, share),
            (4, 2),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            fontsize=9,
            color=MUTED,
        )
    if target is not None:
        # On the right the key stands at the bottom and the curves at the top.
        right = target * target > limits[0] * limits[1]
        target_line(ax, "x", target, along=0.42 if right else 0.0)


def _legend_text(name: str, row: pd.Series, groups: int) -> str:
    head = f"{plain(name, 30)}  n = {row['used']:,}"
    if groups > _MANY:
        return f"{head}\nP50 {duration(row['p50'])}, P90 {duration(row['p90'])}"
    lines = [
        f"{mark} {duration(row[at])}"
        + ("" if pd.isna(row[f"{at}_low"]) else f" ({interval(row[f'{at}_low'], row[f'{at}_high'])})")
        for mark, at in (("P50", "p50"), ("P90", "p90"))
    ]
    return "\n".join([head, *lines])


def _legend(ax: Axes, lines: list[Line2D], texts: list[str]) -> None:
    # A name that begins with an underscore would be taken for one to hide.
    labels = [drawable(text if not text.startswith("_") else f" {text}") for text in texts]
    # Where curves leave the corner free the key stands in it; many stand beside the picture.
    inside = len(lines) <= _INSIDE
    place: dict[str, Any] = {"loc": "lower right"} if inside else {"loc": "center left", "bbox_to_anchor": (1.01, 0.5)}
    ax.legend(lines, labels, handlelength=3.2, labelspacing=0.7, borderaxespad=0.4, **place)


def _title(groups: Groups, found: pd.DataFrame, stage: str) -> str:
    total = found[["used", "events", "open"]].sum()
    if not total["events"]:
        return f"None of {count(total['used'])} was {DONE[stage]} so far"
    if len(found) == 1:
        row = found.iloc[0]
        if pd.isna(row["p50"]):
            return f"Fewer than half of {count(row['used'])} {be(row['used'])} {DONE[stage]} so far"
        p90 = "" if pd.isna(row["p90"]) else f", 90 % within {duration(row['p90'])}"
        return f"Half of {count(row['used'])} {be(row['used'])} {DONE[stage]} within {duration(row['p50'])}{p90}"
    rest = groups.compared(found["p50"].notna().tolist())
    if len(rest) < 2:
        return f"How does {noun(stage)} differ by {plain(groups.by)}?"
    p50 = found["p50"].iloc[rest]
    fast, slow = (found.iloc[rest[at]] for at in (int(p50.argmin()), int(p50.argmax())))
    names = [plain(groups.names[int(row[GROUP])], 30) for row in (fast, slow)]
    times = duration(fast["p50"]), duration(slow["p50"])
    if fast["p50_high"] < slow["p50_low"]:
        return (
            f"{names[0]} is associated with the shorter median {noun(stage)}: {times[0]}, {names[1]} {times[1]}"
            if (len(rest) == 2)
            else f"Median {noun(stage)} runs from {times[0]} ({names[0]}) to {times[1]} ({names[1]})"
        )
    return f"Median {noun(stage)} from {times[0]} ({names[0]}) to {times[1]} ({names[1]}): their intervals overlap"
