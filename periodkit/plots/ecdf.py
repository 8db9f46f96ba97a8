"""How fast: the share done by each time since the start."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from periodkit._arguments import AsOf, check_share
from periodkit.frames import in_pandas
from periodkit.metrics import COUNT_COLUMNS, checked_ways, quantile_table
from periodkit.metrics.estimate import SurvivalCurve, kaplan_meier
from periodkit.metrics.tally import By, count_stage, unused_states
from periodkit.milestones import checked_stage
from periodkit.plots._drawing import (
    COLOURS,
    DONE,
    FAINT,
    GROUP,
    LINES,
    MARKS,
    MUTED,
    NEEDED,
    SMALL,
    Groups,
    as_target,
    at_once,
    axis_label,
    columns_of,
    confidence_words,
    drawable,
    duration_axis,
    event_limits,
    explain,
    finish,
    group_by,
    left_out,
    nothing_of,
    noun,
    open_axes,
    points_of,
    seconds,
    share_axis,
    stub,
    styled,
    target_line,
    the_only,
    widened,
)
from periodkit.wording import be, count, duration, interval, plain, with_interval

__all__ = ["cycle_time_ecdf"]

_QUANTILES = {0.5: "p50", 0.9: "p90"}
# Up to so many groups have their key in the corner that curves leave free; more have it beside wide Axes.
_INSIDE = 2
# Bands of more groups than this cover one another.
_BANDS = 3
_ROOM_FOR_KEY = 380.0


@styled
def cycle_time_ecdf(
    actions: Any,  # noqa: ANN401  (any engine's frame)
    by: By = None,
    stage: str = "cycle",
    target: Any = None,  # noqa: ANN401
    canceled: str = "exclude",
    skipped: str = "exclude",
    confidence: float = 0.95,
    as_of: AsOf | None = None,
    max_groups: int = 6,
    ax: Axes | None = None,
) -> Axes:
    """Draw the share of actions that had reached the end of a stage by each time since its start.

    One minus the Kaplan-Meier curve, with its pointwise log-log band, so actions that are still open count for what they
    tell. P50 and P90 are marked with their intervals, as `periodkit.cycle_times` gives them. More than three groups are
    drawn with those intervals alone, because bands would cover one another. The title says so where the
    difference of the fastest and the slowest median may be chance: where their intervals, made wider for more than two
    groups, overlap.

    Parameters
    ----------
    actions : pandas.DataFrame, polars frame, pyarrow.Table or DuckDB relation
        Actions.
    by : str or list of str, optional
        Columns to group by.
    stage : {"cycle", "dispatch", "pickup", "response", "work"}
        Between which milestones.
    target : timedelta or str, optional
        A promised time to mark, such as ``"15min"``.
    canceled : {"exclude", "censor"}
        What cancellations count as, see `periodkit.cycle_times`.
    skipped : {"exclude", "at_close"}
        What actions count as that were closed without a record of the stage's end, see `periodkit.cycle_times`.
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
    checked_ways(canceled, skipped)
    check_share(confidence, "confidence")
    groups = group_by(in_pandas(actions, [*NEEDED, *columns_of(by)]), by, max_groups)
    counts = count_stage(groups.actions, stage, GROUP, as_of)
    found = quantile_table(counts, _QUANTILES, canceled, skipped, confidence)
    curves = [kaplan_meier(table, confidence) for table in counts.life_tables(canceled, skipped)]
    total = found[[*COUNT_COLUMNS]].sum()
    out = left_out(total, unused_states(canceled, skipped))
    if not total["used"]:
        reason = nothing_of(int(total["n"]), f"has a {noun(stage)}")
        return explain(ax, noun(stage).capitalize(), reason, out)
    if total["events"] and not any(curve.time[curve.events > 0].any() for curve in curves):
        return explain(ax, noun(stage).capitalize(), at_once(int(total["events"]), stage), out)
    ax = open_axes(ax)
    limits = _limits(curves, found, counts.unit, limit)
    # In the order in which the curves lie from left to right.
    drawn = [at for at in found["p50"].argsort(kind="stable") if found["used"].iloc[at]]
    banded = len(drawn) <= _BANDS
    shown = []
    for at in drawn:
        row = cast("dict[str, Any]", found.iloc[at].to_dict())
        shown.append(_draw(ax, curves[at], counts.unit, row, groups.looks[at], limits, banded=banded))
    _guides(ax)
    duration_axis(ax, "x", limits, axis_label(stage))
    beside = len(drawn) > _INSIDE and points_of(ax)[0] > _ROOM_FOR_KEY
    full = beside or len(drawn) <= _INSIDE
    texts = [_key_text(groups.names[at], found.iloc[at], full=full, lines=2 if len(drawn) < 4 else 1) for at in drawn]
    _key(ax, shown, texts, beside=beside)
    if limit is not None:
        # Curves fill the upper right, and the key the lower one if it is inside.
        target_line(ax, "x", limit, high=not beside or bool(np.log(limit) < np.log(limits).mean()))
    share_axis(ax, "y", f"share {DONE[stage]} by then", (-0.015, 1.015))
    ax.set_yticks([0, 0.25, 0.5, 0.75, 0.9, 1])
    parts = [
        f"n = {total['used']:,}, of which {total['open']:,} open",
        "Kaplan-Meier",
        f"bands and bars: {confidence_words(confidence)}" if banded else f"bars: {confidence_words(confidence)}",
        f"the {groups.folded} smallest groups in one" if groups.folded else "",
        out,
    ]
    wide = quantile_table(counts, _QUANTILES, canceled, skipped, widened(confidence, len(found)))
    title = _title(groups, found, wide, stage)
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
    *,
    banded: bool,
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
    if banded:
        band: dict[str, Any] = {"color": colour, "alpha": 0.13, "linewidth": 0}
        ax.fill_between(time, 1 - curve.high, 1 - curve.low, step="post", zorder=2, **band)
    for share, name in ((0.5, "p50"), (0.9, "p90")):
        at, low, high = (row[name + side] / pd.Timedelta(seconds=1) for side in ("", "_low", "_high"))
        # An interval that has no upper end runs off the picture, and its arrow says so.
        if np.isfinite(low):
            end = high if np.isfinite(high) else limits[1]
            ax.plot([low, end], [share, share], color=colour, linewidth=3, alpha=0.5, solid_capstyle="butt")
        if np.isfinite(low) and not np.isfinite(high):
            ax.plot([limits[1]], [share], marker=">", color=colour, markersize=7, clip_on=False)
        if np.isfinite(at):
            ax.plot([at], [share], marker=mark, color=colour, markersize=7, markeredgecolor="white", zorder=4)
    return line


