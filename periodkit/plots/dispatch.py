"""How much AI dispatched: rates with Wilson intervals, by group or by period."""

from __future__ import annotations

from datetime import tzinfo

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from periodkit._arguments import zone
from periodkit.frames import ActionsFrame
from periodkit.metrics import ai_dispatch_rate
from periodkit.metrics.estimate import wilson
from periodkit.metrics.tally import By
from periodkit.plots import _drawing as draw
from periodkit.wording import clean_label, count, estimate, joined, percent, sentences

__all__ = ["dispatch_rate"]

_OF = {
    "known": "with dispatch known",
    "assigned": "assigned, with dispatch known",
    "all": "of all, unknown ones counted as not AI",
}


@draw.styled
def dispatch_rate(
    actions: ActionsFrame,
    by: By = None,
    of: str = "known",
    confidence: float = 0.95,
    tz: str | tzinfo | None = None,
    max_groups: int = 12,
    ax: Axes | None = None,
) -> Axes:
    """Draw the share of actions that AI dispatched, with Wilson intervals, by group or over periods.

    Groups are rows, the highest rate first. Periods (`by` is ``"period_name"``, ``"period_id"`` or both) are columns in
    order of time; all are drawn, one for each id, with its name if the frame has it. The title names the lowest and the
    highest rate, and says whether their difference may be chance: whether their intervals overlap, made wider for more than
    two groups.

    Parameters
    ----------
    actions, by, confidence, max_groups, ax
        As in `cycle_time_ecdf`.
    of : {"known", "assigned", "all"}
        The share of which actions, see `periodkit.ai_dispatch_rate`.
    tz : str or tzinfo, optional
        The zone of the periods' dates, such as ``"Europe/London"``; by default UTC.

    Returns
    -------
    matplotlib.axes.Axes
        The Axes drawn on.

    Raises
    ------
    SchemaError
        There is no column ``ai_dispatched``, or one of `by` is missing.
    ArgumentError
        An argument is not one of those it takes.

    Examples
    --------
    >>> import periodkit as pk
    >>> with pk.demo_client() as client:
    ...     actions = client.actions(client.periods())
    >>> ax = pk.plots.dispatch_rate(actions, by="channel")
    >>> len(ax.get_yticks())
    8
    >>> ax.figure.clear()
    """
    where = zone(tz)
    columns = ["ai_dispatched", "created_time", "assigned_time"]
    groups = draw.group_by(actions, columns, by, max_groups, every_period=True)
    found = groups.known(ai_dispatch_rate(groups.actions, draw.GROUP, of, confidence))
    found["base"] = found["n"] if of == "all" else found["ai"] + found["not_ai"]
    whole = ai_dispatch_rate(actions, of=of, confidence=confidence).iloc[0]
    if not whole["n"] or found["rate"].isna().all():
        reason = (
            "No actions to show"
            if not whole["n"]
            else f"ai_dispatched is not known for {'any of ' if whole['n'] > 1 else ''}{count(int(whole['n']))}"
        )
        return draw.explain(ax, "AI-dispatch rate", reason)
    across = groups.in_time and len(found) > 1
    if not across:
        found = found.sort_values(["rate", draw.GROUP], ascending=[False, True], na_position="last", kind="stable")
        ax = draw.open_axes(ax, max(2.0, 1.5 + 0.34 * len(found)))
        _rows(ax, found, groups, whole)
    else:
        ax = draw.open_axes(ax)
        _over_time(ax, found, groups, whole, where)
    base = int(whole["n"] if of == "all" else whole["ai"] + whole["not_ai"])
    parts = [
        f"n = {base:,} {_OF[of]}",
        "" if of == "all" or not whole["unknown"] else f"{int(whole['unknown']):,} unknown",
        f"bars: {draw.confidence_words(confidence)} (Wilson)",
        f"the {groups.folded} smallest groups in one" if groups.folded else "",
        groups.note,
    ]
    title = _title(found, groups, whole, confidence)
    details = "; ".join(
        f"{clean_label(groups.names[int(row[draw.GROUP])])} {estimate(row['rate'], row['low'], row['high'])}, "
        f"n {int(row['base']):,}"
        for _, row in found.iterrows()
    )
    alt = sentences(
        f"AI dispatched {estimate(whole['rate'], whole['low'], whole['high'])} of {count(base)}, in brackets the "
        f"{draw.confidence_words(confidence)}",
        *([title, f"By {clean_label(groups.by)}: {details}"] if by is not None else ()),
    )
    return draw.finish(ax, title, joined(parts), alt)


