"""Tonight against the season: one sentence on charts and on what was unusual."""

from __future__ import annotations

import pandas as pd

from periodkit.answers.answer import answer
from periodkit.answers.rows import missing, rows_of
from periodkit.wording import clean_label, compared, count, limits_text, most_surprising

__all__ = ["odd_nights", "season", "unusual"]

_LEAST_NIGHTS = 8
_SAID = 3


@answer
def season(chart: pd.DataFrame, what: str = "AI-dispatch rate") -> str:
    """Return what a control chart of all actions shows, of what `periodkit.season` gives.

    Parameters
    ----------
    chart : pandas.DataFrame
        One row per period, of all actions.
    what : str
        What the measure is called.

    Returns
    -------
    str
        One or two sentences of plain text.

    Examples
    --------
    >>> flags = {"run": False, "trend": False, "near": False} | dict.fromkeys(["outside", "signal"], [False, False, True])
    >>> season(pd.DataFrame({"value": [0.3, 0.32, 0.45], "center": 0.31, "lower": 0.25, "upper": 0.37} | flags))
    'AI-dispatch rate: 1 of 3 periods is outside the limits (25.0–37.0 %), above them.'
    """
    known = chart[chart["value"].notna()]
    if known.empty:
        return f"{what}: in no period is there enough to say."
    last = known.iloc[-1]
    ends = limits_text(last["lower"], last["upper"])
    if not ends:
        return f"{what}: too few periods to say what is ordinary, {count(len(known), 'period')} so far."
    if not known["signal"].any():
        return f"{what} stayed within its limits ({ends}) in all of {count(len(known), 'period')}."
    parts = []
    outside = known[known["outside"]]
    if len(outside):
        above = int((outside["value"] > outside["center"]).sum())
        sides = "above them" if above == len(outside) else "below them" if not above else f"{above:,} of them above"
        which = f"{len(outside):,} of {count(len(known), 'period')} {_is(len(outside))}"
        parts.append(f"{which} outside the limits ({ends}), {sides}")
    run = known[known["run"]]
    if len(run):
        side = "above" if run["value"].iloc[-1] > run["center"].iloc[-1] else "below"
        now = "the last ones" if bool(known["run"].iloc[-1]) else "the last such run"
        within = "" if parts else f", within the limits ({ends})"
        parts.append(f"{len(run):,} lie in runs of 7 or more on one side of the centre, {now} {side}{within}")
    if known["trend"].any():
        rising = known.loc[known["trend"], "value"]
        parts.append(f"{len(rising):,} lie in a trend, {'up' if rising.iloc[-1] > rising.iloc[0] else 'down'}")
    if not parts:
        near = f"{int(known['near'].sum()):,} of them near one"
        return f"{what} stayed within its limits ({ends}) in all of {count(len(known), 'period')}, {near}."
    return f"{what}: {'; '.join(parts)}."


@answer
def odd_nights(nights: pd.DataFrame) -> str:
    """Name the nights that stand out in what `periodkit.unusual_periods` gives, the most surprising first.

    Parameters
    ----------
    nights : pandas.DataFrame
        One row per period, measure and group.

    Returns
    -------
    str
        One sentence of plain text.

    Examples
    --------
    >>> rows = {"period_id": [1, 2], "period_name": ["Derby", "Final"], "measure": "ai_rate", "by": None, "group": None}
    >>> rows |= {"n": 90, "value": [0.5, 0.2], "expected": 0.5, "low": 0.4, "high": 0.6, "p": [0.9, 0.001]}
    >>> rows["unusual"] = [False, True]
    >>> odd_nights(pd.DataFrame(rows))
    '1 of 2 nights stands out: Final (AI-dispatch rate of all actions, 20.0 % (ordinary: 40.0–60.0 %)).'
    """
    judged = int(nights["period_id"].nunique())
    if not judged or nights["p"].isna().all():
        return f"No night can be judged yet: each needs {_LEAST_NIGHTS} before it."
    odd = nights[nights["unusual"]]
    if odd.empty:
        return f"None of {count(judged, 'night')} stands out from those before it."
    order = odd.groupby("period_id")["p"].min().sort_values(kind="stable").index
    said = []
    for key in order[:_SAID]:
        rows = rows_of(most_surprising(odd[odd["period_id"] == key]))
        name = rows[0]["period_name"]
        more = f", and {len(rows) - 1} more" if len(rows) > 1 else ""
        said.append(f"{key if missing(name) else clean_label(name)} ({compared(rows[0])}{more})")
    rest = f"; and {len(order) - _SAID:,} more" if len(order) > _SAID else ""
    verb = "stands" if len(order) == 1 else "stand"
    return f"{len(order):,} of {count(judged, 'night')} {verb} out: {'; '.join(said)}{rest}."


@answer
def unusual(tonight: pd.DataFrame) -> str:
    """Return what was unusual, or what came nearest, of what `periodkit.unusual` gives.

    Parameters
    ----------
    tonight : pandas.DataFrame
        One row per measure and group.

    Returns
    -------
    str
        One or two sentences of plain text.

    Examples
    --------
    >>> minutes = lambda *values: pd.Series(pd.to_timedelta(values, unit="min")).astype("object")
    >>> row = pd.DataFrame({"measure": ["p90"], "by": ["channel"], "group": ["Maintenance"], "n": [60],
    ...     "value": minutes(48), "expected": minutes(30), "low": minutes(15), "high": minutes(60), "model": ["level"],
    ...     "periods": [24], "t": [1.4], "p": [0.17], "unusual": [False]})
    >>> unusual(row).partition(". ")[2]
    'Nearest: Maintenance P90, 1.6 times the usual (ordinary: 0.5 to 2.0 times).'
    """
    most = int(tonight["periods"].max()) if len(tonight) else 0
    judged = most_surprising(tonight)
    if judged.empty:
        if most < _LEAST_NIGHTS:
            there = f"it takes {_LEAST_NIGHTS} earlier nights, and there {_are_only(most)}"
            return f"Whether tonight was unusual cannot be told yet: {there}."
        return "Whether tonight was unusual cannot be told: there are too few actions tonight."
    named = rows_of(judged[judged["unusual"]])
    if named:
        said = [compared(row) for row in named[:_SAID]]
        more = f"; and {len(named) - _SAID:,} more" if len(named) > _SAID else ""
        return f"Unusual tonight, against the {most} nights before: {'; '.join(said)}{more}."
    near = rows_of(judged.head(1))[0]
    if not near["low"] <= near["value"] <= near["high"]:
        of = f"of {len(judged):,} comparisons a few lie outside by chance"
        return f"Nothing tonight was unusual against the {most} nights before; {of}. Nearest: {compared(near)}."
    return f"Nothing tonight was outside the range of the {most} nights before. Nearest: {compared(near)}."


def _is(n: int) -> str:
    return "is" if n == 1 else "are"


def _are_only(n: int) -> str:
    return "are none" if not n else "is 1" if n == 1 else f"are {n:,}"
