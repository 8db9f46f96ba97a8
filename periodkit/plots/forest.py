"""Where it was slow: P90 of each group, with its interval."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from periodkit._moment import AsOf
from periodkit.metrics.tally import By
from periodkit.metrics.times import cycle_times
from periodkit.milestones import checked_stage
from periodkit.plots._canvas import COLOURS, INK, MUTED, check_actions, explain, finish, nothing_of, open_axes, styled
from periodkit.plots._groups import GROUP, Groups, group_by
from periodkit.plots._scales import Floats, as_target, duration_axis, duration_limits, seconds, target_line
from periodkit.plots._stages import axis_label, confidence_words, left_out, noun
from periodkit.plots._text import count, drawable, duration, exact, plain, stub, with_interval

__all__ = ["p90_forest"]


@styled
def p90_forest(
    actions: pd.DataFrame,
    by: By = "classification",
    stage: str = "cycle",
    target: Any = None,  # noqa: ANN401
    canceled: str = "censor",
    confidence: float = 0.95,
    as_of: AsOf | None = None,
    max_groups: int = 12,
    ax: Axes | None = None,
) -> Axes:
    """Draw the P90 of each group with its interval, the longest first, and the P50 beside it.

    Parameters
    ----------
    actions : pandas.DataFrame
        An actions frame.
    by : str or list of str
        Columns to group by.
    stage : {"cycle", "dispatch", "pickup", "response", "work"}
        Between which milestones.
    target : timedelta or str, optional
        A promised time to mark, such as ``"30min"``.
    canceled : {"censor", "exclude"}
        What cancellations count as, see `periodkit.cycle_times`.
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
    groups = group_by(check_actions(actions), by, max_groups)
    found = cycle_times(groups.actions, GROUP, stage, canceled=canceled, confidence=confidence, as_of=as_of)
    total = found[["n", "used", "open", "not_started", "invalid", "unknown"]].sum()
    out = left_out(total)
    if not total["used"]:
        reason = nothing_of(int(total["n"]), f"has a {noun(stage)}")
        return explain(ax, f"P90 {noun(stage)}", reason, out)
    # Not reached is longer than all that were.
    found = found.assign(_order=np.nan_to_num(seconds(found["p90"]), nan=np.inf)).sort_values(
        ["_order", GROUP], ascending=[False, True], kind="stable"
    )
    ax = open_axes(ax, max(2.2, 1.7 + 0.36 * len(found)))
    times = {name: seconds(found[name]) for name in ("p50", "p90", "p90_low", "p90_high")}
    limits = duration_limits([*np.concatenate(list(times.values())), limit or np.nan])
    _rows(ax, found, groups, times, limits)
    if limit is not None:
        ax.set_ylim(len(found) + 0.1, -0.5)
        target_line(ax, "x", limit, flat=True)
    duration_axis(ax, "x", limits, axis_label(stage), most=6)
    parts = [
        f"n = {total['used']:,}, of which {total['open']:,} open",
        f"filled: P90 with its {confidence_words(confidence)}, hollow: P50",
        f"the {groups.folded} smallest groups in one" if groups.folded else "",
        out,
    ]
    title = _title(found, groups, stage, limit)
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
    low, high = times["p90_low"], times["p90_high"]
    begun = np.isfinite(low)
    endless = begun & ~np.isfinite(high)
    ax.hlines(place[begun], low[begun], np.where(endless, limits[1], high)[begun], color=COLOURS[0], linewidth=2.5)
    ax.plot(np.full(endless.sum(), limits[1]), place[endless], ">", color=COLOURS[0], markersize=8, clip_on=False)
    ax.plot(times["p50"], place, "o", color="white", markeredgecolor=MUTED, markeredgewidth=1.3, markersize=6, zorder=3)
    ax.plot(times["p90"], place, "o", color=COLOURS[0], markersize=8, markeredgecolor="white", zorder=4)
    for at, (_, row) in enumerate(found.iterrows()):
        ax.annotate(
            f"{duration(row['p90'])}   n = {row['used']:,}",
            (1, at),
            (9, 0),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            va="center",
            fontsize=9,
            color=INK,
        )
    ax.set_yticks(place, [drawable(stub(groups.names[int(code)])) for code in found[GROUP]])
    ax.set_ylim(len(found) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)


def _title(found: pd.DataFrame, groups: Groups, stage: str, target: float | None) -> str:
    p90 = f"P90 {noun(stage)}"
    if target is not None:
        limit = pd.Timedelta(seconds=target)
        used = found["used"] > 0
        # Not reached with a low end beyond the target is beyond it as well.
        over = int(((found["p90"] > limit) | (found["p90"].isna() & (found["p90_low"] > limit))).sum())
        sure = int((found["p90_low"] > limit).sum())
        unsure = int((used & found["p90"].isna() & ~(found["p90_low"] > limit)).sum())
        tail = f", not reached in {unsure:,}" if unsure else ""
        surely = f" (with the whole interval in {sure:,})" if over else ""
        return (
            f"{p90} is over the {exact(target)} target in {over:,} of {count(int(used.sum()), 'group')}{surely}{tail}"
        )
    by_group = found.sort_values(GROUP)
    rest = groups.compared(by_group["p90"].notna().tolist())
    if not rest:
        return f"No group has reached its {p90} yet"
    some = by_group.iloc[rest]
    ends = [some.iloc[at] for at in (int(some["p90"].argmin()), int(some["p90"].argmax()))]
    names = [f"{duration(row['p90'])} ({plain(groups.names[int(row[GROUP])], 30)})" for row in ends]
    return f"{p90} is {names[0]}" if len(rest) == 1 else f"{p90} runs from {names[0]} to {names[1]}"
