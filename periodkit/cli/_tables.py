"""Frames as a terminal shows them."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from periodkit.visible import visible

__all__ = ["as_lines", "period_table"]


_LONGEST = 40


def as_lines(frame: pd.DataFrame) -> str:
    """Return a frame as text, one line a row: cells are cut, and cannot break a line or control the terminal."""
    columns = {}
    for name in frame.columns:
        cells = [_cell(value) for value in frame[name]]
        width = max(map(len, [str(name), *cells]))
        # Numbers are read from their last digit, names from the left.
        aligned = str.rjust if pd.api.types.is_numeric_dtype(frame[name]) else str.ljust
        columns[name] = [aligned(text, width) for text in [str(name), *cells]]
    return "\n".join("  ".join(line).rstrip() for line in zip(*columns.values(), strict=True))


def _cell(value: object) -> str:
    if value is None or value is pd.NA or value is pd.NaT or value != value:  # noqa: PLR0124  (NaN)
        return "-"
    text = visible(str(value), one_line=True)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def period_table(periods: pd.DataFrame, actions: Mapping[int, int] | None = None) -> str:
    """Return one line per period: id, name, start, end and, where they are known, how many actions it has."""
    if periods.empty:
        return "There are no periods."
    shown = periods[["period_id", "period_name"]].rename(columns={"period_id": "id", "period_name": "name"})
    for column, name in (("start_date", "start (UTC)"), ("end_date", "end (UTC)")):
        shown[name] = periods[column].dt.strftime("%Y-%m-%d %H:%M")
    if actions is not None:
        shown["actions"] = periods["period_id"].map(actions).astype("Int64")
    return as_lines(shown)
