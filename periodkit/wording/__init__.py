"""How numbers, durations and names are written, everywhere the same."""

from periodkit.wording.measures import compared, limits_text, measure_label, measure_name, most_surprising
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
    "compared",
    "count",
    "duration",
    "exact",
    "format_table",
    "format_value",
    "interval",
    "label",
    "limits_text",
    "listed",
    "measure_label",
    "measure_name",
    "most_surprising",
    "numeric",
    "percent",
    "plain",
    "readable",
    "told_apart",
    "with_interval",
]
