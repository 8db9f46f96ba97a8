"""One plain sentence on the frame that a metric returned. A comparison is made only where the intervals are apart."""

from periodkit.answers.answer import Answer
from periodkit.answers.dispatch import ai_effect, ai_mix, ai_share, ai_times
from periodkit.answers.nights import odd_nights, season, unusual
from periodkit.answers.state import outlook, records, waiting
from periodkit.answers.times import completed_only, in_short, kept_target, longest_stage, recorded, slowest

__all__ = [
    "Answer",
    "ai_effect",
    "ai_mix",
    "ai_share",
    "ai_times",
    "completed_only",
    "in_short",
    "kept_target",
    "longest_stage",
    "odd_nights",
    "outlook",
    "recorded",
    "records",
    "season",
    "slowest",
    "unusual",
    "waiting",
]
