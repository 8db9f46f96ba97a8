"""Any data engine's frame -> counts. The only module that knows engines.

Frames in memory become Arrow tables and are counted by sorting. Lazy frames (DuckDB, Polars) are counted where they
are, and only the counts come here. Either way the result is the same small table, which merges by addition.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from typing import Any, TypeAlias, cast

import narwhals as nw
import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from periodkit._columns import MASKED
from periodkit._moment import AsOf
from periodkit.errors import ArgumentError, SchemaError
from periodkit.metrics.lifetable import LifeTable
from periodkit.milestones import STATES, as_arrow, check_columns, checked_stage, prepare, stage_entry
from periodkit.schema import ACTIONS, Kind

__all__ = ["By", "StageCounts", "count_flags", "count_stage", "grouping", "open_frame"]

By: TypeAlias = str | Sequence[str] | None
Ints: TypeAlias = NDArray[np.int64]

COUNTED = ("event", "canceled", "left", "open")
EXCLUDED = ("not_started", "invalid", "unknown")
_POSITION = np.array([COUNTED.index(name) if name in COUNTED else -1 for name in STATES])
FLAGS = frozenset(field.column for field in ACTIONS.fields if field.kind is Kind.FLAG)
_UNITS = {"us": 1, "ms": 1_000, "s": 1_000_000, "min": 60_000_000}


@dataclass(frozen=True, slots=True, eq=False)
class StageCounts:
    """How many actions ended, left or were still open at each duration of a stage, by group.

    Parameters
    ----------
    groups : pandas.DataFrame
        One row per group, sorted by key with nulls last: the key columns, then ``not_started``, ``invalid`` and
        ``unknown``, the numbers of actions that have no duration in this stage.
    code : array of int64, shape (m,)
        The group (row of `groups`) of each line; lines are sorted by group, then duration.
    duration : array of int64, shape (m,)
        Duration in whole units of `resolution`.
    event, canceled, left, open : array of int64, shape (m,)
        How many reached the end, were canceled, left without reaching it, or were still open at that duration.
    by : tuple of str
        The key columns.
    resolution : str
        Unit of `duration`.
    """

    groups: pd.DataFrame
    code: Ints
    duration: Ints
    event: Ints
    canceled: Ints
    left: Ints
    open: Ints
    by: tuple[str, ...]
    resolution: str = "ms"

    def __add__(self, other: StageCounts) -> StageCounts:
        """Count both: what counting the two frames as one would give."""
        if (self.by, self.resolution) != (other.by, other.resolution):
            msg = "Counts can be added only if they are by the same columns, in the same resolution."
            raise ArgumentError(msg)
        both = pd.concat([self.groups, other.groups], ignore_index=True)
        keys, code = _encode(pa.Table.from_pandas(both, preserve_index=False), self.by, both)
        excluded = {name: _sum_where(None, code, both[name].to_numpy(), len(keys)) for name in EXCLUDED}
        code = np.concatenate([code[self.code], code[len(self.groups) + other.code]])
        lines = _count_lines(
            np.tile(code, len(COUNTED)),
            np.tile(np.concatenate([self.duration, other.duration]), len(COUNTED)),
            np.repeat(np.arange(len(COUNTED)), len(code)),
            np.concatenate([getattr(counts, name) for name in COUNTED for counts in (self, other)]),
        )
        return StageCounts(keys.assign(**excluded), **lines, by=self.by, resolution=self.resolution)

    @property
    def unit(self) -> int:
        """Microseconds in one unit of duration."""
        return _UNITS[self.resolution]

    def rows(self) -> Iterator[slice]:
        """Yield the lines of each group."""
        bounds = np.searchsorted(self.code, np.arange(len(self.groups) + 1))
        return (slice(start, stop) for start, stop in pairwise(bounds))

    def gone(self, canceled: str) -> Ints:
        """Return how many were canceled or left in each line; none where ``canceled="exclude"`` leaves them out."""
        return self.canceled + self.left if canceled == "censor" else np.zeros_like(self.left)

    def sum_by_group(self, counts: Ints, lines: NDArray[np.bool_] | None = None) -> Ints:
        """Add up counts of lines, or of those of the lines that are chosen, by group."""
        return _sum_where(lines, self.code, counts, len(self.groups))

    def life_tables(self, canceled: str = "censor") -> Iterator[LifeTable]:
        """Yield the life table of each group; ``canceled="exclude"`` leaves cancellations and leavers out."""
        gone = self.gone(canceled)
        for rows in self.rows():
            yield LifeTable(self.duration[rows], self.event[rows], gone[rows], self.open[rows])

    def totals(self) -> pd.DataFrame:
        """Return one row per group: ``n`` and how many there are of each state."""
        states = {name: self.sum_by_group(getattr(self, name)) for name in COUNTED}
        states |= {name: self.groups[name].to_numpy() for name in EXCLUDED}
        n = reduce(np.add, states.values())
        return pd.DataFrame({"n": n, **states})

    def keys(self) -> pd.DataFrame:
        """Return the key columns, one row per group."""
        return self.groups[list(self.by)].copy()


def grouping(by: By, reserved: Sequence[str] = ()) -> tuple[str, ...]:
    """Return `by` as a tuple of column names."""
    names = () if by is None else (by,) if isinstance(by, str) or not isinstance(by, Iterable) else tuple(by)
    wrong: list[object] = [name for name in cast("tuple[object, ...]", names) if not isinstance(name, str)]
    if wrong:
        msg = f"by is or holds {wrong[0]!r}; it takes a column name or a list of column names."
        raise ArgumentError(msg)
    clash = [name for name in names if name in reserved]
    if clash or len(set(names)) < len(names):
        msg = f"by is {list(names)}; it takes each column once, and none that is a name in the result."
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
    if resolution not in _UNITS:
        msg = f"resolution is {resolution!r}; it takes one of {', '.join(_UNITS)}."
        raise ArgumentError(msg)
    needed = dict.fromkeys([chosen.start, chosen.end, "closed_time", "status", *names])
    if as_of is not None:
        needed["created_time"] = None
    state, micros = stage_entry(chosen)
    frame = prepare(open_frame(actions, [*needed, "fetched_at"]), as_of, needed)
    frame = frame.with_columns(_state=state, _micros=micros)
    timed = nw.col("_state").is_in([STATES.index(name) for name in COUNTED])
    frame = frame.select(*names, "_state", _units=nw.when(timed).then(nw.col("_micros") // _UNITS[resolution]))
    if isinstance(frame, nw.LazyFrame):
        frame = frame.group_by(*names, "_state", "_units").agg(_n=nw.len()).collect("pyarrow")
    table = frame.to_arrow()
    keys, code = _encode(table, names, actions)
    state_of = table["_state"].to_numpy()
    n = table["_n"].to_numpy() if "_n" in table.column_names else None
    excluded = {name: _sum_where(state_of == STATES.index(name), code, n, len(keys)) for name in EXCLUDED}
    kept = np.isin(state_of, [STATES.index(name) for name in COUNTED])
    lines = _count_lines(
        code[kept],
        table["_units"].fill_null(0).to_numpy()[kept],
        _POSITION[state_of[kept]],
        None if n is None else n[kept],
    )
    return StageCounts(keys.assign(**excluded), **lines, by=names, resolution=resolution)


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
    keys, code = _encode(table, names, actions)
    # DuckDB adds up to 128-bit numbers.
    sums_of = {
        name: _sum_where(None, code, table[name].cast(pa.int64()).fill_null(0).to_numpy(), len(keys)) for name in counts
    }
    return keys.assign(**sums_of)


def open_frame(actions: Any, columns: Iterable[str]) -> Any:  # noqa: ANN401
    """Return those of the columns that a frame has: an Arrow table if it is in memory, else lazy where it is."""
    if isinstance(actions, pd.DataFrame):
        return nw.from_native(as_arrow(actions, columns), eager_only=True)
    try:
        frame = nw.from_native(actions)
    except TypeError:
        kind = type(actions).__name__
        msg = f"actions is a {kind}. Pass a pandas or Polars frame, a pyarrow Table or a DuckDB relation."
        raise ArgumentError(msg) from None
    schema = frame.collect_schema()
    frame = frame.select(*(name for name in columns if name in schema))
    return nw.from_native(frame.to_arrow()) if isinstance(frame, nw.DataFrame) else frame


def _encode(table: pa.Table, names: Sequence[str], like: Any) -> tuple[pd.DataFrame, Ints]:  # noqa: ANN401
    """Return the distinct keys, sorted with nulls last, and for each row of the table the position of its key."""
    code = np.zeros(len(table), dtype=np.int64)
    if not names:
        return pd.DataFrame(index=range(1)), code
    picked: list[tuple[Ints, pa.Array]] = []
    for name in names:
        column = table[name].combine_chunks()
        if pa.types.is_nested(column.type):
            msg = f"by names {name!r}, whose values are lists; group by a column of single values."
            raise ArgumentError(msg)
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        coded = column.dictionary_encode(null_encoding="encode")
        indices = coded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
        present, code = _renumber(code * len(coded.dictionary) + indices)
        outer, inner = np.divmod(present, max(len(coded.dictionary), 1))
        picked = [(rows[outer], values) for rows, values in picked] + [(inner, coded.dictionary)]
    arrays = [values.take(pa.array(rows)) for rows, values in picked]
    keys: pd.DataFrame = pa.table(arrays, names=list(names)).to_pandas(types_mapper=MASKED.get)
    keys = keys.sort_values(list(names), na_position="last", kind="stable")
    rank = np.empty(len(keys), dtype=np.int64)
    rank[keys.index.to_numpy()] = np.arange(len(keys))
    keys = keys.reset_index(drop=True)
    if isinstance(like, pd.DataFrame):
        keys = keys.astype({name: like[name].dtype for name in names})
    return keys, rank[code]


def _renumber(code: Ints) -> tuple[Ints, Ints]:
    """Return the codes that occur, in order, and each code's position among them."""
    size = int(code.max(initial=-1)) + 1
    if size > max(len(code), 1):
        return np.unique(code, return_inverse=True)
    # Codes are dense nearly always, and counting them is far quicker than sorting.
    present = np.flatnonzero(np.bincount(code, minlength=size))
    position = np.zeros(size, dtype=np.int64)
    position[present] = np.arange(len(present))
    return present, position[code]


