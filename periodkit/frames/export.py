"""Frames as files for other programs: CSV, Parquet, Excel."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from periodkit.errors import ArgumentError, ConfigError
from periodkit.frames.columns import python_values

__all__ = ["export"]

_RUN_AS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_EXCEL_ROWS, _EXCEL_COLUMNS, _EXCEL_CELL = 1_048_575, 16_384, 32_767
_EXCEL_EXACT = 10**15
"""From here on Excel rounds whole numbers."""
_SHEETS = "xl/worksheets/"
# XML cannot hold these characters. Excel writes them as _x0001_, which other programs do not read as it does.
_NOT_IN_EXCEL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|_x[0-9A-Fa-f]{4}_")


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
    unfinished = path.with_name(f".{path.stem}.unfinished{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished.unlink(missing_ok=True)
        unfinished.touch(mode=0o600)  # actions name people
        write(frame, unfinished)
        unfinished.replace(path)
    except OSError as error:
        msg = f"{path} could not be written: {error.strerror or error}. Choose another place."
        raise ConfigError(msg) from None
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink()


def _to_csv(frame: pd.DataFrame, path: Path) -> None:
    cells = pd.DataFrame({name: _cells(frame[name], _safe) for name in frame.columns})
    # With these line ends, as RFC 4180 has them, a lone carriage return in a text is quoted too.
    cells = cells.rename(columns=lambda name: _safe(str(name)))
    cells.to_csv(path, index=False, encoding="utf-8", lineterminator="\r\n")


def _to_excel(frame: pd.DataFrame, path: Path) -> None:
    if importlib.util.find_spec("openpyxl") is None:
        msg = 'Excel files need openpyxl: pip install "periodkit[excel]". Or export to .csv.'
        raise ConfigError(msg)
    from openpyxl import Workbook  # noqa: PLC0415
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415

    names = [str(name) for name in frame.columns]
    columns = [_excel_column(name, frame[column]) for name, column in zip(names, frame.columns, strict=True)]
    if len(frame) > _EXCEL_ROWS or len(names) > _EXCEL_COLUMNS:
        msg = (
            f"{len(frame):,} rows of {len(names):,} columns do not fit into Excel, which takes {_EXCEL_ROWS:,} and "
            f"{_EXCEL_COLUMNS:,}. Export to .csv or .parquet, or fewer periods."
        )
        raise ArgumentError(msg)
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Sheet1")

    def cell(value: object) -> object:
        if not isinstance(value, str | int) or isinstance(value, bool):
            return value
        made = WriteOnlyCell(sheet, value)
        if isinstance(value, str):
            # Whatever it looks like, a formula or an error of Excel's, it is a text and stays one when it is edited.
            made.data_type, made.quotePrefix = "s", value.startswith(_RUN_AS_FORMULA)
        else:
            made.number_format = "0"  # all digits of an id, and no exponent
        return made

    for row in [names, *zip(*columns, strict=True)]:
        sheet.append([cell(value) for value in row])
    book.save(path)
    _escape_returns(path)


def _escape_returns(path: Path) -> None:
    """Spell carriage returns as references: readers of XML take bare ones for line feeds."""
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    if any(b"\r" in content for name, content in parts.items() if name.startswith(_SHEETS)):
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
            for name, content in parts.items():
                book.writestr(name, content.replace(b"\r", b"&#13;") if name.startswith(_SHEETS) else content)


def _excel_column(name: str, values: pd.Series) -> list[Any]:
    """Return the values of a column, or say what in it Excel, or a program that reads Excel files, would change."""
    cells = python_values(_cells(values, str))
    if any(isinstance(value, int) and abs(value) >= _EXCEL_EXACT for value in cells):
        cells = [None if value is None else str(value) for value in cells]
    for row, text in enumerate([name, *cells]):
        if not isinstance(text, str):
            continue
        wrong = _NOT_IN_EXCEL.search(text)
        if wrong is not None or len(text) > _EXCEL_CELL:
            what = (
                f"{wrong[0]!a}"
                if wrong
                else f"a text of {len(text):,} characters, of which a cell takes {_EXCEL_CELL:,}"
            )
            msg = (
                f"The column {name!a} does not fit into Excel: its {f'row {row}' if row else 'name'} holds {what}. "
                "Export to .csv or .parquet, or leave the column out."
            )
            raise ArgumentError(msg)
    return cells


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
        # Half a surrogate pair is no character, and no file could hold it.
        kept = [None if value is None else value.encode("utf-8", "backslashreplace").decode() for value in written]
        return pd.Series(kept, index=values.index, dtype="str")
    if values.dtype == "str":
        return values.map(write, na_action="ignore").astype("str")
    return values


def _safe(text: str) -> str:
    return f"'{text}" if text.startswith(_RUN_AS_FORMULA) else text
