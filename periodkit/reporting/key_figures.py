"""The key figures of a report: one screen, each with its interval and n."""

from __future__ import annotations

import pandas as pd

from periodkit._arguments import as_micros
from periodkit.metrics import outcome_counts, workload
from periodkit.milestones import stage_times
from periodkit.reporting.findings import Measured, measures
from periodkit.reporting.material import Material
from periodkit.reporting.page import Figure, held, joined
from periodkit.reporting.tables import bin_width
from periodkit.wording import count, duration, exact

__all__ = ["in_short", "key_figures"]


def key_figures(found: Material) -> list[Figure]:
    """Return the figures that a manager reads first.

    Parameters
    ----------
    found : Material
        What the report is about.

    Returns
    -------
    list of Figure
        Volume, outcomes, times, shares; texts, as they are shown.
    """
    promised = exact(as_micros(found.target, "target") / 1e6)
    by_key = {each.key: each for each in measures(found.target)}
    named = [
        ("p50", "Cycle time, median"),
        ("p90", "Cycle time, P90"),
        ("on_time", f"Closed within {promised}"),
        ("response_p90", "Response, P90"),
        ("ai_rate", "AI-dispatched"),
        ("reroute_rate", "Re-routed, at least"),
    ]
    figures = [_volume(found)]
    for key, name in named:
        measure = by_key[key]
        now = measure.of(found.actions)
        then = measure.of(found.earlier) if len(found.earlier) else []
        figures.append(_figure(name, now[0] if now else None, then[0] if then else None))
    return [*figures, _load(found)]


def in_short(found: Material) -> str:
    """Return the one sentence for who reads no further."""
    parts = []
    by_key = {each.key: each for each in measures(found.target)}
    n = len(found.actions)
    if not n:
        return "There are no actions."
    if n == 1:
        one = stage_times(found.actions).iloc[0]
        if one["outcome"] != "closed" or pd.isna(one["cycle"]):
            return "There is only one action."
        return f"The only action was closed within {duration(one['cycle'])}."
    for key, words, unless in (
        ("p50", "half were closed within {}", "fewer than half are known to be closed"),
        ("p90", "nine of ten within {}", ""),
        ("ai_rate", "AI dispatched {}", ""),
    ):
        now = by_key[key].of(found.actions)
        told = bool(now and now[0].n and now[0].short[0].isdigit())
        if told or unless:
            parts.append(words.format(f"{now[0].short} ({now[0].between})") if told else unless)
    return f"Of {count(n)}, {', '.join(parts)}."


def _volume(found: Material) -> Figure:
    counts = outcome_counts(found.actions)
    parts = [
        f"{counts[each]:,} {name}"
        for each, name in (
            ("closed", "closed"),
            ("canceled", "canceled"),
            ("open", "open"),
            ("unknown", "ended unknown"),
        )
        if counts[each]
    ]
    each = found.earlier["period_id"].value_counts().reindex(found.earlier_periods["period_id"], fill_value=0)
    before = f"before: {each.median():,.0f} a period, median" if len(each) else ""
    return Figure("Actions", f"{len(found.actions):,}", "", tuple(map(held, filter(None, [joined(parts), before]))))


def _figure(name: str, now: Measured | None, then: Measured | None) -> Figure:
    if now is None or not now.n:
        return Figure(name, "–", "", ("no action to count",))
    value, unit = _split(now.short)
    before = f"before: {then.short}" if then is not None and then.n else ""
    return Figure(
        name,
        value,
        unit,
        tuple(map(held, filter(None, [_rests_on(now, unit), before]))),
    )


def _rests_on(now: Measured, unit: str) -> str:
    # Of a single action both ends are open, which says nothing.
    between = "no interval" if now.between == "…–∞" else f"{now.between}{unit and f' {unit}'}"
    return f"{between}, n = {now.n:,}"


def _load(found: Material) -> Figure:
    # As in the timeline, as long as a bar of it still says when that was.
    width = bin_width(found)
    load = workload(found.actions, min(width, "1h", key=pd.Timedelta))
    if load.empty:
        return Figure("Most at once", "–", "", ("no action to count",))
    peak = load.iloc[int(load["in_progress_max"].argmax())]
    at = peak["time"].tz_convert(found.tz)
    return Figure(
        "Most at once", f"{peak['in_progress_max']:,}", "", (f"in progress, around {at:%H:%M} on {at.day} {at:%b}",)
    )


def _split(text: str) -> tuple[str, str]:
    value, _, unit = text.partition(" ")
    return (text, "") if text.startswith("not") else (value, unit)