def _limits(curves: list[SurvivalCurve], found: pd.DataFrame, unit: int, target: float | None) -> tuple[float, float]:
    time = np.concatenate([curve.time for curve in curves]) * unit / 1e6
    events = np.concatenate([curve.events for curve in curves])
    marks = [seconds(found[name]) for name in ("p50", "p50_high", "p90", "p90_high")]
    return event_limits(time, events, [target or np.nan, *np.concatenate(marks)])


def _guides(ax: Axes) -> None:
    for share, name in ((0.5, "P50"), (0.9, "P90")):
        ax.axhline(share, color=FAINT, linewidth=1.0, zorder=1)
        ax.annotate(
            name,
            (0, share),
            (4, 2),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            fontsize=SMALL,
            color=MUTED,
            bbox={"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 0.5},
            zorder=2.5,
        )


def _key_text(name: str, row: pd.Series, *, full: bool, lines: int) -> str:
    if not full:
        return f"{plain(name, 20)}  n = {row['used']:,}"
    head = f"{stub(name, 26, lines)}  n = {row['used']:,}"
    marks = [
        f"{mark} {duration(row[at])}"
        + ("" if pd.isna(row[f"{at}_low"]) else f" ({interval(row[f'{at}_low'], row[f'{at}_high'])})")
        for mark, at in (("P50", "p50"), ("P90", "p90"))
    ]
    return "\n".join([head, *marks])


def _key(ax: Axes, lines: list[Line2D], texts: list[str], *, beside: bool) -> None:
    # A name that begins with an underscore would be taken for one to hide.
    labels = [drawable(text if not text.startswith("_") else f" {text}") for text in texts]
    # Where curves leave the corner free the key stands in it; many stand beside the picture.
    place: dict[str, Any] = {"loc": "center left", "bbox_to_anchor": (1.01, 0.5)} if beside else {"loc": "lower right"}
    tight = len(lines) > _INSIDE
    ax.legend(lines, labels, handlelength=2.8, labelspacing=0.35 if tight else 0.7, borderaxespad=0.4, **place)


def _title(groups: Groups, found: pd.DataFrame, wide: pd.DataFrame, stage: str) -> str:
    total = found[["used", "events"]].sum()
    done = DONE[stage]
    if not total["events"]:
        n = int(total["used"])
        return (
            f"None of {count(n)} was {done} so far"
            if n > 1
            else f"{the_only(int(found['n'].sum()))} is not {done} so far"
        )
    if len(found) == 1:
        row = found.iloc[0]
        if pd.isna(row["p50"]):
            return f"Fewer than half of {count(row['used'])} {be(row['used'])} {done} so far"
        if row["used"] == 1:
            return f"{the_only(row['n'])} was {done} within {duration(row['p50'])}"
        p90 = "" if pd.isna(row["p90"]) else f", 90 % within {duration(row['p90'])}"
        return f"Half of {count(row['used'])} {be(row['used'])} {done} within {duration(row['p50'])}{p90}"
    ends = groups.ends(found, "p50")
    if ends is None or ends[0][GROUP] == ends[1][GROUP]:
        return f"How does {noun(stage)} differ by {plain(groups.by)}?"
    fast, slow = ends
    names, times = [groups.name(row) for row in ends], [duration(row["p50"]) for row in ends]
    by_group = wide.set_index(GROUP)
    if not by_group.loc[fast[GROUP], "p50_high"] < by_group.loc[slow[GROUP], "p50_low"]:
        return f"Median {noun(stage)} from {times[0]} ({names[0]}) to {times[1]} ({names[1]}), which may be chance"
    if len(groups.compared(found["p50"].notna().tolist())) == 2:
        return f"{names[0]} is associated with the shorter median {noun(stage)}: {times[0]}, {names[1]} {times[1]}"
    return f"Median {noun(stage)} runs from {times[0]} ({names[0]}) to {times[1]} ({names[1]})"
