"""Any data engine's frame -> counts.

Frames in memory, and engines that hand their rows over a batch at a time, are counted by sorting one number a row; all
others count where they are, and only the counts come here. Either way the result is the same counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import narwhals as nw
import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from periodkit._arguments import AsOf, By, grouping, one_of
from periodkit.errors import SchemaError
from periodkit.frames import aggregate, batches, collect, on_cluster, open_frame, spelled, sum_by
from periodkit.metrics.tally.cells import count_cells, join_entry
from periodkit.metrics.tally.keys import encode, merge_keys, sort_keys
from periodkit.metrics.tally.life_table import Ints
from periodkit.metrics.tally.stage_counts import UNITS, StageCounts
from periodkit.metrics.threads import side_by_side
from periodkit.milestones import STATES, checked_stage, enter_stage, enter_times, read_states, read_statuses
from periodkit.schema import ACTIONS, Kind

__all__ = [
    "By",
    "StageCounts",
    "checked_resolution",
    "count_flags",
    "count_stage",
    "grouping",
    "open_frame",
    "to_count",
]

_Codes: TypeAlias = NDArray[np.integer[Any]]
_BLOCK = 1 << 21
"""Rows from an engine that are counted at once, where counts are fewer than rows."""
FLAGS = frozenset(field.column for field in ACTIONS.fields if field.kind is Kind.FLAG)


def count_stage(
    actions: Any,  # noqa: ANN401  (any engine's frame)
    stage: str = "cycle",
    by: By = None,
    as_of: AsOf | None = None,
    resolution: str | None = None,
    around: int | None = None,
) -> StageCounts:
    """Count how long the actions took for a stage, or how long they have been at it.

    Parameters
    ----------
    actions : pandas, Polars or Spark frame, pyarrow.Table or DuckDB relation
        Actions.
    stage : str
        One of `periodkit.milestones.STAGES`.
    by : str or list of str, optional
        Columns to group by; null is a group of its own.
    as_of : datetime or text, optional
        The moment to replay, see `periodkit.stage_times`.
    resolution : {None, "ms", "s", "us", "min"}
        Unit of the durations; None is milliseconds, and seconds on a cluster. What has ended is counted at the first
        whole unit by which it had, what is open at the last one for which it was seen to be: no action changes sides of a
        whole target.
    around : int, optional
        A duration in microseconds: all others are counted as one microsecond less or more, which is enough for a target
        and keeps the counts few. The resolution is then ``"us"``.

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

    Examples
    --------
    >>> import periodkit as pk
    >>> with pk.demo_client() as client:
    ...     actions = client.actions(client.periods().head(1))
    >>> counts = count_stage(actions, "response", by="channel")
    >>> int(counts.totals()["n"].sum()) == len(actions)
    True
    """
    chosen = checked_stage(stage)
    names = grouping(by)
    needed = dict.fromkeys([chosen.start, chosen.end, "closed_time", "status", *names])
    if as_of is not None:
        needed["created_time"] = None
    frame = open_frame(actions, [*needed, "fetched_at"], needed)
    resolution = "us" if around is not None else checked_resolution(resolution, frame)
    unit = UNITS[resolution]

    def enter(rows: Any, how: Any, *states: str) -> Any:  # noqa: ANN401
        kept = dict.fromkeys([*names, *states, "_micros"])
        rows = how(rows, chosen, as_of, spelled(rows, needed)).select(*spelled(rows, kept))
        return rows.with_columns(_micros=to_count(nw.col("_micros"), unit, around, states[-1]))

    # What the status says is read here, once a text; but the lines of an engine must not be as many as there are texts.
    in_rows, in_lines = (enter_times, "status", "_timed"), (enter_stage, "_state")
    in_memory = isinstance(frame, nw.DataFrame)

    def count(parts: list[_Part], n: Ints | None = None) -> StageCounts:
        cells = _cells_of(parts, n, names, actions)
        return StageCounts(*cells, by=names, resolution=resolution, stage=stage, around=around)

    if in_memory:
        arriving = batches(frame)
    elif around is None and not on_cluster(frame):
        arriving = batches(enter(frame, *in_rows), [*dict.fromkeys([*names, "status"])])
    else:
        # Around one duration there are few different lines, which the engine groups soonest.
        arriving = None
    if arriving is None:
        # A remainder is a quick sum everywhere.
        lines = enter(frame, *in_lines).with_columns(_micros=nw.col("_micros") - nw.col("_micros") % unit)
        lines = aggregate(lines, [*names, "_state", "_micros"], {"_n": nw.len()})
        n = lines["_n"].cast(pa.int64()).to_numpy()
        keys, code = encode(lines, names)
        part = _Part(keys, code, _entries(lines, lines["_state"].to_numpy(), unit))
        return count([part], n)

    def look_up(rows: pa.Table) -> tuple[pa.Table, _Codes, NDArray[np.int8]]:
        keys, code = encode(rows, names)
        return keys, code.astype(np.min_scalar_type(len(keys))), read_statuses(rows)

    known = None if arriving.keys is None else look_up(arriving.keys)

    def read(rows: pa.Table) -> _Part:
        if in_memory:
            rows = collect(enter(nw.from_native(rows, eager_only=True), *in_rows))
        keys, code, said = known or look_up(rows)
        if arriving.place is not None:
            place = arriving.place(rows)
            code, said = code[place], said[place]
        return _Part(keys, code, _entries(rows, read_states(rows["_timed"].to_numpy(), said, chosen), unit))

    parts = side_by_side(read, arriving.rows)
    if in_memory or unit <= UNITS["ms"]:
        return count(list(parts))
    # Of coarse durations there are few, however many actions there are, so that no more is held than they.
    return _add_up(side_by_side(count, _blocks(parts)))


def checked_resolution(resolution: str | None, frame: Any) -> str:  # noqa: ANN401
    """Return a resolution, or by default that of a narwhals frame.

    Milliseconds, the API's own unit, where the rows are at hand; seconds on a cluster, where the counts must fit into the
    memory of the one machine that asks.

    Parameters
    ----------
    resolution : str, optional
        What a caller passed.
    frame : narwhals frame
        What is counted.

    Returns
    -------
    str
        A key of `UNITS`.

    Raises
    ------
    ArgumentError
        There is no such resolution.

    Examples
    --------
    >>> checked_resolution(None, nw.from_native(pd.DataFrame({"n": [1]})))
    'ms'
    """
    if resolution is None:
        return "s" if on_cluster(frame) else "ms"
    return one_of(resolution, "resolution", UNITS)


def to_count(micros: nw.Expr, unit: int, around: int | None = None, state: str = "_state") -> nw.Expr:
    """Return what is counted of durations in microseconds: a whole `unit` of them is cut from it afterwards.

    Parameters
    ----------
    micros : narwhals expression
        Durations in microseconds.
    unit : int
        Microseconds in one unit.
    around : int, optional
        Keep only whether a duration is below, at or above this one.
    state : str
        The column of the states.

    Returns
    -------
    narwhals expression
        Microseconds, an end rounded up to the unit that is cut from it.

    Examples
    --------
    >>> ended = pd.DataFrame({"_state": STATES.index("event"), "_micros": [1_000, 1_001]})
    >>> micros = to_count(nw.col("_micros"), 1_000)
    >>> nw.from_native(ended, eager_only=True).select(_micros=micros // 1_000)["_micros"].to_list()
    [1, 2]
    """
    if around is not None:
        return micros.clip(around - 1, around + 1)
    still = nw.col(state) == STATES.index("open")
    return micros if unit == 1 else nw.when(still).then(micros).otherwise(micros + (unit - 1))


_Cells: TypeAlias = tuple[pd.DataFrame, Ints, Ints, NDArray[np.int8], Ints]
"""The groups, and what `count_cells` returns."""


class _Part(NamedTuple):
    """Rows as numbers: the keys that they have, which row has which, and state and duration joined into one."""

    keys: pa.Table
    code: _Codes
    entry: Ints


def _entries(rows: pa.Table, states: NDArray[np.int8], unit: int) -> Ints:
    length = rows["_micros"].fill_null(0).to_numpy()
    return join_entry(length if unit == 1 else length // unit, states)


def _cells_of(parts: list[_Part], n: Ints | None, names: tuple[str, ...], actions: Any) -> _Cells:  # noqa: ANN401
    """Count the rows of parts, which are used up; each row is `n` actions, or one."""
    tables, codes, entries = zip(*parts, strict=True)
    parts.clear()  # what is joined is let go, or the rows would be held twice
    keys, positions = merge_keys(tables, names)
    groups, rank = sort_keys(keys, names, actions)
    ranks = (rank[position][code] for position, code in zip(positions, codes, strict=True))
    packed = np.concatenate(entries)
    del entries
    return groups, *count_cells(ranks, packed, n, len(groups))


def _blocks(parts: Iterable[_Part]) -> Iterator[list[_Part]]:
    """Yield parts in lists of about `_BLOCK` rows, one at least."""
    block: list[_Part] = []
    rows = 0
    for part in parts:
        block.append(part)
        rows += len(part.code)
        if rows >= _BLOCK:
            yield block
            block, rows = [], 0
    if block:
        yield block


def _add_up(blocks: Iterable[StageCounts]) -> StageCounts:
    """Add counts up as they come, soon enough to hold few and seldom enough to add none often."""
    held: list[StageCounts] = []
    for block in blocks:
        held.append(block)
        if sum(len(counts.n) for counts in held[1:]) > max(_BLOCK, len(held[0].n)):
            held = [StageCounts.add_up(held)]
    return StageCounts.add_up(held)


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

    Raises
    ------
    SchemaError
        A needed column is missing or is not of its kind.
    ArgumentError
        `by` names no column, or one that the result has.

    Examples
    --------
    >>> actions = pd.DataFrame({"channel": ["Bar", "Bar", None], "ai_dispatched": pd.array([True, None, False], "boolean")})
    >>> count_flags(actions, {"ai": nw.col("ai_dispatched")}, by="channel", columns=["ai_dispatched"])["ai"].tolist()
    [1, 0]
    """
    names = grouping(by, [*flags, "n"])
    needed = dict.fromkeys([*columns, *names])
    frame = open_frame(actions, needed, needed)
    schema = frame.collect_schema()
    for name in columns:
        # A number or a text would be read as true by one engine and refused by the next.
        if name in FLAGS and schema[name] not in (nw.Boolean(), nw.Unknown()):
            msg = f"The column {name!r} is {schema[name]}, not true, false or null. Convert it with astype('boolean')."
            raise SchemaError(msg)
    each = [nw.lit(1, dtype=nw.Int64), *(flag.fill_null(value=False).cast(nw.Int64) for flag in flags.values())]
    # DuckDB and Spark would take a key N for the count n.
    counts = {f"_flag{i}": flag for i, flag in enumerate(each)}
    frame = frame.with_columns(**counts).select(*spelled(frame, names), *counts)
    table = sum_by(frame, names, [*counts])
    keys, code = encode(table, names)
    groups, rank = sort_keys(keys, names, actions)
    for name, count in zip(["n", *flags], counts, strict=True):
        # Counts stay far below 2**53, so the float sums of bincount are exact.
        numbers = table[count].cast(pa.int64()).fill_null(0).to_numpy()
        groups[name] = np.bincount(rank[code], numbers, len(groups)).astype(np.int64)
    return groups
