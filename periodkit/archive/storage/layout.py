"""Frames as the archive's tables hold them, and back again, to the same values and dtypes.

Form fields and unknown fields of actions have whatever kind the API sends. Each kind that a field was seen with has a
typed column of its own, so that text in one period and numbers in another neither fail nor lose anything.

Archives are read with today's schema. A column that an older version did not write is null. A field that was unknown
then and is in the schema now is read from where it was kept as an unknown field, and converted to its kind.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa

from periodkit.frames import Column, as_lists, exact_in_double, infer_column, parse_times, python_values
from periodkit.schema import ACTIONS, FORM_PREFIX, PERIODS, Field, Kind

BUCKETS = 32
"""Partitions of the actions: a period's is `bucket`, so that replacing it rewrites little and scanning opens few files."""

BUCKET, ROW = "_bucket", "_row"

KIND_NAMES = {Kind.ID: "whole", Kind.TEXT: "text", Kind.TIME: "time", Kind.FLAG: "flag", Kind.LIST: "list"}
"""What the archive calls the kinds of the schema; besides, an extra column may be of "number" or "json"."""
_KINDS = {name: kind.arrow for kind, name in KIND_NAMES.items()} | {"number": pa.float64(), "json": pa.string()}
_BY_DTYPE = {kind.dtype: KIND_NAMES[kind] for kind in (Kind.TEXT, Kind.ID, Kind.FLAG)} | {"Float64": "number"}
# What Delta Lake and Parquet readers refuse in a name, and what would make the encoding ambiguous.
_UNSAFE = re.compile(r'[\x00-\x1f\x7f ,;{}()=`"%]')


def _arrow(field: Field) -> pa.DataType:
    # Markers are whatever objects the API sent; only their JSON loses nothing.
    return pa.string() if field.column == "markers" else field.kind.arrow


def has_known_type(physical: pa.Schema, field: Field) -> bool:
    """Whether the column of that name is the schema's field, and not an unknown field of an older version."""
    return bool(physical.field(field.column).type == _arrow(field))


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
        ("_unchanged", pa.int64()),
        ("_sha256", pa.string()),
        ("_form_fields", pa.string()),
        ("_columns", pa.string()),
        ("_attrs", pa.string()),
    ]
)


def _first(schema: pa.Schema, names: str) -> pa.Schema:
    return pa.schema([schema.field(name) for name in names.split()])


ALWAYS_IN_ACTIONS = _first(
    ACTION_SCHEMA,
    "_bucket _row period_id period_name period_action_id action_id classification sub_classification status created_time "
    "assigned_time doing_time closed_time created_by_user_name period_marker assigned_user_names channel form_type "
    "latest_channel ai_dispatched notes fetched_at",
)
"""The columns of the actions that every version has written; without one of them, a log is damaged."""

ALWAYS_IN_PERIODS = _first(
    PERIOD_SCHEMA,
    "period_id period_name start_date end_date created_at updated_at markers fetched_at _extra _position _rows _open "
    "_sha256 _form_fields _columns _attrs",
)


class Stored(NamedTuple):
    """A column of a period that is not where the schema has it: its name, kind ("empty" if all null), physical column."""

    name: str
    kind: str
    physical: str


IdOrIds = TypeVar("IdOrIds", int, np.ndarray)


def bucket(period_id: IdOrIds) -> IdOrIds:
    """Return the partition of a period, or of an array of them; multiplying spreads ids that come in even steps."""
    return (period_id * 2654435761 & 0xFFFFFFFF) >> 27


class Names:
    """Which physical column holds which field in which kind.

    Parameters
    ----------
    physical : pyarrow.Schema
        The columns that the table has.
    known : iterable of Stored
        The columns that the archived periods use.
    """

    def __init__(self, physical: pa.Schema, known: Iterable[Stored]) -> None:
        self._physical = physical
        self._taken = {name.casefold() for name in (*physical.names, *ACTION_SCHEMA.names)}
        self._known = {(stored.name, stored.kind): stored.physical for stored in known if stored.kind != "empty"}

    def is_free(self, field: Field) -> bool:
        """Whether the schema's field can have the physical column of its name: an unknown field may have taken it."""
        return field.column not in self._physical.names or has_known_type(self._physical, field)

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
    """Return actions as the table holds them, and where their extra columns stand."""
    ids = frame["period_id"]
    arrays = {
        BUCKET: pa.array(bucket(ids.to_numpy("int64")), pa.int32()),
        ROW: pa.array(ids.groupby(ids).cumcount(), pa.int32()),
    }
    extra = []
    for field in ACTIONS.fields:
        physical = field.column
        if not names.is_free(field):
            kind = KIND_NAMES[field.kind]
            physical = names(field.column, kind)
            extra.append(Stored(field.column, kind, physical))
        arrays[physical] = pa.array(frame[field.column], _arrow(field), from_pandas=True)
    for name in frame.columns:
        if name in ACTIONS.columns:
            continue
        values = frame[name]
        if values.isna().all():
            extra.append(Stored(name, "empty", ""))
            continue
        kind = _BY_DTYPE.get(str(values.dtype), "json")
        physical = names(name, kind)
        extra.append(Stored(name, kind, physical))
        written = (
            [None if value is None else json.dumps(value) for value in python_values(values)]
            if kind == "json"
            else values
        )
        arrays[physical] = pa.array(written, _KINDS[kind], from_pandas=True)
    return pa.table({name: _chunk(array) for name, array in arrays.items()}), extra


