"""The archived actions as a lazy DuckDB relation, and as a Spark frame."""

from __future__ import annotations

import os
from collections.abc import Container, Sequence
from typing import TYPE_CHECKING

from periodkit._arguments import named
from periodkit.archive.storage import KIND_NAMES, State, Stored, damage_message, extra_columns, has_known_type
from periodkit.errors import ArchiveError, ConfigError
from periodkit.frames import quoted
from periodkit.schema import ACTIONS, Field, Kind

if TYPE_CHECKING:
    import duckdb
    from pyspark.sql import DataFrame as SparkFrame
    from pyspark.sql import SparkSession

_WITH_ZONE = r"(Z|[+-]\d\d(:?\d\d)?)$"
_WITH_ZONE_SPARK = "(Z|[+-][0-9][0-9](:?[0-9][0-9])?)$"  # its texts take a backslash for an escape


def relation(
    state: State, venue: str | None = None, connection: duckdb.DuckDBPyConnection | None = None
) -> duckdb.DuckDBPyRelation:
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
    if connection is None:
        connection = duckdb.connect()
        connection.execute("SET TimeZone='UTC'")
    elif not isinstance(connection, duckdb.DuckDBPyConnection):
        raise ConfigError(f"connection is {named(connection)}; it takes what duckdb.connect() returns.")
    extra = extra_columns(column for period_id in state.ids for column in state.stored[period_id])
    paths = [os.fspath(file.path) for file in state.files]
    if not paths:
        nothing = [f"NULL::{field.kind.sql} AS {quoted(field.column)}" for field in ACTIONS.fields]
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
    return source.project(", ".join(f"{expression} AS {quoted(name)}" for name, expression in chosen.items()))


_SPARK = {
    "whole": "BIGINT",
    "text": "STRING",
    "time": "TIMESTAMP",
    "flag": "BOOLEAN",
    "list": "ARRAY<STRING>",
    "number": "DOUBLE",
    "json": "STRING",
}


def spark_frame(state: State, session: SparkSession, venue: str | None = None) -> SparkFrame:
    """Return the actions of a state as a Spark frame, under the names and in the order of the frame's columns."""
    if isinstance(session, type) or not callable(getattr(session, "createDataFrame", None)):
        msg = (
            f"session is {named(session)}; it takes a Spark session, classic or Connect. Without pyspark: "
            'pip install "periodkit[spark]" (it needs Java), then pyspark.sql.SparkSession.builder.getOrCreate().'
        )
        raise ConfigError(msg)
    extra = extra_columns(column for period_id in state.ids for column in state.stored[period_id])
    stored = {
        field.column: [Stored(field.column, KIND_NAMES[field.kind], field.column)]
        for field in ACTIONS.fields
        if field.column in state.schema.names and has_known_type(state.schema, field)
    }
    # A schema that is given needs no look into the files, and makes null what a file of an older version lacks.
    columns = {place.physical: _SPARK[place.kind] for places in (*stored.values(), *extra.values()) for place in places}
    ddl = ", ".join(f"{_ticked(name)} {kind}" for name, kind in columns.items())
    paths = [os.fspath(file.path) for file in state.files]
    source = session.read.schema(ddl).parquet(*paths) if paths else session.createDataFrame([], ddl)
    chosen = {} if venue is None else {"venue": f"'{_escaped(venue)}'"}
    for field in ACTIONS.fields:
        own = stored.get(field.column, [])
        others = [place for place in extra.get(field.column, ()) if not (own and place.physical == field.column)]
        found = [_spark_converted(place, field.kind) for place in [*own, *others]]
        chosen[field.column] = _coalesced(found) if found else f"CAST(NULL AS {_SPARK[KIND_NAMES[field.kind]]})"
    for name, places in extra.items():
        if name not in chosen:
            chosen[name] = _spark_extra(places)
    picked = source.selectExpr(*(f"{expression} AS c{i}" for i, expression in enumerate(chosen.values())))
    return picked.toDF(*chosen)


def _coalesced(found: Sequence[str]) -> str:
    return found[0] if len(found) == 1 else f"coalesce({', '.join(found)})"


def _spark_converted(place: Stored, kind: Kind) -> str:
    """Return a column as the schema's kind, as `_converted` does for DuckDB."""
    column = _ticked(place.physical)
    if place.kind == KIND_NAMES[kind]:
        return column
    if kind is Kind.TEXT:
        return _spark_text(place)
    if kind is Kind.TIME and place.kind == "text":
        return f"CASE WHEN {column} RLIKE '{_WITH_ZONE_SPARK}' THEN try_cast({column} AS TIMESTAMP) END"
    if kind is Kind.LIST and place.kind == "json":
        return f"from_json({column}, 'ARRAY<STRING>')"
    return f"CAST(NULL AS {_SPARK[KIND_NAMES[kind]]})"


def _spark_extra(places: Sequence[Stored]) -> str:
    if not places:
        return "CAST(NULL AS STRING)"
    if len(places) == 1:
        return _ticked(places[0].physical)
    if {place.kind for place in places} == {"whole", "number"}:
        return _coalesced([f"CAST({_ticked(place.physical)} AS DOUBLE)" for place in places])
    return _coalesced([_spark_text(place) for place in places])


def _spark_text(place: Stored) -> str:
    """Return the JSON of a value as text."""
    column = _ticked(place.physical)
    if place.kind == "json":
        return column
    # Spark writes the JSON of lists and objects alone.
    return column if place.kind == "whole" else f"regexp_extract(to_json(array({column})), '^.(.*).$', 1)"


def _ticked(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")


def _known(field: Field, places: Sequence[Stored], own: Container[str], present: Container[str]) -> str:
    """Return one of the schema's columns; from another place, converted as `layout.converted` does."""
    found = [quoted(field.column)] if field.column in own else []
    found += [
        _converted(place, field.kind)
        for place in places
        if place.physical in present and not (found and place.physical == field.column)
    ]
    if not found:
        return f"NULL::{field.kind.sql}"
    return found[0] if len(found) == 1 else f"coalesce({', '.join(found)})"


def _converted(place: Stored, kind: Kind) -> str:
    column = quoted(place.physical)
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
        return quoted(used[0].physical)
    if {place.kind for place in used} == {"whole", "number"}:
        return f"coalesce({', '.join(f'{quoted(place.physical)}::DOUBLE' for place in used)})"
    texts = [
        quoted(place.physical) if place.kind == "json" else f"to_json({quoted(place.physical)})::VARCHAR"
        for place in used
    ]
    return f"coalesce({', '.join(texts)})"
