"""Metric frames as people read them: durations, percent, counts, intervals beside their estimates."""

from __future__ import annotations

import hashlib
import html
import re
from typing import TYPE_CHECKING, Any

import pandas as pd

from periodkit._arguments import require_pandas
from periodkit.schema import FORM_PREFIX
from periodkit.wording.phrases import Scalar, between, count, duration, estimate, percent, unit_of

if TYPE_CHECKING:
    from pandas.io.formats.style import Styler

__all__ = ["NULL", "format_table", "format_value", "is_share", "label", "numeric", "readable"]

NULL = "–"
SHOWN = 20
"""How many rows of a table a notebook shows before it folds the rest."""
_LABELS = {
    "ai": "AI",
    "not_ai": "not AI",
    "ai_dispatched": "AI-dispatched",
    "period_name": "period",
    "p_late": "chance of being late",
}
_QUANTILE = re.compile(r"p[\d.]+")
# Floats that are no shares: ratios, and what tests give.
_NUMBER = re.compile(r"(.+_)?(ratio|chi2|p)(_low|_high)?|e_value(_limit)?|sigma_z|t|mean_open|minutes_from_marker")


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
        The texts of the frame, escaped. A column of durations has its unit in the heading, shares are in percent,
        intervals stand beside their estimates as ``12.4 (11.8–13.1)``, and numbers are aligned to the right. A notebook
        shows the first 20 rows, and the others to unfold.

    Raises
    ------
    ArgumentError
        `frame` is no pandas frame.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"channel": ["<Bar>"], "n": [1200], "rate": [0.5], "low": [0.471], "high": [0.528]})
    >>> "<td" in format_table(frame).to_html() and "&lt;Bar&gt;" in format_table(frame).to_html()
    True
    """
    from periodkit.wording.folding import FoldedStyler  # noqa: PLC0415  (jinja2 is slow to import)

    require_pandas(frame, "frame")
    shown, numbers = readable(frame), numeric(frame)
    sides = ["right" if number else "left" for number in numbers]
    spaces = ["nowrap" if number else "normal" for number in numbers]
    # Styles refer to the table's id; an id made from the content is unique and the same in every run.
    name = hashlib.sha256(shown.to_csv().encode("utf-8", "surrogatepass")).hexdigest()[:12]
    styles = [
        {"selector": f".col{i}", "props": f"text-align: {side}; white-space: {space}"}
        for i, (side, space) in enumerate(zip(sides, spaces, strict=True))
    ]

    def dressed(rows: pd.DataFrame, name: str, caption: str | None) -> FoldedStyler:
        style: Any = FoldedStyler(rows).hide(axis="index").set_uuid(name)
        style = style.format(escape="html").format_index(escape="html", axis="columns").set_table_styles(styles)
        made: FoldedStyler = style if caption is None else style.set_caption(html.escape(caption))
        return made

    whole, more = dressed(shown, name, caption), len(shown) - SHOWN
    if more <= 0:
        return whole
    first, rest = dressed(shown.head(SHOWN), f"{name}a", caption), dressed(shown.iloc[SHOWN:], f"{name}b", None)
    return whole.folded(first, rest, count(more, "more row"))


def readable(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a metric frame as texts, with each interval in the column of its estimate.

    Parameters
    ----------
    frame : pandas.DataFrame
        What a metric returned.

    Returns
    -------
    pandas.DataFrame
        Texts only, under headings in plain words. Null is a dash; an estimate that is not reached says so.

    Examples
    --------
    >>> import pandas as pd
    >>> p50 = pd.to_timedelta(["12m24s"])
    >>> readable(pd.DataFrame({"p50": p50, "p50_low": p50 - pd.Timedelta("36s"), "p50_high": pd.NaT})).to_dict("list")
    {'P50 (min)': ['12.4 (over 11.8)']}
    """
    columns: dict[str, list[str]] = {}
    for name in _shown(frame):
        values, limits = frame[name], _limits(frame, name)
        # A column of durations has one unit, in its heading; where kinds are mixed every cell has its own.
        unit = _unit(frame, name) if pd.api.types.is_timedelta64_dtype(values) else None
        ends = None if limits is None else [frame[side] for side in limits]
        if _NUMBER.fullmatch(name):
            cells = [_number(value) or NULL for value in values]
            if ends is not None:
                ranges = [between(*map(_number, pair)) for pair in zip(*ends, strict=True)]
                cells = [f"{cell} ({limits})" if limits else cell for cell, limits in zip(cells, ranges, strict=True)]
        elif ends is not None:
            cells = [_with_interval(value, low, high, unit) for value, low, high in zip(values, *ends, strict=True)]
        elif unit is not None:
            cells = [NULL if pd.isna(value) else duration(value, unit, named=False) for value in values]
        else:
            cells = [format_value(value, grouped=not name.endswith("_id")) for value in values]
        heading = label(name) + (f" ({unit})" if unit else "")
        # A form field may have the label of one of the API's columns: then it keeps its full name.
        columns[heading if heading not in columns else name] = cells
    return pd.DataFrame(columns, index=frame.index, dtype="str")


