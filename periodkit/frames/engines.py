"""Frames of any engine. The only module that knows pandas, Polars, DuckDB, Spark and Arrow apart."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple, TypeAlias, cast

import narwhals as nw
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from periodkit._arguments import kind_of, require_columns
from periodkit.errors import ArgumentError, SchemaError
from periodkit.frames.columns import MASKED

ActionsFrame: TypeAlias = Any
"""A pandas, Polars or Spark frame, pyarrow Table or DuckDB relation of actions; no type says that."""

_UTC = nw.Datetime("us", "UTC")
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
        except (pa.ArrowNotImplementedError, OverflowError) as error:
            msg = f"The column {name!r} holds values that Arrow has no kind for ({error}). Make texts of them."
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
        # DuckDB and Spark hold instants, show them in the session's zone, and cast to no other.
        held = dtype == _UTC or engine.is_duckdb() or engine.is_spark_like()
        return nw.col(name) if held else nw.col(name).cast(_UTC)
    if dtype == nw.Unknown:  # nulls of no kind; Spark takes them for times as they are
        return nw.col(name) if engine.is_spark_like() else nw.col(name).cast(_UTC)
    msg = (
        f"The column {name!r} is {dtype}, not UTC times. Read it with pd.to_datetime(..., utc=True, format='ISO8601')."
    )
    raise SchemaError(msg)


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


def collect(frame: Any) -> pa.Table:  # noqa: ANN401
    """Return a narwhals frame as an Arrow table, computed if it is lazy."""
    try:
        return _plain((frame.collect("pyarrow") if isinstance(frame, nw.LazyFrame) else frame).to_arrow())
    except Exception as error:
        if "spark.driver.maxResultSize" not in str(error):
            raise
        msg = (
            "More comes from the cluster than the driver takes at once (spark.driver.maxResultSize). Pass "
            'resolution="s" or "min", fewer groups, or a driver with more memory and a higher limit.'
        )
        raise ArgumentError(msg) from None


def _plain(table: pa.Table) -> pa.Table:
    """Return an Arrow table without the layouts that Arrow itself can hardly do anything with: views and runs."""
    for at, field in enumerate(table.schema):
        kind, is_run = field.type, pa.types.is_run_end_encoded(field.type)
        is_dictionary = pa.types.is_dictionary(kind)
        kind = kind.value_type if is_run or is_dictionary else kind
        large = _without_views(kind)
        if is_run or large != kind or (is_dictionary and pa.types.is_timestamp(kind)):
            column = table.column(at)
            column = pc.run_end_decode(column) if is_run else column
            table = table.set_column(at, field.name, column.cast(large))
    return table


def _without_views(kind: pa.DataType) -> pa.DataType:
    if kind in _LARGE:
        return _LARGE[kind]
    if isinstance(kind, pa.StructType):
        return pa.struct([part.with_type(_without_views(part.type)) for part in kind])
    if isinstance(kind, LISTS):
        item = _without_views(kind.value_type)
        return kind if item == kind.value_type else pa.large_list(item)
    return kind


CHANGED = (
    "The frame gave other rows when it was read again, as a random sample does. Write it to a table, and pass that."
)
_LARGE = {pa.string_view(): pa.large_string(), pa.binary_view(): pa.large_binary()}
LISTS = (pa.ListType, pa.LargeListType, pa.FixedSizeListType, pa.ListViewType, pa.LargeListViewType)

_MOST_ROWS = 5_000_000
"""The most rows that are read from a cluster where single actions are looked at."""

_MOST_KEYS = 10_000
"""The most keys that DuckDB is told a number each of, in one statement; with more it is quicker to read the rows."""

_BATCH = 1 << 18
"""Rows read at a time: few enough for the caches, many enough for the cost of a call not to show."""


class Batches(NamedTuple):
    """An engine's rows, a batch at a time.

    Parameters
    ----------
    rows : iterator of pyarrow.Table
        The batches.
    keys : pyarrow.Table, optional
        What stands in the key columns, each combination once, where batches come without these.
    place : callable, optional
        What tells for a batch which row of `keys` each of its rows has.
    """

    rows: Iterator[pa.Table]
    keys: pa.Table | None = None
    place: Callable[[pa.Table], NDArray[np.intp]] | None = None


def batches(frame: Any, keys: Sequence[str] = ()) -> Batches | None:  # noqa: ANN401
    """Return the rows a batch at a time, or None if the engine cannot hand them over like that.

    Of a lazy frame `keys` names at least one column.
    """
    native = frame.to_native()
    if isinstance(frame, nw.DataFrame):
        return Batches(native.slice(start, _BATCH) for start in range(0, max(len(native), 1), _BATCH))
    # Older versions of the two lack these methods.
    if frame.implementation.is_duckdb() and hasattr(native, "to_arrow_reader"):
        return _by_hash(frame, keys)
    if frame.implementation.is_polars() and hasattr(native, "collect_batches"):
        schema = native.head(0).collect().to_arrow()
        return Batches(chain([schema], (batch.to_arrow() for batch in native.collect_batches(chunk_size=_BATCH))))
    return None


def _by_hash(frame: Any, keys: Sequence[str]) -> Batches | None:  # noqa: ANN401
    """Return the rows of a DuckDB frame a batch at a time, and what stands in its keys once.

    Texts cost more than all else to hand over, and there are few different ones. So DuckDB hands over a hash of a row's
    keys, and what stands behind each hash once. None if two rows of keys have one hash.
    """
    others = [name for name in frame.columns if name not in keys]
    short = {f"_key{i}": nw.col(name) for i, name in enumerate(keys)}
    relation = frame.select(*others, **short).to_native()
    hashed = f"hash({', '.join(short)}) AS _hash"
    found = _plain(relation.project(", ".join([hashed, *short])).distinct().to_arrow_table()).sort_by("_hash")
    # Enumerations come as dictionaries, and those of two columns cannot be told from each other's.
    plain = [field.type.value_type if pa.types.is_dictionary(field.type) else field.type for field in found.schema]
    found = found.cast(pa.schema(zip(found.column_names, plain, strict=True)))
    hashes = found["_hash"].to_numpy()
    if (hashes[1:] == hashes[:-1]).any():
        return None

    def place(batch: pa.Table) -> NDArray[np.intp]:
        coded = batch["_hash"].combine_chunks().dictionary_encode()
        wanted = coded.dictionary.to_numpy()
        at = np.searchsorted(hashes, wanted)
        if not np.array_equal(hashes[np.minimum(at, len(hashes) - 1)] if len(hashes) else hashes, wanted):
            raise ArgumentError(CHANGED)
        places: NDArray[np.intp] = at[coded.indices.to_numpy()]
        return places

    # DuckDB goes on reading meanwhile, and what it has read waits in memory.
    reader = relation.project(", ".join([hashed, *others])).to_arrow_reader((_BATCH + 1) // 2)
    rows = chain([reader.schema.empty_table()], (pa.Table.from_batches([batch]) for batch in reader))
    return Batches(rows, found.select([*short]).rename_columns([*keys]), place)


def on_cluster(frame: Any) -> bool:  # noqa: ANN401
    """Whether a narwhals frame may be spread over many machines, so that what comes here has to be small."""
    return bool(frame.implementation.is_spark_like())


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


def open_frame(actions: ActionsFrame, columns: Iterable[str], required: Iterable[str] = ()) -> Any:  # noqa: ANN401
    """Return those of the columns that a frame has: an Arrow table if it is in memory, else lazy where it is.

    Raises
    ------
    SchemaError
        A `required` column is missing.
    """
    if isinstance(actions, pd.DataFrame):
        require_columns(actions.columns, required)
        return nw.from_native(_plain(as_arrow(actions, columns)), eager_only=True)
    frame = narwhals_frame(actions)
    schema = frame.collect_schema()
    require_columns(schema, required)
    wanted = [name for name in dict.fromkeys(columns) if name in schema]
    if not frame.implementation.is_pyarrow():
        _refuse_patterns(wanted)
    if on_cluster(frame):
        return _by_place(frame.to_native(), [*schema], wanted)
    if frame.implementation.is_duckdb():
        return _by_position(frame.to_native(), [*schema], wanted)
    if frame.implementation.is_polars():
        _refuse_objects({name: schema[name] for name in wanted})
    frame = frame.select(*wanted)
    return nw.from_native(_plain(frame.to_arrow())) if isinstance(frame, nw.DataFrame) else frame


def narwhals_frame(actions: ActionsFrame) -> Any:  # noqa: ANN401
    """Return a frame of an engine that the tests cover as narwhals' own.

    Raises
    ------
    ArgumentError
        It is none: narwhals knows more engines, and on some of them the rules would give other numbers.
    """
    try:
        # Of a Dask frame narwhals warns before anything can be asked of it.
        frame = None if nw.dependencies.is_dask_dataframe(actions) else nw.from_native(actions)
    except TypeError:
        frame = None
    if frame is None or frame.implementation not in _ENGINES:
        msg = (
            f"actions is a {kind_of(actions)}. Pass a pandas, Polars or Spark frame, a pyarrow Table or a DuckDB "
            "relation. Of a frame in parts, such as Dask's, count the parts: docs/scale.md."
        )
        raise ArgumentError(msg)
    return frame


def column_names(actions: ActionsFrame) -> list[str]:
    """Return the names of a frame's columns, in order."""
    return (
        [str(name) for name in actions.columns]
        if isinstance(actions, pd.DataFrame)
        else [*narwhals_frame(actions).collect_schema()]
    )


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


