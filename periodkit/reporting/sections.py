"""What stands first in a report: what it is about, its key figures, its findings, and the plan that follows from them."""

from __future__ import annotations

import pandas as pd

from periodkit.plots import (
    times_by_period,
)
from periodkit.reporting.findings import FEWEST, FLAG_SHARE, Finding, Findings
from periodkit.reporting.key_figures import in_short, key_figures
from periodkit.reporting.material import Material
from periodkit.reporting.page import MIME, held, joined, render, show_as, show_plot, show_sentence, stamp_of
from periodkit.wording import be, count, listed, plain

__all__ = ["show_figures", "show_findings", "show_head", "show_plan", "show_trend"]

FOREMOST = 7
"""So many findings stand out from the others."""

MOST = 40
"""So many findings of either kind are shown; the note says how many there are more."""


def show_head(found: Material) -> None:
    """Show what the report is about, and keep beside it what `periodkit verify` reads."""
    kind = "Season report" if found.season else "After-action report"
    title = _title(found)
    facts = [_when(found), _rests_on(found)]
    html = render("head", kind=kind, title=title, facts=facts)
    stamp = stamp_of(found, f"{kind}: {title}")
    show_as({"text/html": html, "text/plain": "\n".join([kind, title, *facts]), MIME: stamp})


def show_figures(found: Material) -> None:
    """Show the key figures, each with its interval and n, and what it was in the periods before."""
    show_sentence(in_short(found), "lead")
    figures = key_figures(found)
    text = "\n".join(f"{each.name}: {each.value} {each.unit} ({'; '.join(each.lines)})" for each in figures)
    show_as({"text/html": render("figures", each=figures), "text/plain": text})


def show_findings(findings: Findings, found: Material) -> None:
    """Show findings as sentences, what is for the worse first, and how hard they were looked for."""
    first = [each for each in findings.found if not each.good]
    order = {"trend": 0, "earlier": 1, "period": 2, "quality": 4}
    first.sort(key=lambda each: order.get(each.kind, 3))
    better = [each for each in findings.found if each.good]
    groups = [
        ("", [_parts(each) for each in first[:FOREMOST]]),
        ("Also", [_parts(each) for each in first[FOREMOST:MOST]]),
        ("Better than the rest, or than before", [_parts(each) for each in better[:MOST]]),
    ]
    left = max(len(first) - MOST, 0) + max(len(better) - MOST, 0)
    note = (f"{count(left, 'more finding')} not shown. " if left else "") + _how_hard(findings, found)
    if findings.compared and not findings.found:
        show_sentence("Nothing stood out: no interval leaves out “no difference”.")
    text = "\n".join([*(each.sentence for each in findings.found), note])
    shown = [(title, parts, number > 0) for number, (title, parts) in enumerate(groups) if parts]
    html = render("findings", groups=shown, note=held(note))
    show_as({"text/html": html, "text/plain": text})


def show_plan(rows: int = 5) -> None:
    """Show a table to fill in: what is to be done about it, by whom, until when."""
    html = render("plan", heads=["Issue", "Action", "Owner", "Due"], rows=rows)
    show_as({"text/html": html, "text/plain": "Issue | Action | Owner | Due"})


def _title(found: Material) -> str:
    names = [plain(each, 90) if isinstance(each, str) else "unnamed" for each in found.periods["period_name"]]
    if len(names) == 1:
        return names[0] if names[0] != "unnamed" else f"Period {found.periods['period_id'].iloc[0]}"
    return f"{count(len(names), 'period')}, {names[0]} to {names[-1]}"


def _when(found: Material) -> str:
    start, end = found.periods["start_date"].min(), found.periods["end_date"].max()
    if pd.isna(start) and pd.isna(end):
        return "When it was is not recorded"
    first, last = (None if pd.isna(each) else each.tz_convert(found.tz) for each in (start, end))
    begins = f"{first:%a} {first.day} {first:%b %Y, %H:%M}" if first is not None else "?"
    if last is None:
        ends = "?"
    elif first is not None and first.date() == last.date():
        ends = f"{last:%H:%M}"
    else:
        ends = f"{last:%a} {last.day} {last:%b %Y, %H:%M}"
    ids = listed([str(each) for each in found.periods["period_id"]]) if len(found.periods) <= 6 else ""
    return joined([f"{begins} – {ends} {_bracketed(found.tz_name)}", f"period {ids}" if ids else ""])


def _rests_on(found: Material) -> str:
    seen = found.as_of
    known = f"as of {seen.tz_convert(found.tz):%Y-%m-%d %H:%M} {_bracketed(found.tz_name)}"
    k = len(found.earlier_periods)
    against = f"compared with the {count(k, 'period')} before" if k else ""
    return joined([count(len(found.actions)), known, against])


def _bracketed(tz_name: str) -> str:
    return tz_name if tz_name == "UTC" else f"({tz_name})"


def _how_hard(findings: Findings, found: Material) -> str:
    if not findings.compared:
        return "There were too few actions to compare anything."
    sides = {
        "earlier": f"with the {count(len(found.earlier_periods), 'period')} before",
        "trend": "over time",
        "period": "each period with the rest",
        "group": "each classification and channel with the rest",
        "quality": f"each kind of defect with {100 * FLAG_SHARE:g} % of the records",
    }
    made = listed([words for kind, words in sides.items() if kind in findings.kinds])
    return (
        f"{count(findings.compared, 'comparison')} {be(findings.compared)} made: {made}. A sentence stands here only where "
        f"the interval of the difference leaves out “no difference” at {100 * findings.confidence:.2f} % each (Bonferroni), "
        "so that with 95 % confidence none is there by chance alone. Intervals with an n are 95 % and are of that group. "
        f"Groups of fewer than {FEWEST} are not compared. A difference is an association: it does not say why."
    )


def _parts(finding: Finding) -> dict[str, object]:
    lead, mark, rest = finding.sentence.partition(": ")
    if not mark or finding.kind not in ("group", "period", "quality"):
        lead, mark, rest = "", "", finding.sentence
    return {"lead": held(lead + mark), "rest": held(rest), "good": finding.good}


def show_trend(found: Material) -> None:
    """Show P50 and P90 of the cycle time by period."""
    show_plot(times_by_period, found.actions, found.periods, target=found.target, phone=found.phone)
