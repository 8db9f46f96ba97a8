"""Frames as files for other programs: CSV, Parquet, Excel."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from periodkit.errors import ArgumentError
from periodkit.frames.columns import python_values
from periodkit.frames.files import encodable, write_whole
from periodkit.frames.workbook import RUN_AS_FORMULA, Sheet, SheetColumn, write_book

__all__ = ["export"]


def export(frame: pd.DataFrame, path: Path) -> None:
    """Write a periods or actions frame to a file, whole or not at all; the suffix says in which format.

    In CSV and Excel, times are UTC as ISO 8601 text, lists are JSON, and a null is an empty cell. A text that a
    spreadsheet would run as a formula has an apostrophe before it in CSV; in Excel it is marked as a text. Texts are
    read back from Excel as they were, and ids with all digits: from 16 digits on, as text. Parquet keeps times and
    lists of texts as they are.

    Parameters
    ----------
    frame : pandas.DataFrame
        What to write.
    path : Path
        Ends in ``.csv``, ``.parquet`` or ``.xlsx``.

    Raises
    ------
    ArgumentError
        The suffix is another; or the frame is too large for Excel, or a column holds a text that Excel files cannot.
    ConfigError
        Excel needs the extra ``excel``; or the file cannot be written.
    """
    write = _WRITERS.get(path.suffix.lower())
    if write is None:
        msg = f"{path.name} does not end in {', '.join(_WRITERS)}. The ending says which format to write."
        raise ArgumentError(msg)
    write_whole(path, partial(write, frame))


def _to_csv(frame: pd.DataFrame, path: Path) -> None:
    cells = pd.DataFrame({name: _cells(frame[name], _safe) for name in frame.columns})
    # With these line ends, as RFC 4180 has them, a lone carriage return in a text is quoted too.
    cells = cells.rename(columns=lambda name: _safe(str(name)))
    cells.to_csv(path, index=False, encoding="utf-8", lineterminator="\r\n")


def _to_excel(frame: pd.DataFrame, path: Path) -> None:
    columns = [SheetColumn(str(name), python_values(_cells(frame[name], str))) for name in frame.columns]
    write_book([Sheet("Sheet1", columns)], path)


def _to_parquet(frame: pd.DataFrame, path: Path) -> None:
    columns = {}
    for name in frame.columns:
        values = frame[name]
        if values.dtype == object:
            columns[name] = _texts_or_json(values)
        else:
            columns[name] = pa.array(values, from_pandas=True)
    import pyarrow.parquet as pq  # noqa: PLC0415  (slow to import, and only this needs it)

    pq.write_table(pa.table(columns), path)


_WRITERS: dict[str, Callable[[pd.DataFrame, Path], None]] = {
    ".csv": _to_csv,
    ".parquet": _to_parquet,
    ".xlsx": _to_excel,
}


def _texts_or_json(values: pd.Series) -> pa.Array:
    items = python_values(values)
    if all(value is None or isinstance(value, list) for value in items):
        try:
            return pa.array(items, pa.list_(pa.string()))
        except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeEncodeError):
            pass
    return pa.array([None if value is None else json.dumps(value) for value in items], pa.string())


def _cells(values: pd.Series, write: Callable[[str], str]) -> pd.Series:
    """Return a column as cells hold it; `write` makes a cell of a text."""
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        moments = pc.cast(pa.array(values.dt.tz_convert("UTC").dt.as_unit("us")), pa.timestamp("us"))
        texts = pc.binary_join_element_wise(pc.utf8_replace_slice(pc.cast(moments, pa.string()), 10, 11, "T"), "Z", "")
        return pd.Series(texts.to_pylist(), index=values.index, dtype="str")
    if values.dtype == object:
        written = [
            None if value is None else write(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            for value in python_values(values)
        ]
        kept = [None if value is None else encodable(value) for value in written]
        return pd.Series(kept, index=values.index, dtype="str")
    if values.dtype == "str":
        return values.map(write, na_action="ignore").astype("str")
    return values


def _safe(text: str) -> str:
    return f"'{text}" if text.startswith(RUN_AS_FORMULA) else text
