"""Metric frames and actions as an Excel file for people to read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from periodkit._arguments import named, zone
from periodkit.errors import ArgumentError
from periodkit.frames import Sheet, SheetColumn, encodable, python_values, write_book, write_whole
from periodkit.wording import is_share, label

__all__ = ["to_excel"]

_MINUTE = pd.Timedelta(minutes=1)
_TIME, _MINUTES, _IN_MINUTES = "yyyy-mm-dd hh:mm:ss", "#,##0.0", '#,##0.0" min"'
_PERCENT, _NUMBER, _COUNT, _ID = "0.0%", "#,##0.00", "#,##0", "0"
_YEARS = (1901, 9999)  # which Excel's calendar has in any zone
_NARROW, _WIDE = 8, 48
_NOT_IN_NAMES = set("[]:*?/\\")
_LONGEST_NAME = 31


def to_excel(
    frame: pd.DataFrame | Mapping[str, pd.DataFrame], path: str | Path, tz: str | tzinfo | None = "Europe/London"
) -> Path:
    """Write metric frames or actions to an Excel file for people to read.

    Durations are numbers of minutes, and the heading says so; shares are in percent; times are local, with the zone in the
    heading; lists are texts with commas. The header is bold, stays in view and filters, and columns are as wide as what is
    in them. A text that looks like a formula stays a text. For files that programs read back, use ``periodkit export``.

    Parameters
    ----------
    frame : pandas.DataFrame or mapping of str to pandas.DataFrame
        What to write, or several frames by the names of their sheets. Its index is left out.
    path : str or Path
        The file, ending in ``.xlsx``; one that is there is replaced, whole or not at all.
    tz : str, tzinfo or None
        The zone of the times; None is UTC. An hour that comes twice in autumn is shown twice alike.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ArgumentError
        `frame` is no frame; a sheet's name is not one that Excel takes; a frame is too large for Excel or holds a text that
        Excel files cannot; or `tz` is no zone.
    ConfigError
        The extra ``excel`` is not installed, or the file cannot be written.

    Examples
    --------
    >>> import periodkit as pk
    >>> with pk.demo_client() as client:
    ...     actions = client.actions(client.periods().tail(3))
    >>> times = pk.cycle_times(actions, by="classification")
    >>> to_excel({"Times": times, "Actions": actions}, "boss.xlsx")  # doctest: +SKIP
    PosixPath('boss.xlsx')
    """
    target = Path(path)
    if target.suffix.lower() != ".xlsx":
        raise ArgumentError(f"path is {str(path)!r}; an Excel file ends in .xlsx.")
    frames = frame if isinstance(frame, Mapping) else {"Sheet1": frame}
    where, name = zone(tz)
    _check(frames)
    sheets = [
        Sheet(sheet, [_column(each, number, where, name) for number in range(len(each.columns))], header=True)
        for sheet, each in frames.items()
    ]
    write_whole(target, partial(write_book, sheets))
    return target


def _check(frames: Mapping[Any, Any]) -> None:
    if not frames:
        raise ArgumentError("frame is empty; an Excel file has at least one sheet.")
    for sheet, each in frames.items():
        if not isinstance(each, pd.DataFrame):
            raise ArgumentError(f"frame is or holds {named(each)}; it takes a pandas frame, or several by name.")
        good = isinstance(sheet, str) and sheet.strip() and not {*sheet} & _NOT_IN_NAMES and sheet.isprintable()
        if not good or len(sheet) > _LONGEST_NAME or sheet.startswith("'") or sheet.endswith("'"):
            msg = (
                f"frame has a sheet called {named(sheet)}. Excel takes names of up to {_LONGEST_NAME} characters without "
                r"[ ] : * ? / \ in them and without ' at an end."
            )
            raise ArgumentError(msg)
    if len({sheet.casefold() for sheet in frames}) < len(frames):
        raise ArgumentError("frame has two sheets whose names differ in case alone, which Excel takes for the same.")


def _column(frame: pd.DataFrame, number: int, where: tzinfo, zone_name: str) -> SheetColumn:
    name, values = str(frame.columns[number]), frame.iloc[:, number]
    heading = label(name)
    if [label(str(each)) for each in frame.columns].count(heading) > 1:
        heading = name  # a form field may have the label of one of the API's columns
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        heading, default = f"{heading} ({zone_name})", _TIME
    elif pd.api.types.is_timedelta64_dtype(values):
        heading, default = f"{heading} (min)", _MINUTES
    elif pd.api.types.is_integer_dtype(values):
        default = _ID if name.endswith("_id") else _COUNT
    elif pd.api.types.is_float_dtype(values):
        default = _PERCENT if is_share(name, values) else _NUMBER
    else:
        default = None
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype("object")
    cells = [_cell(value, where, default) for value in python_values(values)]
    return SheetColumn(heading, [value for value, _ in cells], [shown for _, shown in cells], _width(heading, cells))


def _cell(value: Any, where: tzinfo, default: str | None) -> tuple[Any, str | None]:  # noqa: ANN401
    """Return a value as Excel holds it, and its number format."""
    if value is None or value is pd.NaT or value is pd.NA:
        return None, None
    if isinstance(value, timedelta):
        return pd.Timedelta(value) / _MINUTE, default or _IN_MINUTES
    if isinstance(value, datetime):
        moment = pd.Timestamp(value)
        if not _YEARS[0] <= moment.year < _YEARS[1]:
            return moment.isoformat(), None
        local = moment if moment.tzinfo is None else moment.tz_convert(where).tz_localize(None)
        return local.to_pydatetime(warn=False), _TIME
    if isinstance(value, list | tuple):
        return ", ".join(each if isinstance(each, str) else _json(each) for each in value), None
    if hasattr(value, "item"):
        value = value.item()  # numpy's numbers
    if isinstance(value, bool):
        return value, None
    if isinstance(value, int):
        return value, default or _COUNT
    if isinstance(value, float):
        if value != value:  # noqa: PLR0124  (not a number)
            return None, None
        if abs(value) == float("inf"):
            return str(value), None
        return value, default or (_PERCENT if abs(value) <= 1 else _NUMBER)
    return encodable(value if isinstance(value, str) else _json(value)), None


def _json(value: Any) -> str:  # noqa: ANN401
    return json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, dict | list) else str(value)


def _width(heading: str, cells: list[tuple[Any, str | None]]) -> float:
    """Return a width that the heading and most cells fit into, with room for the filter's arrow."""
    lengths = [len(heading) + 3]
    for value, shown in cells[:1000]:
        if isinstance(value, str):
            lengths.append(max(map(len, value.splitlines()), default=0) + 1)
        elif shown == _TIME:
            lengths.append(len(_TIME) + 1)
        elif value is not None:
            lengths.append(12 if isinstance(value, float) else len(f"{value:,}") + 2)
    return float(min(max(_NARROW, *lengths), _WIDE))