def format_value(value: Any, *, grouped: bool = True) -> str:  # noqa: ANN401  (a cell of any kind)
    """Return one value as text: a timedelta in the unit that fits, a float as a share, a count with commas.

    A float beyond 1 is no share but a number, such as how many actions are expected.

    Examples
    --------
    >>> import pandas as pd
    >>> format_value(pd.Timedelta("90s")), format_value(0.1234), format_value(12345), format_value(None)
    ('1.5 min', '12.3 %', '12,345', '–')
    >>> format_value(786.6)
    '787'
    """
    if isinstance(value, list | tuple):
        return ", ".join(format_value(item, grouped=False) for item in value) or NULL
    if pd.isna(value):
        return NULL
    if isinstance(value, pd.Timedelta):
        return duration(value)
    if isinstance(value, pd.Timestamp):
        return value.strftime("%Y-%m-%d %H:%M")
    if pd.api.types.is_bool(value):
        return "yes" if value else "no"
    if pd.api.types.is_integer(value):
        return f"{value:,}" if grouped else str(value)
    if not pd.api.types.is_float(value):
        return str(value)
    number = float(value)
    if abs(number) <= 1:
        return percent(number)
    return f"{number:,.0f}" if abs(number) >= 100 else f"{number:.3g}"


def is_share(name: str, values: pd.Series) -> bool:
    """Whether a column of floats holds shares: it is not one of those known to be other numbers, and none is beyond 1.

    Examples
    --------
    >>> is_share("rate", pd.Series([0.2, None])), is_share("p", pd.Series([0.2])), is_share("expected", pd.Series([7.5]))
    (True, False, False)
    """
    return not _NUMBER.fullmatch(name) and bool((values.dropna().abs() <= 1).all())


def _number(value: Any) -> str:  # noqa: ANN401  (a cell of any kind)
    """Return a number that is no share, to three digits; empty for null."""
    if pd.isna(value):
        return ""
    return "< 0.001" if 0 <= value < 0.001 else f"{float(value):#.3g}".rstrip(".")


def label(column: str) -> str:
    """Return a column's name in plain words.

    Examples
    --------
    >>> label("p90"), label("not_started"), label("form.department")
    ('P90', 'not started', 'department')
    """
    if _QUANTILE.match(column) and _QUANTILE.fullmatch(column.partition("_")[0]):
        return f"P{column[1:].replace('_', ' ')}"
    return _LABELS.get(column, column.removeprefix(FORM_PREFIX).replace("_", " "))


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


def _limits(frame: pd.DataFrame, name: str) -> tuple[str, str] | None:
    pair = ("low", "high") if name in ("rate", "value") else (f"{name}_low", f"{name}_high")
    return pair if {*pair} <= {*frame.columns} else None


def _shown(frame: pd.DataFrame) -> list[str]:
    hidden = {side for name in frame.columns for side in _limits(frame, name) or ()}
    hidden |= {f"{name}_se" for name in frame.columns}
    return [name for name in frame.columns if name not in hidden and name != "kind"]


def _unit(frame: pd.DataFrame, name: str) -> str:
    """Return the unit that fits the middle of a column of durations, or of its limits if it has no values."""
    known = [known for side in (name, *(_limits(frame, name) or ())) if len(known := frame[side].dropna())]
    return unit_of(known[0].abs().median()) if known else "min"


def _with_interval(value: Scalar, low: Scalar, high: Scalar, unit: str | None) -> str:
    if unit is None and pd.isna(low) and pd.isna(high):
        return format_value(value)
    return estimate(value, low, high, unit=unit, named=unit is None)
