"""Frames of any engine. The only package that knows pandas, Polars, DuckDB, Spark and Arrow apart."""

from periodkit.frames.engines.arrow import collect, is_flat_list
from periodkit.frames.engines.in_place import keys_in_place, unnested
from periodkit.frames.engines.opened import (
    ActionsFrame,
    column_names,
    hand_on,
    in_pandas,
    narwhals_frame,
    on_cluster,
    open_frame,
    quoted,
    spelled,
    where_counted,
)
from periodkit.frames.engines.reading import CHANGED, Batches, batches
from periodkit.frames.engines.sums import aggregate, epoch_micros, in_utc, sum_by, whole_sum, with_read_text

__all__ = [
    "CHANGED",
    "ActionsFrame",
    "Batches",
    "aggregate",
    "batches",
    "collect",
    "column_names",
    "epoch_micros",
    "hand_on",
    "in_pandas",
    "in_utc",
    "is_flat_list",
    "keys_in_place",
    "narwhals_frame",
    "on_cluster",
    "open_frame",
    "quoted",
    "spelled",
    "sum_by",
    "unnested",
    "where_counted",
    "whole_sum",
    "with_read_text",
]
