"""Metric frames as people read them: minutes, percent, counts, intervals beside their estimate."""

from __future__ import annotations

import hashlib
import html
import re
from typing import TYPE_CHECKING, Any

import pandas as pd

from periodkit.schema import FORM_PREFIX

if TYPE_CHECKING:
    from pandas.io.formats.style import Styler

__all__ = ["format_table", "format_value", "label", "numeric", "readable"]

NULL = "–"
_LABELS = {"ai": "AI", "not_ai": "not AI", "ai_dispatched": "AI-dispatched", "period_name": "period"}
_QUANTILE = re.compile(r"p[\d.]+")
# Floats that are no shares: ratios, and what tests give.
_NUMBER = re.compile(r"(.+_)?(ratio|chi2|p)(_low|_high)?|e_value(_limit)?")


def format_table(frame: pd.DataFrame, caption: str | None = None) -> Styler:
    """Return a metric frame styled for reading.

    Parameters
    ----------
    frame : pandas.DataFrame
        What a metric returned.
    caption : str, optional
        A line above the table.

    Returns
    -------
    pandas.io.formats.style.Styler
        Durations in minutes, shares in percent, intervals as ``12.4 (11.8–13.1)``; numbers to the right, text escaped.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"channel": ["<Bar>"], "n": [1200], "rate": [0.5], "low": [0.471], "high": [0.528]})
    >>> "<td" in format_table(frame).to_html() and "&lt;Bar&gt;" in format_table(frame).to_html()
    True
    """
    shown, numbers = readable(frame), numeric(frame)
    sides = ["right" if number else "left" for number in numbers]
    spaces = ["nowrap" if number else "normal" for number in numbers]
    # Styles are tied to the table's id: one made from the content is its own, and the same in every run.
    name = hashlib.sha256(shown.to_csv().encode("utf-8", "surrogatepass")).hexdigest()[:12]
    style = shown.style.hide(axis="index").set_uuid(name)
    style = style.format(escape="html").format_index(escape="html", axis="columns")
    style = style.set_table_styles(
        [
            {"selector": f".col{i}", "props": f"text-align: {side}; white-space: {space}"}
            for i, (side, space) in enumerate(zip(sides, spaces, strict=True))
        ]
    )
    return style if caption is None else style.set_caption(html.escape(caption))


def readable(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a metric frame as texts, each interval in the column of its estimate.

    Parameters
    ----------
    frame : pandas.DataFrame
        What a metric returned.

    Returns
    -------
    pandas.DataFrame
        Texts only, in columns named as people say them. Null is a dash; an interval without an upper end says ∞.

    Examples
    --------
    >>> import pandas as pd
    >>> p50 = pd.to_timedelta(["12m24s"])
    >>> readable(pd.DataFrame({"p50": p50, "p50_low": p50 - pd.Timedelta("36s"), "p50_high": pd.NaT})).to_dict("list")
    {'P50 (min)': ['12.4 (11.8–∞)']}
    """
    columns: dict[str, list[str]] = {}
    for name in _shown(frame):
        # A column of one kind has its unit in the heading; in one of several kinds every cell says its own.
        timed = pd.api.types.is_timedelta64_dtype(frame[name])
        numbers = frame if _NUMBER.fullmatch(name) is None else frame.map(_number)
        cells = [format_value(value, unit=not timed, grouped=not name.endswith("_id")) for value in numbers[name]]
        limits = _limits(frame, name)
        if limits is not None:
            lows, highs = (numbers[side] for side in limits)
            cells = [_with_interval(*each) for each in zip(cells, lows, highs, strict=True)]
        heading = label(name) + (" (min)" if timed else "")
        # A form field may be called like a column of the API's own: then both keep their full names apart.
        columns[heading if heading not in columns else name] = cells
    return pd.DataFrame(columns, index=frame.index, dtype="str")


def format_value(value: Any, *, unit: bool = True, grouped: bool = True) -> str:  # noqa: ANN401
    """Return one value as text: a timedelta in minutes, a float (all of ours are shares) in percent, a count in groups.

    Examples
    --------
    >>> import pandas as pd
    >>> format_value(pd.Timedelta("90s")), format_value(0.1234), format_value(12345), format_value(None)
    ('1.5 min', '12.3 %', '12,345', '–')
    """
    if isinstance(value, list | tuple):
        return ", ".join(format_value(each, grouped=False) for each in value) or NULL
    if pd.isna(value):
        return NULL
    if isinstance(value, str):
        return value
    if isinstance(value, pd.Timedelta):
        return f"{value / pd.Timedelta(minutes=1):,.1f}" + (" min" if unit else "")
    if isinstance(value, pd.Timestamp):
        return value.strftime("%Y-%m-%d %H:%M")
    if pd.api.types.is_bool(value):
        return "yes" if value else "no"
    if pd.api.types.is_integer(value):
        return f"{value:,}" if grouped else str(value)
    if pd.api.types.is_float(value):
        return f"{100 * value:.1f}" + (" %" if unit else "")
    return str(value)


def _number(value: Any) -> Any:  # noqa: ANN401
    """Return a float that is no share as text, to three digits; all else as it is."""
    known = pd.api.types.is_float(value) and not pd.isna(value)
    return value if not known else "< 0.001" if 0 <= value < 0.001 else f"{value:#.3g}".rstrip(".")


def label(column: str) -> str:
    """Return what people call a column.

    Examples
    --------
    >>> label("p90"), label("not_started"), label("form.department")
    ('P90', 'not started', 'department')
    """
    if _QUANTILE.fullmatch(column):
        return column.upper()
    return _LABELS.get(column, column.removeprefix(FORM_PREFIX).replace("_", " "))


def _limits(frame: pd.DataFrame, name: str) -> tuple[str, str] | None:
    pair = ("low", "high") if name in ("rate", "value") else (f"{name}_low", f"{name}_high")
    return pair if {*pair} <= {*frame.columns} else None


def _shown(frame: pd.DataFrame) -> list[str]:
    hidden = {side for name in frame.columns for side in _limits(frame, name) or ()}
    hidden |= {f"{name}_se" for name in frame.columns}
    return [name for name in frame.columns if name not in hidden and name != "kind"]


def numeric(frame: pd.DataFrame) -> list[bool]:
    """Return of each column that `readable` shows whether it holds numbers."""
    kinds = pd.api.types
    return [
        name == "value"
        or (
            (kinds.is_numeric_dtype(frame[name]) or kinds.is_timedelta64_dtype(frame[name]))
            and not kinds.is_bool_dtype(frame[name])
        )
        for name in _shown(frame)
    ]


def _with_interval(text: str, low: Any, high: Any) -> str:  # noqa: ANN401
    if pd.isna(low) and pd.isna(high):
        return text
    below = "…" if pd.isna(low) else format_value(low, unit=False)
    above = "∞" if pd.isna(high) else format_value(high, unit=False)
    # A dash beside a minus cannot be read.
    return f"{text} ({below}{' to ' if '-' in below + above else '–'}{above})"