def _sum_where(rows: NDArray[np.bool_] | None, code: Ints, weight: Ints | None, size: int) -> Ints:
    if rows is not None:
        code, weight = code[rows], None if weight is None else weight[rows]
    # Counts stay far below 2**53, so the float sums of bincount are exact.
    return np.bincount(code, weight, size).astype(np.int64)


def _count_lines(code: Ints, duration: Ints, state: Ints, n: Ints | None) -> dict[str, Ints]:
    """Return the distinct (group, duration) lines in order, and how many of each state stand in each."""
    span = int(duration.max(initial=0)) + 1
    groups = int(code.max(initial=0)) + 1
    if groups * span >= 2**61:
        msg = "The durations are too long for this resolution; pass a coarser one."
        raise ArgumentError(msg)
    # One sort of one whole number a row, state in its lowest bits, is the quickest way to count.
    packed = (code * span + duration) * len(COUNTED) + state
    if n is None:
        packed.sort()
    else:
        order = np.argsort(packed, kind="stable")
        packed, n = packed[order], n[order]
    line_of_row = packed // len(COUNTED)
    first = np.flatnonzero(np.r_[True, line_of_row[1:] != line_of_row[:-1]]) if len(packed) else np.zeros(0, np.int64)
    line = np.repeat(np.arange(len(first)), np.diff(np.r_[first, len(packed)]))
    counts = np.bincount(line * len(COUNTED) + packed % len(COUNTED), n, len(first) * len(COUNTED))
    per_state = counts.astype(np.int64).reshape(-1, len(COUNTED)).T
    lines = line_of_row[first]
    return {"code": lines // span, "duration": lines % span, **dict(zip(COUNTED, per_state, strict=True))}
