"""Rows, a batch at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Any, NamedTuple

import narwhals as nw
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from periodkit.errors import ArgumentError
from periodkit.frames.engines.arrow import in_zone_utc, plain

CHANGED = (
    "The frame gave other rows when it was read again, as a random sample does. Write it to a table, and pass that."
)

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
    found = plain(relation.project(", ".join([hashed, *short])).distinct().to_arrow_table())
    found = in_zone_utc(found).sort_by("_hash")
    # Enumerations come as dictionaries, and those of two columns cannot be told from each other's.
    kinds = [field.type.value_type if pa.types.is_dictionary(field.type) else field.type for field in found.schema]
    found = found.cast(pa.schema(zip(found.column_names, kinds, strict=True)))
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
