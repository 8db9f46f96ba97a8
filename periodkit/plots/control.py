"""Is it getting better, and which periods stand out: the control chart of a season."""

from __future__ import annotations

from datetime import tzinfo
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from periodkit import answers
from periodkit._arguments import AsOf, Zone, zone
from periodkit.frames import require_one_venue
from periodkit.metrics import season
from periodkit.metrics.tally import By
from periodkit.plots._drawing import (
    COLOURS,
    DONE,
    FAINT,
    GROUP,
    INK,
    MUTED,
    NEEDED,
    SMALL,
    Floats,
    as_target,
    date_ticks,
    day,
    drawable,
    duration_axis,
    duration_limits,
    explain,
    finish,
    grid_of,
    group_by,
    open_axes,
    panels,
    points_of,
    seconds,
    share_axis,
    small_points,
    styled,
    target_line,
)
from periodkit.wording import Target, clean_label, count, duration, measure_name, percent, unique_labels

__all__ = ["season_chart"]

_SHOWN = ("period_name", "ai_dispatched", "channel", "latest_channel")
_TIMES = ("p50", "p90")
_SIGNALS = {
    "outside": ("D", COLOURS[1], "outside the limits"),
    "near": ("v", COLOURS[4], "two of three near a limit"),
    "trend": ("^", COLOURS[3], "part of a trend of 7 or more"),
    "run": ("s", COLOURS[2], "part of a run of 7 or more on one side"),
}
_NAMED = 4
_SHADE = "#E2E8EE"


@styled
def season_chart(
    actions: Any,  # noqa: ANN401  (any engine's frame)
    periods: pd.DataFrame | None = None,
    measure: str = "p90",
    by: By = None,
    stage: str = "cycle",
    target: Any = None,  # noqa: ANN401
    baseline: int = 12,
    rebase: Any = None,  # noqa: ANN401
    tz: str | tzinfo | None = None,
    as_of: AsOf | None = None,
    max_groups: int = 6,
    ax: Axes | None = None,
) -> Axes:
    """Draw a measure over the periods of a season, with the limits within which chance alone keeps it.

    Parameters
    ----------
    actions : pandas, Polars or Spark frame, pyarrow.Table or DuckDB relation
        Actions of many periods.
    periods : pandas.DataFrame, optional
        Which periods; by default those of the actions.
    measure : {"p90", "p50", "on_time", "ai_rate", "reroute_rate", "actions"}
        What to draw, see `periodkit.season`.
    by : str, Series, callable or list of these, optional
        What to group by, see `periodkit.cycle_times`: a small chart for each group.
    stage : {"cycle", "dispatch", "pickup", "response", "work"}
        Which stage times and shares on time are of.
    target : timedelta or str, optional
        A promised time: for ``on_time`` what it is judged by, for ``p50`` and ``p90`` a line.
    baseline : int
        How many periods set centre and limits; they are shaded.
    rebase : int or str, optional
        Id or name of a period from which the limits are taken anew.
    tz : str or tzinfo, optional
        The zone in which periods have their dates; by default UTC.
    as_of : datetime, Timestamp or ISO 8601 text, optional
        Replay that moment; by default each row's ``fetched_at``.
    max_groups : int
        The smallest groups above this number are drawn as one, "other".
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default on a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The Axes drawn on; by groups, the Axes that hold the small ones.

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
    >>> ax = pk.plots.season_chart(actions, periods, "ai_rate")
    >>> ax.get_title(loc="left").split(":")[0]
    'AI-dispatch rate'
    >>> ax.figure.clear()
    """
    where = zone(tz)
    promised = as_target(target) if measure in _TIMES else None
    require_one_venue(actions, periods)
    groups = group_by(actions, [*NEEDED, *_SHOWN], by, max_groups)
    chosen = {"target": target if measure == "on_time" else None, "stage": stage, "rebase": rebase, "as_of": as_of}
    chart = groups.known(season(groups.actions, periods, measure, GROUP, baseline=baseline, **chosen))
    what = measure_name(measure, stage)
    if measure == "on_time":
        what = f"Share {DONE[stage]} within {Target.read(target)}"
    if not groups.n or chart["value"].isna().all():
        reason = "No actions to show" if not groups.n else "In no period is there enough to say"
        return explain(ax, f"{what} by period", reason)
    parts = [part.reset_index(drop=True) for _, part in chart.groupby(GROUP, sort=True)]
    single = len(parts) == 1
    ax = open_axes(ax, 4.2 if single else 1.2 + 1.9 * grid_of(len(parts), 500, 190)[0])
    if single:
        _draw(ax, parts[0], measure, what, promised, where, single=True)
    else:
        _, columns = grid_of(len(parts), points_of(ax)[0], 190)
        names = [f"{clean_label(groups.names[at], 26)}: {_signs(part)}" for at, part in enumerate(parts)]
        for each, part in zip(panels(ax, names, columns, aside=3.2 * small_points()), parts, strict=True):
            _draw(each, part, measure, "", promised, where, single=False)
    title = answers.season(parts[0], what) if single else _title(parts, what)
    title = title.removesuffix(".")
    first, last = chart["start_date"].min(), chart["start_date"].max()
    span = (
        "" if pd.isna(first) else f"{day(first.tz_convert(where[0]))} to {day(last.tz_convert(where[0]))} ({where[1]})"
    )
    notes = [
        count(chart["period_id"].nunique(), "period"),
        span,
        f"shaded: the first {baseline}, which set centre and limits (3 sigma)"
        if "trial" not in set(chart["phase"])
        else f"limits from fewer than {baseline} periods",
        f"the {groups.folded} smallest groups in one" if groups.folded else "",
        groups.note,
    ]
    words = " ".join(
        f"{clean_label(groups.names[at]) + ': ' if not single else ''}{_in_words(part, measure)}"
        for at, part in enumerate(parts)
    )
    return finish(ax, title, " · ".join(filter(None, notes)), f"{title}. {words}")


