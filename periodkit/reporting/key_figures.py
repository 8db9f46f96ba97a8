"""The key figures of a report, each with its interval and n, on one screen."""

from __future__ import annotations

import pandas as pd

from periodkit.metrics import outcome_counts, with_bound, workload
from periodkit.milestones import stage_times
from periodkit.reporting.findings import Measure, measures
from periodkit.reporting.material import ReportData
from periodkit.reporting.page import KeyFigure, held
from periodkit.reporting.tables import bin_width
from periodkit.wording import count, duration, estimate, joined, limits_text, sentences

__all__ = ["in_short", "key_figures"]

_NOTHING = ("no action to count",)


def key_figures(material: ReportData) -> list[KeyFigure]:
    """Return volume, outcomes, times and shares, as a manager reads them first.

    Parameters
    ----------
    material : ReportData
        The data of the report.
    """
    by_key = {measure.key: measure for measure in measures(material.target)}
    named = [
        ("p50", "Cycle time, median"),
        ("p90", "Cycle time, P90"),
        ("on_time", f"Closed within {material.target}"),
        ("response_p90", "Response, P90"),
        ("ai_rate", "AI-dispatched"),
        ("reroute_rate", "Re-routed, at least"),
    ]
    measured = [_measured(material, by_key[key], name) for key, name in named]
    return [_volume(material), *measured, _load(material)]


def in_short(material: ReportData) -> str:
    """Return a one-sentence summary."""
    n = len(material.actions)
    if not n:
        return "There are no actions."
    if n == 1:
        one = stage_times(material.actions).iloc[0]
        closed = one["outcome"] == "closed" and not pd.isna(one["cycle"])
        return f"The only action was closed within {duration(one['cycle'])}." if closed else "There is only one action."
    by_key = {measure.key: measure for measure in measures(material.target)}
    parts = []
    for key, words, otherwise in (
        ("p50", "half were closed within", "fewer than half are known to be closed"),
        ("p90", "nine of ten within", ""),
        ("ai_rate", "AI dispatched", ""),
    ):
        now = by_key[key].of(material.actions)
        known = now and not pd.isna(now[0].value)
        parts.append(f"{words} {estimate(*now[0].estimate)}" if known else otherwise)
    return sentences(f"Of {count(n)}, {', '.join(filter(None, parts))}")


def _volume(material: ReportData) -> KeyFigure:
    outcome = outcome_counts(material.actions)
    names = {"closed": "closed", "canceled": "canceled", "open": "open", "unknown": "ended, time unknown"}
    parts = [f"{outcome[key]:,} {name}" for key, name in names.items() if outcome[key]]
    ids = material.earlier_periods["period_id"]
    earlier = material.earlier["period_id"].value_counts().reindex(ids, fill_value=0)
    before = f"before: {earlier.median():,.0f} a period (median)" if len(earlier) else ""
    return _figure("Actions", f"{len(material.actions):,}", "", joined(parts), _usual(material, "actions") or before)


def _measured(material: ReportData, measure: Measure, name: str) -> KeyFigure:
    now = measure.of(material.actions)
    if not now or not now[0].n:
        return KeyFigure(name, "–", "", _NOTHING)
    value, unit = now[0].short, ""
    if value[-1].isalpha() and not value.startswith("not"):
        value, _, unit = value.rpartition(" ")
    elif value.endswith(" %"):
        value, unit = value.removesuffix(" %"), "%"
    limits = now[0].words.partition(" (")[2].removesuffix(")")
    bound = _bound_of_all(material) if measure.key == "response_p90" else ""
    return _figure(name, value, unit, limits, _usual(material, measure.key) or _before(material, measure), bound)


def _before(material: ReportData, measure: Measure) -> str:
    """Return the value of all earlier actions, where an ordinary range cannot be given."""
    then = measure.of(material.earlier) if len(material.earlier) else []
    return f"before: {then[0].short}" if then and then[0].n else ""


def _bound_of_all(material: ReportData) -> str:
    """Return what the response of all actions takes at most, where many starts are not recorded."""
    bound = with_bound(material.actions, stage="response").iloc[0]
    if not bound["bound_shown"] or pd.isna(bound["p90_at_most"]):
        return ""
    return f"of all {bound['all_used']:,} at most {duration(bound['p90_at_most'])}"


def _usual(material: ReportData, measure: str) -> str:
    """Return where an ordinary night would lie, and whether this one was unusual; empty if that cannot be said."""
    if material.tonight is None:
        return ""
    row = material.tonight[material.tonight["by"].isna() & (material.tonight["measure"] == measure)].iloc[0]
    if pd.isna(row["p"]):
        return ""
    higher, lower = ("slower", "faster") if measure in ("p50", "p90", "response_p90") else ("higher", "lower")
    verdict = "as usual" if not row["unusual"] else f"unusual: {higher if row['value'] > row['expected'] else lower}"
    return f"ordinary: {limits_text(row['low'], row['high'])}, {verdict}"


def _load(material: ReportData) -> KeyFigure:
    # As in the timeline, but at most by hours, so that it says when.
    load = workload(material.actions, min(bin_width(material), "1h", key=pd.Timedelta))
    if load.empty:
        return KeyFigure("Most at once", "–", "", _NOTHING)
    peak = load.iloc[int(load["in_progress_max"].argmax())]
    at = peak["time"].tz_convert(material.tz)
    when = f"in progress, around {at:%H:%M} on {at.day} {at:%b}"
    return _figure("Most at once", f"{peak['in_progress_max']:,}", "", when)


def _figure(name: str, value: str, unit: str, *lines: str) -> KeyFigure:
    return KeyFigure(name, value, unit, tuple(held(line) for line in lines if line))
