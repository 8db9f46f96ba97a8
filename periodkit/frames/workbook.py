"""Excel files whose texts stay texts, whatever they look like."""

from __future__ import annotations

import importlib.util
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from periodkit.errors import ArgumentError, ConfigError

__all__ = ["RUN_AS_FORMULA", "Sheet", "SheetColumn", "write_book"]

RUN_AS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What texts begin with that a spreadsheet would run as a formula."""
_ROWS, _COLUMNS, _CELL = 1_048_575, 16_384, 32_767
_EXACT = 10**15
"""From here on Excel rounds whole numbers."""
_SHEETS = "xl/worksheets/"
# XML cannot hold these characters. Excel writes them as _x0001_, which other programs do not read as it does.
_NOT_IN_EXCEL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|_x[0-9A-Fa-f]{4}_")
_DIGITS = "0"  # all digits of an id, and no exponent


@dataclass(frozen=True, slots=True)
class SheetColumn:
    """A column of a sheet.

    Parameters
    ----------
    heading : str
        What stands above it.
    cells : list
        Texts, numbers, truth values, datetimes without a zone, or None.
    formats : str or list, optional
        Excel's number format of all cells, or of each; by default whole numbers have all digits.
    width : float, optional
        In characters; by default Excel's own.
    """

    heading: str
    cells: list[Any]
    formats: str | list[str | None] | None = None
    width: float | None = None


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet: its name, its columns, and whether its header is bold, stays in view and filters."""

    name: str
    columns: Sequence[SheetColumn]
    header: bool = False


def write_book(sheets: Sequence[Sheet], path: Path) -> None:
    """Write sheets to an Excel file.

    Texts are marked as texts, those that look like a formula too, and are read back as they were; whole numbers of 16 digits
    or more become texts.

    Raises
    ------
    ConfigError
        The extra ``excel`` is not installed.
    ArgumentError
        A sheet is too large, or a column holds a text that Excel files cannot.
    """
    if importlib.util.find_spec("openpyxl") is None:
        msg = 'Excel files need openpyxl: pip install "periodkit[excel]". Or export to .csv.'
        raise ConfigError(msg)
    from openpyxl import Workbook  # noqa: PLC0415
    from openpyxl.utils import get_column_letter  # noqa: PLC0415

    book = Workbook(write_only=True)
    for each in sheets:
        columns = [_checked(column) for column in each.columns]
        rows = len(columns[0].cells) if columns else 0
        if rows > _ROWS or len(columns) > _COLUMNS:
            msg = (
                f"{rows:,} rows of {len(columns):,} columns do not fit into Excel, which takes {_ROWS:,} and {_COLUMNS:,}. "
                "Export to .csv or .parquet, or fewer periods."
            )
            raise ArgumentError(msg)
        sheet = book.create_sheet(each.name)
        for number, column in enumerate(columns, 1):
            if column.width is not None:
                sheet.column_dimensions[get_column_letter(number)].width = column.width
        if each.header:
            sheet.freeze_panes = "A2"
            sheet.auto_filter.ref = f"A1:{get_column_letter(max(len(columns), 1))}{rows + 1}"
        lines = [_written(sheet, column, bold=each.header) for column in columns]
        for line in zip(*lines, strict=True):
            sheet.append(line)
    book.save(path)
    _escape_returns(path)


def _written(sheet: Any, column: SheetColumn, *, bold: bool) -> Iterator[Any]:  # noqa: ANN401
    """Yield the heading and the cells of a column as openpyxl takes them, each to be appended before the next is made.

    Making a cell with a style takes far longer than giving it another value, so one serves all of its kind.
    """
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415
    from openpyxl.styles import Font  # noqa: PLC0415

    made: dict[tuple[str | None, bool], Any] = {}
    formats = column.formats if isinstance(column.formats, list) else [column.formats] * len(column.cells)
    for row, (value, number_format) in enumerate(zip([column.heading, *column.cells], [None, *formats], strict=True)):
        is_text, whole = isinstance(value, str), isinstance(value, int) and not isinstance(value, bool)
        if value is None or (number_format is None and not whole and not is_text):
            yield value
            continue
        kind = (None if is_text else number_format or _DIGITS, is_text and value.startswith(RUN_AS_FORMULA))
        cell = made.get(kind)
        if cell is None:
            cell = made[kind] = WriteOnlyCell(sheet)
            if is_text:
                cell.quotePrefix = kind[1]
            else:
                cell.number_format = kind[0]
        cell.value = value
        if is_text:
            # Whatever it looks like, a formula or an error of Excel's, it is a text and stays one when it is edited.
            cell.data_type = "s"
        if not row and bold:
            cell.font = Font(bold=True)
            made.clear()
        yield cell


def _checked(column: SheetColumn) -> SheetColumn:
    """Return a column, or say what in it Excel, or a program that reads Excel files, would change."""
    cells = column.cells
    if any(isinstance(value, int) and abs(value) >= _EXACT for value in cells):
        cells = [str(value) if isinstance(value, int) else value for value in cells]
    for row, text in enumerate([column.heading, *cells]):
        if not isinstance(text, str):
            continue
        wrong = _NOT_IN_EXCEL.search(text)
        if wrong is not None or len(text) > _CELL:
            what = f"{wrong[0]!a}" if wrong else f"a text of {len(text):,} characters, of which a cell takes {_CELL:,}"
            where = f"row {row}" if row else "name"
            msg = (
                f"The column {column.heading!a} does not fit into Excel: its {where} holds {what}. "
                "Export to .csv or .parquet, or leave the column out."
            )
            raise ArgumentError(msg)
    return SheetColumn(column.heading, cells, column.formats, column.width)


def _escape_returns(path: Path) -> None:
    """Spell carriage returns as references: readers of XML take bare ones for line feeds."""
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    if any(b"\r" in content for name, content in parts.items() if name.startswith(_SHEETS)):
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
            for name, content in parts.items():
                book.writestr(name, content.replace(b"\r", b"&#13;") if name.startswith(_SHEETS) else content)
