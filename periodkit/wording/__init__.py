"""How numbers, durations and names are written, everywhere the same."""

from periodkit.wording.phrases import (
    LEFT_TO_RIGHT,
    be,
    count,
    duration,
    exact,
    interval,
    listed,
    percent,
    plain,
    told_apart,
    with_interval,
)
from periodkit.wording.tables import NULL, format_table, format_value, label, numeric, readable

__all__ = [
    "LEFT_TO_RIGHT",
    "NULL",
    "be",
    "count",
    "duration",
    "exact",
    "format_table",
    "format_value",
    "interval",
    "label",
    "listed",
    "numeric",
    "percent",
    "plain",
    "readable",
    "told_apart",
    "with_interval",
]
