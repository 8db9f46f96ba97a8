"""Number the keys and unnest the lists of a frame without moving its rows."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import narwhals as nw
import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from periodkit.frames.columns import MASKED
from periodkit.frames.engines.opened import ActionsFrame, narwhals_frame, on_cluster, quoted
from periodkit.frames.engines.sums import aggregate

_MOST_KEYS = 10_000
"""The most keys that DuckDB is told a number each of, in one statement; with more it is quicker to read the rows."""

NumberedKeys: TypeAlias = tuple[pd.DataFrame, NDArray[np.int64], Callable[[str, NDArray[np.int64]], Any]]
"""Distinct keys, how many rows have each, and a function that adds a number for each row's key, null if it is unknown."""


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
        rows = native.rename({name: f"c{i}" for i, name in enumerate(columns)})
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
