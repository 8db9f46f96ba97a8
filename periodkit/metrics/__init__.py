"""What happened at an event, in numbers: frame in, tidy frame out."""

from periodkit.frames import latest_period
from periodkit.metrics.dispatch import LOWER_BOUND, ai_dispatch_rate, reroute_rate, routing_matrix
from periodkit.metrics.open_actions import open_actions
from periodkit.metrics.outcomes import on_time, outcome_curve
from periodkit.metrics.outlook import outlook
from periodkit.metrics.profile import marker_profile
from periodkit.metrics.quality import quality, quality_advice
from periodkit.metrics.season import season
from periodkit.metrics.summary import describe
from periodkit.metrics.times import checked_canceled, cycle_times, quantile_table, stage_quantiles
from periodkit.metrics.unusual import COUNT_MEASURES, TIME_MEASURES, unusual
from periodkit.metrics.workload import workload

__all__ = [
    "COUNT_MEASURES",
    "LOWER_BOUND",
    "TIME_MEASURES",
    "ai_dispatch_rate",
    "checked_canceled",
    "cycle_times",
    "describe",
    "latest_period",
    "marker_profile",
    "on_time",
    "open_actions",
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
    "workload",
]
