"""Frames of any engine. The only module that knows pandas, Polars, DuckDB and Arrow apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, TypeAlias, cast

import narwhals as nw
import pandas as pd
import pyarrow as pa

from periodkit._arguments import require_columns
from periodkit.errors import ArgumentError, SchemaError
from periodkit.frames.columns import MASKED

ActionsFrame: TypeAlias = Any
"""A pandas or Polars frame, pyarrow Table or DuckDB relation of actions; no type says that."""

_UTC = nw.Datetime("us", "UTC")


def require_pandas(frame: object, argument: str = "actions") -> None:
    """Refuse a frame of another engine, where single records are looked at and not only counted."""
    if not isinstance(frame, pd.DataFrame):
        msg = f"{argument} is a {type(frame).__name__}. Pass a pandas frame, as client.{argument}() returns it."
        raise ArgumentError(msg)


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
        # The dtype of a column of nulls means nothing; only values can be of a wrong kind.
        arrays[name] = array if array.null_count < len(array) else pa.nulls(len(array))
    if not arrays:
        return pa.table({"_row": pa.nulls(len(frame))})
    return pa.table(arrays)


def in_utc(frame: Any, names: Iterable[str]) -> Any:  # noqa: ANN401
    """Return a narwhals frame with those of the columns that it has in UTC at microseconds."""
    schema = frame.collect_schema()
    columns = {name: _as_utc(name, schema[name], frame.implementation) for name in names if name in schema}
    return frame.with_columns(**columns)


def _as_utc(name: str, dtype: nw.dtypes.DType, engine: nw.Implementation) -> nw.Expr:
    if isinstance(dtype, nw.Datetime) and dtype.time_zone is not None:
        # DuckDB holds instants, shows them in the connection's zone, and casts to no other.
        return nw.col(name) if dtype == _UTC or engine.is_duckdb() else nw.col(name).cast(_UTC)
    if dtype == nw.Unknown:
        return nw.col(name).cast(_UTC)
    msg = (
        f"The column {name!r} is {dtype}, not UTC times. Read it with pd.to_datetime(..., utc=True, format='ISO8601')."
    )
    raise SchemaError(msg)


def epoch_micros(frame: Any, time: nw.Expr) -> nw.Expr:  # noqa: ANN401
    """Return a time of a narwhals frame, in UTC at microseconds, as whole microseconds since 1970."""
    # narwhals calls DuckDB's epoch_us for this, which reads moments as well as differences, and quicker.
    return time.dt.total_microseconds() if frame.implementation.is_duckdb() else time.cast(nw.Int64)


def with_read_text(frame: Any, column: str, name: str, read: nw.Expr) -> Any:  # noqa: ANN401
    """Return a narwhals frame with a column of small numbers that depends on one text column alone; null is 0."""
    read = read.fill_null(value=0).alias(name)
    if isinstance(frame, nw.LazyFrame):
        return frame.with_columns(read)
    # Millions of rows hold a handful of texts, so in memory each text is read once.
    table = frame.to_arrow()
    texts = table[column].combine_chunks()
    coded = texts if pa.types.is_dictionary(texts.type) else texts.dictionary_encode()
    distinct = collect(nw.from_native(pa.table({column: coded.dictionary}), eager_only=True).select(read))
    found = distinct[name].combine_chunks().take(coded.indices)
    return nw.from_native(table.append_column(name, found.fill_null(0)), eager_only=True)


def collect(frame: Any) -> pa.Table:  # noqa: ANN401
    """Return a narwhals frame as an Arrow table, computed if it is lazy."""
    return (frame.collect("pyarrow") if isinstance(frame, nw.LazyFrame) else frame).to_arrow()


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


def on_cluster(frame: Any) -> bool:  # noqa: ANN401
    """Whether a narwhals frame may be spread over many machines, so that what comes here has to be small."""
    return bool(frame.implementation.is_spark_like())


def aggregate(frame: Any, by: Sequence[str], sums: Mapping[str, nw.Expr]) -> pa.Table:  # noqa: ANN401
    """Return one row per group of a lazy narwhals frame: its keys, then its sums; one row in all without keys."""
    # DuckDB takes what stands before a dot in a key, as in form.department, for a table.
    keys = {f"_key{i}": nw.col(name) for i, name in enumerate(by)}
    frame = frame.with_columns(**keys).group_by(*keys).agg(**sums) if by else frame.select(**sums)
    return collect(frame.select(*keys, *sums)).rename_columns([*by, *sums])


def sum_by(frame: Any, by: Sequence[str], numbers: Sequence[str]) -> pa.Table:  # noqa: ANN401
    """Return columns of numbers summed by group if a narwhals frame is lazy, else as they are."""
    if isinstance(frame, nw.LazyFrame):
        return aggregate(frame, by, {name: nw.col(name).sum() for name in numbers})
    return collect(frame)


def open_frame(actions: ActionsFrame, columns: Iterable[str], required: Iterable[str] = ()) -> Any:  # noqa: ANN401
    """Return those of the columns that a frame has: an Arrow table if it is in memory, else lazy where it is.

    Raises
    ------
    SchemaError
        A `required` column is missing.
    """
    if isinstance(actions, pd.DataFrame):
        require_columns(actions.columns, required)
        return nw.from_native(as_arrow(actions, columns), eager_only=True)
    try:
        frame = nw.from_native(actions)
    except TypeError:
        msg = f"actions is a {type(actions).__name__}. Pass a pandas or Polars frame, a pyarrow Table or a DuckDB relation."
        raise ArgumentError(msg) from None
    schema = frame.collect_schema()
    require_columns(schema, required)
    wanted = [name for name in columns if name in schema]
    if frame.implementation.is_duckdb() and len({name.casefold() for name in schema}) < len(schema):
        return _by_position(frame.to_native(), [*schema], wanted)
    frame = frame.select(*wanted)
    return nw.from_native(frame.to_arrow()) if isinstance(frame, nw.DataFrame) else frame


def _by_position(relation: Any, names: list[str], wanted: list[str]) -> Any:  # noqa: ANN401
    """Return columns of a DuckDB relation by position: their names differ in case alone, which DuckDB does not see."""
    numbered = ", ".join(f"#{names.index(name) + 1} AS c{i}" for i, name in enumerate(wanted)) or "1 AS c0"
    frame = nw.from_native(relation.project(numbered))
    if len({name.casefold() for name in wanted}) == len(wanted):
        return frame.rename({f"c{i}": name for i, name in enumerate(wanted)})
    return nw.from_native(collect(frame).rename_columns(wanted), eager_only=True)


def in_pandas(actions: ActionsFrame, columns: Iterable[str]) -> pd.DataFrame:
    """Return a pandas frame as it is, and of another engine's frame those of the columns that it has."""
    if isinstance(actions, pd.DataFrame):
        return actions
    table = collect(open_frame(actions, dict.fromkeys(columns)))
    return cast("pd.DataFrame", table.to_pandas(types_mapper=MASKED.get))
