"""Reports: their data, findings, sections and pages. The notebooks of the reports call these functions."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from periodkit.reporting.build import report
    from periodkit.reporting.findings import Finding, Findings, event_findings, season_findings
    from periodkit.reporting.material import ReportData, collect, opened
    from periodkit.reporting.page import Check, check_report, show_plot, show_table
    from periodkit.reporting.recheck import PageCheck, check_page
    from periodkit.reporting.sections import (
        show_ai_effect,
        show_figures,
        show_findings,
        show_head,
        show_plan,
        show_trend,
        show_unusual,
    )
    from periodkit.reporting.tables import (
        bin_width,
        show_busiest,
        show_groups,
        show_longest,
        show_open,
        show_people,
        show_periods,
        show_quality,
        show_rates,
        show_stages,
    )

__all__ = [
    "Check",
    "Finding",
    "Findings",
    "PageCheck",
    "ReportData",
    "bin_width",
    "check_page",
    "check_report",
    "collect",
    "event_findings",
    "opened",
    "report",
    "season_findings",
    "show_ai_effect",
    "show_busiest",
    "show_figures",
    "show_findings",
    "show_groups",
    "show_head",
    "show_longest",
    "show_open",
    "show_people",
    "show_periods",
    "show_plan",
    "show_plot",
    "show_quality",
    "show_rates",
    "show_stages",
    "show_table",
    "show_trend",
    "show_unusual",
]

# matplotlib and scipy are slow to import, and a wrong argument of `report` is to be refused at once.
_HOMES = {
    "build": ("report",),
    "findings": (
        "Finding",
        "Findings",
        "event_findings",
        "season_findings",
    ),
    "material": (
        "ReportData",
        "collect",
        "opened",
    ),
    "recheck": (
        "PageCheck",
        "check_page",
    ),
    "page": (
        "Check",
        "check_report",
        "show_plot",
        "show_table",
    ),
    "sections": (
        "show_ai_effect",
        "show_figures",
        "show_findings",
        "show_head",
        "show_plan",
        "show_trend",
        "show_unusual",
    ),
    "tables": (
        "bin_width",
        "show_busiest",
        "show_groups",
        "show_longest",
        "show_open",
        "show_people",
        "show_periods",
        "show_quality",
        "show_rates",
        "show_stages",
    ),
}


def __getattr__(name: str) -> object:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
