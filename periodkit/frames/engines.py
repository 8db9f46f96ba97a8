"""Frames of any engine. The only module that knows pandas, Polars, DuckDB and Arrow apart."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from itertools import chain
from typing import Any, TypeAlias, cast

import narwhals as nw
import pandas as pd
import pyarrow as pa

from periodkit.errors import ArgumentError, SchemaError
from periodkit.frames.columns import MASKED

ActionsFrame: TypeAlias = Any
"""A pandas or Polars frame, pyarrow Table or DuckDB relation of actions; no type says that."""

_UTC = nw.Datetime("us", "UTC")


def check_columns(frame: Any, columns: Iterable[str]) -> nw.Schema:  # noqa: ANN401
    """Return the schema of a narwhals frame, or say which column it lacks."""
    schema: nw.Schema = frame.collect_schema()
    require_columns(schema, columns)
    return schema


def require_pandas(actions: object) -> None:
    """Refuse a frame of another engine, where single records are looked at and not only counted."""
    if not isinstance(actions, pd.DataFrame):
        msg = f"actions is a {type(actions).__name__}. Pass a pandas frame, as client.actions() returns it."
        raise ArgumentError(msg)


ACTIONS_FRAME = "an actions frame as client.actions() returns it"
PERIODS_FRAME = "a periods frame as client.periods() returns it"


def require_columns(present: Container[object], columns: Iterable[str], expected: str = ACTIONS_FRAME) -> None:
    """Raise a SchemaError that names the first of the columns that is not present."""
    for name in columns:
        if name not in present:
            msg = f"The frame has no column {name!r}. Pass {expected}."
            raise SchemaError(msg)


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
        # A column of nulls alone has whatever dtype it was born with; only values can be of a wrong kind.
        arrays[name] = array if array.null_count < len(array) else pa.nulls(len(array))
    if not arrays:
        return pa.table({"_row": pa.nulls(len(frame))})
    return pa.table(arrays)


def as_utc(name: str, dtype: nw.dtypes.DType, engine: nw.Implementation) -> nw.Expr:
    """Return a column of times in UTC at microseconds, or say that it holds none."""
    if isinstance(dtype, nw.Datetime) and dtype.time_zone is not None:
        # DuckDB holds instants, shows them in the connection's zone, and casts to no other.
        return nw.col(name) if dtype == _UTC or engine.is_duckdb() else nw.col(name).cast(_UTC)
    if dtype == nw.Unknown:
        return nw.col(name).cast(_UTC)
    msg = (
        f"The column {name!r} is {dtype}, not UTC times. Read it with pd.to_datetime(..., utc=True, format='ISO8601')."
    )
    raise SchemaError(msg)


_BATCH = 1 << 18
"""Rows read at a time: few enough for the caches, many enough for the cost of a call not to show."""


def batches(frame: Any) -> Iterator[pa.Table] | None:  # noqa: ANN401
    """Return the rows a batch at a time, or None if the engine cannot hand them over like that."""
    native = frame.to_native()
    if isinstance(frame, nw.DataFrame):
        return (native.slice(start, _BATCH) for start in range(0, max(len(native), 1), _BATCH))
    # At a millisecond nearly every action is a line of its own: grouping in the engine would spare nothing. Older
    # versions of the two lack these methods.
    if frame.implementation.is_duckdb() and hasattr(native, "to_arrow_reader"):
        reader = native.to_arrow_reader(_BATCH)
        return chain([reader.schema.empty_table()], (pa.Table.from_batches([batch]) for batch in reader))
    if frame.implementation.is_polars() and hasattr(native, "collect_batches"):
        schema = native.head(0).collect().to_arrow()
        return chain([schema], (batch.to_arrow() for batch in native.collect_batches(chunk_size=_BATCH)))
    return None


def open_frame(actions: ActionsFrame, columns: Iterable[str]) -> Any:  # noqa: ANN401
    """Return those of the columns that a frame has: an Arrow table if it is in memory, else lazy where it is."""
    if isinstance(actions, pd.DataFrame):
        return nw.from_native(as_arrow(actions, columns), eager_only=True)
    try:
        frame = nw.from_native(actions)
    except TypeError:
        kind = type(actions).__name__
        msg = f"actions is a {kind}. Pass a pandas or Polars frame, a pyarrow Table or a DuckDB relation."
        raise ArgumentError(msg) from None
    schema = frame.collect_schema()
    frame = frame.select(*(name for name in columns if name in schema))
    return nw.from_native(frame.to_arrow()) if isinstance(frame, nw.DataFrame) else frame


def in_pandas(actions: ActionsFrame, columns: Iterable[str]) -> pd.DataFrame:
    """Return a pandas frame as it is, and of another engine's frame those of the columns that it has."""
    if isinstance(actions, pd.DataFrame):
        return actions
    frame = open_frame(actions, dict.fromkeys(columns))
    table = (frame.collect("pyarrow") if isinstance(frame, nw.LazyFrame) else frame).to_arrow()
    return cast("pd.DataFrame", table.to_pandas(types_mapper=MASKED.get))
