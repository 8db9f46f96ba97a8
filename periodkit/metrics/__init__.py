"""What happened at an event, in numbers: frame in, tidy frame out."""

from periodkit.metrics.dispatch import ai_dispatch_rate, reroute_rate, routing_matrix
from periodkit.metrics.flow import workload
from periodkit.metrics.outcomes import on_time, outcome_curve
from periodkit.metrics.quality import quality
from periodkit.metrics.summary import describe
from periodkit.metrics.times import cycle_times

__all__ = [
    "ai_dispatch_rate",
    "cycle_times",
    "describe",
    "on_time",
    "outcome_curve",
    "quality",
    "reroute_rate",
    "routing_matrix",
    "workload",
]
