"""Reports: their data, findings, sections and pages. The notebooks of the reports call these functions."""

from periodkit.reporting.build import report
from periodkit.reporting.findings import Finding, Findings, event_findings, season_findings
from periodkit.reporting.material import ReportData, collect
from periodkit.reporting.page import check_report, show_plot, show_table
from periodkit.reporting.sections import show_figures, show_findings, show_head, show_plan, show_trend, show_unusual
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
    "Finding",
    "Findings",
    "ReportData",
    "bin_width",
    "check_report",
    "collect",
    "event_findings",
    "report",
    "season_findings",
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
