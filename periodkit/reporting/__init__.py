"""What a report is made of: its material, its findings, its sections and its page. The notebooks of the reports call it."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from periodkit.reporting.build import report
    from periodkit.reporting.findings import Finding, Findings, event_findings, season_findings
    from periodkit.reporting.material import Material, gather
    from periodkit.reporting.page import check_report, show_plot, show_sentence, show_table
    from periodkit.reporting.sections import show_figures, show_findings, show_head, show_plan, show_trend
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
    "Material",
    "bin_width",
    "check_report",
    "event_findings",
    "gather",
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
    "show_sentence",
    "show_stages",
    "show_table",
    "show_trend",
]

_HOMES = {
    "build": ("report",),
    "findings": ("Finding", "Findings", "event_findings", "season_findings"),
    "material": ("Material", "gather"),
    "page": ("check_report", "show_plot", "show_sentence", "show_table"),
    "sections": ("show_figures", "show_findings", "show_head", "show_plan", "show_trend"),
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
    # matplotlib is slow to import, and `periodkit.report` is a name of the package itself.
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
