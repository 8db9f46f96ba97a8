"""How fast: the share of actions that were done by each time since the start."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from periodkit._arguments import AsOf
from periodkit.frames import ActionsFrame
from periodkit.metrics.estimate import SurvivalCurve
from periodkit.metrics.tally import By
from periodkit.plots import _drawing as draw
from periodkit.wording import Span, clean_label, count, duration, estimate, joined, sentences, short_labels, was_or_were

__all__ = ["cycle_time_ecdf"]

# The key of up to two groups fits into the corner that curves leave free; that of more is beside wide Axes.
_INSIDE = 2
# The bands of more than three groups would cover one another.
_BANDS = 3
_ROOM_FOR_KEY = 380.0


@draw.styled
def cycle_time_ecdf(
    actions: ActionsFrame,
    by: By = None,
    stage: str = "cycle",
    target: Span | None = None,
    canceled: str = "exclude",
    skipped: str = "exclude",
    confidence: float = 0.95,
    as_of: AsOf | None = None,
    max_groups: int = 6,
    ax: Axes | None = None,
) -> Axes:
    """Draw the share of actions that had reached the end of a stage by each time since its start.

    One minus the Kaplan-Meier curve, with its pointwise log-log band, so that open actions count for as long as they were
    seen. P50 and P90 are marked with their intervals, as `periodkit.cycle_times` gives them. More than three groups have
    no bands, because these would cover one another. The title says whether the difference of the fastest and the slowest
    median may be chance: whether their intervals overlap, made wider for more than two groups.

    Parameters
    ----------
    actions : pandas, Polars or Spark frame, pyarrow.Table or DuckDB relation
        Actions.
    by : str, Series, callable or list of these, optional
        What to group by, see `periodkit.cycle_times`.
    stage : {"cycle", "dispatch", "pickup", "response", "work"}
        The stage, see `periodkit.stage_times`.
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
        An argument has a value that it does not take.

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
    limit = draw.as_target(target)
    times = draw.group_times(actions, by, stage, canceled, skipped, confidence, as_of, max_groups)
    if times.nothing:
        return draw.explain(ax, draw.noun(stage).capitalize(), times.nothing, times.out)
    ax = draw.open_axes(ax)
    # In the order in which the curves lie from left to right.
    rows = times.table[times.table["used"] > 0].sort_values("p50", kind="stable")
    curves = [times.curve(at) for at in rows.index]
    limits = _limits(curves, rows, times.unit, limit)
    banded = len(rows) <= _BANDS
    lines = [
        _draw(ax, curve, times.unit, row, times.groups.looks[at], limits, banded=banded)
        for at, curve, (_, row) in zip(rows.index, curves, rows.iterrows(), strict=True)
    ]
    _guides(ax)
    draw.duration_axis(ax, "x", limits, draw.axis_label(stage))
    beside = len(rows) > _INSIDE and draw.points_of(ax)[0] > _ROOM_FOR_KEY
    _key(ax, lines, _key_texts(times.groups.names, rows, full=beside or len(rows) <= _INSIDE), beside=beside)
    if limit is not None:
        # Curves fill the upper right, and the key the lower right if it is inside.
        draw.target_line(ax, "x", limit, high=not beside or bool(np.log(limit) < np.log(limits).mean()))
    draw.share_axis(ax, "y", f"share {draw.DONE[stage]} by then", (-0.015, 1.015))
    ax.set_yticks([0, 0.25, 0.5, 0.75, 0.9, 1])
    what = draw.confidence_words(confidence)
    parts = times.subtitle("Kaplan-Meier", f"bands and bars: {what}" if banded else f"bars: {what}")
    title = _title(times)
    alt = sentences(
        f"Share of actions {draw.DONE[stage]} by each {draw.noun(stage)}, in brackets the {what}",
        title,
        times.words(rows),
        times.out,
    )
    return draw.finish(ax, title, joined(parts), alt)


