"""Periods: their markers, and which of them is the event."""

from __future__ import annotations

import contextlib
import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import cache
from numbers import Real
from typing import Any

import narwhals as nw
import pandas as pd
import pyarrow as pa

from periodkit._arguments import PERIODS_FRAME, iso_moment, named, period_of_row, require_columns, require_pandas
from periodkit.errors import ArgumentError, SchemaError
from periodkit.frames.columns import BAD_TIME, UTC_MICROS, Column, infer_column, to_frame, unknown_name
from periodkit.schema import MARKERS

__all__ = [
    "distinct_periods",
    "find_periods",
    "finder",
    "latest_period",
    "markers",
    "ordered_periods",
    "position_of",
    "require_same_ids",
]


def latest_period(periods: pd.DataFrame) -> pd.DataFrame:
    """Return the period that began last: the event that is running, or else the one just over.

    Parameters
    ----------
    periods : pandas.DataFrame
        A periods frame.

    Returns
    -------
    pandas.DataFrame
        One row of `periods`: of those that had begun when they were fetched, the one that began last. If none had
        begun, the one that begins first; if no start is known, the last row. No rows where there are no periods.

    Raises
    ------
    SchemaError
        A needed column is missing.

    Examples
    --------
    >>> import periodkit as pk
    >>> with pk.demo_client() as client:
    ...     latest_period(client.periods())["period_name"].item()
    'Harbour Park v Old Quay'
    """
    require_pandas(periods, "periods")
    require_columns(periods.columns, ["start_date", "fetched_at"], PERIODS_FRAME)
    begun = periods[periods["start_date"] <= periods["fetched_at"]]
    known = periods.dropna(subset=["start_date"])
    if len(begun):
        return begun.sort_values("start_date", kind="stable").tail(1)
    return known.sort_values("start_date", kind="stable").head(1) if len(known) else periods.tail(1)


def ordered_periods(periods: pd.DataFrame) -> pd.DataFrame:
    """Return ``period_id, period_name, start_date`` of periods in the order of their start, each period once.

    Examples
    --------
    >>> start = pd.to_datetime(["2024-07-02T19:00Z", "2024-07-01T19:00Z"])
    >>> periods = pd.DataFrame({"period_id": [7, 9], "period_name": "Derby", "start_date": start})
    >>> ordered_periods(periods)["period_id"].tolist()
    [9, 7]
    """
    columns = ["period_id", "period_name", "start_date"]
    if not isinstance(periods, pd.DataFrame):
        raise ArgumentError(f"periods is a {type(periods).__name__}. Pass {PERIODS_FRAME}.")
    require_columns(periods.columns, columns, PERIODS_FRAME)
    known = distinct_periods(periods)[columns]
    return known.sort_values(["start_date", "period_id"], kind="stable").reset_index(drop=True)


def distinct_periods(periods: pd.DataFrame) -> pd.DataFrame:
    """Return the periods that have an id, each as in its last row.

    Raises
    ------
    ArgumentError
        One id means periods of several venues, or with several starts; or `periods` is no frame.
    SchemaError
        It has no ``period_id``.

    Examples
    --------
    >>> distinct_periods(pd.DataFrame({"period_id": [7, 7], "period_name": ["Derby", "Final"]}))["period_name"].item()
    'Final'
    """
    require_pandas(periods, "periods")
    require_columns(periods.columns, ["period_id"], PERIODS_FRAME)
    known = periods.dropna(subset=["period_id"])
    again = known[known["period_id"].duplicated(keep=False)].groupby("period_id", sort=False, observed=True)
    told = {
        "venue": "Pass the periods and actions of one venue.",
        "start_date": 'Keep one row of each: periods.drop_duplicates("period_id", keep="last") for those fetched last.',
    }
    for name, advice in told.items():
        if name not in known.columns:
            continue
        values = again[name].nunique(dropna=False)
        if (values > 1).any():
            msg = f"periods has the id {(values > 1).idxmax()} several times, with different values of {name}. {advice}"
            raise ArgumentError(msg)
    return known.drop_duplicates("period_id", keep="last")


def require_same_ids(frame: Any, periods: pd.DataFrame) -> None:  # noqa: ANN401
    """Refuse actions in a narwhals frame whose ``period_id`` is of another kind than that of the periods.

    Raises
    ------
    SchemaError
        One of them holds numbers, and the other does not.
    """
    ids, dtype = periods["period_id"].dropna().tolist(), frame.collect_schema()["period_id"]
    if isinstance(dtype, nw.Unknown | nw.Categorical | nw.Enum):
        return
    if ids and dtype.is_numeric() != isinstance(ids[0], Real):
        msg = f"The column 'period_id' of actions is {dtype}, and that of periods holds {named(ids[0])}. Make them one kind."
        raise SchemaError(msg)


def position_of(period: object, order: pd.DataFrame, argument: str = "period") -> int:
    """Return the row of the period that an id or a name means, in what `ordered_periods` returned.

    Examples
    --------
    >>> position_of("Final", pd.DataFrame({"period_id": [9, 7], "period_name": ["Derby", "Final"]}))
    1
    """
    period = period_of_row(period)
    column = "period_name" if isinstance(period, str) else "period_id"
    rows = [row for row, value in enumerate(order[column].astype("object")) if not pd.isna(value) and value == period]
    if len(rows) != 1 or isinstance(period, bool):
        many = f"names {len(rows)} periods" if len(rows) > 1 else "is none of the periods"
        raise ArgumentError(f"{argument} is {period!r}, which {many}. Pass one of the ids in periods['period_id'].")
    return rows[0]


