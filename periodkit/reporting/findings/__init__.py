"""Comparisons that their intervals support, in sentences."""

from periodkit.reporting.findings.findings import FLAG_SHARE, Finding, Findings, event_findings, season_findings
from periodkit.reporting.findings.measures import FEWEST, Measure, measures

__all__ = [
    "FEWEST",
    "FLAG_SHARE",
    "Finding",
    "Findings",
    "Measure",
    "event_findings",
    "measures",
    "season_findings",
]