def _rows(ax: Axes, found: pd.DataFrame, groups: draw.Groups, whole: pd.Series) -> None:
    place = np.arange(len(found))
    known = found["rate"].notna().to_numpy()
    rate, low, high = (found[name].to_numpy() for name in ("rate", "low", "high"))
    if len(found) > 1:
        ax.axvline(whole["rate"], color=draw.MUTED, linewidth=1.2, linestyle=(0, (4, 2)), zorder=1)
    ax.hlines(place[known], low[known], high[known], color=draw.COLOURS[0], linewidth=2.5, zorder=2)
    ax.plot(
        rate[known],
        place[known],
        "o",
        color=draw.COLOURS[0],
        markersize=7,
        markeredgecolor="white",
        clip_on=False,
        zorder=3,
    )
    notes = [
        f"unknown for {int(row['n']):,}"
        if pd.isna(row["rate"])
        else f"{percent(row['rate'])}   n = {int(row['base']):,}"
        for _, row in found.iterrows()
    ]
    draw.name_rows(ax, [groups.names[int(code)] for code in found[draw.GROUP]], notes)
    label = "share dispatched by AI" + (f"; dashed: all, {percent(whole['rate'])}" if len(found) > 1 else "")
    draw.share_axis(ax, "x", label, (0, max(1.0, float(np.nanmax(high)))))


def _over_time(ax: Axes, found: pd.DataFrame, groups: draw.Groups, whole: pd.Series, where: tuple[tzinfo, str]) -> None:
    place = np.arange(len(found))
    rate, low, high = (found[name].to_numpy() for name in ("rate", "low", "high"))
    known = ~np.isnan(rate)
    ax.axhline(whole["rate"], color=draw.MUTED, linewidth=1.2, linestyle=(0, (4, 2)), zorder=1)
    draw.write(ax, f"all {percent(whole['rate'])}", (1, whole["rate"]), (4, 0), draw.BESIDE, color=draw.MUTED)
    ax.plot(place[known], rate[known], color=draw.COLOURS[0], linewidth=1.0, alpha=0.5, zorder=2)
    ax.vlines(place[known], low[known], high[known], color=draw.COLOURS[0], linewidth=2.5, zorder=2)
    ax.plot(
        place[known],
        rate[known],
        "o",
        color=draw.COLOURS[0],
        markersize=6,
        markeredgecolor="white",
        clip_on=False,
        zorder=3,
    )
    highest = float(np.nanmax(high))
    # Room for a name above the highest bar, but no tick above 100 %.
    room = 3.2 * draw.small_points() / (0.72 * draw.points_of(ax)[1])
    draw.share_axis(ax, "y", "share dispatched by AI", (0, highest / (1 - min(room, 0.5)) + 0.01))
    ax.set_yticks([tick for tick in ax.get_yticks() if 0 <= tick <= min(1.0, ax.get_ylim()[1])])
    most, least = int(np.nanargmax(rate)), int(np.nanargmin(rate))
    # The name of the lowest rate is below it, or beside its bar where it would run into the axis.
    beside = low[least] < ax.get_ylim()[1] / 5
    for at, up in ((most, True), (least, False)):
        name, share = draw.wrap_label(groups.names[at], 30, 1), percent(rate[at])
        draw.write(
            ax,
            f"{share} {name}" if beside and not up else f"{name}\n{share}",
            (at, high[at] if up else 0 if beside else low[at]),
            (0, 3) if up else (8 if at <= len(found) / 2 else -8, 3) if beside else (0, -5),
            ha="left" if at <= len(found) / 5 else "right" if at >= 0.8 * len(found) - 1 else "center",
            va="bottom" if up or beside else "top",
        )
    draw.date_ticks(ax, groups.began().reindex(found[draw.GROUP]), where, "date of each period")
    ax.spines["left"].set_color(draw.FAINT)


def _title(found: pd.DataFrame, groups: draw.Groups, whole: pd.Series, confidence: float) -> str:
    overall = f"AI dispatched {percent(whole['rate'])} of actions"
    ends = groups.ends(found, "rate")
    if ends is None or ends[0][draw.GROUP] == ends[1][draw.GROUP]:
        return overall
    names = [f"{percent(row['rate'])} ({groups.name(row)})" for row in ends]
    hits, base = ([int(row[name]) for row in ends] for name in ("ai", "base"))
    _, lows, highs = wilson(hits, base, draw.widened(confidence, len(found)))
    return f"{overall}: from {names[0]} to {names[1]}" + ("" if highs[0] < lows[1] else ", which may be chance")
