"""Frames of any engine -> counts, which add up."""

from periodkit.metrics.tally.cells import count_cells, join_entry, sum_up
from periodkit.metrics.tally.count import By, checked_resolution, count_flags, count_stage, grouping, to_count
from periodkit.metrics.tally.keys import encode, merge_keys, sort_keys
from periodkit.metrics.tally.life_table import Ints, LifeTable, as_counts, merge
from periodkit.metrics.tally.stage_counts import (
    EXCLUDED,
    TIMED,
    UNITS,
    StageCounts,
    gone_states,
    named_resolution,
    unused_states,
)

__all__ = [
    "EXCLUDED",
    "TIMED",
    "UNITS",
    "By",
    "Ints",
    "LifeTable",
    "StageCounts",
    "as_counts",
    "checked_resolution",
    "count_cells",
    "count_flags",
    "count_stage",
    "encode",
    "gone_states",
    "grouping",
    "join_entry",
    "merge",
    "merge_keys",
    "named_resolution",
    "sort_keys",
    "sum_up",
    "to_count",
    "unused_states",
]