def _by_position(relation: Any, names: list[str], wanted: list[str]) -> Any:  # noqa: ANN401
    """Return columns of a DuckDB relation by position, as names may differ in case alone, which DuckDB does not see.

    Nor does it see what a column's collation takes for one, such as case; here texts are one if they are the same.
    """
    exact = [' COLLATE "binary"' if str(kind) == "VARCHAR" else "" for kind in relation.types]
    places = enumerate(names.index(name) for name in wanted)
    numbered = ", ".join(f"#{place + 1}{exact[place]} AS c{i}" for i, place in places) or "1 AS c0"
    frame = nw.from_native(relation.project(numbered))
    if len({name.casefold() for name in wanted}) == len(wanted):
        return frame.rename({f"c{i}": name for i, name in enumerate(wanted)})
    return nw.from_native(collect(frame).rename_columns(wanted), eager_only=True)


def quoted(name: str) -> str:
    """Return a name as SQL takes it."""
    return '"' + name.replace('"', '""') + '"'


def spelled(frame: Any, names: Iterable[str]) -> list[str]:  # noqa: ANN401
    """Return names of columns as they are in what `open_frame` returned."""
    return [_spark_name(name) for name in names] if on_cluster(frame) else [*names]


def _spark_name(name: str) -> str:
    """Return a name that Spark tells from all others: it reads a dot as a path, and no capitals."""
    return "".join(letter + _CAPITAL * (letter != letter.lower()) for letter in name.replace(".", _DOT))


