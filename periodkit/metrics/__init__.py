"""What happened at an event, in numbers: frame in, tidy frame out."""

from periodkit.frames import latest_period
from periodkit.metrics.checks import CHECKS
from periodkit.metrics.compare import compare
from periodkit.metrics.dispatch import LOWER_BOUND, ai_dispatch_rate, reroute_rate, routing_matrix
from periodkit.metrics.effect import ai_effect
from periodkit.metrics.funnel import ai_funnel
from periodkit.metrics.in_hand import load
from periodkit.metrics.open_actions import open_actions
from periodkit.metrics.outcomes import on_time, outcome_curve
from periodkit.metrics.outlook import outlook
from periodkit.metrics.profile import marker_profile
from periodkit.metrics.quality import quality, quality_advice
from periodkit.metrics.season import season
from periodkit.metrics.summary import describe, outcome_counts
from periodkit.metrics.times import (
    COUNT_COLUMNS,
    SKIPPED_SHARE,
    checked_ways,
    cycle_times,
    quantile_table,
    stage_quantiles,
    with_bound,
)
from periodkit.metrics.unusual import COUNT_MEASURES, TIME_MEASURES, unusual, unusual_periods
from periodkit.metrics.workload import workload

__all__ = [
    "CHECKS",
    "COUNT_COLUMNS",
    "COUNT_MEASURES",
    "LOWER_BOUND",
    "SKIPPED_SHARE",
    "TIME_MEASURES",
    "ai_dispatch_rate",
    "ai_effect",
    "ai_funnel",
    "checked_ways",
    "compare",
    "cycle_times",
    "describe",
    "latest_period",
    "load",
    "marker_profile",
    "on_time",
    "open_actions",
    "outcome_counts",
    "outcome_curve",
    "outlook",
    "quality",
    "quality_advice",
    "quantile_table",
    "reroute_rate",
    "routing_matrix",
    "season",
    "stage_quantiles",
    "unusual",
    "unusual_periods",
    "with_bound",
    "workload",
]
