"""The archived actions as a lazy DuckDB relation."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from periodkit.archive.storage import State, Stored, damage_message, further_columns
from periodkit.errors import ArchiveError, ConfigError
from periodkit.schema import ACTIONS, Kind

if TYPE_CHECKING:
    import duckdb

_TYPES = {
    Kind.ID: "BIGINT",
    Kind.TEXT: "VARCHAR",
    Kind.TIME: "TIMESTAMPTZ",
    Kind.FLAG: "BOOLEAN",
    Kind.LIST: "VARCHAR[]",
}


def relation(state: State) -> duckdb.DuckDBPyRelation:
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
    further = further_columns(each for period_id in state.ids for each in state.stored[period_id])
    paths = [os.fspath(file.path) for file in state.files]
    if not paths:
        nothing = [f"NULL::{_TYPES[field.kind]} AS {_quoted(field.column)}" for field in ACTIONS.fields]
        return connection.sql(f"SELECT {', '.join(nothing)} WHERE false")
    try:
        source = connection.read_parquet(paths, union_by_name=True, hive_partitioning=False)
    except duckdb.Error as error:
        _, damage = state.salvage(state.ids, ())
        said = f"DuckDB cannot read the archive: {error}"
        raise ArchiveError(damage_message(damage, state.folder.path) if damage else said) from None
    present = set(source.columns)
    chosen = [_quoted(name) for name in ACTIONS.columns]
    chosen += [f"{_one(places, present)} AS {_quoted(name)}" for name, places in further.items()]
    return source.project(", ".join(chosen))


def _one(places: list[Stored], present: set[str]) -> str:
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