def _own_name(name: str) -> str:
    return name.replace(_DOT, ".").replace(_CAPITAL, "")


def hand_on(frame: Any) -> Any:  # noqa: ANN401
    """Return a narwhals frame that came from `open_frame` as the engine's own, to be opened again."""
    native = frame.to_native()
    return native.toDF(*map(_own_name, native.columns)) if on_cluster(frame) else native


def _by_place(native: Any, names: list[str], wanted: list[str]) -> Any:  # noqa: ANN401
    """Return columns of a Spark frame by their place: it tells neither upper and lower case nor dots in names apart."""
    numbered = native.toDF(*(f"c{i}" for i in range(len(names))))
    picked = numbered.select(*(f"c{names.index(name)}" for name in wanted or names[:1]))
    return nw.from_native(picked.toDF(*map(_spark_name, wanted or names[:1])))


def unnested(relation: Any, names: Sequence[str], shared: str) -> Any:  # noqa: ANN401
    """Return a DuckDB relation with a row for each item of each list: each once, null where there is none.

    `shared` names a column of whether a list has several. narwhals takes what stands before a dot in any name for a table.
    """
    columns = [*relation.columns]
    chosen = {each: f"#{i + 1}" for i, each in enumerate(columns)}
    once = {name: f"list_distinct({chosen[name]})" for name in names}  # without nulls
    several = " OR ".join(f"coalesce(len({items}) > 1, FALSE)" for items in once.values())
    relation = _chosen(relation, chosen | {shared: several})
    chosen[shared] = f"#{len(columns) + 1}"
    for name, items in once.items():
        item = f"unnest(CASE WHEN len({items}) > 0 THEN {items} ELSE [NULL] END)"
        relation = _chosen(relation, chosen | {name: item})
    return relation


def _chosen(relation: Any, values: Mapping[str, str]) -> Any:  # noqa: ANN401
    return relation.project(", ".join(f"{value} AS {quoted(name)}" for name, value in values.items()))


NumberedKeys: TypeAlias = tuple[pd.DataFrame, NDArray[np.int64], Callable[[str, NDArray[np.int64]], Any]]
"""Distinct keys, how many rows have each, and what adds to the rows a column of a number for each key, null for others."""


