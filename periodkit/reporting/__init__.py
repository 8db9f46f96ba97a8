"""What a report is made of: its material, its findings and its sections. The notebooks of the reports call it."""

from periodkit.reporting.blocks import show_plot, show_sentence, show_table
from periodkit.reporting.findings import Finding, Findings, event_findings, season_findings
from periodkit.reporting.material import Material, gather
from periodkit.reporting.sections import show_figures, show_findings, show_head, show_plan
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
from periodkit.reporting.trend import show_trend

__all__ = [
    "Finding",
    "Findings",
    "Material",
    "bin_width",
    "event_findings",
    "gather",
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
    "show_sentence",
    "show_stages",
    "show_table",
    "show_trend",
]
