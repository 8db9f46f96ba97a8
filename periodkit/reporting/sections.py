"""The sections of a report that are not tables: head, key figures, findings, trend and plan."""

from __future__ import annotations

import pandas as pd

from periodkit import answers
from periodkit.jupyter import say, show_as
from periodkit.metrics import ai_effect
from periodkit.reporting.findings import FEWEST, FLAG_SHARE, Finding, Findings
from periodkit.reporting.key_figures import in_short, key_figures
from periodkit.reporting.material import ReportData
from periodkit.reporting.page import MIME, held, render, show_plot, stamp_of
from periodkit.wording import clean_label, count, joined, listed, was_or_were

__all__ = ["show_ai_effect", "show_figures", "show_findings", "show_head", "show_plan", "show_trend", "show_unusual"]

SANDBOX = "sandbox: "
"""What the origin of the sandbox's data begins with."""

MOST = 5
"""The most findings of a kind shown; the rest are counted."""

_KINDS = (
    ("Is it changing?", ("trend", "signal"), "measures"),
    ("", ("earlier",), "unusual"),
    ("Nights that stand out", ("period",), "nights"),
    ("Groups unlike the rest", ("group",), "groups"),
    ("Records", ("quality",), "defects"),
)
"""The findings in the order in which they are told: a title, what they are of, and what those not shown are called."""


def show_head(material: ReportData) -> None:
    """Show what the report is about, and keep the stamp that `periodkit verify` reads."""
    kind = ("Season report" if material.season else "After-action report") + _invented(material.origin)
    title = _title(material)
    facts = [_when(material), _rests_on(material)]
    html = render("head", kind=kind, title=title, facts=facts)
    stamp = stamp_of(material, f"{kind}: {title}")
    show_as({"text/html": html, "text/plain": "\n".join([kind, title, *facts]), MIME: stamp})


def _invented(origin: str | None) -> str:
    """Say in the first line that the data are the sandbox's: such a page must not pass for one on a venue."""
    if origin == f"{SANDBOX}synthetic season":
        return " on invented data"
    return " on the sandbox's data" if origin is not None and origin.startswith(SANDBOX) else ""


def show_figures(material: ReportData) -> None:
    """Show the key figures, each with its interval, n and value in the periods before."""
    say(in_short(material), lead=True)
    figures = key_figures(material)
    text = "\n".join(f"{one.name}: {one.value} {one.unit} ({'; '.join(one.lines)})" for one in figures)
    show_as({"text/html": render("figures", figures=figures), "text/plain": text})


def show_findings(findings: Findings, material: ReportData) -> None:
    """Show findings as sentences, those for the worse first, and a note on how they were made."""
    if material.tonight is not None:
        say(answers.unusual(material.tonight), strong=True)
    groups = []
    for title, kinds, others in _KINDS:
        own = [one for one in findings.found if one.kind in kinds]
        # Those for the worse first, and none that rests on a handful of actions.
        own.sort(key=lambda one: (one.n < FEWEST, kinds.index(one.kind), bool(one.good)))
        parts = [_parts(one) for one in own[:MOST]]
        if len(own) > MOST:
            parts.append({"lead": "", "rest": f"And {len(own) - MOST:,} more {others}.", "good": None})
        if parts:
            groups.append((title if material.season else "", parts, False))
    note = _method_note(findings, material)
    if findings.compared and not findings.found and material.tonight is None:
        say("Nothing stood out: every interval includes “no difference”.")
    text = "\n".join([*(f"{part['lead']}{part['rest']}" for _, parts, _ in groups for part in parts), note])
    html = render("findings", groups=groups, note=held(note))
    show_as({"text/html": html, "text/plain": text})


def show_unusual(material: ReportData) -> None:
    """Show the most surprising measures beside where an ordinary night would lie."""
    if material.tonight is None:
        return
    from periodkit.plots import unusual_forest  # noqa: PLC0415  (loads matplotlib)

    show_plot(
        unusual_forest,
        material.all_actions,
        material.all_periods,
        tonight=material.tonight,
        phone=material.phone,
    )


def show_ai_effect(material: ReportData) -> None:
    """Say how AI-dispatched actions were answered beside the others, plainly and among like work."""
    say(answers.ai_effect(ai_effect(material.actions)))
    say("Like work is work of the same classification; what that does not capture stays in the difference.", note=True)


def show_plan(rows: int = 5) -> None:
    """Show an empty table for the meeting: issue, action, owner, due date."""
    html = render("plan", heads=["Issue", "Action", "Owner", "Due"], rows=rows)
    show_as({"text/html": html, "text/plain": "Issue | Action | Owner | Due"})


