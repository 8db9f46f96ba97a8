"""What happened at an event, in numbers: frame in, tidy frame out."""

from periodkit.metrics.advice import quality_advice
from periodkit.metrics.calendar import latest_period
from periodkit.metrics.dispatch import ai_dispatch_rate, reroute_rate, routing_matrix
from periodkit.metrics.flow import workload
from periodkit.metrics.outcomes import on_time, outcome_curve
from periodkit.metrics.quality import quality
from periodkit.metrics.stages import stage_quantiles
from periodkit.metrics.summary import describe
from periodkit.metrics.times import cycle_times
from periodkit.metrics.waiting import open_actions

__all__ = [
    "ai_dispatch_rate",
    "cycle_times",
    "describe",
    "latest_period",
    "on_time",
    "open_actions",
    "outcome_curve",
    "quality",
    "quality_advice",
    "reroute_rate",
    "routing_matrix",
    "stage_quantiles",
    "workload",
]
