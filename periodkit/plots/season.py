"""The times of many periods beside one another, in the order of time."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import NDArray

from periodkit.metrics import cycle_times
from periodkit.plots._drawing import (
    COLOURS,
    FAINT,
    INK,
    as_target,
    drawable,
    duration_axis,
    duration_limits,
    explain,
    figure_of,
    finish,
    open_axes,
    seconds,
    styled,
    target_line,
)
from periodkit.wording import count, duration, told_apart

__all__ = ["times_by_period"]

_NAMES_AN_INCH = 5


@styled
def times_by_period(
    actions: pd.DataFrame, periods: pd.DataFrame, target: str | None = None, ax: Axes | None = None
) -> Axes:
    """Draw P50 and P90 of the cycle time of each period, with their intervals.

    Parameters
    ----------
    actions : pandas.DataFrame
        An actions frame.
    periods : pandas.DataFrame
        Their periods, in the order in which to draw them.
    target : str, optional
        The promised time, as a line.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default on a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The Axes drawn on.
    """
    found = periods[["period_id", "period_name"]].merge(
        cycle_times(actions, by="period_id"), on="period_id", how="left"
    )
    title = "Cycle times by period"
    if "p50" not in found or found["p50"].isna().all():
        return explain(ax, title, "In no period have enough actions ended to say")
    ax = open_axes(ax, 5.2)
    at = np.arange(len(found))
    shown = []
    for name, colour, mark in (("p50", COLOURS[0], "o"), ("p90", COLOURS[1], "D")):
        value, low, high = (seconds(found[name + side]) for side in ("", "_low", "_high"))
        shown += [value, low, high]
        ax.vlines(at, low, np.where(np.isnan(high), value, high), color=colour, linewidth=1.6, alpha=0.75, zorder=2)
        ax.plot(at, value, color=colour, linewidth=0.8, alpha=0.5, zorder=2)
        ax.plot(at, value, mark, color=colour, markersize=5, zorder=3)
        last = int(np.flatnonzero(~np.isnan(value))[-1]) if (~np.isnan(value)).any() else None
        if last is not None:
            ax.annotate(
                name.upper(), (at[last], value[last]), (9, 0), textcoords="offset points", va="center", color=colour
            )
    promised = as_target(target)
    duration_axis(ax, "y", duration_limits(np.concatenate([*shown, [promised or np.nan]])), "created to closed")
    if promised is not None:
        target_line(ax, "y", promised)
    _label(ax, found, at)
    ax.set_xlim(-0.8, len(found) - 0.2)
    ax.grid(visible=False, axis="x")
    ends = [duration(found["p90"].min()), duration(found["p90"].max())]
    if ends[0] == ends[1] and found["p90"].notna().any():
        title = f"P90 {ends[0]} by period"
    elif found["p90"].notna().any():
        title = f"P90 between {ends[0]} and {ends[1]} by period"
    names = told_apart(found["period_name"].astype("object"), found["period_id"].astype("object"), 40)
    details = "; ".join(
        f"{name} P50 {duration(row['p50'])}, P90 {duration(row['p90'])}"
        for name, (_, row) in zip(names, found.iterrows(), strict=True)
    )
    subtitle = f"{count(len(found), 'period')} in the order of time · bars: 95 % intervals"
    return finish(ax, title, subtitle, f"{title}. {details}.")


def _label(ax: Axes, found: pd.DataFrame, at: NDArray[np.int64]) -> None:
    inches = ax.get_window_extent().width / figure_of(ax).dpi
    step = max(1, -(-len(found) // int(_NAMES_AN_INCH * inches)))
    names = told_apart(found["period_name"].astype("object"), found["period_id"].astype("object"), 26)
    names = [drawable(each) for each in names]
    ax.set_xticks(at[::step], names[::step], rotation=60, ha="right", rotation_mode="anchor", fontsize=8, color=INK)
    ax.tick_params(axis="x", color=FAINT)
