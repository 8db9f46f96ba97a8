"""Group keys: which there are, in order, and which row has which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from periodkit.errors import ArgumentError
from periodkit.frames import MASKED, natural_order
from periodkit.metrics.tally.life_table import Ints

__all__ = ["encode", "merge_keys", "sort_keys"]


def encode(table: pa.Table, names: Sequence[str]) -> tuple[pa.Table, Ints]:
    """Return the distinct keys of a table, in no order, and for each row the position of its key.

    Parameters
    ----------
    table : pyarrow.Table
        Rows with the key columns; null is a key of its own.
    names : sequence of str
        The key columns. Without any, all rows have the one key.

    Returns
    -------
    keys : pyarrow.Table
        One row per distinct key.
    code : array of int64, shape (rows,)
        The row of `keys` that each row of the table has.

    Raises
    ------
    ArgumentError
        A key column holds lists.

    Examples
    --------
    >>> keys, code = encode(pa.table({"channel": ["Bar", None, "Bar"]}), ["channel"])
    >>> keys["channel"].to_pylist(), code.tolist()
    (['Bar', None], [0, 1, 0])
    """
    if not names:
        return pa.table({"": [None]}), np.zeros(len(table), dtype=np.int64)
    picked: list[tuple[Ints, pa.Array]] = []
    code = np.zeros(0, dtype=np.int64)
    for name in names:
        values, indices = _encode_column(table[name].combine_chunks(), name)
        if not picked:
            code, picked = indices, [(np.arange(len(values)), values)]
            continue
        indices += code * len(values)
        present, code = _renumber(indices, len(picked[0][0]) * len(values))
        outer, inner = np.divmod(present, max(len(values), 1))
        picked = [(rows[outer], each) for rows, each in picked] + [(inner, values)]
    return pa.table([values.take(pa.array(rows)) for rows, values in picked], names=list(names)), code


def merge_keys(tables: Sequence[pa.Table], names: Sequence[str]) -> tuple[pa.Table, list[Ints]]:
    """Return the distinct keys of several tables of keys, in no order, and for each table the position of its own.

    Parameters
    ----------
    tables : sequence of pyarrow.Table
        From `encode`.
    names : sequence of str
        The key columns.

    Returns
    -------
    keys : pyarrow.Table
        One row per distinct key.
    positions : list of arrays of int64
        For each table, the row of `keys` that each of its rows became.

    Examples
    --------
    >>> keys, positions = merge_keys([pa.table({"channel": [each]}) for each in ("Bar", "Gate")], ["channel"])
    >>> keys["channel"].to_pylist(), [each.tolist() for each in positions]
    (['Bar', 'Gate'], [[0], [1]])
    """
    # Batches of an engine may all have the one table.
    once = {id(table): table for table in tables}
    keys, code = encode(pa.concat_tables(once.values()), names)
    positions = np.split(code, np.cumsum([len(table) for table in once.values()])[:-1])
    found = dict(zip(once, positions, strict=True))
    return keys, [found[id(table)] for table in tables]


def sort_keys(keys: pa.Table, names: Sequence[str], like: Any) -> tuple[pd.DataFrame, Ints]:  # noqa: ANN401
    """Return distinct keys as a frame, in natural order with nulls last, and the row of each in it.

    Parameters
    ----------
    keys : pyarrow.Table
        From `encode` or `merge_keys`.
    names : sequence of str
        The key columns.
    like : any
        If a pandas frame, its dtypes are kept.

    Returns
    -------
    groups : pandas.DataFrame
        One row per key, sorted, nulls last.
    rank : array of int64, shape (keys,)
        The row of `groups` that each key became.

    Raises
    ------
    ArgumentError
        A key is a value that pandas has none for, such as a day of the year 20000.

    Examples
    --------
    >>> groups, rank = sort_keys(pa.table({"channel": ["Gate", None, "Bar"]}), ["channel"], None)
    >>> groups["channel"].tolist()[:2], rank.tolist()
    (['Bar', 'Gate'], [1, 2, 0])
    """
    if not names:
        return pd.DataFrame(index=range(1)), np.zeros(1, dtype=np.int64)
    try:
        frame: pd.DataFrame = keys.to_pandas(types_mapper=MASKED.get)
    except (ValueError, OverflowError) as error:  # a day of the year 20000, or a nanosecond of one
        msg = f"by names {', '.join(map(repr, names))}, with a value that pandas has none for ({error}). Make texts of it."
        raise ArgumentError(msg) from None
    if isinstance(like, pd.DataFrame):
        frame = frame.astype({name: like[name].dtype for name in names})
    order = natural_order(frame)
    rank = np.empty(len(frame), dtype=np.int64)
    rank[order] = np.arange(len(frame))
    return frame.iloc[order].reset_index(drop=True), rank


def _encode_column(column: pa.Array, name: str) -> tuple[pa.Array, Ints]:
    """Return the distinct values of a column, null among them, and for each row the position of its own."""
    is_dictionary = pa.types.is_dictionary(column.type)
    kind = column.type.value_type if is_dictionary else column.type
    if isinstance(kind, pa.BaseExtensionType):
        if is_dictionary:
            column = pa.DictionaryArray.from_arrays(column.indices, column.dictionary.storage)
        values, code = _encode_column(column if is_dictionary else column.storage, name)
        return pa.ExtensionArray.from_storage(kind, values), code
    if pa.types.is_nested(kind):
        what = "lists" if pa.types.is_list(kind) or pa.types.is_large_list(kind) else f"of several parts ({kind})"
        msg = f"by names {name!r}, whose values are {what}; group by a column of single values."
        raise ArgumentError(msg)
    if kind in (pa.float32(), pa.float64()):
        # What pandas takes for one: 0.0 and -0.0, and NaN and null.
        coded = column if is_dictionary else column.dictionary_encode()
        values = pc.add(coded.dictionary, pa.scalar(0.0, kind))
        values = pc.if_else(pc.is_nan(values), pa.scalar(None, kind), values)
        column, is_dictionary = pa.DictionaryArray.from_arrays(coded.indices, values), True
    if not is_dictionary:
        coded = column.dictionary_encode(null_encoding="encode")
        return coded.dictionary, coded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    # A dictionary may hold a value twice, or one that no row has, and a row may have none of its values.
    values, indices = column.dictionary, column.indices
    if indices.null_count:
        indices = indices.fill_null(len(values))
        values = pa.concat_arrays([values, pa.nulls(1, values.type)])
    coded = values.dictionary_encode(null_encoding="encode")
    present, code = _renumber(coded.indices.to_numpy()[indices.to_numpy()].astype(np.int64), len(coded.dictionary))
    return coded.dictionary.take(pa.array(present)), code


def _renumber(code: Ints, size: int) -> tuple[Ints, Ints]:
    """Return the codes that occur, all below `size`, in order, and each code's position among them."""
    if size > max(len(code), 1):
        return np.unique(code, return_inverse=True)
    # Codes are dense nearly always, and marking them is far quicker than sorting.
    occurs = np.zeros(size, dtype=np.bool_)
    occurs[code] = True
    present = np.flatnonzero(occurs)
    if len(present) == size:
        return present, code
    position = np.cumsum(occurs) - 1
    return present, position[code]
