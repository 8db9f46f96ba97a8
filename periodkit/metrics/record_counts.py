"""The quality checks, counted where the records are: only counts and a few examples come here.

`periodkit.metrics.checks` makes the same checks row by row on a pandas frame; a property test holds the two equal.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from periodkit.frames import aggregate, collect, column_names, epoch_micros, open_frame
from periodkit.metrics.checks import BATCH_SIZE, CHECKS, EXAMPLES, RUNNING, Found, as_times, unknown_columns
from periodkit.milestones import CANCELED, ENDED, flag_records, status_text

__all__ = ["count_records"]

_FLAGS = ("out_of_order", "skipped_stage", "ended_without_time", "after_as_of", "absurd")
_SECOND = 1_000_000
_AT_ONCE = 200  # periods whose limits one expression holds


def count_records(actions: Any, periods: pd.DataFrame | None, needed: Sequence[str]) -> dict[str, Found]:  # noqa: ANN401
    """Make every quality check on a frame of any engine.

    Parameters
    ----------
    actions : frame of any supported engine
        Actions.
    periods : pandas.DataFrame, optional
        Their periods.
    needed : sequence of str
        The columns that must be there.
    """
    frame = flag_records(open_frame(actions, [*needed, "fetched_at"], needed), None, needed)
    closed = ~nw.col("closed_time").is_null()
    status = status_text(nw.col("status")).str.replace_all("_", " ", literal=True)
    known = status.is_in([*RUNNING, *ENDED])
    for text in CANCELED:
        known |= status.str.starts_with(text)
    flags = {name: nw.col(f"_{name}") for name in _FLAGS}
    flags |= {"contradicting_status": status.is_in([*RUNNING]) & closed, "unknown_status": (status != "") & ~known}
    flags |= {
        name: nw.col(name.removeprefix("null_")).is_null() for name in CHECKS if name.removeprefix("null_") in needed
    }
    frame = frame.with_columns(
        **{f"_found_{name}": flag.fill_null(value=False) for name, flag in flags.items()},
        _second=epoch_micros(frame, nw.col("closed_time")) // _SECOND,
        _created=epoch_micros(frame, nw.col("created_time")),
    )
    sums = {name: nw.col(f"_found_{name}").cast(nw.Int64).sum() for name in flags} | {"_n": nw.len()}
    totals = {name: values[0] or 0 for name, values in aggregate(frame, [], sums).to_pydict().items()}
    of = int(totals.pop("_n"))
    found = {
        name: Found(int(n), of, _examples(frame.filter(nw.col(f"_found_{name}"))) if n else [])
        for name, n in totals.items()
    }
    if found["unknown_status"].count:
        texts = _count(frame.filter(nw.col("_found_unknown_status")), ["status"])
        texts = texts.sort("_n", "status", descending=[True, False]).head(EXAMPLES)
        found["unknown_status"] = Found(
            found["unknown_status"].count, of, collect(texts.select("status"))["status"].to_pylist()
        )
    names = column_names(actions)
    unknown = unknown_columns(names)
    found |= {
        "duplicates": _duplicates(frame, of),
        "batch_closing": _batches(frame, of),
        "outside_period": Found(None, of, []) if periods is None else _outside(frame, periods, of),
        "bad_values": Found(0, of, []),
        "unknown_fields": Found(len(unknown), len(names), unknown[:EXAMPLES]),
    }
    return {name: found[name] for name in CHECKS}


def _count(frame: Any, keys: list[str]) -> Any:  # noqa: ANN401
    return frame.group_by(keys).agg(_n=nw.len())


def _total(frame: Any, total: nw.Expr) -> int:  # noqa: ANN401
    return int(aggregate(frame, [], {"_total": total})["_total"][0].as_py() or 0)


def _examples(frame: Any) -> list[object]:  # noqa: ANN401
    """Return the least few ids of actions."""
    ids = frame.filter(~nw.col("action_id").is_null()).select("action_id").sort("action_id").head(EXAMPLES)
    examples: list[object] = collect(ids)["action_id"].to_pylist()
    return examples


def _duplicates(frame: Any, of: int) -> Found:  # noqa: ANN401
    again = _count(frame.filter(~nw.col("action_id").is_null()), ["period_id", "action_id"]).filter(nw.col("_n") > 1)
    count = _total(again, (nw.col("_n") - 1).sum())
    return Found(count, of, _examples(again.select("action_id").unique()) if count else [])


def _batches(frame: Any, of: int) -> Found:  # noqa: ANN401
    keys = ["period_id", "_second"]
    timed = frame.filter(~nw.col("period_id").is_null(), ~nw.col("_second").is_null())
    together = _count(timed, keys).filter(nw.col("_n") >= BATCH_SIZE)
    count = _total(together, nw.col("_n").sum())
    return Found(count, of, _examples(timed.join(together, on=keys, how="semi")) if count else [])


def _outside(frame: Any, periods: pd.DataFrame, of: int) -> Found:  # noqa: ANN401
    """Count what was created outside its period: only periods whose first or last action is out are looked into."""
    ends = {"_first": nw.col("_created").min(), "_last": nw.col("_created").max()}
    seen = collect(frame.filter(~nw.col("period_id").is_null()).group_by("period_id").agg(**ends))
    reach = {key: (first, last) for key, first, last in zip(*seen.to_pydict().values(), strict=True)}
    out = [limits for limits in _limits(periods) if _lies_out(limits, *reach.get(limits[0], (None, None)))]
    count = 0
    examples: list[Any] = []
    for start in range(0, len(out), _AT_ONCE):
        outside = nw.lit(value=False)
        for key, low, high in out[start : start + _AT_ONCE]:
            beyond = nw.lit(value=False)
            beyond = beyond if low is None else beyond | (nw.col("_created") < low)
            beyond = beyond if high is None else beyond | (nw.col("_created") > high)
            outside |= (nw.col("period_id") == key) & beyond
        rows = frame.filter(outside.fill_null(value=False))
        count += _total(rows, nw.len())
        examples += _examples(rows)
    return Found(count, of, sorted(examples)[:EXAMPLES])


def _limits(periods: pd.DataFrame) -> Iterator[tuple[Any, int | None, int | None]]:
    """Yield each period's id, and its start and end in microseconds."""
    known = periods.drop_duplicates("period_id").dropna(subset=["period_id"])
    ends = []
    for name in ("start_date", "end_date"):
        micros = as_times(known[name]).dt.as_unit("us")
        whole = micros.dt.tz_localize(None).to_numpy(dtype="datetime64[us]")
        ends.append([None if np.isnat(each) else int(each.astype(np.int64)) for each in whole])
    yield from zip(known["period_id"].tolist(), *ends, strict=True)


def _lies_out(limits: tuple[Any, int | None, int | None], first: int | None, last: int | None) -> bool:
    _, low, high = limits
    early = low is not None and first is not None and first < low
    return early or (high is not None and last is not None and last > high)