def _draw(
    ax: Axes,
    curve: SurvivalCurve,
    unit: int,
    row: pd.Series,
    look: int,
    limits: tuple[float, float],
    *,
    banded: bool,
) -> Line2D:
    colour, mark = draw.COLOURS[look % len(draw.COLOURS)], draw.MARKS[look % len(draw.MARKS)]
    time = curve.time * unit / 1e6
    (line,) = ax.plot(
        np.r_[0.0, time],
        np.r_[0.0, 1 - curve.survival],
        drawstyle="steps-post",
        color=colour,
        linestyle=draw.LINES[look % len(draw.LINES)],
        marker=mark,
        markevery=[],
        markersize=6,
        zorder=3,
    )
    if banded:
        low, high = 1 - curve.high, 1 - curve.low
        ax.fill_between(time, low, high, step="post", zorder=2, color=colour, alpha=0.13, linewidth=0)
    for share, name in ((0.5, "p50"), (0.9, "p90")):
        at, low, high = (row[name + side] / pd.Timedelta(seconds=1) for side in ("", "_low", "_high"))
        # An interval without an upper limit runs to the edge and ends in an arrow.
        if np.isfinite(low):
            end = high if np.isfinite(high) else limits[1]
            ax.plot([low, end], [share, share], color=colour, linewidth=3, alpha=0.5, solid_capstyle="butt")
        if np.isfinite(low) and not np.isfinite(high):
            ax.plot([limits[1]], [share], marker=">", color=colour, markersize=7, clip_on=False)
        if np.isfinite(at):
            ax.plot([at], [share], marker=mark, color=colour, markersize=7, markeredgecolor="white", zorder=4)
    return line


def _limits(curves: list[SurvivalCurve], rows: pd.DataFrame, unit: int, target: float | None) -> tuple[float, float]:
    time = np.concatenate([curve.time for curve in curves]) * unit / 1e6
    events = np.concatenate([curve.events for curve in curves])
    marks = [draw.seconds(rows[name]) for name in ("p50", "p50_high", "p90", "p90_high")]
    return draw.event_limits(time, events, [target or np.nan, *np.concatenate(marks)])


def _guides(ax: Axes) -> None:
    for share, name in ((0.5, "P50"), (0.9, "P90")):
        ax.axhline(share, color=draw.FAINT, linewidth=1.0, zorder=1)
        draw.write(ax, name, (0, share), (4, 2), draw.BESIDE, boxed=True, va="baseline", color=draw.MUTED, zorder=2.5)


def _key_texts(names: list[str], rows: pd.DataFrame, *, full: bool) -> list[str]:
    named = [names[int(code)] for code in rows[draw.GROUP]]
    shown = draw.wrap_labels(named, 26, 2 if len(rows) < 4 else 1) if full else short_labels(named, 20)
    texts = []
    for name, (_, row) in zip(shown, rows.iterrows(), strict=True):
        head = f"{name}  n = {row['used']:,}"
        if not full:
            texts.append(head)
            continue
        marks = [f"{at.upper()} {estimate(row[at], row[f'{at}_low'], row[f'{at}_high'])}" for at in ("p50", "p90")]
        texts.append("\n".join([head, *marks]))
    return texts


def _key(ax: Axes, lines: list[Line2D], texts: list[str], *, beside: bool) -> None:
    # matplotlib hides labels that begin with an underscore.
    labels = [draw.drawable(text if not text.startswith("_") else f" {text}") for text in texts]
    place: dict[str, Any] = {"loc": "center left", "bbox_to_anchor": (1.01, 0.5)} if beside else {"loc": "lower right"}
    spacing = 0.35 if len(lines) > _INSIDE else 0.7
    ax.legend(lines, labels, handlelength=2.8, labelspacing=spacing, borderaxespad=0.4, **place)


def _title(times: draw.GroupTimes) -> str:
    found, total, done = times.table, times.total, draw.DONE[times.stage]
    n = int(total["used"])
    if not total["events"]:
        return f"None of {count(n)} was {done} so far" if n > 1 else f"{draw.the_only(total['n'])} is not {done} so far"
    if len(found) == 1:
        row = found.iloc[0]
        if pd.isna(row["p50"]):
            return f"Fewer than half of {count(n)} {was_or_were(n)} {done} so far"
        if n == 1:
            return f"{draw.the_only(row['n'])} was {done} within {duration(row['p50'])}"
        p90 = "" if pd.isna(row["p90"]) else f", 90 % within {duration(row['p90'])}"
        return f"Half of {count(n)} {was_or_were(n)} {done} within {duration(row['p50'])}{p90}"
    median = f"median {draw.noun(times.stage)}"
    ends = times.ends("p50")
    if ends is None or len(ends[0]) == 1:
        return f"How does {draw.noun(times.stage)} differ by {clean_label(times.groups.by)}?"
    names, lengths, apart = ends
    if not apart:
        return f"{median.capitalize()} from {lengths[0]} ({names[0]}) to {lengths[1]} ({names[1]}), which may be chance"
    if len(times.groups.compared(found["p50"].notna().tolist())) == 2:
        return f"{names[0]} is associated with the shorter {median}: {lengths[0]}, {names[1]} {lengths[1]}"
    return f"{median.capitalize()} runs from {lengths[0]} ({names[0]}) to {lengths[1]} ({names[1]})"
