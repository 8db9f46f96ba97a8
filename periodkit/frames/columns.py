"""Columns on their way into a frame: Arrow arrays for scalars, Python lists for what stays a list."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from periodkit._arguments import iso_moment
from periodkit.schema import Kind, snake_case

Column: TypeAlias = Any
"""A `pyarrow.Array`, or a list of Python objects that becomes an ``object`` column."""

UTC_MICROS = Kind.TIME.arrow
EXACT_IN_DOUBLE = 2**53
INT64 = range(-(2**63), 2**63)
BAD_TIME = "is not an ISO 8601 time with Z or an offset, in the years 1 to 9999 in UTC"
"""What a message says of a text that `parse_times` cannot read."""
_YEARS_1_TO_9999 = range(-62_135_596_800_000_000, 253_402_300_800_000_000)
_FRACTION = r"(:[0-9]{2})[.,]([0-9]{1,6})[0-9]*"

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""What lies before is no time of an action: systems write such times for "none"."""

_MASKED = ("Int8", "Int16", "Int32", "UInt8", "UInt16", "UInt32", "UInt64", "Float32", "Float64")
MASKED = {kind.arrow: pd.api.types.pandas_dtype(kind.dtype) for kind in (Kind.ID, Kind.FLAG)}
MASKED |= {pa.type_for_alias(name.lower()): pd.api.types.pandas_dtype(name) for name in _MASKED}
"""The pandas types of Arrow types that pandas would otherwise fill with NaN."""


def to_frame(columns: dict[str, Column]) -> pd.DataFrame:
    """Build the frame; Arrow arrays get nullable or UTC dtypes, lists become ``object`` columns as they are."""
    arrays = {name: column for name, column in columns.items() if not isinstance(column, list)}
    frame: pd.DataFrame = pa.table(arrays).to_pandas(types_mapper=MASKED.get)
    lists = {name: pd.Series(column, dtype="object") for name, column in columns.items() if isinstance(column, list)}
    if lists:  # joined at once: inserting them one by one takes time that grows with the square of their number
        frame = pd.concat([frame, pd.DataFrame(lists, copy=False)], axis=1)[list(columns)]
    return frame


def as_lists(column: pa.ListArray) -> list[list[Any] | None]:
    """Return a list column as Python lists, far quicker than ``to_pylist``.

    Each text becomes one object, however often it stands there, and the lists are slices of one flat list.
    """
    coded = column.flatten().dictionary_encode()
    # Null has the last place; pyarrow gives it no code.
    texts = np.array([*coded.dictionary.to_pylist(), None], dtype=object)
    values = texts[pc.fill_null(coded.indices, len(texts) - 1).to_numpy(zero_copy_only=False)].tolist()
    lengths = pc.fill_null(pc.list_value_length(column), 0).to_numpy(zero_copy_only=False)
    ends = np.cumsum(lengths, dtype="int64")
    present = np.flatnonzero(column.is_valid().to_numpy(zero_copy_only=False))
    spans = zip((ends - lengths)[present].tolist(), ends[present].tolist(), strict=True)
    with _no_collection():
        lists: list[list[Any] | None] = [values[begin:end] for begin, end in spans]
        if len(present) == len(column):
            return lists
        spread: list[list[Any] | None] = [None] * len(column)
        for i, items in zip(present.tolist(), lists, strict=True):
            spread[i] = items
        return spread


@contextmanager
def _no_collection() -> Iterator[None]:
    """Keep the garbage collector from searching, again and again, through many new lists that are all in use."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


def parse_times(values: Sequence[str | None] | pa.Array) -> tuple[pa.Array, list[int]]:
    """Read ISO 8601 texts that carry ``Z`` or an offset.

    Returns
    -------
    tuple of pyarrow.Array and list of int
        Times in UTC at microseconds, null where the text was null or bad; and the positions of the bad ones. A moment
        outside the years 1 to 9999 in UTC is bad. Digits finer than a microsecond are cut off.
    """
    texts = values if isinstance(values, pa.Array) else pa.array(values, pa.string())
    times = _cast_times(texts)
    if times is None:
        # Nearly all of what Arrow does not read is lower case, has a comma, or has a fraction that is too fine.
        times = _cast_times(pc.replace_substring_regex(pc.ascii_upper(texts), _FRACTION, r"\1.\2"))
    if times is not None:
        return times, []
    coded = texts.dictionary_encode()
    read = pa.array([iso_moment(text) for text in coded.dictionary.to_pylist()], UTC_MICROS)
    times = read.take(coded.indices)
    return times, np.flatnonzero(pc.and_(times.is_null(), texts.is_valid()).to_numpy(zero_copy_only=False)).tolist()


def _cast_times(texts: pa.Array) -> pa.Array | None:
    """Return what Arrow reads, or None if it does not read all, or if a moment cannot be held in UTC."""
    try:
        times = pc.cast(texts, UTC_MICROS)
    except pa.ArrowInvalid:
        return None
    ends = pc.min_max(pc.cast(times, pa.int64())).as_py()
    return times if all(end is None or end in _YEARS_1_TO_9999 for end in ends.values()) else None


def infer_column(values: list[Any]) -> Column:
    """Return a column for a field of no documented kind: one dtype where all values agree, else the values as they are."""
    kinds = {type(value) for value in values} - {type(None)}
    if kinds <= {str}:
        try:
            return pa.array(values, pa.string())
        except UnicodeEncodeError:
            return values
    if kinds == {bool}:
        return pa.array(values, pa.bool_())
    if kinds == {int} and all(value is None or value in INT64 for value in values):
        return pa.array(values, pa.int64())
    if kinds <= {int, float} and float in kinds and exact_in_double(values):
        return pa.array([None if value is None else float(value) for value in values], pa.float64())
    return values


def exact_in_double(values: list[Any]) -> bool:
    """Whether no number is so large that a double would round whole numbers."""
    return all(value is None or abs(value) <= EXACT_IN_DOUBLE for value in values)


def utc_text(moment: pd.Timestamp) -> str:
    """Return a moment as ISO 8601 text in UTC at microseconds, as hashes and exports have it.

    Examples
    --------
    >>> utc_text(pd.Timestamp("2024-07-01T19:00:00+02:00"))
    '2024-07-01T17:00:00.000000Z'
    """
    return f"{moment.tz_convert('UTC').tz_localize(None).isoformat(timespec='microseconds')}Z"


def python_values(values: pd.Series) -> list[Any]:
    """Return the values as Python objects, None for every kind of null."""
    if values.dtype == object:
        return [None if value is pd.NA or (isinstance(value, float) and pd.isna(value)) else value for value in values]
    items: list[Any] = pa.array(values, from_pandas=True).to_pylist()
    return items


def unknown_name(name: str, taken: set[str]) -> str:
    """Return the column for an unknown field: its snake_case name, or ``extra.<name>`` where that is taken."""
    column = snake_case(name)
    return column if column and column not in taken else f"extra.{name}"