def keys_in_place(actions: ActionsFrame, names: Sequence[str]) -> NumberedKeys | None:
    """Return the distinct keys of a frame that `where_counted` left where it is, or None if rows have to be looked at.

    An engine has no first row, so that keys come as they first occur in ``created_time``.
    """
    frame = narwhals_frame(actions)
    native, columns = frame.to_native(), [*frame.columns]
    own = [f"c{columns.index(name)}" for name in names]
    sums = {"_n": nw.len()}
    if is_timed := "created_time" in columns:
        sums["_first"] = nw.col(f"c{columns.index('created_time')}").min()

    def read(rows: Any) -> pa.Table:  # noqa: ANN401
        table = aggregate(nw.from_native(rows), own, sums)
        return table.sort_by("_first") if is_timed else table

    if frame.implementation.is_polars():
        rows = native.select(*columns).rename({name: f"c{i}" for i, name in enumerate(columns)})
        table = read(rows)
        add = functools.partial(_looked_up, native, table.select(own).rename_columns([*names]))
    elif on_cluster(frame):
        rows = native.toDF(*(f"c{i}" for i in range(len(columns))))  # as in `_by_place`
        table = read(rows)
        add = functools.partial(_joined, native, rows, table.select(own))
    else:
        keys = ", ".join(f"#{columns.index(name) + 1}" for name in names)
        numbered = ", ".join(f"#{i + 1} AS c{i}" for i in range(len(columns)))
        rows = native.project(f"{numbered}, {f'hash({keys})' if keys else '0'} AS _hash")
        sums["_hash"] = nw.col("_hash").max()
        table = read(rows)
        if len(table["_hash"].unique()) < len(table) or len(table) > _MOST_KEYS:
            return None
        add = functools.partial(_by_case, rows, columns, table["_hash"].to_pylist())
    shown = table.select(own).rename_columns([*names]).to_pandas(types_mapper=MASKED.get)
    return shown, table["_n"].cast(pa.int64()).to_numpy(), add


def _looked_up(native: Any, keys: pa.Table, name: str, numbers: NDArray[np.int64]) -> Any:  # noqa: ANN401
    few = nw.from_native(keys.append_column(name, pa.array(numbers)), eager_only=True).lazy("polars").to_native()
    few = few.cast({one: kind for one, kind in native.collect_schema().items() if one in keys.column_names})
    return native.join(few, keys.column_names or None, "left" if keys.column_names else "cross", nulls_equal=True)


def _joined(native: Any, rows: Any, keys: pa.Table, name: str, numbers: NDArray[np.int64]) -> Any:  # noqa: ANN401
    theirs = [f"k{i}" for i in range(keys.num_columns)]
    few = native.sparkSession.createDataFrame(keys.rename_columns(theirs).append_column("number", pa.array(numbers)))
    same = [rows[one].eqNullSafe(few[other]) for one, other in zip(keys.column_names, theirs, strict=True)]
    return rows.join(few.hint("broadcast"), same or None, "left").drop(*theirs).toDF(*native.columns, name)


def _by_case(rows: Any, columns: Sequence[str], hashes: Sequence[int], name: str, numbers: NDArray[np.int64]) -> Any:  # noqa: ANN401
    having: dict[int, list[str]] = {}
    for value, number in zip(hashes, numbers.tolist(), strict=True):
        if value is not None:  # without keys and rows there is none
            having.setdefault(number, []).append(str(value))
    cases = " ".join(f"WHEN _hash IN ({', '.join(values)}) THEN {number}" for number, values in having.items())
    chosen = [f"c{i} AS {quoted(column)}" for i, column in enumerate(columns)]
    return rows.project(", ".join([*chosen, f"({f'CASE {cases} END' if cases else 'NULL'})::BIGINT AS {quoted(name)}"]))


def where_counted(actions: ActionsFrame, columns: Iterable[str]) -> ActionsFrame:
    """Return those of the columns that a frame has: where it is if it is lazy, else as `in_pandas` does; of Spark all."""
    frame = None if isinstance(actions, pd.DataFrame) else narwhals_frame(actions)
    if not isinstance(frame, nw.LazyFrame):
        return in_pandas(actions, columns)
    if on_cluster(frame):
        return actions
    opened = open_frame(actions, dict.fromkeys(columns))
    return opened.to_native() if isinstance(opened, nw.LazyFrame) else in_pandas(actions, columns)


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