def _title(material: ReportData) -> str:
    whole = _periods(material)
    return whole if material.part is None else f"{whole}: {material.part.words}"


def _periods(material: ReportData) -> str:
    names = [clean_label(name, 90) if isinstance(name, str) else "unnamed" for name in material.periods["period_name"]]
    if len(names) == 1:
        return names[0] if names[0] != "unnamed" else f"Period {material.periods['period_id'].iloc[0]}"
    return f"{count(len(names), 'period')}, {names[0]} to {names[-1]}"


def _when(material: ReportData) -> str:
    start, end = material.periods["start_date"].min(), material.periods["end_date"].max()
    if pd.isna(start) and pd.isna(end):
        return "The time of the event is not recorded"
    first, last = (None if pd.isna(moment) else moment.tz_convert(material.tz) for moment in (start, end))
    begins = f"{first:%a} {first.day} {first:%b %Y, %H:%M}" if first is not None else "?"
    if last is None:
        ends = "?"
    elif first is not None and first.date() == last.date():
        ends = f"{last:%H:%M}"
    else:
        ends = f"{last:%a} {last.day} {last:%b %Y, %H:%M}"
    ids = listed([str(key) for key in material.periods["period_id"]]) if len(material.periods) <= 6 else ""
    return joined([f"{begins} – {ends} {_bracketed(material.tz_name)}", f"period {ids}" if ids else ""])


def _rests_on(material: ReportData) -> str:
    seen = material.as_of
    known = f"as of {seen.tz_convert(material.tz):%Y-%m-%d %H:%M} {_bracketed(material.tz_name)}"
    k = len(material.earlier_periods)
    against = f"compared with the {count(k, 'period')} before" if k else ""
    number = count(len(material.actions))
    if material.part is None:
        return joined([number, known, against])
    against = f"compared with the same part of the {count(k, 'period')} before" if k else ""
    return joined([f"{number} of {material.of:,}, only {material.part.words}", known, against])


def _bracketed(tz_name: str) -> str:
    return tz_name if tz_name == "UTC" else f"({tz_name})"


def _method_note(findings: Findings, material: ReportData) -> str:
    ending = "A difference is an association, not an explanation."
    compared, were = findings.compared, was_or_were(findings.compared)
    if material.tonight is not None:
        before = count(len(material.earlier_periods), "period")
        if material.part is not None:
            before = f"same part of the {before}"
        return (
            f"{count(compared, 'measure')} of all actions, and of each classification and channel with at least {FEWEST}, "
            f"{were} compared with where an ordinary night would lie: judged by the {before} before, their trend, and how "
            "much such nights differ from each other. At most one ordinary night in twenty has such a finding (Holm, of all "
            f"actions and of groups). {ending}"
        )
    if not compared:
        return "There are too few actions to compare anything."
    sides = {
        "trend": "measures over time",
        "signal": "measures with the limits of the first periods",
        "period": "each night with those before it",
        "group": "each classification and channel with the rest",
        "quality": f"each kind of defect with {100 * FLAG_SHARE:g} % of the records",
    }
    made = listed([words for kind, words in sides.items() if kind in findings.kinds])
    young = "" if "period" in findings.kinds else " No night can be judged yet: each needs eight before it."
    limits = (
        " Limits are three standard deviations of the first periods; a run is seven or more on one side."
        if "signal" in findings.kinds
        else ""
    )
    return (
        f"{count(compared, 'comparison')} {were} made: {made}. Of each kind but limits, at most one season in twenty has a "
        f"finding that is due to chance alone (Bonferroni; of nights Holm as well).{limits}{young} Intervals with an n are "
        f"95 % intervals of that group. Groups of fewer than {FEWEST} actions are not compared. {ending}"
    )


def _parts(finding: Finding) -> dict[str, object]:
    lead, mark, rest = finding.sentence.partition(": ")
    if not mark or finding.kind not in ("earlier", "group", "period", "quality", "signal"):
        lead, mark, rest = "", "", finding.sentence
    return {"lead": held(lead + mark), "rest": held(rest), "good": finding.good}


def show_trend(material: ReportData, measure: str = "p90") -> None:
    """Show a measure over the periods, with the limits within which chance alone keeps it."""
    from periodkit.plots import season_chart  # noqa: PLC0415  (loads matplotlib)

    promised = material.target.delta if measure in ("p50", "p90", "on_time") else None
    show_plot(
        season_chart,
        material.actions,
        material.periods,
        measure,
        target=promised,
        tz=material.tz,
        phone=material.phone,
    )
