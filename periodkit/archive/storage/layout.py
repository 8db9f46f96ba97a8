"""Frames as the archive's tables hold them, and back again, to the same values and dtypes.

Form fields and unknown fields of actions have whatever kind the API sends. Each kind that a field was seen with has a
typed column of its own, so that text in one period and numbers in another neither fail nor lose anything.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa

from periodkit.frames import UTC_MICROS, Column, as_lists, exact_in_double, infer_column, plain
from periodkit.schema import ACTIONS, FORM_PREFIX, PERIODS, Field, Kind

BUCKETS = 32
"""Partitions of the actions: a period's is `bucket`, so that replacing it rewrites little and scanning opens few files."""

BUCKET, ROW = "_bucket", "_row"

_ARROW = {
    Kind.ID: pa.int64(),
    Kind.TEXT: pa.string(),
    Kind.TIME: UTC_MICROS,
    Kind.FLAG: pa.bool_(),
    Kind.LIST: pa.list_(pa.string()),
}
_KINDS = {"text": pa.string(), "whole": pa.int64(), "number": pa.float64(), "flag": pa.bool_(), "json": pa.string()}
_BY_DTYPE = {"str": "text", "Int64": "whole", "Float64": "number", "boolean": "flag"}
# What Delta Lake and Parquet readers refuse in a name, and what would make the encoding ambiguous.
_UNSAFE = re.compile(r'[\x00-\x1f\x7f ,;{}()=`"%]')


def _arrow(field: Field) -> pa.DataType:
    # Markers are whatever objects the API sent; only their JSON loses nothing.
    return pa.string() if field.column == "markers" else _ARROW[field.kind]


ACTION_SCHEMA = pa.schema(
    [(BUCKET, pa.int32()), (ROW, pa.int32()), *((field.column, _arrow(field)) for field in ACTIONS.fields)]
)
PERIOD_SCHEMA = pa.schema(
    [
        *((field.column, _arrow(field)) for field in PERIODS.fields),
        ("_extra", pa.string()),
        ("_position", pa.int32()),
        ("_rows", pa.int64()),
        ("_open", pa.int64()),
        ("_sha256", pa.string()),
        ("_form_fields", pa.string()),
        ("_columns", pa.string()),
        ("_attrs", pa.string()),
    ]
)


class Stored(NamedTuple):
    """One form or unknown column of a period: its name, kind ("empty" if all null) and the column that holds it."""

    name: str
    kind: str
    physical: str


IdOrIds = TypeVar("IdOrIds", int, np.ndarray)


def bucket(period_id: IdOrIds) -> IdOrIds:
    """Return the partition of a period, or of an array of them; multiplying spreads ids that come in even steps."""
    return (period_id * 2654435761 & 0xFFFFFFFF) >> 27


class Names:
    """Which physical column holds which field in which kind."""

    def __init__(self, physical: Iterable[str], known: Iterable[Stored]) -> None:
        self._taken = {name.casefold() for name in physical}
        self._known = {(each.name, each.kind): each.physical for each in known if each.kind != "empty"}

    def __call__(self, name: str, kind: str) -> str:
        """Return the physical column for a field, choosing a new one where it was never seen in this kind."""
        if (name, kind) not in self._known:
            safe = _UNSAFE.sub(lambda found: f"%{ord(found[0]):02X}", name)
            candidate, number = safe, 1
            while candidate.casefold() in self._taken:
                number += 1
                candidate = f"{safe}~{number}"
            self._taken.add(candidate.casefold())
            self._known[name, kind] = candidate
        return self._known[name, kind]