def find_periods(periods: pd.DataFrame, wanted: Iterable[int | str]) -> list[int]:
    """Return the ids of periods that are given by id or by name.

    Parameters
    ----------
    periods : pandas.DataFrame
        The periods that there are.
    wanted : iterable of int or str
        Ids, names, or parts of a name that only one period has; case does not matter.

    Raises
    ------
    ArgumentError
        There is no such period, or several could be meant; the message lists them.

    Examples
    --------
    >>> periods = pd.DataFrame({"period_id": [7, 8], "period_name": ["Cup final", "Cup semi-final"]})
    >>> find_periods(periods, ["8", "cup final"])
    [8, 7]
    """
    return [_find_period(periods, value) for value in wanted]


def finder(listing: Callable[[], pd.DataFrame]) -> Callable[[str], int]:
    """Return what finds the id of a period by its name; it asks for the periods once, and only if there is a name.

    Examples
    --------
    >>> finder(lambda: pd.DataFrame({"period_id": [7], "period_name": ["Cup final"]}))("final")
    7
    """
    listed = cache(listing)
    return lambda name: find_periods(listed(), [name])[0]


def _find_period(periods: pd.DataFrame, wanted: int | str) -> int:
    text = str(wanted).strip()
    number = int(text) if re.fullmatch(r"-?\d{1,19}", text, re.ASCII) else None
    if number is not None and (periods["period_id"] == number).any():
        return number
    names = periods["period_name"].astype("str").str.casefold()
    key = text.casefold()
    found = periods[names == key] if key else periods.head(0)
    if found.empty and key:
        found = periods[names.str.contains(key, regex=False, na=False)]
    if len(found) == 1:
        return int(found["period_id"].iloc[0])
    if found.empty:
        last = f", the last of them {_named(periods.tail(1))}" if len(periods) else ""
        msg = f"There is no period {named(wanted)}. There are {len(periods)}{last}. periodkit periods lists them."
    else:
        more = f" and {len(found) - 5} more" if len(found) > 5 else ""
        msg = f"{named(wanted)} could be {len(found)} periods: {_named(found.head(5))}{more}. Give the id."
    raise ArgumentError(msg)


def _named(periods: pd.DataFrame) -> str:
    return ", ".join(
        f"{period_id} ({name})" if isinstance(name, str) else str(period_id)
        for period_id, name in zip(periods["period_id"], periods["period_name"], strict=True)
    )


def markers(periods: pd.DataFrame) -> pd.DataFrame:
    """Return the markers of periods, one row per marker.

    Parameters
    ----------
    periods : pandas.DataFrame
        A periods frame, also one read back from Parquet, Feather, CSV or DuckDB.

    Returns
    -------
    pandas.DataFrame
        One row per marker: ``period_id, marker, timestamp`` (UTC; null where the API sent none), in the order of the
        periods and, within one, as sent; then whatever else the API says of a marker.

    Raises
    ------
    SchemaError
        `periods` has no ``period_id`` or ``markers`` column, or a timestamp cannot be read.

    Examples
    --------
    >>> import pandas as pd
    >>> kick_off = {"name": "Kick-off", "timestamp": "2024-07-01T19:00:00.000Z"}
    >>> print(markers(pd.DataFrame({"period_id": [7], "markers": [[kick_off]]})).to_string(index=False))
     period_id   marker                 timestamp
             7 Kick-off 2024-07-01 19:00:00+00:00
    """
    require_pandas(periods, "periods")
    require_columns(periods.columns, ["period_id", "markers"], PERIODS_FRAME)
    ids: list[Any] = []
    records: list[Mapping[str, Any]] = []
    for period_id, cell in zip(periods["period_id"], periods["markers"], strict=True):
        own = _records(cell, period_id)
        ids += [period_id] * len(own)
        records += own
    columns: dict[str, Column] = {
        "period_id": pa.array(pd.array(ids, dtype="Int64")),
        "marker": [record.get("name") for record in records],
        "timestamp": pa.array(
            [_moment(record.get("timestamp"), period_id) for period_id, record in zip(ids, records, strict=True)],
            UTC_MICROS,
        ),
    }
    columns["marker"] = infer_column(columns["marker"])
    for name in dict.fromkeys(key for record in records for key in record):
        if name not in MARKERS.by_api:
            columns[unknown_name(name, set(columns))] = infer_column([record.get(name) for record in records])
    return to_frame(columns)


def is_empty(record: Mapping[str, Any]) -> bool:
    """Whether an object says nothing: it has no keys, or all of them are null."""
    return all(value is None or value is pd.NA or value is pd.NaT for value in record.values())


def _records(cell: Any, period_id: object) -> list[Mapping[str, Any]]:  # noqa: ANN401
    """Return the markers in one cell, whatever a file or an engine made of the list."""
    if isinstance(cell, str):
        with contextlib.suppress(ValueError):
            cell = json.loads(cell)
    if isinstance(cell, Mapping | str) or not isinstance(cell, Iterable):
        cell = [] if cell is None or (not isinstance(cell, Mapping) and pd.isna(cell)) else [cell]
    records = list(cell)
    wrong = next((record for record in records if not isinstance(record, Mapping)), None)
    if wrong is not None:
        msg = f"period {period_id}: markers holds {named(wrong)}, which is not an object with a name and a timestamp."
        raise SchemaError(msg)
    return [record for record in records if not is_empty(record)]


def _moment(value: Any, period_id: object) -> datetime | None:  # noqa: ANN401
    if value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return None
    moment = iso_moment(value) if isinstance(value, str) else value
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        msg = f"period {period_id}: the marker timestamp {named(value)} {BAD_TIME}."
        raise SchemaError(msg)
    return moment
