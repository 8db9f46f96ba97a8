"""What the numbers say: comparisons that their intervals support."""

from periodkit.reporting.findings.findings import FLAG_SHARE, Finding, Findings, event_findings, season_findings
from periodkit.reporting.findings.measures import FEWEST, Measured, measures

__all__ = [
    "FEWEST",
    "FLAG_SHARE",
    "Finding",
    "Findings",
    "Measured",
    "event_findings",
    "measures",
    "season_findings",
]
