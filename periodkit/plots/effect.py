"""What AI dispatch is associated with: in each kind of work, plainly, and among like work."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator, PercentFormatter, StrMethodFormatter

from periodkit._arguments import AsOf, check_count
from periodkit.errors import ArgumentError
from periodkit.metrics import ai_effect, compare
from periodkit.metrics.tally import By, grouping, unused_states
from periodkit.plots._drawing import (
    COLOURS,
    DONE,
    FAINT,
    INK,
    MUTED,
    SMALL,
    Floats,
    confidence_words,
    drawable,
    explain,
    figure_of,
    finish,
    left_out,
    nothing_of,
    noun,
    open_axes,
    points_of,
    row_points,
    small_points,
    styled,
    wrap_labels,
)
from periodkit.wording import clean_label, count, label, round_duration

__all__ = ["ai_forest"]

_AI = "ai_dispatched"
_RATIOS = (0.05, 0.1, 0.2, 0.33, 0.5, 0.7, 0.8, 0.9, 1.0, 1.1, 1.25, 1.4, 2.0, 3.0, 5.0, 10.0, 20.0)
_WHOLE = {"crude": ("all work, plainly", "s", COLOURS[1]), "like": ("among like work", "D", COLOURS[0])}


@styled
def ai_forest(
    actions: Any,  # noqa: ANN401  (any engine's frame)
    measure: str = "share",
    strata: By = "classification",
    stage: str = "response",
    target: Any = None,  # noqa: ANN401
    skipped: str = "exclude",
    confidence: float = 0.95,
    as_of: AsOf | None = None,
    max_groups: int = 12,
    ax: Axes | None = None,
) -> Axes:
    """Draw what AI dispatch is associated with in each kind of work, and below it plainly and among like work.

    The gap between the two at the bottom is what the mix of work makes of the plain difference. Kinds that only AI, or
    only the others, got are named and not drawn: there is nothing to compare.

    Parameters
    ----------
    actions : pandas, Polars or Spark frame, pyarrow.Table or DuckDB relation
        Actions.
    strata : str or list of str
        Columns of what is alike; null is a kind of its own.
    stage : {"response", "cycle", "dispatch", "pickup", "work"}
        Between which milestones.
    target : timedelta or str, optional
        The promised time, such as ``"5min"``; by default the median of both arms together.
    measure : {"share", "p50"}
        The difference in the share that made the target, or the ratio of the median times.
    skipped : {"exclude", "at_close"}
        What actions count as that were closed without a record of the stage's end, see `periodkit.cycle_times`.
    confidence : float
        Coverage of the intervals.
    as_of : datetime, Timestamp or ISO 8601 text, optional
        Replay that moment; by default each row's ``fetched_at``.
    max_groups : int
        The smallest kinds above this number are not drawn; they count in both figures at the bottom.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default on a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The Axes drawn on.

    Raises
    ------
    SchemaError
        A needed column is missing or not of its kind.
    ArgumentError
        An argument is not one of those it takes.

    Examples
    --------
    >>> import periodkit as pk
    >>> with pk.demo_client() as client:
    ...     actions = client.actions(client.periods())
    >>> ax = pk.plots.ai_forest(actions, target="5min")
    >>> len(ax.get_yticks())
    10
    >>> ax.figure.clear()
    """
    if measure not in ("share", "p50"):
        msg = f'measure is {measure!r}; it takes "share" or "p50".'
        raise ArgumentError(msg)
    most = check_count(max_groups, "max_groups", 2)
    effect = ai_effect(actions, stage, strata, target, None, confidence, as_of, skipped).iloc[0]
    what = f"AI dispatch and {noun(stage)}"
    unknown = f"AI dispatch unknown of {effect['unknown_ai']:,}" if effect["unknown_ai"] else ""
    out = " · ".join(filter(None, [unknown, left_out(effect, unused_states("censor", skipped))]))
    if not effect["n_ai"] or not effect["n_not_ai"]:
        arm = "AI dispatched none" if not effect["n_ai"] else "AI dispatched all"
        reason = (
            f"{arm} of {count(int(effect['used']))}"
            if effect["used"]
            else nothing_of(int(effect["n"]), f"has a {noun(stage)}")
        )
        return explain(ax, what, reason, out)
    if pd.isna(effect["target"]):
        reason = f"Fewer than half of {count(int(effect['used']))} are {DONE[stage]} yet: pass a target"
        return explain(ax, what, reason, out)
    options = {"skipped": skipped, "confidence": confidence, "as_of": as_of}
    found = _rows(actions, effect["target"], strata, stage, measure, options)
    kinds = found[found["kind"] == "stratum"]
    drawn = kinds[kinds["value"].notna()].head(most)
    whole = found[found["kind"] != "stratum"]
    if whole["value"].isna().all() and drawn.empty:
        return explain(ax, what, "Too few have been seen for long enough to compare", out)
    rows = pd.concat([drawn, whole], ignore_index=True)
    ax = open_axes(ax, max(2.4, 2.0 + 0.34 * len(rows)))
    _draw(ax, rows, measure, f"{DONE[stage]} within {round_duration(effect['target'].total_seconds())}", stage)
    parts = [
        f"n = {effect['used']:,}, of which {effect['n_ai']:,} by AI | {effect['n_not_ai']:,} not, as at the right",
        f"bars: {confidence_words(confidence)}",
        _undrawn(kinds, len(drawn)),
        out,
    ]
    title = _title({row["kind"]: row for _, row in whole.iterrows()}, measure, stage, effect)
    details = "; ".join(
        f"{clean_label(row['name'])} {_with_limits(row, measure)}, n {row['n_ai']:,} and {row['n_not_ai']:,}"
        for _, row in rows.iterrows()
    )
    by = " and ".join(label(name) for name in grouping(strata)) or "nothing"
    alt = (
        f"{title}. By {clean_label(by)}, AI against not AI, in brackets the {confidence_words(confidence)}: {details}."
    )
    return finish(ax, title, " · ".join(filter(None, parts)), f"{alt} {' '.join(filter(None, parts[2:]))}")


def _rows(
    actions: Any,  # noqa: ANN401
    target: pd.Timedelta,
    strata: By,
    stage: str,
    measure: str,
    options: dict[str, Any],
) -> pd.DataFrame:
    """Return value and limits of each kind of work, those of most actions first, then plainly and among like work."""
    names, quantiles = grouping(strata), [0.5] if measure == "p50" else []
    like, crude = (compare(actions, _AI, within, stage, quantiles, target, **options) for within in (strata, None))
    column = "share_difference" if measure == "share" else "p50_ratio"
    parts = [like[~like["pooled"]].assign(kind="stratum"), crude.assign(kind="crude")]
    found = pd.concat([*parts, like[like["pooled"]].assign(kind="like")] if names else parts, ignore_index=True)
    texts = [
        " · ".join(f"no {label(name)}" if pd.isna(row[name]) else clean_label(row[name]) for name in names)
        if row["kind"] == "stratum"
        else _WHOLE[row["kind"]][0]
        for _, row in found.iterrows()
    ]
    table = pd.DataFrame(
        {
            "kind": found["kind"],
            "name": texts,
            "n_ai": found["n_first"],
            "n_not_ai": found["n_second"],
            "value": found[column],
            "low": found[f"{column}_low"],
            "high": found[f"{column}_high"],
        }
    )
    compared = table[(table["kind"] == "stratum") & table["low"].notna() & table["high"].notna()]
    table.loc[table["kind"] == "like", ["n_ai", "n_not_ai"]] = compared[["n_ai", "n_not_ai"]].sum().to_numpy()
    size = (table["n_ai"] + table["n_not_ai"]).where(table["kind"] == "stratum", -1)
    return table.iloc[np.argsort(-size.to_numpy(), kind="stable")].reset_index(drop=True)


def _draw(ax: Axes, rows: pd.DataFrame, measure: str, done: str, stage: str) -> None:
    value, low, high = (rows[name].to_numpy(dtype=np.float64) for name in ("value", "low", "high"))
    place = np.arange(len(rows), dtype=np.float64)
    below = (rows["kind"] != "stratum").to_numpy()
    # A line and some room part the whole from its kinds.
    place[below] += 0.4 if below.sum() < len(rows) else 0.0
    _axis(ax, measure, np.concatenate([value, low, high]), done, stage)
    for kind, (_, mark, colour) in {"stratum": ("", "o", MUTED), **_WHOLE}.items():
        own = (rows["kind"] == kind).to_numpy() & np.isfinite(value)
        sure = own & np.isfinite(low) & np.isfinite(high)
        ax.hlines(
            place[sure], low[sure], high[sure], color=colour, linewidth=2.2 if kind == "stratum" else 3.0, zorder=2
        )
        size = 6 if kind == "stratum" else 9
        ax.plot(value[own], place[own], mark, color=colour, markersize=size, markeredgecolor="white", zorder=3)
    if below.sum() == 2 and np.isfinite(value[below]).all():
        _gap(ax, place[below], value[below], measure)
    if 0 < below.sum() < len(rows):
        ax.axhline(place[below][0] - 0.7, color=FAINT, linewidth=1.0)
    _names(ax, rows, place, measure)


def _gap(ax: Axes, place: Floats, ends: Floats, measure: str) -> None:
    """Shade what the mix of work makes of the plain difference, and say it where there is room."""
    ax.fill_betweenx([place[0], place[1]], ends.min(), ends.max(), color=COLOURS[1], alpha=0.15, linewidth=0, zorder=1)
    size = f"{100 * np.ptp(ends):.1f} points" if measure == "share" else f"{ends[0] / ends[1]:.2f} times"
    left, right = ax.transData.transform([(end, place[0]) for end in (ends.min(), ends.max())])[:, 0]
    text = f"the mix of work: {size}"
    if 72 * (right - left) / figure_of(ax).dpi > 0.62 * small_points() * len(text):
        middle = ax.transData.inverted().transform(((left + right) / 2, 0))[0]
        ax.text(middle, place.mean(), text, ha="center", va="center", fontsize=SMALL, color=INK)


def _names(ax: Axes, rows: pd.DataFrame, place: Floats, measure: str) -> None:
    one_line = row_points(ax, len(rows) + 1) < 2.4 * small_points()
    for at, (_, row) in zip(place, rows.iterrows(), strict=True):
        ax.annotate(
            f"{_number(row['value'], measure)}   {row['n_ai']:,} | {row['n_not_ai']:,}",
            (1, at),
            (9, 0),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            va="center",
            fontsize=SMALL,
            color=INK,
        )
    ax.set_yticks(place, [drawable(name) for name in wrap_labels(rows["name"].tolist(), lines=1 if one_line else 2)])
    ax.set_ylim(place[-1] + 0.6, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)


def _axis(ax: Axes, measure: str, values: Floats, done: str, stage: str) -> None:
    shown = values[np.isfinite(values)]
    if measure == "share":
        least, most = min(0.0, float(shown.min())), max(0.0, float(shown.max()))
        room = 0.06 * max(most - least, 0.05)
        ax.set_xlim(least - room, most + room)
        ax.xaxis.set_major_locator(MaxNLocator(max(int(points_of(ax)[0] / 60), 2)))
        ax.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol=""))
        ax.set_xlabel(f"AI less not AI, share {done} (points)")
        none = 0.0
    else:
        ax.set_xscale("log")
        low, high = min(0.8, float(shown.min())) / 1.1, max(1.25, float(shown.max())) * 1.1
        ax.set_xlim(low, high)
        ticks = [each for each in _RATIOS if low <= each <= high]
        step = -(-len(ticks) * 34 // max(int(0.7 * points_of(ax)[0]), 1))
        ax.xaxis.set_major_locator(FixedLocator(ticks[ticks.index(1.0) % step :: step]))
        ax.xaxis.set_minor_locator(NullLocator())
        ax.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        ax.set_xlabel(f"median {noun(stage)}, AI over not AI (log scale)")
        none = 1.0
    ax.axvline(none, color=INK, linewidth=1.2, zorder=1.5)
    ax.xaxis.grid(visible=True, color=FAINT, linewidth=0.8)


def _undrawn(kinds: pd.DataFrame, drawn: int) -> str:
    """Say which kinds are not drawn, and why."""
    alone = kinds[(kinds["n_ai"] == 0) != (kinds["n_not_ai"] == 0)]
    parts = []
    if len(alone):
        named = [
            f"{clean_label(row['name'], 24)} ({row['n_ai'] + row['n_not_ai']:,})" for _, row in alone.head(3).iterrows()
        ]
        more = f" and {len(alone) - 3:,} more" if len(alone) > 3 else ""
        parts.append(f"only one of the two got {', '.join(named)}{more}")
    there = kinds["value"].notna()
    young = int((~there & (kinds["n_ai"] > 0) & (kinds["n_not_ai"] > 0)).sum())
    if young:
        parts.append(f"{young:,} too young or too few to tell")
    if there.sum() > drawn:
        parts.append(f"the {there.sum() - drawn:,} smallest not drawn")
    return " · ".join(parts)


def _title(whole: dict[str, pd.Series], measure: str, stage: str, effect: pd.Series) -> str:
    crude = whole["crude"]
    if measure == "share":
        said = f"{abs(100 * crude['value']):.1f} points {'less' if crude['value'] < 0 else 'more'} often"
        first = (
            f"AI-dispatched actions were {DONE[stage]} within {round_duration(effect['target'].total_seconds())} {said}"
        )
    else:
        first = f"The median {noun(stage)} of AI-dispatched actions was {crude['value']:.2f} times that of the others"
    if np.isnan(crude["value"]):
        first = f"How AI dispatch goes with {noun(stage)} cannot be said plainly yet"
    if "like" not in whole:
        return first
    like = whole["like"]
    if np.isnan(like["value"]):
        return f"{first}; among like work it cannot be said"
    none = 0.0 if measure == "share" else 1.0
    chance = ", which may be chance" if like["low"] <= none <= like["high"] else ""
    return f"{first}; among like work {_with_limits(like, measure)}{chance}"


def _number(value: float, measure: str) -> str:
    if np.isnan(value):
        return "–"
    return f"{100 * value:+.1f}".replace("-", "−") if measure == "share" else f"{value:.2f}"


def _with_limits(row: pd.Series, measure: str) -> str:
    number, low, high = (_number(row[name], measure) for name in ("value", "low", "high"))
    return "not known" if number == "–" else f"{number} ({low} to {high})" if low != "–" else number
