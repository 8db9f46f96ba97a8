"""How numbers, durations and names are written, everywhere the same."""

from periodkit.wording.phrases import (
    LEFT_TO_RIGHT,
    Scalar,
    between,
    clean_label,
    count,
    duration,
    estimate,
    interval,
    joined,
    listed,
    percent,
    round_duration,
    sentences,
    unique_labels,
    unit_of,
    was_or_were,
)
from periodkit.wording.tables import NULL, format_table, format_value, label, numeric, readable
from periodkit.wording.target import Span, Target

__all__ = [
    "LEFT_TO_RIGHT",
    "NULL",
    "Scalar",
    "Span",
    "Target",
    "between",
    "clean_label",
    "count",
    "duration",
    "estimate",
    "format_table",
    "format_value",
    "interval",
    "joined",
    "label",
    "listed",
    "numeric",
    "percent",
    "readable",
    "round_duration",
    "sentences",
    "unique_labels",
    "unit_of",
    "was_or_were",
]
