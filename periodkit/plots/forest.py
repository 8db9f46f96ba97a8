"""Where it was slow: the P90 of each group with its interval."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from periodkit._arguments import AsOf
from periodkit.frames import ActionsFrame
from periodkit.metrics.tally import By
from periodkit.plots import _drawing as draw
from periodkit.wording import Scalar, Span, clean_label, count, duration, joined, round_duration, sentences, unit_of

__all__ = ["p90_forest"]


@draw.styled
def p90_forest(
    actions: ActionsFrame,
    by: By = "classification",
    stage: str = "cycle",
    target: Span | None = None,
    canceled: str = "exclude",
    skipped: str = "exclude",
    confidence: float = 0.95,
    as_of: AsOf | None = None,
    max_groups: int = 12,
    ax: Axes | None = None,
) -> Axes:
    """Draw the P90 of each group with its interval, the longest first, and the P50 beside it.

    With a target, a group counts as over or within it only if its whole interval is. Without one, the title names the
    shortest and the longest P90, and says whether their difference may be chance.

    Parameters
    ----------
    actions, by, stage, target, canceled, skipped, confidence, as_of, max_groups, ax
        As in `cycle_time_ecdf`.

    Returns
    -------
    matplotlib.axes.Axes
        The Axes drawn on. An interval without an upper limit ends in an arrow.

    Raises
    ------
    SchemaError, ArgumentError
        As `cycle_time_ecdf`.

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
    limit = draw.as_target(target)
    times = draw.group_times(actions, by, stage, canceled, skipped, confidence, as_of, max_groups)
    total = times.total
    names = ("p50", "p90", "p90_least", "p90_high")
    longest = times.table[["p50", "p90", "p90_low", "p90_high"]].max(axis=None)
    instant = bool(total["events"]) and longest == pd.Timedelta(0)
    if times.nothing or instant:
        return draw.explain(
            ax, f"P90 {draw.noun(stage)}", times.nothing or draw.at_once(int(total["events"]), stage), times.out
        )
    # One that is not reached stands where it begins: it is longer than its lower limit.
    table = times.table.assign(p90_least=times.least(0.9))
    found = table.assign(_order=table["p90"].fillna(table["p90_least"]))
    found = found.sort_values(["_order", draw.GROUP], ascending=[False, True], kind="stable", na_position="last")
    ax = draw.open_axes(ax, max(2.2, 1.7 + 0.34 * len(found)))
    marks = {name: draw.seconds(found[name]) for name in names}
    limits = draw.duration_limits([*np.concatenate(list(marks.values())), limit or np.nan])
    draw.duration_axis(ax, "x", limits, draw.axis_label(stage))
    _rows(ax, found, times.groups, marks, limits)
    if limit is not None:
        ax.set_ylim(len(found) + 0.1, -0.5)
        draw.target_line(ax, "x", limit, high=False)
    what = draw.confidence_words(confidence)
    title = _range(times) if limit is None else _against(found, stage, limit)
    alt = sentences(
        f"P90 {draw.noun(stage)} by {clean_label(times.groups.by) or 'all'}, in brackets the {what}",
        title,
        times.words(found),
        times.out,
    )
    return draw.finish(ax, title, joined(times.subtitle(f"filled: P90 with its {what}, hollow: P50")), alt)


def _rows(
    ax: Axes, found: pd.DataFrame, groups: draw.Groups, times: dict[str, draw.Floats], limits: tuple[float, float]
) -> None:
    place = np.arange(len(found))
    low, high = times["p90_least"], times["p90_high"]
    begun = np.isfinite(low)
    endless = begun & ~np.isfinite(high)
    ax.hlines(place[begun], low[begun], np.where(endless, limits[1], high)[begun], color=draw.COLOURS[0], linewidth=2.5)
    if endless.any():
        # A line without points that is not clipped would take up room in the corner of the figure.
        ax.plot(
            np.full(endless.sum(), limits[1]), place[endless], ">", color=draw.COLOURS[0], markersize=8, clip_on=False
        )
    ax.plot(
        times["p50"], place, "o", color="white", markeredgecolor=draw.MUTED, markeredgewidth=1.3, markersize=6, zorder=3
    )
    ax.plot(times["p90"], place, "o", color=draw.COLOURS[0], markersize=8, markeredgecolor="white", zorder=4)
    known = found["p90"].dropna()
    unit = unit_of(known.median()) if len(known) else None
    notes = [
        f"{_value(p90, least, unit)}   n = {n:,}" if n else "n = 0"
        for p90, least, n in zip(found["p90"], found["p90_least"], found["used"], strict=True)
    ]
    draw.name_rows(ax, [groups.names[int(code)] for code in found[draw.GROUP]], notes)


def _value(p90: Scalar, least: Scalar, unit: str | None) -> str:
    return f"over {duration(least, unit)}" if pd.isna(p90) and not pd.isna(least) else duration(p90, unit)


def _against(found: pd.DataFrame, stage: str, target: float) -> str:
    """Say in how many groups P90 is over the target; only a whole interval beyond it counts."""
    what, limit = f"the {round_duration(target)} target", pd.Timedelta(seconds=target)
    n = int((found["used"] > 0).sum())
    over, within = int((found["p90_least"] > limit).sum()), int((found["p90_high"] <= limit).sum())
    of = count(n, "group") if n != 1 else "the one group"
    if not over and not within:
        where = f" in any of {of}" if n > 1 else ""
        return f"Whether P90 {draw.noun(stage)} is within {what} is not certain{where}"
    says = f"over {what} in {over:,} of {of}" if over else f"within {what} in {within:,} of {of}"
    unsure = n - over - within
    return f"P90 {draw.noun(stage)} is {says}" + (f", not certain in {unsure:,}" if unsure else "")


def _range(times: draw.GroupTimes) -> str:
    p90, ends = f"P90 {draw.noun(times.stage)}", times.ends("p90")
    if ends is None:
        return f"No group has reached its {p90} yet"
    names, lengths, apart = ends
    if len(names) == 1:
        return f"{p90} is {lengths[0]} ({names[0]})"
    tail = "" if apart else ", which may be chance"
    return f"{p90} runs from {lengths[0]} ({names[0]}) to {lengths[1]} ({names[1]}){tail}"
