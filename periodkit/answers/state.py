"""What is open, and whether the records can be trusted: one sentence each."""

from __future__ import annotations

import pandas as pd

from periodkit.answers.answer import answer
from periodkit.answers.rows import NOTHING, missing, rows_of
from periodkit.wording import Span, Target, count, format_value, sentences

__all__ = ["outlook", "records", "waiting"]


@answer
def waiting(open_now: pd.DataFrame, target: Span | Target) -> str:
    """Say what is open and what passes the target next, in what `periodkit.open_actions` returned.

    Parameters
    ----------
    open_now : pandas.DataFrame
        One row per open action.
    target : str, timedelta or Target
        The target that they are held to.

    Returns
    -------
    str
        One or two sentences of plain text.

    Examples
    --------
    >>> minutes = lambda *values: pd.to_timedelta(values, unit="min")
    >>> open_now = pd.DataFrame({"action_id": [7, 9], "classification": ["Lift", "Bar"], "age": minutes(25, 12),
    ...                          "left": minutes(-5, 8), "past": [True, False]})
    >>> waiting(open_now, "20min")
    '2 actions are open, 1 of them past 20 min. The next to pass it is 9 (Bar), in 8 min.'
    """
    if open_now.empty:
        return "Nothing is open."
    rows, promised = rows_of(open_now), Target.read(target)
    n, past = len(rows), sum(row["past"] for row in rows)
    if n == 1:
        said = f"1 action is open, {'' if past else 'not '}past {promised}"
    else:
        said = f"{count(n)} are open, {f'{past:,}' if past else 'none'} of them past {promised}"
    coming = [row for row in rows if not row["past"]]
    if not coming:
        return f"{said}."
    first = min(coming, key=lambda row: row["left"])
    kind = "" if missing(first["classification"]) else f" ({first['classification']})"
    who, left = f"{format_value(first['action_id'], grouped=False)}{kind}", format_value(first["left"])
    return sentences(said, f"{who} will pass it in {left}" if n == 1 else f"The next to pass it is {who}, in {left}")


@answer
def outlook(ahead: pd.DataFrame, when: str = "then") -> str:
    """Say how many of what is open will still be open, in what `periodkit.outlook` returned.

    Parameters
    ----------
    ahead : pandas.DataFrame
        Its first row is of all actions.
    when : str
        The moment looked ahead to, in words.

    Returns
    -------
    str
        One sentence of plain text.

    Examples
    --------
    >>> row = {"open": [41], "not_known": [0], "expected": [12.3], "low": [9], "high": [16]}
    >>> outlook(pd.DataFrame(row), "at the curfew")
    'Of 41 open, 9 to 16 will still be open at the curfew.'
    """
    row = rows_of(ahead)[0]
    n, low, high = (int(row[name]) for name in ("open", "low", "high"))
    if not n:
        return "Nothing is open."
    if row["not_known"] == n:
        few = "too few earlier actions were open for so long"
        return f"How many of {n:,} open will still be open {when} is not known: {few}."
    ends = f"{low:,}" if low == high else f"{low:,} to {high:,}"
    unknown = f" (how {row['not_known']:,} of them will go on is not known)" if row["not_known"] else ""
    return f"Of {n:,} open, {ends} will still be open {when}{unknown}."


@answer
def records(advice: pd.DataFrame, n: int) -> str:
    """Name the worst defect of `n` records, in what `periodkit.quality_advice` returned.

    Parameters
    ----------
    advice : pandas.DataFrame
        One row per defect.
    n : int
        How many records were looked at.

    Returns
    -------
    str
        One or two sentences of plain text.

    Examples
    --------
    >>> found = {"check": ["skipped_stage"], "count": [30], "share": [0.3], "changes": [True], "ask": ["Leads"]}
    >>> records(pd.DataFrame(found), 100)
    'The most frequent defect that changes numbers is skipped stage: 30 of 100 actions (30.0 %). Ask first: leads.'
    """
    if not n:
        return NOTHING
    rows = [row for row in rows_of(advice) if row["changes"]]
    if not rows:
        return f"Nothing that changes a number was found in {count(n)}."
    most = max(rows, key=lambda row: row["count"])
    ask = most["ask"]
    return (
        f"The most frequent defect that changes numbers is {most['check'].replace('_', ' ')}: {most['count']:,} of "
        f"{count(n)} ({format_value(most['share'])}). Ask first: {ask[:1].lower()}{ask[1:]}."
    )
