"""Rows of a metric's frame, as sentences read them."""

from __future__ import annotations

from typing import Any

import pandas as pd

from periodkit.wording import estimate, format_value

__all__ = ["NOTHING", "Row", "estimated", "group_name", "missing", "rows_of"]

Row = dict[str, Any]

NOTHING = "There are no actions yet."


def rows_of(frame: pd.DataFrame) -> list[Row]:
    """Return each row as a mapping of column to value."""
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def estimated(row: Row, name: str = "") -> str:
    """Return an estimate of a row with its interval; without a name, that of a row of `describe`."""
    value, low, high = (name, f"{name}_low", f"{name}_high") if name else ("value", "low", "high")
    return estimate(row[value], row[low], row[high])


def group_name(row: Row) -> str:
    """Return a group's name: its keys come before ``n``."""
    keys = [*row.values()][: [*row].index("n")]
    return ", ".join("not given" if missing(key) else format_value(key, grouped=False) for key in keys)


def missing(value: object) -> bool:
    """Whether a value is null."""
    return bool(pd.isna(value))  # type: ignore[call-overload]