def _line(values: pd.Series) -> Floats:
    if pd.api.types.is_timedelta64_dtype(values):
        return seconds(values)
    return values.to_numpy(dtype=np.float64)


def _draw(
    ax: Axes, chart: pd.DataFrame, measure: str, label: str, promised: float | None, where: Zone, *, single: bool
) -> None:
    value, center, lower, upper = (_line(chart[name]) for name in ("value", "center", "lower", "upper"))
    place = np.arange(len(chart))
    shown = np.concatenate([value, center, lower, upper, [promised or np.nan]])
    if measure in _TIMES:
        duration_axis(ax, "y", duration_limits(shown, 1.15), label)
    elif measure == "actions":
        _count_axis(ax, shown, label)
    else:
        share_axis(ax, "y", label, (0, min(1.08 * float(np.nanmax(shown)) + 0.02, 1.02)))
    if promised is not None:
        target_line(ax, "y", promised)
    for start, stop in pairwise([0, *_phases(ax, chart["phase"]), len(chart)]):
        own = np.r_[start, place[start:stop], stop - 1] + np.r_[-0.5, np.zeros(stop - start), 0.5]
        for line, style in ((center, "-"), (lower, (0, (4, 2))), (upper, (0, (4, 2)))):
            shown = np.r_[line[start], line[start:stop], line[stop - 1]]
            ax.step(own, shown, where="mid", color=MUTED, linewidth=1.0, linestyle=style, zorder=2)
    known = ~np.isnan(value)
    ax.plot(place[known], value[known], color=COLOURS[0], linewidth=1.0, alpha=0.6, zorder=3)
    plain_ones = known & ~chart["signal"].to_numpy()
    size = 6 if single else 4
    ax.plot(
        place[plain_ones], value[plain_ones], "o", color=COLOURS[0], markersize=size, markeredgecolor="white", zorder=4
    )
    rest = chart["signal"].to_numpy().copy()
    for name, (mark, colour, says) in _SIGNALS.items():
        own = rest & chart[name].to_numpy()
        rest &= ~own
        if own.any():
            ax.plot(
                place[own],
                value[own],
                mark,
                color=colour,
                markersize=size + 1,
                markeredgecolor=INK,
                label=says,
                zorder=5,
            )
    if single:
        _name_points(ax, chart, value, center)
        if ax.get_legend_handles_labels()[0]:
            ax.legend(loc="best", fontsize=SMALL)
    date_ticks(ax, chart["start_date"], where, "date of each period" if single else "")


