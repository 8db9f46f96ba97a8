"""Where it was slow: P90 of each group, with its interval."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from periodkit._arguments import AsOf
from periodkit.frames import in_pandas
from periodkit.metrics import COUNT_COLUMNS, cycle_times
from periodkit.metrics.tally import By, unused_states
from periodkit.milestones import checked_stage
from periodkit.plots._drawing import (
    COLOURS,
    GROUP,
    INK,
    MUTED,
    NEEDED,
    SMALL,
    Floats,
    Groups,
    as_target,
    at_once,
    axis_label,
    columns_of,
    confidence_words,
    drawable,
    duration_axis,
    duration_limits,
    explain,
    finish,
    group_by,
    left_out,
    nothing_of,
    noun,
    open_axes,
    row_points,
    seconds,
    small_points,
    stub,
    styled,
    target_line,
    widened,
)
from periodkit.wording import duration, exact, plain, with_interval

__all__ = ["p90_forest"]


@styled
def p90_forest(
    actions: Any,  # noqa: ANN401  (any engine's frame)
    by: By = "classification",
    stage: str = "cycle",
    target: Any = None,  # noqa: ANN401
    canceled: str = "exclude",
    skipped: str = "exclude",
    confidence: float = 0.95,
    as_of: AsOf | None = None,
    max_groups: int = 12,
    ax: Axes | None = None,
) -> Axes:
    """Draw the P90 of each group with its interval, the longest first, and the P50 beside it.

    With a target, a group counts as over or within it only if its whole interval is; without one, the title names the
    least and the greatest, and says so where their difference may be chance.

    Parameters
    ----------
    actions : pandas.DataFrame, polars frame, pyarrow.Table or DuckDB relation
        Actions.
    by : str or list of str
        Columns to group by.
    stage : {"cycle", "dispatch", "pickup", "response", "work"}
        Between which milestones.
    target : timedelta or str, optional
        A promised time to mark, such as ``"30min"``.
    canceled : {"exclude", "censor"}
        What cancellations count as, see `periodkit.cycle_times`.
    skipped : {"exclude", "at_close"}
        What actions count as that were closed without a record of the stage's end, see `periodkit.cycle_times`.
    confidence : float
        Coverage of the intervals.
    as_of : datetime, Timestamp or ISO 8601 text, optional
        Replay that moment; by default each row's ``fetched_at``.
    max_groups : int
        The smallest groups above this number are drawn as one, "other".
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default on a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The Axes drawn on. An interval whose end was not reached runs off as an arrow.

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
    ...     actions = client.actions(client.periods())
    >>> ax = pk.plots.p90_forest(actions, by="classification", target="45min")
    >>> len(ax.get_yticks())
    8
    >>> ax.figure.clear()
    """
    checked_stage(stage)
    limit = as_target(target)
    groups = group_by(in_pandas(actions, [*NEEDED, *columns_of(by)]), by, max_groups)
    measured = partial(cycle_times, groups.actions, GROUP, stage, canceled=canceled, skipped=skipped, as_of=as_of)
    found = measured(confidence=confidence)
    total = found[[*COUNT_COLUMNS]].sum()
    out = left_out(total, unused_states(canceled, skipped))
    if not total["used"]:
        reason = nothing_of(int(total["n"]), f"has a {noun(stage)}")
        return explain(ax, f"P90 {noun(stage)}", reason, out)
    times = {name: seconds(found[name]) for name in ("p50", "p90", "p90_low", "p90_high")}
    if np.nanmax([0.0, *np.concatenate(list(times.values()))]) == 0 and found["events"].any():
        return explain(ax, f"P90 {noun(stage)}", at_once(int(total["events"]), stage), out)
    # Not reached is longer than all that were.
    found = found.assign(_order=np.nan_to_num(seconds(found["p90"]), nan=np.inf)).sort_values(
        ["_order", GROUP], ascending=[False, True], kind="stable"
    )
    ax = open_axes(ax, max(2.2, 1.7 + 0.34 * len(found)))
    times = {name: seconds(found[name]) for name in ("p50", "p90", "p90_low", "p90_high")}
    limits = duration_limits([*np.concatenate(list(times.values())), limit or np.nan])
    duration_axis(ax, "x", limits, axis_label(stage))
    _rows(ax, found, groups, times, limits)
    if limit is not None:
        ax.set_ylim(len(found) + 0.1, -0.5)
        target_line(ax, "x", limit, high=False)
    parts = [
        f"n = {total['used']:,}, of which {total['open']:,} open",
        f"filled: P90 with its {confidence_words(confidence)}, hollow: P50",
        f"the {groups.folded} smallest groups in one" if groups.folded else "",
        out,
    ]
    if limit is None:
        wide = measured(confidence=widened(confidence, len(found)))
        title = _range(found, wide, groups, stage)
    else:
        title = _against(found, stage, limit)
    details = "; ".join(
        f"{plain(groups.names[int(row[GROUP])])} P90 {with_interval(row['p90'], row['p90_low'], row['p90_high'])}, "
        f"P50 {duration(row['p50'])}, n {row['used']:,}"
        for _, row in found.iterrows()
    )
    what = f"P90 {noun(stage)} by {plain(groups.by) or 'all'}, in brackets the {confidence_words(confidence)}"
    alt = f"{what}. {title}. {details}. {out}"
    return finish(ax, title, " · ".join(filter(None, parts)), alt)


def _rows(ax: Axes, found: pd.DataFrame, groups: Groups, times: dict[str, Floats], limits: tuple[float, float]) -> None:
    place = np.arange(len(found))
    one_line = row_points(ax, len(found) + 1) < 2.4 * small_points()
    low, high = times["p90_low"], times["p90_high"]
    begun = np.isfinite(low)
    endless = begun & ~np.isfinite(high)
    ax.hlines(place[begun], low[begun], np.where(endless, limits[1], high)[begun], color=COLOURS[0], linewidth=2.5)
    if endless.any():
        # A line without points that is not clipped would take up room in the corner of the figure.
        ax.plot(np.full(endless.sum(), limits[1]), place[endless], ">", color=COLOURS[0], markersize=8, clip_on=False)
    ax.plot(times["p50"], place, "o", color="white", markeredgecolor=MUTED, markeredgewidth=1.3, markersize=6, zorder=3)
    ax.plot(times["p90"], place, "o", color=COLOURS[0], markersize=8, markeredgecolor="white", zorder=4)
    for at, (_, row) in enumerate(found.iterrows()):
        ax.annotate(
            f"{duration(row['p90'])}   n = {row['used']:,}" if row["used"] else "n = 0",
            (1, at),
            (9, 0),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            va="center",
            fontsize=SMALL,
            color=INK,
        )
    ax.set_yticks(place, [drawable(stub(groups.names[int(code)], lines=1 if one_line else 2)) for code in found[GROUP]])
    ax.set_ylim(len(found) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)


def _against(found: pd.DataFrame, stage: str, target: float) -> str:
    """Say in how many groups P90 is over the target; only a whole interval beyond it counts."""
    p90, limit = f"P90 {noun(stage)}", pd.Timedelta(seconds=target)
    n = int((found["used"] > 0).sum())
    over, within = int((found["p90_low"] > limit).sum()), int((found["p90_high"] <= limit).sum())
    unsure = n - over - within
    of = f"{n:,} groups" if n != 1 else "the one group"
    if over:
        says = f"{p90} is over the {exact(target)} target in {over:,} of {of}"
    elif within:
        says = f"{p90} is within the {exact(target)} target in {within:,} of {of}"
    else:
        where = f" in any of {of}" if n > 1 else ""
        return f"Whether {p90} is within the {exact(target)} target is not certain{where}"
    return f"{says}, not certain in {unsure:,}" if unsure else says


def _range(found: pd.DataFrame, wide: pd.DataFrame, groups: Groups, stage: str) -> str:
    p90, ends = f"P90 {noun(stage)}", groups.ends(found, "p90")
    if ends is None:
        return f"No group has reached its {p90} yet"
    least, most = ends
    names = [f"{duration(row['p90'])} ({groups.name(row)})" for row in ends]
    if least[GROUP] == most[GROUP]:
        return f"{p90} is {names[0]}"
    by_group = wide.set_index(GROUP)
    apart = by_group.loc[least[GROUP], "p90_high"] < by_group.loc[most[GROUP], "p90_low"]
    return f"{p90} runs from {names[0]} to {names[1]}" + ("" if apart else ", which may be chance")
