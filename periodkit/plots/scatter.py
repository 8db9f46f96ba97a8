"""When it was slow: every action at its moment, by how long it took."""

from __future__ import annotations

from datetime import tzinfo
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from periodkit._arguments import AsOf, zone
from periodkit.frames import ActionsFrame, in_pandas
from periodkit.metrics import cycle_times
from periodkit.metrics.tally import unused_states
from periodkit.milestones import STAGES, checked_stage
from periodkit.plots import _drawing as draw
from periodkit.wording import Span, count, duration, joined, listed, percent, round_duration, sentences

__all__ = ["cycle_scatter"]

_KINDS: dict[str, dict[str, Any]] = {
    "AI-dispatched": {"color": "#0072B2", "marker": "o"},
    "not AI-dispatched": {"color": "#D55E00", "marker": "s"},
    "dispatch unknown": {"color": "#595959", "marker": "x"},
}

_MOST_POINTS = 20_000
# Open actions extend the axis if they are at most so many times longer, or shorter, than those that ended.
_ABOVE, _BELOW = 8.0, 100.0


@draw.styled
def cycle_scatter(
    actions: ActionsFrame,
    periods: pd.DataFrame | None = None,
    stage: str = "cycle",
    target: Span | None = None,
    tz: str | tzinfo | None = None,
    as_of: AsOf | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw each action at the time when its stage began, by its duration; open ones as triangles at their age.

    Parameters
    ----------
    actions, periods, stage, target, tz, as_of, ax
        As in `event_ribbon` and `cycle_time_ecdf`.

    Returns
    -------
    matplotlib.axes.Axes
        The Axes drawn on, without actions that were canceled or left the stage. Of more than 20,000 actions that ended
        an even sample is drawn, as the subtitle says; all numbers are of all actions.

    Raises
    ------
    SchemaError, ArgumentError
        As `cycle_time_ecdf`.

    Examples
    --------
    >>> import periodkit as pk
    >>> with pk.demo_client() as client:
    ...     actions = client.actions(client.periods().tail(1))
    >>> ax = pk.plots.cycle_scatter(actions, target="15min")
    >>> ax.get_xlabel()
    'created on 17 May 2025 (UTC)'
    >>> ax.figure.clear()
    """
    where = zone(tz)
    limit = draw.as_target(target)
    checked_stage(stage)
    frame = in_pandas(actions, [*draw.NEEDED, "ai_dispatched"])
    single = draw.replay(frame, stage, as_of)
    chosen = draw.periods_of(frame, periods)
    row = cycle_times(frame, stage=stage, as_of=as_of).iloc[0]
    out = draw.left_out(row, unused_states("censor"))
    single["kind"] = _kinds(frame)
    start = STAGES[stage].start
    shown = single[single["state"].isin(["event", "open"])]
    if not len(shown):
        reason = draw.nothing_of(len(frame), f"has a {draw.noun(stage)}")
        return draw.explain(ax, f"{draw.noun(stage).capitalize()} of each action", reason, out)
    ax = draw.open_axes(ax)
    ended = (shown["state"] == "event").to_numpy()
    span = draw.view(shown[start], shown[start].iloc[:0], chosen)
    limits = _limits(shown["seconds"].to_numpy(), ended, np.nan if limit is None else limit)
    every = -(-int(ended.sum()) // _MOST_POINTS) or 1
    handles = _points(ax, shown.assign(at=draw.numbers(shown[start])), ended, limits, every)
    ax.set_xlim(*span)
    draw.duration_axis(ax, "y", limits, draw.axis_label(stage).partition(":")[0] + " (log scale)")
    marked, unmarked = draw.mark_times(ax, chosen, span)
    if limit is not None:
        draw.target_line(ax, "y", limit)
    _quantiles(ax, row, limits)
    draw.shade_after(ax, single["seen"].max(), span)
    begun = start.removesuffix("_time").replace("doing", "begun")
    draw.clock(ax, where, begun)
    draw.key_below(ax, handles, [str(handle.get_label()) for handle in handles])
    title = _title(shown, row, stage, limit)
    gone = int(row["canceled"] + row["left"])
    at_once, above = int((shown["seconds"] == 0).sum()), int((shown["seconds"] > limits[1]).sum())
    parts = [
        f"n = {len(shown):,}",
        f"drawn: 1 in {every:,} of those {draw.DONE[stage]}" if every > 1 else "",
        f"{at_once:,} with no duration on the lower edge" if at_once else "",
        f"{above:,} over {duration(limits[1])} on the upper edge" if above else "",
        f"{gone:,} canceled or left not drawn" if gone else "",
        unmarked,
        out,
    ]
    kinds = ", ".join(f"{name} {int((shown['kind'] == name).sum()):,}" for name in _KINDS)
    alt = sentences(
        f"Every action by the time it was {begun} and its {draw.noun(stage)}",
        title,
        f"{int(ended.sum()):,} {draw.DONE[stage]}, {int((~ended).sum()):,} open; {kinds}",
        f"P50 {duration(row['p50'])}, P90 {duration(row['p90'])}",
        f"Markers: {listed(marked)}" if marked else "",
        out,
    )
    return draw.finish(ax, title, joined(parts), alt)


def _kinds(frame: pd.DataFrame) -> NDArray[np.object_]:
    kinds = np.full(len(frame), 2)
    if "ai_dispatched" in frame.columns:
        known = frame["ai_dispatched"].notna().to_numpy()
        kinds[known] = np.where(frame["ai_dispatched"].to_numpy()[known].astype(bool), 0, 1)
    return np.asarray([*_KINDS], dtype=object).take(kinds)


def _limits(took: draw.Floats, ended: NDArray[np.bool_], target: float) -> tuple[float, float]:
    """Return limits around nearly all actions that ended, and around open ones that are not much longer.

    Actions left open for months would squeeze all the others into a stripe.
    """
    if not ended.any():
        return draw.duration_limits([*took, target])
    low, high = draw.event_limits(took[ended], np.ones(int(ended.sum())), [float(took[ended].max()), target])
    still = took[~ended]
    near = still[(still > low / _BELOW) & (still < high * _ABOVE)]
    return min([low, *near / 1.25]), max([high, *near * 1.25])


def _points(
    ax: Axes, shown: pd.DataFrame, ended: NDArray[np.bool_], limits: tuple[float, float], every: int
) -> list[Line2D]:
    crowd = min(len(shown), _MOST_POINTS)
    size, alpha = (5.0, 0.75) if crowd < 1000 else (3.0, 0.45) if crowd < 5000 else (2.0, 0.3)
    # What is beyond the axis is drawn on its edge.
    height = shown["seconds"].clip(limits[0] * 1.06, limits[1] / 1.06)
    # An even sample in time, whatever the order of the frame.
    order = np.argsort(shown["at"].to_numpy(), kind="stable")
    thin = np.zeros(len(shown), dtype=bool)
    thin[order[ended[order]][::every]] = True
    handles = []
    numbers_of = shown["kind"][ended].value_counts()
    for name, look in _KINDS.items():
        kind = (shown["kind"] == name).to_numpy()
        if not (ended & kind).any():
            continue
        ax.plot(
            shown["at"][thin & kind],
            height[thin & kind],
            linestyle="none",
            markersize=size,
            alpha=alpha,
            markeredgewidth=1.0 if look["marker"] == "x" else 0.0,
            label=name,
            # Rarer kinds are drawn above.
            zorder=2 + 1 / (1 + int(numbers_of[name])),
            **look,
        )
        number = f"{name} ({int((ended & kind).sum()):,})"
        handles.append(Line2D([], [], linestyle="none", markersize=6, label=number, **look))
    still = int((~ended).sum())
    if still:
        marks: dict[str, Any] = {"linestyle": "none", "marker": "^", "color": "#000000", "markerfacecolor": "#F0E442"}
        ax.plot(
            shown["at"][~ended],
            height[~ended],
            markersize=7 if still < 500 else 4,
            markeredgewidth=0.9 if still < 500 else 0.4,
            label="open",
            zorder=4,
            **marks,
        )
        handles.append(Line2D([], [], markersize=7, label=f"open, at its age ({still:,})", **marks))
    return handles


def _quantiles(ax: Axes, row: pd.Series, limits: tuple[float, float]) -> None:
    found = [(name, row[name] / pd.Timedelta(seconds=1)) for name in ("p50", "p90") if pd.notna(row[name])]
    # A log axis has no zero.
    found = [(name, at) for name, at in found if limits[0] < at < limits[1]]
    for _, at in found:
        ax.axhline(at, color=draw.MUTED, linewidth=1.2, linestyle="-", zorder=1)
    texts = [f"{name.upper()} {duration(at)}" for name, at in found]
    draw.beside(ax, [at for _, at in found], texts, [draw.MUTED] * len(found))


def _title(shown: pd.DataFrame, row: pd.Series, stage: str, target: float | None) -> str:
    is_open = shown["state"] == "open"
    if target is None:
        tail = f"; {int(is_open.sum()):,} still open" if is_open.any() else ""
        return f"{draw.noun(stage).capitalize()}: P50 {duration(row['p50'])}, P90 {duration(row['p90'])}{tail}"
    past = shown["seconds"] > target
    late, waiting, young = (int(chosen.sum()) for chosen in (past, past & is_open, ~past & is_open))
    # Open actions that are younger may still pass it.
    so_far = " so far" if young else ""
    if len(shown) == 1:
        went = "went" if late else "did not go"
        return f"{draw.the_only(int(row['n']))} {went} past {round_duration(target)}{so_far}" + (
            " and is still open" if waiting else ""
        )
    if not late:
        return f"None of {count(len(shown))} went past {round_duration(target)}{so_far}"
    tail = f", {waiting:,} of them still open" if waiting else ""
    return f"{late:,} of {count(len(shown))} ({percent(late / len(shown))}) went past {round_duration(target)}{so_far}{tail}"
