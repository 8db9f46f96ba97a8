"""Frames of any engine, opened: their columns under the names that they have, whatever the engine makes of names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias, cast

import narwhals as nw
import pandas as pd
import pyarrow as pa

from periodkit._arguments import kind_of, require_columns, with_article
from periodkit.errors import ArgumentError, SchemaError
from periodkit.frames.columns import MASKED
from periodkit.frames.engines.arrow import as_arrow, collect, plain

ActionsFrame: TypeAlias = Any
"""A pandas, Polars or Spark frame, pyarrow Table or DuckDB relation of actions; no type says that."""

_ENGINES = {
    nw.Implementation.PANDAS,
    nw.Implementation.PYARROW,
    nw.Implementation.POLARS,
    nw.Implementation.DUCKDB,
    nw.Implementation.PYSPARK,
    nw.Implementation.PYSPARK_CONNECT,
}


_DOT, _CAPITAL = "\u2024", "\u2061"
"""What stands, in the names of a Spark frame, for a dot, and what after a capital, as `_spark_name` says."""

_MOST_ROWS = 5_000_000
"""The most rows that are read from a cluster where single actions are looked at."""


def open_frame(actions: ActionsFrame, columns: Iterable[str], required: Iterable[str] = ()) -> Any:  # noqa: ANN401
    """Return those of the columns that a frame has: an Arrow table if it is in memory, else lazy where it is.

    Raises
    ------
    SchemaError
        A `required` column is missing.
    """
    if isinstance(actions, pd.DataFrame):
        require_columns(actions.columns, required)
        return nw.from_native(plain(as_arrow(actions, columns)), eager_only=True)
    frame = narwhals_frame(actions)
    native = frame.to_native()
    names = _names(frame)
    columns = dict.fromkeys(columns)
    require_columns(names, [*required, *(name for name in columns if name in names)])
    wanted = [name for name in columns if name in names]
    if frame.implementation.is_pyarrow():
        return nw.from_native(plain(native.select([names.index(name) for name in wanted])))
    _refuse_patterns(wanted)
    if on_cluster(frame):
        return _by_place(native, names, wanted)
    if frame.implementation.is_duckdb():
        return _by_position(native, names, wanted)
    schema = frame.collect_schema()
    if frame.implementation.is_polars():
        _refuse_objects({name: schema[name] for name in wanted})
    frame = frame.select(*wanted)
    return nw.from_native(plain(frame.to_arrow())) if isinstance(frame, nw.DataFrame) else frame


def narwhals_frame(actions: ActionsFrame) -> Any:  # noqa: ANN401
    """Return a frame of an engine that the tests cover as narwhals' own.

    Raises
    ------
    ArgumentError
        It is none: narwhals knows more engines, and on some of them the rules would give other numbers.
    """
    if isinstance(actions, pa.Table):  # narwhals fails on a name that occurs twice, needed or not
        require_columns(actions.column_names, actions.column_names)
    try:
        # Of a Dask frame narwhals warns before anything can be asked of it.
        frame = None if nw.dependencies.is_dask_dataframe(actions) else nw.from_native(actions)
    except TypeError:
        frame = None
    if frame is None or frame.implementation not in _ENGINES:
        msg = (
            f"actions is {with_article(kind_of(actions))}. Pass a pandas, Polars or Spark frame, a pyarrow Table or a "
            "DuckDB relation, such as archive.actions() or archive.scan(). Count a partitioned frame, such as Dask's, part "
            "by part: see docs/scale.md."
        )
        raise ArgumentError(msg)
    return frame


def column_names(actions: ActionsFrame) -> list[str]:
    """Return the names of a frame's columns, in order; a relation and a Spark frame may have one twice."""
    if isinstance(actions, pd.DataFrame):
        return [str(name) for name in actions.columns]
    return _names(narwhals_frame(actions))


def _names(frame: Any) -> list[str]:  # noqa: ANN401
    is_sql = frame.implementation.is_duckdb() or on_cluster(frame)
    return [*(frame.to_native().columns if is_sql else frame.collect_schema())]


def on_cluster(frame: Any) -> bool:  # noqa: ANN401
    """Whether a narwhals frame may be spread over many machines, so that what comes here has to be small."""
    return bool(frame.implementation.is_spark_like())


