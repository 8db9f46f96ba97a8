"""Measures of a season and of a night: what they are called, and how a night compares with ordinary ones."""

from __future__ import annotations

from typing import Any, TypeAlias

import pandas as pd

from periodkit.wording.labels import FEWEST
from periodkit.wording.phrases import between, duration, percent, unit_of
from periodkit.wording.tables import format_value, label

__all__ = ["compared", "format_measure", "limits_text", "measure_label", "measure_name", "most_surprising"]

Row: TypeAlias = dict[str, Any]

_MEASURES = {
    "actions": "Number of actions",
    "on_time": "Share on time",
    "ai_rate": "AI-dispatch rate",
    "reroute_rate": "Re-route rate",
    "response_p90": "P90 response time",
}
_SHORT = {name: text[:1].lower() + text[1:] for name, text in _MEASURES.items()} | {
    "actions": "actions",
    "p50": "P50",
    "p90": "P90",
    "response_p90": "P90 response",
    "ai_rate": "AI-dispatch rate",
}


def measure_name(measure: str, stage: str = "cycle") -> str:
    """Return what a measure of `periodkit.season` or `periodkit.unusual` is called.

    Examples
    --------
    >>> measure_name("p90", "response"), measure_name("response_p90"), measure_name("ai_rate")
    ('P90 response time', 'P90 response time', 'AI-dispatch rate')
    """
    if measure in ("p50", "p90"):
        return f"{measure.upper()} {stage} time"
    return _MEASURES[measure]


def measure_label(row: Row) -> str:
    """Return what a row of `periodkit.unusual` is of.

    Examples
    --------
    >>> measure_label({"measure": "p90", "by": "channel", "group": "Bar"}), measure_label({"measure": "actions", "by": None})
    ('Bar P90', 'number of all actions')
    """
    name = _SHORT[row["measure"]]
    if _missing(row["by"]):
        return f"{name} of all actions" if row["measure"] != "actions" else "number of all actions"
    group = f"no {label(row['by'])}" if _missing(row["group"]) else str(row["group"])
    return f"{group} {name}"


def compared(row: Row) -> str:
    """Return how a row of `periodkit.unusual` compares with an ordinary night.

    Examples
    --------
    >>> compared({"measure": "ai_rate", "by": None, "group": None, "value": 0.2, "expected": 0.5, "low": 0.4, "high": 0.6})
    'AI-dispatch rate of all actions, 20.0 % (ordinary: 40.0–60.0 %)'
    """
    name = measure_label(row)
    if isinstance(row["value"], float):
        return f"{name}, {format_value(row['value'])} (ordinary: {limits_text(row['low'], row['high'])})"
    if _missing(row["expected"]) or not row["expected"]:
        return name
    ratios = [row[each] / row["expected"] for each in ("value", "low", "high")]
    # As many digits as tell the value from its limits, and from nothing.
    digits = next(
        (n for n in (1, 2) if f"{ratios[0]:.{n}f}" not in {f"{each:.{n}f}" for each in (*ratios[1:], 0.0)}), 3
    )
    times, low, high = (f"{ratio:.{digits}f}" for ratio in ratios)
    return f"{name}, {times} times the usual (ordinary: {low} to {high} times)"


def most_surprising(tonight: pd.DataFrame) -> pd.DataFrame:
    """Return what could be judged, of what `periodkit.unusual` gives, the most surprising first and the same once only.

    Where a channel has all actions of a classification and no others, both say the same.

    Examples
    --------
    >>> rows = pd.DataFrame({"measure": "p90", "by": ["channel", "classification"], "group": "Bar", "n": 9, "p": 0.04})
    >>> most_surprising(rows)[["by", "group"]].to_numpy().tolist()
    [['channel', 'Bar']]
    """
    judged = tonight[tonight["p"].notna()].sort_values("p", kind="stable")
    # A handful of actions never leads.
    judged = judged.sort_values("n", key=lambda n: n < FEWEST, kind="stable")
    return _told_apart(judged.drop_duplicates(["measure", "n", "p"]))


def _told_apart(tonight: pd.DataFrame) -> pd.DataFrame:
    """Return what `periodkit.unusual` gives, with the column added to the name of a group that two columns share.

    Examples
    --------
    >>> rows = pd.DataFrame({"by": ["channel", "classification", "channel"], "group": ["Bar", "Bar", "Lift"]})
    >>> _told_apart(rows)["group"].tolist()
    ['Bar (channel)', 'Bar (classification)', 'Lift']
    """
    columns = tonight.groupby("group")["by"].nunique()
    twice = tonight["group"].isin(columns.index[columns > 1])
    named = tonight["group"] + " (" + tonight["by"] + ")"
    return tonight.assign(group=tonight["group"].where(~twice, named))


def format_measure(value: Any) -> str:  # noqa: ANN401
    """Return a value of `periodkit.unusual` or `periodkit.season` as text."""
    return (
        "–" if _missing(value) else percent(value) if isinstance(value, float) and value <= 1 else format_value(value)
    )


def limits_text(low: Any, high: Any) -> str:  # noqa: ANN401
    """Return two limits of one kind, or nothing where there are none.

    Examples
    --------
    >>> limits_text(0.4, 0.6), limits_text(pd.Timedelta("45s"), pd.Timedelta("3min")), limits_text(410.0, 805.3)
    ('40.0–60.0 %', '0.75–3 min', '410–805')
    """
    if _missing(low) and _missing(high):
        return ""
    if isinstance(high, float) and high > 1:
        return f"{low:,.0f}–{high:,.0f}"
    if isinstance(high, float):
        return between(*("" if _missing(end) else percent(end, named=False) for end in (low, high))) + " %"
    unit = unit_of(low if _missing(high) else high)
    return between(*("" if _missing(end) else duration(end, unit, named=False) for end in (low, high))) + f" {unit}"


def _missing(value: Any) -> bool:  # noqa: ANN401
    return bool(pd.isna(value))
