"""What came around each marker, against what came there on earlier nights."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from periodkit._arguments import AsOf, as_micros, check_count
from periodkit.errors import ArgumentError
from periodkit.frames import in_pandas, latest_period, markers, ordered_periods, position_of, require_one_venue
from periodkit.metrics import marker_profile as profile_of
from periodkit.plots._drawing import (
    COLOURS,
    FAINT,
    INK,
    MUTED,
    NEEDED,
    SMALL,
    explain,
    finish,
    grid_of,
    open_axes,
    panels,
    points_of,
    small_points,
    styled,
)
from periodkit.wording import clean_label, count, round_duration

__all__ = ["marker_profile"]

_ORDINARY = "#C9D5E0"
_LEAST = 2  # earlier nights that make a range


@styled
def marker_profile(
    actions: Any,  # noqa: ANN401  (any engine's frame)
    periods: pd.DataFrame,
    period: Any = None,  # noqa: ANN401
    marker: str | Iterable[str] | None = None,
    width: str = "15min",
    before: str = "1h",
    after: str = "2h",
    as_of: AsOf | None = None,
    max_groups: int = 6,
    ax: Axes | None = None,
) -> Axes:
    """Draw a period's arrivals around each of its markers against the middle 80 % of those of earlier periods.

    Parameters
    ----------
    actions : pandas.DataFrame, polars frame, pyarrow.Table or DuckDB relation
        Actions of the period and of those before it.
    periods : pandas.DataFrame
        Their periods, with markers.
    period : int or str, optional
        Id or name of the period; by default the latest.
    marker : str or list of str, optional
        Names of markers; by default those of the period.
    width, before, after
        As for `periodkit.marker_profile`.
    as_of : datetime, Timestamp or ISO 8601 text, optional
        Replay that moment; by default each row's ``fetched_at``.
    max_groups : int
        How many markers to draw at most, in the order of the event.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default on a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The Axes drawn on; for several markers, the Axes that hold a panel for each.

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
    ...     periods = client.periods()
    ...     actions = client.actions(periods)
    >>> ax = pk.plots.marker_profile(actions, periods, marker="Kick-off")
    >>> ax.get_xlabel()
    'from Kick-off'
    >>> ax.figure.clear()
    """
    check_count(max_groups, "max_groups", 1)
    order = ordered_periods(periods)
    require_one_venue(actions, periods)
    frame = in_pandas(actions, [*NEEDED, "period_id"])
    what = "Arrivals around the markers"
    if not len(frame) or not len(order):
        return explain(ax, what, "No actions to show")
    at = position_of(latest_period(periods)["period_id"].item() if period is None else period, order)
    tonight, earlier = ({*order["period_id"].iloc[part]} for part in (slice(at, at + 1), slice(0, at)))
    own = periods[periods["period_id"].isin(tonight)]
    marks = markers(periods).dropna(subset=["timestamp"])
    there = set(marks.loc[marks["period_id"].isin(tonight), "marker"])
    wanted = [marker] if isinstance(marker, str) else list(there if marker is None else marker)
    missing = [name for name in wanted if name not in set(marks["marker"])]
    if missing:
        raise ArgumentError(f"marker names {missing[0]!r}, which no period has. See periodkit.markers(periods).")
    profile = partial(profile_of, width=width, before=before, after=after, as_of=as_of)
    now = profile(frame[frame["period_id"].isin(tonight)], own, [name for name in wanted if name in there])
    names = now["marker"].drop_duplicates().tolist()[:max_groups]
    if not names:
        return explain(ax, what, "The period has no such marker" if there else "The period has no markers")
    past = periods[periods["period_id"].isin(earlier)]
    usual = profile(frame[frame["period_id"].isin(earlier)], past)
    both = now[now["marker"].isin(names)].merge(
        usual[["marker", "low", "occurrences", "typical_low", "typical_high"]],
        on=["marker", "low"],
        how="left",
        suffixes=("", "_before"),
    )
    wide = as_micros(width, "width") / 60e6
    both[["tonight", "least", "most"]] = wide * both[["rate", "typical_low_before", "typical_high_before"]].to_numpy()
    few = ~(both["occurrences_before"] >= _LEAST)
    both.loc[few, ["least", "most"]] = np.nan
    if both["tonight"].isna().all():
        return explain(ax, what, "Nothing of the time around the markers has been seen yet")
    highest = float(np.nanmax(both[["tonight", "most"]].to_numpy()))
    ax = open_axes(ax, 3.6 if len(names) == 1 else 1.2 + 1.9 * grid_of(len(names), 500, 190)[0])
    if len(names) == 1:
        _draw(ax, both, highest, f"actions in {round_duration(60 * wide)}")
        ax.set_xlabel(f"from {clean_label(names[0])}")
    else:
        columns = grid_of(len(names), points_of(ax)[0], 170)[1]
        for each, name in zip(
            panels(ax, [clean_label(n, 28) for n in names], columns, aside=2 * small_points()), names, strict=True
        ):
            _draw(each, both[both["marker"] == name], highest, "")
    known = both.dropna(subset=["tonight", "most"])
    above, below = int((known["tonight"] > known["most"]).sum()), int((known["tonight"] < known["least"]).sum())
    nights = len(past)
    if known.empty:
        title = f"Arrivals around {count(len(names), 'marker')}, with no earlier period to compare"
    elif not above + below:
        title = f"Arrivals stayed within the middle 80 % of {count(nights, 'earlier period')}"
    else:
        title = (
            f"Arrivals were above the middle 80 % of {count(nights, 'earlier period')} in {above} of "
            f"{count(len(known), 'bin')}, below in {below}"
        )
    notes = [
        f"actions in {round_duration(60 * wide)}, by time from the marker",
        "line: this period"
        + ("" if known.empty else f"; grey: the middle 80 % of {nights} before, so 1 in 10 is above by chance"),
    ]
    details = " ".join(_in_words(name, both[both["marker"] == name]) for name in names)
    return finish(ax, title, " · ".join(notes), f"{title}. {details}")


def _draw(ax: Axes, part: pd.DataFrame, highest: float, label: str) -> None:
    edges = np.r_[part["low"].dt.total_seconds().to_numpy(), part["high"].dt.total_seconds().iloc[-1]] / 60
    least, most, now = (part[name].to_numpy(dtype=np.float64) for name in ("least", "most", "tonight"))
    ax.stairs(
        np.nan_to_num(most), edges, baseline=np.nan_to_num(least), fill=True, color=_ORDINARY, linewidth=0, zorder=1
    )
    ax.stairs(now, edges, baseline=None, color=COLOURS[0], linewidth=2.0, zorder=3)
    odd = now > most
    ax.plot(
        ((edges[1:] + edges[:-1]) / 2)[odd],
        now[odd],
        "D",
        color=COLOURS[1],
        markeredgecolor=INK,
        markersize=5,
        zorder=4,
    )
    ax.axvline(0, color=MUTED, linewidth=1.0, linestyle=(0, (4, 3)), zorder=2)
    ax.set_xlim(edges[0], edges[-1])
    ax.set_ylim(0, 1.08 * highest + 0.5)
    ax.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    room = points_of(ax)[0] / (4.5 * small_points())
    step = next((each for each in (15, 30, 60, 120, 240) if (edges[-1] - edges[0]) / each <= room), 480)
    ticks = np.arange(np.ceil(edges[0] / step), np.floor(edges[-1] / step) + 1) * step
    ax.set_xticks(ticks, [_minutes(each) for each in ticks])
    ax.yaxis.grid(visible=True, color=FAINT, linewidth=0.8)
    ax.set_ylabel(label, fontsize=SMALL)


def _minutes(value: float) -> str:
    if not value:
        return "0"
    sign = "+" if value > 0 else "−"
    return f"{sign}{abs(value) / 60:g} h" if abs(value) % 60 == 0 else f"{sign}{abs(value):g} min"


def _in_words(name: str, part: pd.DataFrame) -> str:
    parts = []
    for row in part.dropna(subset=["tonight"]).to_dict("records"):
        usual = "" if pd.isna(row["most"]) else f" (ordinary {row['least']:.0f} to {row['most']:.0f})"
        parts.append(f"from {_minutes(row['low'] / pd.Timedelta('1min'))} {row['tonight']:.0f}{usual}")
    return f"{clean_label(name)}: {', '.join(parts)}."
