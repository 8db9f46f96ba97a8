"""Times and texts as numbers, and sums of these by group, where the rows are."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import narwhals as nw
import pyarrow as pa

from periodkit.errors import SchemaError
from periodkit.frames.engines.arrow import collect
from periodkit.frames.engines.opened import on_cluster, spelled

_UTC = nw.Datetime("us", "UTC")
_MICROS = {"s": 1_000_000, "ms": 1_000}
"""Microseconds in the units in which a time may lie further off than 64 bits of microseconds reach."""


def in_utc(frame: Any, names: Iterable[str]) -> Any:  # noqa: ANN401
    """Return a narwhals frame with those of the columns that it has in UTC at microseconds."""
    schema = frame.collect_schema()
    columns = {name: _as_utc(name, schema[name], frame.implementation) for name in names if name in schema}
    return frame.with_columns(**columns)


def _as_utc(name: str, dtype: nw.dtypes.DType, engine: nw.Implementation) -> nw.Expr:
    if isinstance(dtype, nw.Datetime) and dtype.time_zone is not None:
        time = nw.col(name)
        # DuckDB and Spark hold instants, show them in the session's zone, and cast to no other.
        if engine.is_duckdb() or engine.is_spark_like():
            return time
        if dtype.time_unit == "ns":
            return (time.cast(nw.Int64) // 1_000).cast(_UTC)
        if dtype.time_unit in _MICROS:
            furthest = 2**62 // _MICROS[dtype.time_unit]  # absurd, and near enough to take differences
            time = time.cast(nw.Int64).clip(-furthest, furthest).cast(nw.Datetime(dtype.time_unit, "UTC"))
        return time if dtype == _UTC else time.cast(_UTC)
    if dtype == nw.Unknown:  # nulls of no kind; Spark takes them for times as they are
        return nw.col(name) if engine.is_spark_like() else nw.col(name).cast(_UTC)
    of_text, of_clock = next((text, clock) for is_engine, text, clock in _ADVICE if is_engine(engine))
    if isinstance(dtype, nw.Datetime):
        # Whose clock shows them only the caller knows.
        found, advice = "times without a zone", f"Say which zone they are in: {of_clock}."
    elif dtype == nw.String:
        found, advice = "text", f"Read ISO 8601 text with {of_text}."
    else:
        found, advice = str(dtype), "Convert it to UTC times."
    raise SchemaError(f"The column {name!r} holds {found}, not UTC times. {advice.format(name)}")


_ADVICE: tuple[tuple[Callable[[nw.Implementation], bool], str, str], ...] = (
    (
        nw.Implementation.is_spark_like,
        "F.to_timestamp({0!r})",
        """F.expr("to_timestamp(concat({0}, ' Europe/London'))")""",
    ),
    (nw.Implementation.is_duckdb, "{0}::TIMESTAMPTZ", "timezone('Europe/London', {0})"),
    (
        nw.Implementation.is_polars,
        'pl.col({0!r}).str.to_datetime(time_zone="UTC")',
        'pl.col({0!r}).dt.replace_time_zone("Europe/London")',
    ),
    (
        lambda _: True,
        'pd.to_datetime(frame[{0!r}], utc=True, format="ISO8601")',
        'frame[{0!r}].dt.tz_localize("Europe/London")',
    ),
)
"""By engine, what reads texts as times, and what makes moments of times without a zone."""


def epoch_micros(frame: Any, time: nw.Expr) -> nw.Expr:  # noqa: ANN401
    """Return a time of a narwhals frame, in UTC at microseconds, as whole microseconds since 1970."""
    if frame.implementation.is_duckdb():
        # narwhals calls DuckDB's epoch_us for this, which reads moments as well as differences, and quicker. A difference of
        # its times counts days of the session's zone, of which some have 23 hours.
        return time.dt.total_microseconds()
    if not on_cluster(frame):
        return time.cast(nw.Int64)
    # Spark's whole number of a time is of seconds, and its microseconds count backwards before 1970.
    second = 1_000_000
    return time.cast(nw.Int64) * second + (time.dt.microsecond() + second) % second


def with_read_text(frame: Any, column: str, name: str, read: Callable[[nw.Expr], nw.Expr]) -> Any:  # noqa: ANN401
    """Return a narwhals frame with a column of small numbers that `read` makes of one text column; null is 0."""
    if isinstance(frame, nw.LazyFrame):
        return frame.with_columns(read(nw.col(column)).fill_null(value=0).alias(name))
    # Millions of rows hold a handful of texts, so in memory each text is read once.
    table = frame.to_arrow()
    texts = table[column].combine_chunks()
    rows = None
    if pa.types.is_dictionary(texts.type):
        texts, rows = texts.dictionary, texts.indices
    coded = texts.dictionary_encode()
    texts = tuple(coded.dictionary.to_pylist())
    # Batch after batch has the same few.
    once = _read_texts if len(texts) < 100 else _read_texts.__wrapped__
    found = once(texts, coded.type.value_type, read).take(coded.indices)
    found = found if rows is None else found.take(rows)
    return nw.from_native(table.append_column(name, found.fill_null(0)), eager_only=True)


@functools.lru_cache(maxsize=32)
def _read_texts(texts: tuple[object, ...], kind: pa.DataType, read: Callable[[nw.Expr], nw.Expr]) -> pa.Array:
    table = nw.from_native(pa.table({"text": pa.array(texts, kind)}), eager_only=True)
    return collect(table.select(found=read(nw.col("text")).fill_null(value=0)))["found"].combine_chunks()


def aggregate(frame: Any, by: Sequence[str], sums: Mapping[str, nw.Expr]) -> pa.Table:  # noqa: ANN401
    """Return one row per group of a lazy narwhals frame: its keys, then its sums; one row in all without keys."""
    # DuckDB takes what stands before a dot in a key, as in form.department, for a table.
    keys = {f"_key{i}": nw.col(name) for i, name in enumerate(spelled(frame, by))}
    frame = frame.with_columns(**keys).group_by(*keys).agg(**sums) if by else frame.select(**sums)
    return collect(frame.select(*keys, *sums)).rename_columns([*by, *sums])


def whole_sum(number: nw.Expr) -> nw.Expr:
    """Return the sum of whole numbers as one of 64 bits: DuckDB adds up to 128, which may come as bytes."""
    return number.sum().cast(nw.Int64)


def sum_by(frame: Any, by: Sequence[str], numbers: Sequence[str]) -> pa.Table:  # noqa: ANN401
    """Return columns of numbers summed by group if a narwhals frame is lazy, else as they are."""
    if isinstance(frame, nw.LazyFrame):
        return aggregate(frame, by, {name: whole_sum(nw.col(name)) for name in numbers})
    return collect(frame)
