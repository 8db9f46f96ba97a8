"""The records that the quality checks look at, counted where they are: only counts and a few examples come here."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import narwhals as nw
import numpy as np
import pandas as pd

from periodkit.frames import (
    VENUE,
    aggregate,
    collect,
    column_names,
    epoch_micros,
    has_venue,
    open_frame,
    require_same_ids,
    whole_sum,
)
from periodkit.milestones import flag_records
from periodkit.schema import ACTIONS, FORM_PREFIX

__all__ = [
    "BATCH_SIZE",
    "Finder",
    "Found",
    "Records",
    "bad_values",
    "batch_closing",
    "duplicates",
    "examine",
    "least_ids",
    "most_frequent_statuses",
    "outside_period",
    "unknown_fields",
]

BATCH_SIZE = 5
"""This many actions of one period closed within one second count as closed in a batch."""
EXAMPLES = 5
"""The most examples of a check: the least ids, whatever the order of the records."""
_SECOND = 1_000_000
_IDS = (VENUE, "period_id")  # each venue has ids of its own
_AT_ONCE = 200  # periods whose limits one expression holds


@dataclass(frozen=True, slots=True)
class Found:
    """What a check found: how many of how many, with examples; `count` is None where it could not be made."""

    count: int | None
    of: int
    examples: list[object]


@dataclass(frozen=True, slots=True, eq=False)
class Records:
    """The records, and what was said of them.

    Parameters
    ----------
    frame : narwhals DataFrame or LazyFrame
        The actions with what `periodkit.milestones.flag_records` adds, ``_created`` (in microseconds since 1970) and
        ``_second`` (in which it was closed).
    of : int
        How many there are.
    names : list of str
        All columns of the caller's frame.
    attrs : mapping
        What the parser said of a pandas frame; empty for others.
    periods : pandas.DataFrame, optional
        Their periods.
    """

    frame: Any
    of: int
    names: list[str]
    attrs: Mapping[Any, Any]
    periods: pd.DataFrame | None


Finder: TypeAlias = nw.Expr | Callable[[Records], Found]
"""Whether a record has it, or what counts it."""


def examine(
    actions: Any,  # noqa: ANN401  (any engine's frame)
    periods: pd.DataFrame | None,
    needed: Sequence[str],
    finders: Mapping[str, tuple[Finder, Callable[[Any], list[object]]]],
) -> dict[str, Found]:
    """Return what each check finds.

    Parameters
    ----------
    actions : frame of any supported engine
        Actions.
    periods : pandas.DataFrame, optional
        Their periods.
    needed : sequence of str
        The columns that must be there.
    finders : mapping of str to tuple
        What each check finds, and for an expression what returns its examples.
    """
    frame = open_frame(actions, [*needed, "fetched_at", *([VENUE] if has_venue(actions) else [])], needed)
    if periods is not None:
        require_same_ids(frame, periods)
    frame = flag_records(frame, None, needed)
    schema = frame.collect_schema()
    flags = {name: find for name, (find, _) in finders.items() if isinstance(find, nw.Expr)}
    frame = frame.with_columns(
        # Nulls of no kind can be neither grouped nor sorted.
        *(nw.col(name).cast(nw.Int64) for name in ("period_id", "action_id") if schema[name] == nw.Unknown),
        # Joins do not match null.
        *(nw.col(name).cast(nw.String).fill_null("") for name in [VENUE] if name in schema),
        **{f"_found_{name}": flag.fill_null(value=False) for name, flag in flags.items()},
        _second=epoch_micros(frame, nw.col("closed_time")) // _SECOND,
        _created=epoch_micros(frame, nw.col("created_time")),
    )
    sums = {name: whole_sum(nw.col(f"_found_{name}").cast(nw.Int64)) for name in flags} | {"_n": nw.len()}
    totals = {name: int(values[0] or 0) for name, values in aggregate(frame, [], sums).to_pydict().items()}
    attrs = actions.attrs if isinstance(actions, pd.DataFrame) else {}
    records = Records(frame, totals["_n"], column_names(actions), attrs, periods)
    found = {}
    for name, (find, examples) in finders.items():
        if isinstance(find, nw.Expr):
            shown = examples(frame.filter(nw.col(f"_found_{name}"))) if totals[name] else []
            found[name] = Found(totals[name], records.of, shown)
        else:
            found[name] = find(records)
    return found


def least_ids(frame: Any) -> list[object]:  # noqa: ANN401
    """Return the least few ids of actions."""
    ids = frame.filter(~nw.col("action_id").is_null()).select("action_id").sort("action_id").head(EXAMPLES)
    examples: list[object] = collect(ids)["action_id"].to_pylist()
    return examples


def most_frequent_statuses(frame: Any) -> list[object]:  # noqa: ANN401
    """Return the few statuses that most records have."""
    frame = frame.with_columns(nw.col("status").cast(nw.String))  # engines order an enumeration by its list
    texts = _count(frame, ["status"]).sort("_n", "status", descending=[True, False]).head(EXAMPLES)
    examples: list[object] = collect(texts.select("status"))["status"].to_pylist()
    return examples


def duplicates(records: Records) -> Found:
    """Count the copies of actions, with those that the parser dropped."""
    known = records.frame.filter(~nw.col("action_id").is_null())
    again = _count(known, [*_ids(known), "action_id"]).filter(nw.col("_n") > 1)
    dropped = int(records.attrs.get("duplicates", 0))
    count = _total(again, whole_sum(nw.col("_n") - 1))
    examples = least_ids(again.select("action_id").unique()) if count else []
    return Found(count + dropped, records.of + dropped, examples)


def batch_closing(records: Records) -> Found:
    """Count the actions of a period that were closed within one second with others."""
    keys = [*_ids(records.frame), "_second"]
    timed = records.frame.filter(~nw.col("period_id").is_null(), ~nw.col("_second").is_null())
    timed = timed.select(*keys, "action_id")
    together = _count(timed, keys).filter(nw.col("_n") >= BATCH_SIZE)
    count = _total(together, whole_sum(nw.col("_n")))
    return Found(count, records.of, least_ids(timed.join(together, on=keys, how="semi")) if count else [])


def bad_values(records: Records) -> Found:
    """Count the values that the parser made null."""
    bad = records.attrs.get("bad_values", [])
    ids = [*dict.fromkeys(value.get("actionId") for value in bad)]
    return Found(len(bad), records.of, ids[:EXAMPLES])


def unknown_fields(records: Records) -> Found:
    """Count the columns that are neither in the schema nor form fields."""
    unknown: list[object] = [
        name for name in records.names if name not in (*ACTIONS.columns, VENUE) and not name.startswith(FORM_PREFIX)
    ]
    return Found(len(unknown), len(records.names), unknown[:EXAMPLES])


def outside_period(records: Records) -> Found:
    """Count what was created outside its period: only periods whose first or last action is out are looked into."""
    if records.periods is None:
        return Found(None, records.of, [])
    frame = records.frame
    keys = [name for name in _ids(frame) if name in records.periods.columns]
    ends = {"_first": nw.col("_created").min(), "_last": nw.col("_created").max()}
    seen = collect(frame.filter(~nw.col("period_id").is_null()).group_by(keys).agg(**ends))
    reach = {tuple(key): (first, last) for *key, first, last in zip(*seen.to_pydict().values(), strict=True)}
    out = [each for each in _limits(records.periods, keys) if _lies_out(each, *reach.get(each[0], (None, None)))]
    count = 0
    examples: list[Any] = []
    for start in range(0, len(out), _AT_ONCE):
        outside = nw.lit(value=False)
        for values, low, high in out[start : start + _AT_ONCE]:
            own = [nw.col(name) == value for name, value in zip(keys, values, strict=True)]
            beyond = nw.lit(value=False)
            beyond = beyond if low is None else beyond | (nw.col("_created") < low)
            beyond = beyond if high is None else beyond | (nw.col("_created") > high)
            outside |= functools.reduce(operator.and_, own) & beyond
        rows = frame.filter(outside.fill_null(value=False))
        count += _total(rows, nw.len())
        examples += least_ids(rows)
    return Found(count, records.of, sorted(examples)[:EXAMPLES])


def _limits(periods: pd.DataFrame, keys: list[str]) -> Iterator[tuple[tuple[Any, ...], int | None, int | None]]:
    """Yield each period's keys, and its start and end in microseconds."""
    known = periods.dropna(subset=["period_id"]).drop_duplicates(keys)
    if VENUE in keys:
        known = known.assign(**{VENUE: known[VENUE].astype("object").fillna("")})
    ends = []
    for name in ("start_date", "end_date"):
        # A column of nulls may have any dtype.
        micros = pd.to_datetime(known[name], utc=True).dt.as_unit("us")
        whole = micros.dt.tz_localize(None).to_numpy(dtype="datetime64[us]")
        ends.append([None if np.isnat(moment) else int(moment.astype(np.int64)) for moment in whole])
    yield from zip(zip(*(known[name].tolist() for name in keys), strict=True), *ends, strict=True)


def _lies_out(limits: tuple[tuple[Any, ...], int | None, int | None], first: int | None, last: int | None) -> bool:
    _, low, high = limits
    early = low is not None and first is not None and first < low
    return early or (high is not None and last is not None and last > high)


def _ids(frame: Any) -> list[str]:  # noqa: ANN401
    present = frame.collect_schema()
    return [name for name in _IDS if name in present]


def _count(frame: Any, keys: list[str]) -> Any:  # noqa: ANN401
    return frame.group_by(keys).agg(_n=nw.len())


def _total(frame: Any, total: nw.Expr) -> int:  # noqa: ANN401
    return int(aggregate(frame, [], {"_total": total})["_total"][0].as_py() or 0)