def _count_axis(ax: Axes, shown: Floats, label: str) -> None:
    ax.set_yscale("log")
    ax.set_ylim(0.85 * float(np.nanmin(shown[shown > 0])), 1.15 * float(np.nanmax(shown)))
    ax.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0), numticks=12))
    ax.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.yaxis.grid(visible=True, color=FAINT, linewidth=0.8)
    ax.set_ylabel(f"{label} (log scale)" if label else "")


def _phases(ax: Axes, phase: pd.Series) -> list[int]:
    """Shade each baseline, mark where limits are taken anew, and return these places."""
    is_base = phase.eq("baseline").to_numpy()
    edges = np.flatnonzero(np.diff(np.r_[0, is_base.astype(int), 0])).reshape(-1, 2)
    for start, stop in edges:
        ax.axvspan(start - 0.5, stop - 0.5, color=_SHADE, linewidth=0, zorder=0)
        if start:
            ax.axvline(start - 0.5, color=MUTED, linewidth=1.0, linestyle=(0, (2, 2)), zorder=1)
            ax.annotate(
                "limits anew",
                (start - 0.5, 1),
                (3, -2),
                xycoords=("data", "axes fraction"),
                textcoords="offset points",
                va="top",
                fontsize=SMALL,
                color=MUTED,
            )
    return [int(start) for start, _ in edges if start]


def _name_points(ax: Axes, chart: pd.DataFrame, value: Floats, center: Floats) -> None:
    """Name the periods furthest outside."""
    outside = np.flatnonzero(chart["outside"])
    if not outside.size:
        return
    off = np.abs(np.log(np.maximum(value, 1e-9) / np.maximum(center, 1e-9)))
    names = unique_labels(chart["period_name"].astype("object"), chart["period_id"].astype("object"), 22)
    taken: list[int] = []
    reach = max(len(chart) / 6, 1)
    for at in outside[np.argsort(-off[outside], kind="stable")]:
        if len(taken) == _NAMED or any(abs(int(at) - other) < reach for other in taken):
            continue
        taken.append(int(at))
        above = value[at] > center[at]
        # On the side that a rising, or a falling, line leaves free.
        rises = at > 0 and (value[at] > value[at - 1]) == above
        turned = at > len(chart) / 5 and (rises or at > 0.75 * len(chart))
        ax.annotate(
            drawable(names[at]),
            (at, value[at]),
            (-5 if turned else 5, 5 if above else -5),
            textcoords="offset points",
            ha="right" if turned else "left",
            va="bottom" if above else "top",
            fontsize=SMALL,
            color=INK,
        )


def _signs(chart: pd.DataFrame) -> str:
    found = [
        f"{int(chart[name].sum())} {word}"
        for name, word in (("outside", "outside"), ("run", "in a run"), ("trend", "in a trend"))
    ]
    some = [text for text in found if not text.startswith("0 ")]
    return ", ".join(some) if some else "no signal" if chart["upper"].notna().any() else "no limits yet"


def _title(parts: list[pd.DataFrame], what: str) -> str:
    shown = sum(part["signal"].any() for part in parts)
    if not shown:
        return f"{what} stayed within its limits in each of {len(parts)} groups"
    return f"{what} changed in {shown} of {len(parts)} groups: more than chance in the season"


def _in_words(chart: pd.DataFrame, measure: str) -> str:
    def say(number: Any) -> str:  # noqa: ANN401
        if pd.isna(number):
            return "not known"
        if measure in _TIMES:
            return duration(number)
        return f"{number:,.0f}" if measure == "actions" else percent(number)

    names = unique_labels(chart["period_name"].astype("object"), chart["period_id"].astype("object"), 30)
    details = []
    for name, row in zip(names, chart.to_dict("records"), strict=True):
        signs = [says for flag, (_, _, says) in _SIGNALS.items() if row[flag]]
        details.append(f"{name} {say(row['value'])}" + (f" ({', '.join(signs)})" if signs else ""))
    last = chart.iloc[-1]
    limits = "" if pd.isna(last["upper"]) else f", limits {say(last['lower'])} to {say(last['upper'])}"
    return f"Centre {say(last['center'])}{limits}. {'; '.join(details)}."
