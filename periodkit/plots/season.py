"""Cycle times of many periods side by side, in order of time."""

from __future__ import annotations

from datetime import tzinfo

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from periodkit._arguments import PERIODS_FRAME, require_columns, zone
from periodkit.frames import ActionsFrame, distinct_periods
from periodkit.metrics import cycle_times
from periodkit.plots import _drawing as draw
from periodkit.wording import Span, count, duration, sentences, unique_labels

__all__ = ["times_by_period"]


@draw.styled
def times_by_period(
    actions: ActionsFrame,
    periods: pd.DataFrame,
    target: Span | None = None,
    tz: str | tzinfo | None = None,
    ax: Axes | None = None,
) -> Axes:
    r"""Draw P50 and P90 of the cycle time of each period, with their 95 % intervals.

    Parameters
    ----------
    actions, target, ax
        As in `cycle_time_ecdf`.
    tz : str or tzinfo, optional
        The zone in which periods have their dates; by default UTC.
    periods : pandas.DataFrame
        The periods to draw, in this order; one without actions is left empty.

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
    ...     periods = client.periods().head(4)
    ...     actions = client.actions(periods)
    >>> ax = pk.plots.times_by_period(actions, periods, target="20min")
    >>> [tick.get_text().replace("\n", " ") for tick in ax.get_xticklabels()]
    ['3 Aug 2024', '17 Aug', '31 Aug', '7 Sep']
    >>> ax.figure.clear()
    """
    where = zone(tz)
    promised = draw.as_target(target)
    require_columns(periods.columns, ["period_id", "period_name", "start_date"], PERIODS_FRAME)
    distinct_periods(periods)  # refuses those of two venues
    times = cycle_times(actions, by="period_id")
    found = periods[["period_id", "period_name"]].merge(times, on="period_id", how="left")
    title = "Cycle times by period"
    if found["p50"].isna().all():
        return draw.explain(
            ax, title, "Too few actions of any period have ended" if len(times) else "No actions to show"
        )
    if not found[["p50", "p90"]].max(axis=None):
        return draw.explain(ax, title, draw.at_once(int(times["events"].sum()), "cycle"))
    ax = draw.open_axes(ax, 5.2)
    at = np.arange(len(found))
    shown = []
    for name, colour, mark in (("p50", draw.COLOURS[0], "o"), ("p90", draw.COLOURS[1], "D")):
        value, low, high = (draw.seconds(found[name + side]) for side in ("", "_low", "_high"))
        shown += [value, low, high]
        ax.vlines(at, low, np.where(np.isnan(high), value, high), color=colour, linewidth=1.6, alpha=0.75, zorder=2)
        ax.plot(at, value, color=colour, linewidth=0.8, alpha=0.5, zorder=2)
        ax.plot(at, value, mark, color=colour, markersize=5, zorder=3)
        known = np.flatnonzero(~np.isnan(value))
        if known.size:
            end = (at[known[-1]], value[known[-1]])
            draw.write(ax, name.upper(), end, (9, 0), color=colour, fontsize=None)
    draw.duration_axis(
        ax, "y", draw.duration_limits(np.concatenate([*shown, [promised or np.nan]])), "created to closed"
    )
    if promised is not None:
        draw.target_line(ax, "y", promised)
    draw.date_ticks(ax, periods["start_date"], where, "date of each period")
    ends = [duration(found["p90"].min()), duration(found["p90"].max())]
    if found["p90"].notna().any():
        title = f"P90 {ends[0]} by period" if ends[0] == ends[1] else f"P90 between {ends[0]} and {ends[1]} by period"
    details = "; ".join(
        f"{name} P50 {duration(row['p50'])}, P90 {duration(row['p90'])}"
        for name, (_, row) in zip(_names(found, 40), found.iterrows(), strict=True)
    )
    subtitle = f"{count(len(found), 'period')} in order of time · bars: 95 % intervals"
    return draw.finish(ax, title, subtitle, sentences(title, details))


def _names(found: pd.DataFrame, limit: int) -> list[str]:
    return unique_labels(found["period_name"].astype("object"), found["period_id"].astype("object"), limit)
