"""The archived actions as a lazy DuckDB relation."""

from __future__ import annotations

import os
from collections.abc import Container, Sequence
from typing import TYPE_CHECKING

from periodkit.archive.storage import KIND_NAMES, State, Stored, damage_message, extra_columns, has_known_type
from periodkit.errors import ArchiveError, ConfigError
from periodkit.schema import ACTIONS, Field, Kind

if TYPE_CHECKING:
    import duckdb

_WITH_ZONE = r"(Z|[+-]\d\d(:?\d\d)?)$"


def relation(state: State, venue: str | None = None) -> duckdb.DuckDBPyRelation:
    """Return the actions of a state, under the names and in the order of the frame's columns.

    Raises
    ------
    ArchiveError
        A file is damaged, as far as its end tells, where Parquet says what is in it.
    """
    try:
        import duckdb  # noqa: PLC0415
    except ImportError:
        msg = 'archive.scan() needs DuckDB: pip install "periodkit[scale]"'
        raise ConfigError(msg) from None
    connection = duckdb.connect()
    connection.execute("SET TimeZone='UTC'")
    extra = extra_columns(column for period_id in state.ids for column in state.stored[period_id])
    paths = [os.fspath(file.path) for file in state.files]
    if not paths:
        nothing = [f"NULL::{field.kind.sql} AS {_quoted(field.column)}" for field in ACTIONS.fields]
        nothing = [*(["NULL::VARCHAR AS venue"] if venue is not None else []), *nothing]
        return connection.sql(f"SELECT {', '.join(nothing)} WHERE false")
    try:
        source = connection.read_parquet(paths, union_by_name=True, hive_partitioning=False)
    except duckdb.Error as error:
        _, damage = state.salvage(state.ids, ())
        message = f"DuckDB cannot read the archive: {error}"
        raise ArchiveError(damage_message(damage, state.folder.path) if damage else message) from None
    present = set(source.columns)
    own = {name for name in ACTIONS.columns if name in present and has_known_type(state.schema, ACTIONS[name])}
    chosen = {} if venue is None else {"venue": "'" + venue.replace("'", "''") + "'"}
    chosen |= {field.column: _known(field, extra.get(field.column, ()), own, present) for field in ACTIONS.fields}
    chosen |= {name: _extra(places, present) for name, places in extra.items() if name not in chosen}
    return source.project(", ".join(f"{expression} AS {_quoted(name)}" for name, expression in chosen.items()))


def _known(field: Field, places: Sequence[Stored], own: Container[str], present: Container[str]) -> str:
    """Return one of the schema's columns; from another place, converted as `layout.converted` does."""
    found = [_quoted(field.column)] if field.column in own else []
    found += [
        _converted(place, field.kind)
        for place in places
        if place.physical in present and not (found and place.physical == field.column)
    ]
    if not found:
        return f"NULL::{field.kind.sql}"
    return found[0] if len(found) == 1 else f"coalesce({', '.join(found)})"


def _converted(place: Stored, kind: Kind) -> str:
    column = _quoted(place.physical)
    if place.kind == KIND_NAMES[kind]:
        return column
    if kind is Kind.TEXT:
        return column if place.kind == "json" else f"to_json({column})::VARCHAR"
    if kind is Kind.TIME and place.kind == "text":
        return f"CASE WHEN regexp_matches({column}, '{_WITH_ZONE}') THEN TRY_CAST({column} AS TIMESTAMPTZ) END"
    if kind is Kind.LIST and place.kind == "json":
        return f"TRY_CAST({column}::JSON AS VARCHAR[])"
    return f"NULL::{kind.sql}"


def _extra(places: list[Stored], present: set[str]) -> str:
    used = [place for place in places if place.physical in present]
    if not used:
        return "NULL::VARCHAR"
    if len(used) == 1:
        return _quoted(used[0].physical)
    if {place.kind for place in used} == {"whole", "number"}:
        return f"coalesce({', '.join(f'{_quoted(place.physical)}::DOUBLE' for place in used)})"
    texts = [
        _quoted(place.physical) if place.kind == "json" else f"to_json({_quoted(place.physical)})::VARCHAR"
        for place in used
    ]
    return f"coalesce({', '.join(texts)})"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