def in_pandas(actions: ActionsFrame, columns: Iterable[str]) -> pd.DataFrame:
    """Return a pandas frame as it is, and of another engine's frame those of the columns that it has."""
    if isinstance(actions, pd.DataFrame):
        return actions
    frame = open_frame(actions, dict.fromkeys(columns))
    if on_cluster(frame):
        wanted, rows = frame.collect_schema().names(), collect(frame.head(_MOST_ROWS + 1))
        if len(rows) > _MOST_ROWS:
            msg = (
                f"actions are more than the {_MOST_ROWS:,} that are taken from a cluster to be drawn. Filter them, such as "
                "by period_id, or draw what a metric returns."
            )
            raise ArgumentError(msg)
        table = rows.rename_columns([*map(_own_name, wanted)])
    else:
        table = collect(frame)
    return cast("pd.DataFrame", table.to_pandas(types_mapper=MASKED.get))


def where_counted(actions: ActionsFrame, columns: Iterable[str]) -> ActionsFrame:
    """Return the columns that are there: still lazy if the frame is lazy (Spark's with all its columns), else in pandas."""
    frame = None if isinstance(actions, pd.DataFrame) else narwhals_frame(actions)
    if not isinstance(frame, nw.LazyFrame):
        return in_pandas(actions, columns)
    if on_cluster(frame):
        return actions
    opened = open_frame(actions, dict.fromkeys(columns))
    return opened.to_native() if isinstance(opened, nw.LazyFrame) else in_pandas(actions, columns)


def hand_on(frame: Any) -> Any:  # noqa: ANN401
    """Return a narwhals frame that came from `open_frame` as the engine's own, to be opened again."""
    native = frame.to_native()
    return native.toDF(*map(_own_name, native.columns)) if on_cluster(frame) else native


def spelled(frame: Any, names: Iterable[str]) -> list[str]:  # noqa: ANN401
    """Return names of columns as they are in what `open_frame` returned."""
    return [_spark_name(name) for name in names] if on_cluster(frame) else [*names]


def _spark_name(name: str) -> str:
    """Return a name that Spark tells from all others: it reads a dot as a path, and no capitals."""
    return "".join(letter + _CAPITAL * (letter != letter.lower()) for letter in name.replace(".", _DOT))


def _own_name(name: str) -> str:
    return name.replace(_DOT, ".").replace(_CAPITAL, "")


def quoted(name: str) -> str:
    """Return a name as SQL takes it."""
    return '"' + name.replace('"', '""') + '"'


def _refuse_patterns(names: Iterable[str]) -> None:
    for name in names:
        if name == "*" or (name.startswith("^") and name.endswith("$")):
            msg = f"The column {name!r} has a name that engines take for a pattern of names. Rename it."
            raise SchemaError(msg)


def _refuse_objects(schema: Mapping[str, nw.dtypes.DType]) -> None:
    """Refuse what Polars would hand over as bytes that say where an object lies in memory, or not at all."""
    for name, dtype in schema.items():
        if dtype in (nw.Object(), nw.Int128(), nw.UInt128()):
            msg = f"The column {name!r} holds values that Arrow has no kind for ({dtype}). Make texts of them."
            raise SchemaError(msg)


_EXACT = {
    "VARCHAR": ' COLLATE "binary"',
    "TIMESTAMP_NS WITH TIME ZONE": "::TIMESTAMPTZ",
    "TIMESTAMPTZ_NS": "::TIMESTAMPTZ",
}
"""What takes from a DuckDB column what its session or its type says beside the values."""


def _by_position(relation: Any, names: list[str], wanted: list[str]) -> Any:  # noqa: ANN401
    """Return columns of a DuckDB relation by position, as names may differ in case alone, which DuckDB does not see.

    Nor does it see what a column's collation takes for one, such as case; here texts are one if they are the same.
    """
    exact = [_EXACT.get(str(kind), "") for kind in relation.types]
    places = enumerate(names.index(name) for name in wanted)
    numbered = ", ".join(f"#{place + 1}{exact[place]} AS c{i}" for i, place in places) or "1 AS c0"
    frame = nw.from_native(relation.project(numbered))
    if len({name.casefold() for name in wanted}) == len(wanted):
        return frame.rename({f"c{i}": name for i, name in enumerate(wanted)})
    return nw.from_native(collect(frame).rename_columns(wanted), eager_only=True)


def _by_place(native: Any, names: list[str], wanted: list[str]) -> Any:  # noqa: ANN401
    """Return columns of a Spark frame by their place: it tells neither upper and lower case nor dots in names apart."""
    numbered = native.toDF(*(f"c{i}" for i in range(len(names))))
    picked = numbered.select(*(f"c{names.index(name)}" for name in wanted or names[:1]))
    return nw.from_native(picked.toDF(*map(_spark_name, wanted or names[:1])))
