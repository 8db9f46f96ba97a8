"""Frames as files for other programs: CSV, Parquet, Excel."""

from __future__ import annotations

import contextlib
import importlib.util
import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from periodkit.errors import ArgumentError, ConfigError
from periodkit.frames.columns import plain

__all__ = ["export"]

_RUN_AS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_EXCEL_ROWS, _EXCEL_CELL = 1_048_575, 32_767


def export(frame: pd.DataFrame, path: Path) -> None:
    """Write a periods or actions frame to a file, whole or not at all; the suffix says in which format.

    In CSV and Excel, times are UTC as ISO 8601 text, lists are JSON, a null is an empty cell, and a text that a
    spreadsheet would run as a formula has an apostrophe before it. Parquet keeps times and lists of texts as they are.

    Parameters
    ----------
    frame : pandas.DataFrame
        What to write.
    path : Path
        Ends in ``.csv``, ``.parquet`` or ``.xlsx``.

    Raises
    ------
    ArgumentError
        The suffix is another, or the frame is too large for Excel.
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
    # With these line ends, as RFC 4180 has them, a lone carriage return in a text is quoted too.
    _as_cells(frame).to_csv(path, index=False, encoding="utf-8", lineterminator="\r\n")


def _to_excel(frame: pd.DataFrame, path: Path) -> None:
    if importlib.util.find_spec("openpyxl") is None:
        msg = 'Excel files need openpyxl: pip install "periodkit[excel]". Or export to .csv.'
        raise ConfigError(msg)
    from openpyxl.utils.escape import escape  # noqa: PLC0415

    cells = _as_cells(frame)
    texts = [str(name) for name in cells.columns if cells[name].dtype == "str"]
    longest = max((cells[name].str.len().fillna(0).max() for name in texts if len(cells)), default=0)
    if len(cells) > _EXCEL_ROWS or longest > _EXCEL_CELL:
        msg = (
            f"{len(cells):,} rows and a longest text of {longest:,.0f} characters do not fit into Excel, which takes "
            f"{_EXCEL_ROWS:,} and {_EXCEL_CELL:,}. Export to .csv or .parquet, or fewer periods."
        )
        raise ArgumentError(msg)
    # Control characters cannot stand in the file's XML; this is Excel's own way to write them.
    escaped = {name: cells[name].map(escape, na_action="ignore") for name in texts}
    cells.assign(**escaped).to_excel(path, index=False, engine="openpyxl")


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
    found = plain(values)
    if all(each is None or isinstance(each, list) for each in found):
        try:
            return pa.array(found, pa.list_(pa.string()))
        except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeEncodeError):
            pass
    return pa.array([None if each is None else json.dumps(each) for each in found], pa.string())


def _as_cells(frame: pd.DataFrame) -> pd.DataFrame:
    cells = pd.DataFrame({name: _cells(frame[name]) for name in frame.columns})
    return cells.rename(columns=lambda name: _safe(str(name)))


def _cells(values: pd.Series) -> pd.Series:
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        moments = pc.cast(pa.array(values.dt.tz_convert("UTC").dt.as_unit("us")), pa.timestamp("us"))
        texts = pc.binary_join_element_wise(pc.utf8_replace_slice(pc.cast(moments, pa.string()), 10, 11, "T"), "Z", "")
        return pd.Series(texts.to_pylist(), index=values.index, dtype="str")
    if values.dtype == object:
        written = [
            None if each is None else _safe(each) if isinstance(each, str) else json.dumps(each, ensure_ascii=False)
            for each in plain(values)
        ]
        # Half a surrogate pair is no character, and no file could hold it.
        kept = [None if each is None else each.encode("utf-8", "backslashreplace").decode() for each in written]
        return pd.Series(kept, index=values.index, dtype="str")
    if values.dtype == "str":
        return values.map(_safe, na_action="ignore").astype("str")
    return values


def _safe(text: str) -> str:
    return f"'{text}" if text.startswith(_RUN_AS_FORMULA) else text
