"""Pictures that answer the pointer, in the colours and words of the static ones. The one module that knows Altair."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ParamSpec, TypeAlias

import pandas as pd

from periodkit.jupyter.explorer.points import AI_KINDS, ALL, MOST_POINTS, WAITS, Sent
from periodkit.plots import COLOURS, FAINT, INK, MUTED
from periodkit.wording import Target, count

if TYPE_CHECKING:
    import altair as alt

__all__ = ["aging_picture", "curve_picture", "scatter_picture"]

_TICKS = [0.1, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 43200, 86400]
_TICKS += [86400 * days for days in (2, 4, 7, 14, 30, 100, 365, 1000)]
_NAMED = (
    "datum.value < 60 ? datum.value + ' s' : datum.value < 3600 ? datum.value / 60 + ' min' : "
    "datum.value < 86400 ? datum.value / 3600 + ' h' : datum.value / 86400 + ' d'"
)
_AI_COLOURS = (COLOURS[0], COLOURS[1], MUTED)
_AI_MARKS = ("circle", "square", "cross")
_WAIT_COLOURS = (COLOURS[1], COLOURS[4], COLOURS[0])
_WAIT_MARKS = ("square", "diamond", "circle")
_OPEN = "#F0E442"
_HEIGHT = 270
_WHICH = {"action_id": "action", "period_name": "period", "classification": "classification", "channel": "channel"}


P = ParamSpec("P")
Chart: TypeAlias = Any
"""An Altair chart: adding charts gives one of several classes, and the types of Altair do not say which."""
Drawn: TypeAlias = "tuple[Chart, pd.DataFrame, Target]"
_ROWS, _TARGET = "rows", "target"


def _spec_of(draw: Callable[P, Drawn]) -> Callable[P, dict[str, Any]]:
    """Return the chart that a function draws as a Vega-Lite spec with its rows.

    Altair checks every part against the schema, and copies the rows several times: most of the time of an answer. The
    tests check it, so that users need not.
    """

    @functools.wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> dict[str, Any]:
        from altair.utils.schemapi import debug_mode  # noqa: PLC0415  (the extra "lab")

        with debug_mode(False):
            chart, rows, target = draw(*args, **kwargs)
            spec: dict[str, Any] = chart.to_dict(validate=False)
        mark = [{"target": target.delta.total_seconds(), "text": f"target {target}"}]
        return spec | {"datasets": {_ROWS: rows.to_dict("records"), _TARGET: mark}}

    return drawn


@_spec_of
def scatter_picture(
    sent: Sent, kinds: Sequence[str], by: str, target: Target, labels: tuple[str, str], zone: str
) -> Drawn:
    """Draw actions at the time their stage began, by how long it took; a click in the legend keeps one kind.

    Parameters
    ----------
    sent : Sent
        What `points.scatter` returned.
    kinds : sequence of str
        The groups, in the order of their colours.
    by : str
        What the groups are groups of.
    target : Target
        The promised time.
    labels : tuple of str
        What the stage's start is called, and its duration.
    zone : str
        The name of the time zone of the times.
    """
    import altair as alt  # noqa: PLC0415  (the extra "lab")

    begun, took = labels
    only = alt.selection_point(fields=["kind"], bind="legend", name="only")
    colour = alt.Color("kind:N", title=f"{by} (click: only this)", scale=_scale(kinds), legend=_legend())
    at = alt.X(
        "at:T",
        title=f"{begun} ({zone})",
        scale=alt.Scale(type="utc", nice=False, padding=8),
        axis=_axis(labelOverlap=True, format=_clock(sent.rows["at"]), tickCount=6),
    )
    height = alt.Y(
        "drawn:Q", title=f"{took} (log scale)", scale=_durations(sent.limits), axis=_duration_axis(sent.limits)
    )
    base = alt.Chart(alt.NamedData(_ROWS)).encode(x=at, y=height).transform_filter(only)
    if sent.binned:
        size = alt.Size("n:Q", scale=alt.Scale(range=[4, 130]), legend=None)
        tips = _tips(sent.rows, {"n": "actions", "kind": by, "began": f"{begun} around", "took": took})
        cells = base.mark_circle(opacity=0.6).encode(color=colour, size=size, tooltip=tips).add_params(only)
        said = f"{count(sent.n)}: over {MOST_POINTS:,}, so binned: the larger a dot, the more"
        return _finish(alt.layer(cells, _target_line("y")), "When, and how long", said), sent.rows, target
    tips = _tips(sent.rows, _WHICH | {"began": begun, "took": took, "state": "state", "kind": by})
    is_open = alt.datum.state == "open, at its age"
    wide = 34 if sent.n < 1000 else 18
    points = base.transform_filter(~is_open).mark_point(filled=True, size=wide, opacity=0.6 if sent.n < 1000 else 0.4)
    points = points.encode(color=colour, tooltip=tips)
    if by == "AI dispatch":
        points = points.encode(
            shape=alt.Shape(
                "kind:N",
                title=f"{by} (click: only this)",
                scale=alt.Scale(domain=[*kinds], range=[*_AI_MARKS]),
                legend=_legend(),
            )
        )
    still = base.transform_filter(is_open).mark_point(
        shape="triangle-up", filled=True, fill=_OPEN, stroke="#000000", strokeWidth=0.9, size=52, opacity=1
    )
    still = still.encode(tooltip=tips)
    layers = alt.layer(points.add_params(only), still, _target_line("y"))
    n_open = int((sent.rows["state"] == "open, at its age").sum()) if sent.n else 0
    more = (count(sent.n) if sent.n else "No action to show") + (
        f", {n_open:,} open as triangles at their age" if n_open else ""
    )
    return _finish(layers, "When, and how long", more), sent.rows, target


@_spec_of
def curve_picture(
    rows: pd.DataFrame,
    kinds: Sequence[str],
    by: str,
    target: Target,
    limits: tuple[float, float],
    words: tuple[str, str],
) -> Drawn:
    """Draw the share that had reached the stage's end by each duration.

    Parameters
    ----------
    rows : pandas.DataFrame
        What `points.curves` returned.
    kinds, by, target
        As for `scatter_picture`.
    limits : tuple of float
        Least and greatest duration, in seconds.
    words : tuple of str
        What the stage's duration is called, and what an action is at its end.
    """
    import altair as alt  # noqa: PLC0415  (the extra "lab")

    took, done = words
    only = alt.selection_point(fields=["kind"], bind="legend", name="only")
    grouped = [*kinds] != [ALL]
    legend = _legend() if grouped else None
    lines = (
        alt.Chart(alt.NamedData(_ROWS))
        .transform_filter(only)
        .mark_line(interpolate="step-after", strokeWidth=2)
        .encode(
            x=alt.X("seconds:Q", title=f"{took} (log scale)", scale=_durations(limits), axis=_duration_axis(limits)),
            y=alt.Y(
                "share:Q",
                title=f"share {done} by then",
                scale=alt.Scale(domain=[0, 1]),
                axis=_axis(format=".0%", values=[0, 0.25, 0.5, 0.75, 0.9, 1]),
            ),
            color=alt.Color("kind:N", title=f"{by} (click: only this)", scale=_scale(kinds), legend=legend),
            tooltip=_tips(rows, {"kind": by, "shown": f"share {done}", "took": "within"}),
        )
        .add_params(only)
    )
    return (
        _finish(
            alt.layer(lines, _target_line("x")),
            "How long",
            f"share {done} by then (Kaplan-Meier)" if len(rows) else "No action to show",
        ),
        rows,
        target,
    )


@_spec_of
def aging_picture(sent: Sent, target: Target, moment: str) -> Drawn:
    """Draw the ages of the open actions, the oldest first, by what they wait for.

    Parameters
    ----------
    sent : Sent
        What `points.ages` returned.
    target : Target
        The promised time.
    moment : str
        As of when, in words.
    """
    import altair as alt  # noqa: PLC0415  (the extra "lab")

    only = alt.selection_point(fields=["waits"], bind="legend", name="only")
    kinds = [*WAITS.values()]
    tips = _tips(sent.rows, _WHICH | {"age": "age", "left": f"target {target}", "waits": "waits for"})
    what = "waits for (click: only this)"
    points = (
        alt.Chart(alt.NamedData(_ROWS))
        .transform_filter(only)
        .mark_point(filled=True, size=60 if sent.n < 80 else 24, opacity=0.85)
        .encode(
            x=alt.X(
                "seconds:Q",
                title="age since created (log scale)",
                scale=_durations(sent.limits),
                axis=_duration_axis(sent.limits),
            ),
            y=alt.Y(
                "rank:Q",
                title="rank by age",
                scale=alt.Scale(reverse=True, domain=[0.5, max(sent.n, 1) + 0.5]),
                axis=_axis(tickMinStep=1),
            ),
            color=alt.Color(
                "waits:N", title=what, scale=alt.Scale(domain=kinds, range=[*_WAIT_COLOURS]), legend=_legend()
            ),
            shape=alt.Shape(
                "waits:N", title=what, scale=alt.Scale(domain=kinds, range=[*_WAIT_MARKS]), legend=_legend()
            ),
            tooltip=tips,
        )
        .add_params(only)
    )
    every = f", 1 in {-(-sent.n // len(sent.rows)):,} drawn" if sent.binned else ""
    more = f"{count(sent.n) if sent.n else 'None'}{every}, {moment}"
    return _finish(alt.layer(points, _target_line("x")), "Open, by age", more), sent.rows, target


def _finish(chart: Chart, title: str, more: str = "") -> Chart:
    import altair as alt  # noqa: PLC0415  (the extra "lab")

    heading = alt.TitleParams(
        title,
        subtitle=more,
        anchor="start",
        subtitleColor=MUTED,
        subtitleFontSize=11,
        fontSize=13,
        fontWeight="bold",
        color=INK,
        limit=900,
    )
    # White in the dark theme too, as the static pictures are.
    done = chart.properties(width="container", height=_HEIGHT, title=heading, background="white")
    return done.configure_view(stroke=None).configure_axis(domainColor=MUTED, tickColor=MUTED)


def _scale(kinds: Sequence[str]) -> alt.Scale:
    import altair as alt  # noqa: PLC0415  (the extra "lab")

    colours = _AI_COLOURS if tuple(kinds) == AI_KINDS else COLOURS
    return alt.Scale(domain=[*kinds], range=[colours[at % len(colours)] for at in range(len(kinds))])


def _durations(limits: tuple[float, float]) -> alt.Scale:
    import altair as alt  # noqa: PLC0415  (the extra "lab")

    return alt.Scale(type="log", domain=[*limits], nice=False, clamp=True)


def _duration_axis(limits: tuple[float, float]) -> alt.Axis:
    # One beyond the limits would be shown on the edge.
    ticks = [at for at in _TICKS if limits[0] <= at <= limits[1]]
    return _axis(values=ticks, labelExpr=_NAMED, labelOverlap="greedy")


def _axis(**options: Any) -> alt.Axis:  # noqa: ANN401
    import altair as alt  # noqa: PLC0415  (the extra "lab")

    return alt.Axis(gridColor=FAINT, labelColor=INK, titleColor=INK, titleFontWeight="normal", **options)


def _clock(at: pd.Series) -> str:
    """Return how to write times: of an evening its hours, of a season its months."""
    days = float(at.max() - at.min()) / 86_400_000 if len(at) else 0.0
    return "%H:%M" if days < 1.5 else "%d %b" if days < 300 else "%b %Y"


def _legend(**options: Any) -> alt.Legend:  # noqa: ANN401
    import altair as alt  # noqa: PLC0415  (the extra "lab")

    look: dict[str, Any] = {
        "orient": "bottom",
        "columns": 3,
        "symbolOpacity": 1,
        "labelLimit": 220,
        "titleFontWeight": "normal",
    }
    return alt.Legend(titleColor=INK, labelColor=INK, titleLimit=400, **(look | options))


def _tips(rows: pd.DataFrame, names: dict[str, str]) -> list[alt.Tooltip]:
    """Return what hovering shows: of these columns those that there are, under their names."""
    import altair as alt  # noqa: PLC0415  (the extra "lab")

    return [alt.Tooltip(f"{column}:N", title=title) for column, title in names.items() if column in rows.columns]


def _target_line(side: str) -> Chart:
    import altair as alt  # noqa: PLC0415  (the extra "lab")

    base = alt.Chart(alt.NamedData(_TARGET))
    line, words = base.mark_rule(color=INK, strokeDash=[3, 3]), base.mark_text(align="left", color=INK)
    if side == "y":
        words = words.encode(y="target:Q", x=alt.value(4), text="text:N").mark_text(
            align="left", baseline="bottom", dy=-2
        )
        return line.encode(y="target:Q") + words
    words = words.encode(x="target:Q", y=alt.value(2), text="text:N").mark_text(align="left", baseline="top", dx=4)
    return line.encode(x="target:Q") + words