def extra_columns(stored: Iterable[Stored]) -> dict[str, list[Stored]]:
    """Group the columns of several periods by name, form fields first, each in the order in which it was first seen."""
    columns: dict[str, list[Stored]] = {}
    for column in stored:
        places = columns.setdefault(column.name, [])
        if column.kind != "empty" and column not in places:
            places.append(column)
    form = {name: places for name, places in columns.items() if name.startswith(FORM_PREFIX)}
    return form | columns


def known_column(table: pa.Table, field: Field, places: Sequence[Stored], *, as_written: bool = False) -> Column:
    """Return one of the schema's columns as a frame takes it.

    Parameters
    ----------
    table : pyarrow.Table
        Rows of the actions.
    field : Field
        Which column.
    places : sequence of Stored
        Where else the table holds the field.
    as_written : bool
        Leave values from other places as they were hashed, and do not convert them to the field's kind.
    """
    column = table[field.column]
    own = column.type == _arrow(field)
    others = [place for place in places if not (own and place.physical == field.column)]
    used = [place for place in others if table[place.physical].null_count < table.num_rows]
    if not used:
        if not own:
            column = pa.nulls(table.num_rows, _arrow(field))
        return column if field.kind is not Kind.LIST else as_lists(_chunk(column))
    if as_written and (not own or column.null_count == len(column)):
        return extra_column(table, used)
    values: list[Any] = _listed(column) if own else [None] * table.num_rows
    for place in used:
        kept = _values(table, place)
        kept = kept if as_written or place.kind == KIND_NAMES[field.kind] else converted(kept, field)
        values = [old if new is None else new for old, new in zip(values, kept, strict=True)]
    return values if as_written or field.kind is Kind.LIST else pa.array(values, _arrow(field))


def _listed(column: pa.ChunkedArray) -> list[Any]:
    values: list[Any] = column.to_pylist()
    return [pd.Timestamp(value) if isinstance(value, datetime) else value for value in values]


def converted(values: Sequence[Any], field: Field) -> list[Any]:
    """Return values of an unknown field as the schema's field has them, null where one is not of its kind."""
    if field.kind is Kind.TEXT:
        return [value if value is None or isinstance(value, str) else json.dumps(value) for value in values]
    if field.kind is Kind.TIME:
        times: list[Any] = parse_times([value if isinstance(value, str) else None for value in values])[0].to_pylist()
        return times
    kind = {Kind.ID: int, Kind.FLAG: bool, Kind.LIST: list}[field.kind]
    return [value if type(value) is kind else None for value in values]


def _values(table: pa.Table, place: Stored) -> list[Any]:
    values = _listed(table[place.physical])
    return values if place.kind != "json" else [None if value is None else json.loads(value) for value in values]


def extra_column(table: pa.Table, places: Sequence[Stored]) -> Column:
    """Return a form or unknown column as the client would have inferred it over all of these rows."""
    used = [place for place in places if table[place.physical].null_count < table.num_rows]
    if not used:
        return pa.nulls(table.num_rows, pa.string())
    if len(used) == 1 and used[0].kind not in {"json", "list"}:
        return table[used[0].physical]
    values: list[Any] = [None] * table.num_rows
    for place in used:
        values = [old if new is None else new for old, new in zip(values, _values(table, place), strict=True)]
    if all(place.kind in {"whole", "number"} for place in used) and exact_in_double(values):
        return pa.array([None if value is None else float(value) for value in values], pa.float64())
    return values


def period_records(periods: pd.DataFrame) -> dict[int, dict[str, Any]]:
    """Return each period of a frame as the table's values, by id, without the bookkeeping."""
    known = {}
    for field in PERIODS.fields:
        values = (
            [json.dumps(markers) for markers in periods["markers"]]
            if field.column == "markers"
            else periods[field.column]
        )
        known[field.column] = pa.array(values, _arrow(field), from_pandas=True)
    extra = {str(name): python_values(periods[name]) for name in periods.columns if name not in PERIODS.columns}
    records = pa.table({name: _chunk(array) for name, array in known.items()}).to_pylist()
    for i, record in enumerate(records):
        record["_extra"] = json.dumps({name: values[i] for name, values in extra.items()})
    return {record["period_id"]: record for record in records}


def period_columns(table: pa.Table, *, as_written: bool = False) -> dict[str, Column]:
    """Return the columns of a periods frame; `as_written` as for `known_column`."""
    columns: dict[str, Column] = {
        field.column: [json.loads(markers) for markers in table["markers"].to_pylist()]
        if field.column == "markers"
        else table[field.column]
        for field in PERIODS.fields
    }
    extra = [json.loads(text) for text in table["_extra"].to_pylist()]
    for name in dict.fromkeys(name for fields in extra for name in fields):
        values = [fields.get(name) for fields in extra]
        if name not in PERIODS.columns:
            columns[name] = infer_column(values)
            continue
        own = _listed(table[name])
        kept = values if as_written else converted(values, PERIODS[name])
        merged = [old if new is None else new for old, new in zip(own, kept, strict=True)]
        columns[name] = infer_column(merged) if as_written else pa.array(merged, _arrow(PERIODS[name]))
    return columns


def read_columns(text: str) -> list[Stored]:
    """Read what `actions_to_arrow` said of a period's extra columns, from its JSON."""
    return [Stored(*column) for column in json.loads(text)]


def _chunk(array: pa.Array | pa.ChunkedArray) -> pa.Array:
    if not isinstance(array, pa.ChunkedArray):
        return array
    return array.chunk(0) if array.num_chunks == 1 else pa.concat_arrays([pa.array([], array.type), *array.chunks])
