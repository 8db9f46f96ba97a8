"""Keys that are lists: an action counts once for each of its items."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from periodkit.frames.columns import MASKED
from periodkit.frames.engines import hand_on, is_flat_list, narwhals_frame, on_cluster, open_frame, spelled, unnested
from periodkit.frames.order import Ints
from periodkit.schema import ACTIONS, Kind

__all__ = ["SHARED", "one_row_an_item"]

SHARED = "_periodkit_shared"
"""The column that says whether an action has several rows, where a key is a list."""
_LIST_COLUMNS = frozenset(field.column for field in ACTIONS.fields if field.kind is Kind.LIST)


def one_row_an_item(actions: Any, names: Sequence[str]) -> tuple[Any, tuple[str, ...]]:  # noqa: ANN401
    """Return a frame with a row for each item of a key that is a list, and which of the keys are lists.

    Each item comes once an action, and null where there is none; the column `SHARED` says whether there are several.

    Parameters
    ----------
    actions : frame of any supported engine
        Actions; not changed.
    names : sequence of str
        The key columns.

    Examples
    --------
    >>> frame, lists = one_row_an_item(pd.DataFrame({"who": [["Ada", "Bo", "Ada"], []]}), ["who"])
    >>> frame["who"].tolist(), frame[SHARED].tolist(), lists
    (['Ada', 'Bo', nan], [True, True, False], ('who',))
    """
    if isinstance(actions, pd.DataFrame):
        return _pandas_row_an_item(actions, names)
    frame = narwhals_frame(actions)
    schema = frame.collect_schema()
    lists = [name for name in dict.fromkeys(names) if _is_list(schema.get(name), frame, name)]
    if not lists:
        return actions, ()
    if frame.implementation.is_duckdb():
        return unnested(frame.to_native(), lists, SHARED), tuple(lists)
    if on_cluster(frame) or isinstance(frame, nw.DataFrame):
        frame = open_frame(actions, schema)
    if isinstance(frame, nw.DataFrame):
        return _arrow_row_an_item(frame.to_native(), lists), tuple(lists)
    return hand_on(_lazy_row_an_item(frame, spelled(frame, lists))), tuple(lists)


def _is_list(dtype: nw.dtypes.DType | None, frame: Any, name: str) -> bool:  # noqa: ANN401
    """Whether a column holds lists of single values; others are refused where they are counted."""
    if isinstance(dtype, nw.List | nw.Array):
        inner = dtype.inner() if isinstance(dtype.inner, type) else dtype.inner
        return not inner.is_nested()
    # narwhals knows no list of views.
    return dtype is not None and frame.implementation.is_pyarrow() and is_flat_list(frame.to_native().field(name).type)


def _lazy_row_an_item(frame: Any, lists: Sequence[str]) -> Any:  # noqa: ANN401
    schema = frame.collect_schema()
    items = {
        name: nw.col(name).cast(nw.List(schema[name].inner)) if isinstance(schema[name], nw.Array) else nw.col(name)
        for name in lists
    }
    several = [values.list.min() != values.list.max() for values in items.values()]
    frame = frame.with_columns(**{SHARED: nw.any_horizontal(*several, ignore_nulls=True)})
    for name, values in items.items():
        bare = values.list.min().is_null()
        frame = frame.with_columns(**{name: values.list.unique(), "_bare": bare}).explode(name)
        # A null beside names names nobody.
        frame = frame.filter(~nw.col(name).is_null() | nw.col("_bare"))
    return frame.drop("_bare")


def _arrow_row_an_item(table: pa.Table, lists: Sequence[str]) -> pa.Table:
    several = np.zeros(len(table), dtype=np.bool_)
    for name in lists:
        rows, items = _items(table[name].combine_chunks())
        several = several[rows] | _several(rows)
        table = table.take(pa.array(rows)).set_column(table.column_names.index(name), name, items)
    return table.append_column(SHARED, pa.array(several))


def _pandas_row_an_item(frame: pd.DataFrame, names: Sequence[str]) -> tuple[pd.DataFrame, tuple[str, ...]]:
    lists = []
    several = np.zeros(len(frame), dtype=np.bool_)
    for name in dict.fromkeys(names):
        if name not in frame.columns or not _holds_lists(frame[name]):
            continue
        column = open_frame(frame, [name]).to_native()[name].combine_chunks()
        column = column.cast(pa.list_(pa.string())) if pa.types.is_null(column.type) else column
        if not is_flat_list(column.type):
            continue
        lists.append(name)
        rows, items = _items(column)
        several = several[rows] | _several(rows)
        values = items.to_pandas(types_mapper=MASKED.get)
        if pa.types.is_string(items.type) or pa.types.is_large_string(items.type):
            values = values.astype("str")  # of nulls alone it would be none
        columns = {name: values.to_numpy() if values.dtype == object else values.array, SHARED: several}
        frame = frame.iloc[rows].assign(**columns)
    return frame, tuple(lists)


def _several(rows: Ints) -> NDArray[np.bool_]:
    """Whether there is another row of the same action."""
    return np.bincount(rows, minlength=1)[rows] > 1


def _holds_lists(values: Any) -> bool:  # noqa: ANN401
    if not isinstance(values, pd.Series):
        return False  # several columns of one name
    if isinstance(values.dtype, pd.ArrowDtype):
        return is_flat_list(values.dtype.pyarrow_dtype)
    if values.dtype != object:
        return False
    # Of actions that nobody was assigned to, the column is one of lists all the same.
    return any(isinstance(value, list | tuple | np.ndarray) for value in values) or (
        values.name in _LIST_COLUMNS and bool(values.isna().all())
    )


def _items(lists: pa.Array) -> tuple[Ints, pa.Array]:
    """Return each distinct item of each list with the row that it is from, and one null for a list without any."""
    # Behind a list that is null there may be items, which Arrow counts in one of the two and not in the other.
    there, lists_there = np.flatnonzero(lists.is_valid()), lists.drop_null()
    values, parents = pc.list_flatten(lists_there), there[pc.list_parent_indices(lists_there).to_numpy()]
    values = values.dictionary_decode() if pa.types.is_dictionary(values.type) else values
    if pa.types.is_null(values.type):
        values = values.cast(pa.string())
    elif pa.types.is_floating(values.type):
        # As for any key, 0.0 and -0.0 are one, and NaN is nobody.
        values = pc.if_else(pc.is_nan(values), None, pc.add(values, pa.scalar(0.0, values.type)))
    coded = values.dictionary_encode()
    code = coded.indices.fill_null(-1).to_numpy().astype(np.int64)
    known = code >= 0
    pairs = parents[known] * (len(coded.dictionary) + 1) + code[known]
    kept = np.flatnonzero(known)[np.sort(np.unique(pairs, return_index=True)[1])]
    bare = np.setdiff1d(np.arange(len(lists)), parents[kept])
    rows = np.concatenate([parents[kept], bare])
    taken = values.take(
        pa.array(np.concatenate([kept, np.full(len(bare), -1)]), mask=np.arange(len(rows)) >= len(kept))
    )
    order = np.argsort(rows, kind="stable")
    return rows[order], taken.take(pa.array(order))
