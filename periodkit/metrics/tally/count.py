"""Any data engine's frame -> counts. The only module that knows engines.

Frames in memory, and engines that hand their rows over a batch at a time, are counted by sorting one number a row; all
others count where they are, and only the counts come here. Either way the result is the same counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias, cast

import narwhals as nw
import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from periodkit._arguments import AsOf
from periodkit.errors import ArgumentError, SchemaError
from periodkit.frames import batches, check_columns, open_frame
from periodkit.metrics.tally.keys import encode, merge_keys, sort_keys
from periodkit.metrics.tally.life_table import Ints
from periodkit.metrics.tally.stage_counts import UNITS, StageCounts, count_cells, join_entry
from periodkit.milestones import STATES, TIMED, checked_stage, enter_stage
from periodkit.schema import ACTIONS, Kind

__all__ = ["By", "StageCounts", "count_flags", "count_stage", "grouping", "open_frame"]

By: TypeAlias = str | Sequence[str] | None

FLAGS = frozenset(field.column for field in ACTIONS.fields if field.kind is Kind.FLAG)


def grouping(by: By, reserved: Sequence[str] = (), argument: str = "by") -> tuple[str, ...]:
    """Return `by` as a tuple of column names; `argument` is what the caller calls it."""
    names = () if by is None else (by,) if isinstance(by, str) or not isinstance(by, Iterable) else tuple(by)
    wrong: list[object] = [name for name in cast("tuple[object, ...]", names) if not isinstance(name, str)]
    if wrong:
        msg = f"{argument} is or holds {wrong[0]!r}; it takes a column name or a list of column names."
        raise ArgumentError(msg)
    clash = [name for name in names if name in reserved]
    if clash or len(set(names)) < len(names):
        msg = f"{argument} is {list(names)}; it takes each column once, and none that is a name in the result."
        raise ArgumentError(msg)
    return names


def count_stage(
    actions: Any,  # noqa: ANN401  (any engine's frame)
    stage: str = "cycle",
    by: By = None,
    as_of: AsOf | None = None,
    resolution: str = "ms",
) -> StageCounts:
    """Count how long the actions took for a stage, or how long they have been at it.

    Parameters
    ----------
    actions : pandas.DataFrame, polars frame, pyarrow.Table or DuckDB relation
        Actions.
    stage : str
        One of `periodkit.milestones.STAGES`.
    by : str or list of str, optional
        Columns to group by; null is a group of its own.
    as_of : datetime or text, optional
        The moment to replay, see `periodkit.stage_times`.
    resolution : {"us", "ms", "s", "min"}
        Unit of the durations; finer parts are cut off. The API's own is the millisecond.

    Returns
    -------
    StageCounts
        The counts, which add up: ``count_stage(a) + count_stage(b)`` counts both.

    Raises
    ------
    SchemaError
        A needed column is missing or is not of its kind.
    ArgumentError
        `stage`, `by`, `as_of` or `resolution` is not one that can be.
    """
    chosen = checked_stage(stage)
    names = grouping(by)
    if resolution not in UNITS:
        msg = f"resolution is {resolution!r}; it takes one of {', '.join(UNITS)}."
        raise ArgumentError(msg)
    needed = dict.fromkeys([chosen.start, chosen.end, "closed_time", "status", *names])
    if as_of is not None:
        needed["created_time"] = None
    frame = open_frame(actions, [*needed, "fetched_at"])
    check_columns(frame, needed)

    def enter(rows: Any) -> Any:  # noqa: ANN401
        return enter_stage(rows, chosen, as_of, needed).select(*names, "_state", "_micros")

    unit = UNITS[resolution]
    arriving = batches(frame)
    if arriving is None:
        timed = nw.col("_state").is_in([STATES.index(name) for name in TIMED])
        lines = enter(frame).with_columns(_duration=nw.when(timed).then(nw.col("_micros") // unit))
        lines = lines.group_by(*names, "_state", "_duration").agg(_n=nw.len()).collect("pyarrow").to_arrow()
        parts = [_Part.read(lines, names, lines["_duration"])]
        n = lines["_n"].cast(pa.int64()).to_numpy()
    else:

        def read(rows: pa.Table) -> _Part:
            entered = enter(nw.from_native(rows, eager_only=True)).to_arrow()
            return _Part.read(entered, names, entered["_micros"], unit)

        parts, n = [read(rows) for rows in arriving], None
    tables, codes, entries = zip(*parts, strict=True)
    del parts  # what is joined is let go, or the rows would be held twice
    keys, positions = merge_keys(tables, names)
    groups, rank = sort_keys(keys, names, actions)
    ranks = (rank[position][code] for position, code in zip(positions, codes, strict=True))
    packed = np.concatenate(entries)
    del entries
    cells = count_cells(ranks, packed, n, len(groups))
    return StageCounts(groups, *cells, by=names, resolution=resolution)


class _Part(NamedTuple):
    """Rows as numbers: the keys that they have, which row has which, and state and duration joined into one."""

    keys: pa.Table
    code: NDArray[np.int32]
    entry: Ints

    @classmethod
    def read(cls, rows: pa.Table, names: Sequence[str], duration: pa.ChunkedArray, unit: int = 1) -> _Part:
        keys, code = encode(rows, names)
        length = duration.fill_null(0).to_numpy()
        state = rows["_state"].to_numpy().astype(np.int8, copy=False)
        return cls(keys, code.astype(np.int32), join_entry(length if unit == 1 else length // unit, state))


def count_flags(
    actions: Any,  # noqa: ANN401
    flags: Mapping[str, nw.Expr],
    by: By = None,
    columns: Sequence[str] = (),
) -> pd.DataFrame:
    """Count the actions of each group for which each flag holds.

    Parameters
    ----------
    actions : frame of any supported engine
        Actions.
    flags : mapping of str to narwhals expression
        What to count; null counts as not holding.
    by : str or list of str, optional
        Columns to group by; null is a group of its own.
    columns : sequence of str
        The columns that the flags need.

    Returns
    -------
    pandas.DataFrame
        One row per group, sorted by key with nulls last: the keys, ``n``, then one count per flag.
    """
    names = grouping(by, [*flags, "n"])
    frame = open_frame(actions, dict.fromkeys([*columns, *names]))
    schema = check_columns(frame, [*columns, *names])
    for name in columns:
        # A number or a text would be read as true by one engine and refused by the next.
        if name in FLAGS and schema[name] not in (nw.Boolean(), nw.Unknown()):
            msg = f"The column {name!r} is {schema[name]}, not true, false or null. Convert it with astype('boolean')."
            raise SchemaError(msg)
    counts = {"n": nw.lit(1, dtype=nw.Int64)} | {
        name: flag.fill_null(value=False).cast(nw.Int64) for name, flag in flags.items()
    }
    frame = frame.with_columns(**counts).select(*names, *counts)
    if isinstance(frame, nw.LazyFrame):
        sums = [nw.col(name).sum() for name in counts]
        frame = (frame.group_by(*names).agg(*sums) if names else frame.select(*sums)).collect("pyarrow")
    table = frame.to_arrow()
    keys, code = encode(table, names)
    groups, rank = sort_keys(keys, names, actions)
    for name in counts:
        # DuckDB adds up to 128-bit numbers. Counts stay far below 2**53, so the float sums of bincount are exact.
        numbers = table[name].cast(pa.int64()).fill_null(0).to_numpy()
        groups[name] = np.bincount(rank[code], numbers, len(groups)).astype(np.int64)
    return groups
