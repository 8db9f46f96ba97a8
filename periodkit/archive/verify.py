"""Whether the archive still holds what was written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import pandas as pd

from periodkit.archive.storage import State, bucket, period_columns
from periodkit.frames import fingerprint, to_frame

ROWS_AT_ONCE = 100_000
"""About so many actions are in memory at once; a partition that has more is read whole."""


def verify(
    state: State, expected: Mapping[int, str], read: Callable[[list[int]], tuple[pd.DataFrame, dict[int, str]]]
) -> pd.DataFrame:
    """Compare each period's hash with the expected one.

    Parameters
    ----------
    state : State
        What to check.
    expected : mapping of int to str
        The hash that each period should have.
    read : callable
        Returns the actions, as they were hashed, of those periods that can be read, and what is wrong with the others.

    Returns
    -------
    pandas.DataFrame
        One row per period that differs: ``period_id, problem, expected, found``.
    """
    periods = to_frame(period_columns(state.periods, as_written=True))
    found: dict[int, str] = {}
    damage: dict[int, str] = {}
    for ids in _parts(state):
        actions, broken = read(ids)
        damage |= broken
        sound = [period_id for period_id in ids if period_id not in broken]
        found |= fingerprint(periods[periods["period_id"].isin(sound)], actions).periods
    rows = []
    for period_id in sorted({*state.ids, *expected}):
        hashes = (expected.get(period_id), found.get(period_id))
        if period_id in damage:
            rows.append((period_id, damage[period_id], *hashes))
        elif period_id not in found:
            rows.append((period_id, "is missing", *hashes))
        elif period_id not in expected:
            rows.append((period_id, "is not part of the snapshot", *hashes))
        elif hashes[0] != hashes[1]:
            rows.append((period_id, "holds other values than were written", *hashes))
    frame = pd.DataFrame(rows, columns=["period_id", "problem", "expected", "found"])
    return frame.astype({"period_id": "Int64", "problem": "str", "expected": "str", "found": "str"})


def _parts(state: State) -> Iterator[list[int]]:
    """Yield the periods of whole partitions, of several small ones together: each read and hash costs by itself."""
    partitions: dict[int, list[int]] = {}
    for period_id in state.ids:
        partitions.setdefault(bucket(period_id), []).append(period_id)
    part: list[int] = []
    rows = 0
    for ids in partitions.values():
        more = sum(state.rows[period_id] for period_id in ids)
        if part and rows + more > ROWS_AT_ONCE:
            yield part
            part, rows = [], 0
        part, rows = [*part, *ids], rows + more
    if part:
        yield part
