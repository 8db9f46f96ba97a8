"""Was tonight unusual: each measure as a dot against the range of an ordinary night."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from periodkit import answers
from periodkit._arguments import Key, check_count
from periodkit.metrics import COUNT_MEASURES, TIME_MEASURES, unusual
from periodkit.plots._drawing import (
    COLOURS,
    FAINT,
    INK,
    MUTED,
    SMALL,
    confidence_words,
    drawable,
    duration_axis,
    duration_limits,
    explain,
    finish,
    open_axes,
    panels,
    points_of,
    share_axis,
    small_points,
    styled,
    wrap_labels,
)
from periodkit.wording import clean_label, compared, duration, measure_label, most_surprising, percent

__all__ = ["unusual_forest"]

_UNITS = ("times", "shares", "numbers of actions")


@styled
def unusual_forest(
    actions: Any,  # noqa: ANN401  (any engine's frame)
    periods: pd.DataFrame,
    period: Any = None,  # noqa: ANN401
    earlier: int = 24,
    by: Sequence[Key | None] = (None, "classification", "channel"),
    target: Any = "20min",  # noqa: ANN401
    confidence: float = 0.95,
    max_rows: int = 6,
    tonight: pd.DataFrame | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw how a period compares with where an ordinary one would lie, the most surprising measures first.

    Parameters
    ----------
    actions : pandas, Polars or Spark frame, pyarrow.Table or DuckDB relation
        Actions of the period and of those before it.
    periods : pandas.DataFrame
        Their periods.
    period : int or str, optional
        Id or name of the period; by default the latest.
    earlier, by, target, confidence
        As for `periodkit.unusual`.
    max_rows : int
        How many measures to draw of each unit: times, shares, numbers of actions.
    tonight : pandas.DataFrame, optional
        What `periodkit.unusual` returned, if it is at hand; it is then not computed again.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default on a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The Axes that hold a panel for each unit.

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
    >>> ax = pk.plots.unusual_forest(actions, periods, int(periods["period_id"].iloc[-2]))
    >>> ax.get_title(loc="left")
    'Security P90 response was outside the range of an ordinary night'
    >>> ax.figure.clear()
    """
    check_count(max_rows, "max_rows", 1)
    if tonight is None:
        tonight = unusual(actions, periods, period, earlier, by, target, confidence)
    said = answers.unusual(tonight)
    judged = most_surprising(tonight)
    if not tonight["n"].any():
        return explain(ax, "Was it unusual?", "No actions to show")
    if judged.empty:
        return explain(ax, "Was it unusual?", said.removesuffix("."))
    unit = np.select([judged["measure"].isin(TIME_MEASURES), ~judged["measure"].isin(COUNT_MEASURES)], [0, 1], 2)
    parts = {name: judged[unit == at].head(max_rows) for at, name in enumerate(_UNITS) if (unit == at).any()}
    rows = sum(len(part) for part in parts.values())
    ax = open_axes(ax, 1.4 + 0.62 * len(parts) + 0.3 * rows)
    # In little room fewer rows, each with its name.
    room = points_of(ax)[1] - len(parts) * 5 * small_points()
    fit = max(int(room / (1.25 * small_points()) / len(parts)), 1)
    parts = {name: part.head(fit) for name, part in parts.items()}
    names = list(parts)
    # In little width names are cut, and what follows the value goes.
    roomy = points_of(ax)[0] > 38 * small_points()
    for each, (name, part) in zip(
        panels(ax, names, heights=[len(part) + 0.5 for part in parts.values()]), parts.items(), strict=True
    ):
        _draw(each, part, name, roomy=roomy)
    before = int(tonight["periods"].max())
    found = int(judged["unusual"].sum())
    if found:
        first = measure_label(_rows(judged)[0])
        title = f"{clean_label(first[:1].upper() + first[1:])} was outside the range of an ordinary night" + (
            f", and {found - 1} more" if found > 1 else ""
        )
    else:
        inside = bool(judged["low"].iloc[0] <= judged["value"].iloc[0] <= judged["high"].iloc[0])
        title = f"Nothing was {'outside the range of' if inside else 'unusual against'} the {before} nights before"
    notes = [
        f"bars: {confidence_words(confidence)} of an ordinary night, of {before} before",
        "dots: tonight, filled where unusual",
        f"{len(judged):,} compared, the most surprising {sum(map(len, parts.values()))} shown"
        if len(judged) > rows
        else "",
    ]
    details = "; ".join(clean_label(compared(row), 120) for part in parts.values() for row in _rows(part))
    return finish(ax, title, " · ".join(filter(None, notes)), f"{said} {details}.")


def _draw(ax: Axes, part: pd.DataFrame, unit: str, *, roomy: bool) -> None:
    value, expected, low, high = (_numbers(part[name], unit) for name in ("value", "expected", "low", "high"))
    place = np.arange(len(part))
    every = np.concatenate([value, low, high])
    if unit == "times":
        duration_axis(ax, "x", duration_limits(every), "")
    elif unit == "shares":
        share_axis(ax, "x", "", (0.0, 1.0))
    else:
        ax.set_xscale("log")
        ax.set_xlim(0.8 * float(every[every > 0].min()), 1.25 * float(every.max()))
        ax.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0), numticks=8))
        ax.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        ax.xaxis.set_minor_formatter(NullFormatter())
        ax.xaxis.grid(visible=True, color=FAINT, linewidth=0.8)
    ax.hlines(place, low, high, color="#B9C7D4", linewidth=7, zorder=2)
    ax.plot(expected, place, "|", color=MUTED, markersize=9, zorder=3)
    odd = part["unusual"].to_numpy()
    for chosen, fill, edge in ((~odd, "white", COLOURS[0]), (odd, COLOURS[1], INK)):
        ax.plot(
            value[chosen],
            place[chosen],
            "o",
            color=fill,
            markeredgecolor=edge,
            markeredgewidth=1.5,
            markersize=7,
            zorder=4,
        )
    ax.set_yticks(
        place,
        [
            drawable(name)
            for name in wrap_labels(list(map(measure_label, _rows(part))), 36 if roomy else 16, 1 if roomy else 2)
        ],
    )
    ax.set_ylim(len(part) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    for at, row in enumerate(_rows(part)):
        ax.annotate(
            _say(row["value"], unit) + (_times(row, unit) if roomy else ""),
            (1, at),
            (6, 0),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            va="center",
            fontsize=SMALL,
            color=INK,
        )


def _rows(part: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in part.to_dict("records")]


def _numbers(values: pd.Series, unit: str) -> Any:  # noqa: ANN401
    if unit == "times":
        return pd.to_timedelta(values).dt.total_seconds().to_numpy(dtype=np.float64)
    return values.to_numpy(dtype=np.float64)


def _say(value: Any, unit: str) -> str:  # noqa: ANN401
    return duration(value) if unit == "times" else percent(value) if unit == "shares" else f"{value:,.0f}"


def _times(row: dict[str, Any], unit: str) -> str:
    if unit == "shares" or not row["expected"]:
        return ""
    ratio = row["value"] / row["expected"]
    return f"   {ratio:.{1 if ratio >= 0.1 else 2}f} × usual"
