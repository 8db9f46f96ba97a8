"""Small actions frames for tests: made by hand from minutes, or drawn at random; and the same frame in every engine."""

from __future__ import annotations

import atexit
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
from hypothesis import strategies as st

from periodkit.schema import ACTIONS

START = pd.Timestamp("2024-07-01T19:00Z")
MOMENTS = {"created": "created_time", "assigned": "assigned_time", "doing": "doing_time", "closed": "closed_time"}
MOMENTS |= {"fetched": "fetched_at"}
NAMES = {
    field.kind.dtype: [each.column for each in ACTIONS.fields if each.kind is field.kind] for field in ACTIONS.fields
}
BY = ("classification", "period_id", "ai_dispatched")
BASE = {"created": 0, "fetched": 60, "period_id": 1, "classification": "Spill", "channel": "Bar"}


def at(moment: float | str | None) -> pd.Timestamp | None:
    """Return so many minutes after 19:00 UTC, or the moment that a text names."""
    if isinstance(moment, str):
        return pd.Timestamp(moment).as_unit("us")
    return None if moment is None else START + pd.Timedelta(minutes=moment)


def minutes(value: float | None) -> pd.Timedelta:
    return pd.NaT if value is None else pd.Timedelta(minutes=value)


def frame(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Return an actions frame with the API's dtypes; milestones are minutes after 19:00 UTC, or texts."""
    given = [*rows]
    columns: dict[str, list[Any]] = {name: [np.nan] * len(given) for name in ACTIONS.columns}
    for number, row in enumerate(given):
        columns["action_id"][number] = number + 1
        for name, value in row.items():
            column = MOMENTS.get(name, name)
            if column in columns:
                columns[column][number] = at(value) if name in MOMENTS else value
    # All columns of a dtype are made at once: one by one they take most of a small test's time.
    made: dict[str, Any] = {}
    for dtype, names in NAMES.items():
        values = pd.array([value for name in names for value in columns[name]], dtype=dtype)
        made |= {name: values[place * len(given) : (place + 1) * len(given)] for place, name in enumerate(names)}
    return pd.DataFrame({name: made[name] for name in ACTIONS.columns})


def action(**changes: Any) -> dict[str, Any]:
    """Return one action, created at 19:00 and fetched at 20:00; null what is not given."""
    return {**BASE, **changes}


def actions(*rows: Mapping[str, Any]) -> pd.DataFrame:
    return frame(action(**row) for row in rows)


def _arrow(table: pd.DataFrame) -> pa.Table:
    kept = [name for name in table.columns if name not in ("assigned_user_names", "notes")]
    return pa.Table.from_pandas(table[kept], preserve_index=False)


@cache
def _connection() -> duckdb.DuckDBPyConnection:
    """One for all frames: to open one takes as long as to count a frame."""
    connection = duckdb.connect()
    atexit.register(_connection.cache_clear)  # DuckDB tells of what is left when Python is gone
    connection.execute("SET TimeZone = 'America/New_York'")  # what a session shows must not move what it counts
    return connection


def _duckdb(table: pd.DataFrame) -> duckdb.DuckDBPyRelation:
    return _connection().from_arrow(_arrow(table))


ENGINES: dict[str, Callable[[pd.DataFrame], Any]] = {
    "pyarrow": _arrow,
    "polars": lambda table: pl.from_arrow(_arrow(table)),
    "polars lazy": lambda table: pl.from_arrow(_arrow(table)).lazy(),
    "duckdb": _duckdb,
}

# Few and whole, so that ties, zero durations and reversed order are common; a fraction to keep milliseconds honest.
NO_TIMES = ("9999-12-31T23:59:59.999Z", "0001-01-01T00:00Z", "1900-01-01T00:00Z", "1970-01-01T00:00Z")
"""What systems write for "none"."""
USUAL_MINUTES = st.none() | st.integers(0, 12) | st.sampled_from([0.001, 2.5, 7.0001])
MINUTES = USUAL_MINUTES | USUAL_MINUTES | st.sampled_from([-0.5, 2000, *NO_TIMES])
STATUS = st.none() | st.sampled_from(["closed", "Canceled", "CANCELLED", "cancelled", "Resolved", "open", "", "réglé"])
STATUS |= st.sampled_from(
    ["\u00a0Done ", "Canceled - duplicate", "FİNİSHED", "finished\u2003", "not canceled", "\ufeffclosed\n"]
)
CHANNEL = st.none() | st.sampled_from(["Bar", "Gate", "", "é"])
FLAG = st.none() | st.booleans()
ROW = st.fixed_dictionaries(
    {
        "created": MINUTES,
        "assigned": MINUTES,
        "doing": MINUTES,
        "closed": MINUTES,
        "fetched": st.none() | st.integers(6, 14),
        "status": STATUS,
        "ai_dispatched": FLAG,
        "classification": CHANNEL,
        "period_id": st.none() | st.integers(1, 2),
        "channel": CHANNEL,
        "latest_channel": CHANNEL,
    }
)
# When a row was fetched tells whether a later time is one that stands for none.
ROW = ROW.filter(lambda row: row["fetched"] is not None or NO_TIMES[0] not in row.values())
FRAMES = st.lists(ROW, max_size=14).map(frame)