def actions_to_arrow(frame: pd.DataFrame, names: Names) -> tuple[pa.Table, list[Stored]]:
    """Return actions as the table holds them, and where their further columns stand."""
    ids = frame["period_id"]
    arrays = {
        BUCKET: pa.array(bucket(ids.to_numpy("int64")), pa.int32()),
        ROW: pa.array(ids.groupby(ids).cumcount(), pa.int32()),
    } | {field.column: pa.array(frame[field.column], _arrow(field), from_pandas=True) for field in ACTIONS.fields}
    further = []
    for name in frame.columns:
        if name in ACTIONS.columns:
            continue
        values = frame[name]
        if values.isna().all():
            further.append(Stored(name, "empty", ""))
            continue
        kind = _BY_DTYPE.get(str(values.dtype), "json")
        physical = names(name, kind)
        further.append(Stored(name, kind, physical))
        written = [None if each is None else json.dumps(each) for each in plain(values)] if kind == "json" else values
        arrays[physical] = pa.array(written, _KINDS[kind], from_pandas=True)
    return pa.table({name: _chunk(array) for name, array in arrays.items()}), further


def further_columns(stored: Iterable[Stored]) -> dict[str, list[Stored]]:
    """Group the columns of several periods by name, form fields first, each in the order in which it was first seen."""
    found: dict[str, list[Stored]] = {}
    for each in stored:
        places = found.setdefault(each.name, [])
        if each.kind != "empty" and each not in places:
            places.append(each)
    form = {name: places for name, places in found.items() if name.startswith(FORM_PREFIX)}
    return form | found


def known_column(table: pa.Table, field: Field) -> Column:
    """Return one of the schema's columns as a frame takes it."""
    column = table[field.column]
    return column if field.kind is not Kind.LIST else as_lists(_chunk(column))


def further_column(table: pa.Table, places: Sequence[Stored]) -> Column:
    """Return a form or unknown column as the client would have inferred it over all of these rows."""
    used = [place for place in places if table[place.physical].null_count < table.num_rows]
    if not used:
        return pa.nulls(table.num_rows, pa.string())
    if len(used) == 1 and used[0].kind != "json":
        return table[used[0].physical]
    values: list[Any] = [None] * table.num_rows
    for place in used:
        for i, value in enumerate(table[place.physical].to_pylist()):
            if value is not None:
                values[i] = json.loads(value) if place.kind == "json" else value
    if all(place.kind in {"whole", "number"} for place in used) and exact_in_double(values):
        return pa.array([None if value is None else float(value) for value in values], pa.float64())
    return values


def period_records(periods: pd.DataFrame) -> dict[int, dict[str, Any]]:
    """Return each period of a frame as the table's values, by id, without the bookkeeping."""
    known = {}
    for field in PERIODS.fields:
        values = (
            [json.dumps(each) for each in periods["markers"]] if field.column == "markers" else periods[field.column]
        )
        known[field.column] = pa.array(values, _arrow(field), from_pandas=True)
    further = {str(name): plain(periods[name]) for name in periods.columns if name not in PERIODS.columns}
    records = pa.table({name: _chunk(array) for name, array in known.items()}).to_pylist()
    for i, record in enumerate(records):
        record["_extra"] = json.dumps({name: values[i] for name, values in further.items()})
    return {record["period_id"]: record for record in records}


def period_columns(table: pa.Table) -> dict[str, Column]:
    """Return the columns of a periods frame."""
    columns: dict[str, Column] = {
        field.column: [json.loads(each) for each in table["markers"].to_pylist()]
        if field.column == "markers"
        else table[field.column]
        for field in PERIODS.fields
    }
    extra = [json.loads(each) for each in table["_extra"].to_pylist()]
    for name in dict.fromkeys(name for each in extra for name in each):
        columns[name] = infer_column([each.get(name) for each in extra])
    return columns


def read_columns(text: str) -> list[Stored]:
    """Read what `actions_to_arrow` said of a period's further columns, from its JSON."""
    return [Stored(*each) for each in json.loads(text)]


def _chunk(array: pa.Array | pa.ChunkedArray) -> pa.Array:
    if not isinstance(array, pa.ChunkedArray):
        return array
    return array.chunk(0) if array.num_chunks == 1 else pa.concat_arrays([pa.array([], array.type), *array.chunks])
