"""Arrow tables of any layout, and what computes one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import narwhals as nw
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from periodkit.errors import ArgumentError, SchemaError

_LISTS = (pa.ListType, pa.LargeListType, pa.FixedSizeListType, pa.ListViewType, pa.LargeListViewType)

_LARGE = {pa.string_view(): pa.large_string(), pa.binary_view(): pa.large_binary()}


def as_arrow(frame: pd.DataFrame, columns: Iterable[str]) -> pa.Table:
    """Return those of the columns that a pandas frame has as an Arrow table: one null, and no number turned float."""
    arrays = {}
    for name in columns:
        if name not in frame.columns:
            continue
        if isinstance(frame[name], pd.DataFrame):
            msg = f"The frame has several columns named {name!r}. Keep one of them."
            raise SchemaError(msg)
        try:
            array = pa.array(frame[name], from_pandas=True)
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            msg = f"The column {name!r} holds values of several kinds ({error}). Make them one kind."
            raise SchemaError(msg) from None
        except (pa.ArrowNotImplementedError, OverflowError) as error:
            msg = f"The column {name!r} holds values that Arrow has no kind for ({error}). Make texts of them."
            raise SchemaError(msg) from None
        if pa.types.is_timestamp(array.type) and frame[name].dtype == object and _differ_in_zone(frame[name]):
            msg = f"The column {name!r} holds times with a zone and times without. Make them one kind."
            raise SchemaError(msg)
        # The dtype of a column of nulls means nothing; only values can be of a wrong kind.
        arrays[name] = array if array.null_count < len(array) else pa.nulls(len(array))
    if not arrays:
        return pa.table({"_row": pa.nulls(len(frame))})
    return pa.table(arrays)


def _differ_in_zone(times: pd.Series) -> bool:
    """Whether some have a zone and some none: Arrow treats all of them as it does the first."""
    return len({time.tzinfo is None for time in times.dropna() if isinstance(time, datetime)}) > 1


def collect(frame: Any) -> pa.Table:  # noqa: ANN401
    """Return a narwhals frame as an Arrow table, computed if it is lazy."""
    try:
        table = plain((frame.collect("pyarrow") if isinstance(frame, nw.LazyFrame) else frame).to_arrow())
        return in_zone_utc(table) if frame.implementation.is_duckdb() else table
    except Exception as error:
        if "spark.driver.maxResultSize" not in str(error):
            raise
        msg = (
            "More comes from the cluster than the driver takes at once (spark.driver.maxResultSize). Filter the actions, "
            'group them by less, pass a coarser resolution ("s", then "min") where there is one, or give the driver more '
            "memory and a higher limit."
        )
        raise ArgumentError(msg) from None


def plain(table: pa.Table) -> pa.Table:
    """Return an Arrow table without the layouts that Arrow itself can hardly do anything with: views and runs."""
    for at, field in enumerate(table.schema):
        kind, is_run = field.type, pa.types.is_run_end_encoded(field.type)
        is_dictionary = pa.types.is_dictionary(kind)
        kind = kind.value_type if is_run or is_dictionary else kind
        if isinstance(kind, pa.Bool8Type):
            flags = pa.chunked_array([chunk.storage for chunk in table.column(at).chunks], pa.int8()).cast(pa.bool_())
            table = table.set_column(at, field.name, flags)
            continue
        large = _without_views(kind)
        if isinstance(kind, pa.ListViewType | pa.LargeListViewType):
            # Arrow's own cast loses rows of these where their items are views.
            rows = pa.chunked_array([pa.array(table.column(at).to_pylist(), large)])
            table = table.set_column(at, field.name, rows)
            continue
        if is_run or large != kind or (is_dictionary and pa.types.is_timestamp(kind)):
            column = table.column(at)
            column = pc.run_end_decode(column) if is_run else column
            table = table.set_column(at, field.name, column.cast(large))
    return table


def in_zone_utc(table: pa.Table) -> pa.Table:
    """Return an Arrow table whose moments are shown in UTC: DuckDB shows them in the session's zone."""
    zoned = {
        field.name: pa.timestamp(field.type.unit, "UTC") for field in table.schema if getattr(field.type, "tz", None)
    }
    return table.cast(pa.schema([field.with_type(zoned.get(field.name, field.type)) for field in table.schema]))


def is_flat_list(kind: pa.DataType) -> bool:
    """Whether a type is of lists of single values."""
    return isinstance(kind, _LISTS) and not pa.types.is_nested(kind.value_type)


def _without_views(kind: pa.DataType) -> pa.DataType:
    if kind in _LARGE:
        return _LARGE[kind]
    if isinstance(kind, pa.StructType):
        return pa.struct([part.with_type(_without_views(part.type)) for part in kind])
    if isinstance(kind, _LISTS):
        item = _without_views(kind.value_type)
        is_view = isinstance(kind, pa.ListViewType | pa.LargeListViewType)
        return pa.large_list(item) if is_view or item != kind.value_type else kind
    return kind
