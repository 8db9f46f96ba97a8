"""Whether it was on time, and what will not be, in a sentence."""

from __future__ import annotations

import pandas as pd

from periodkit.answers._rows import missing, rows_of
from periodkit.answers.answer import answer
from periodkit.wording import Span, Target, count, estimate, format_value, sentences, was_or_were

__all__ = ["kept_target", "waiting"]


@answer
def kept_target(share: pd.DataFrame, target: Span | Target) -> str:
    """Say how many were on time in what `periodkit.on_time` returned for all actions.

    Examples
    --------
    >>> share = pd.DataFrame({"met": [30], "missed": [10], "undetermined": [2], "rate": [0.75], "low": [0.6],
    ...                       "high": [0.86], "worst": [0.714], "best": [0.762]})
    >>> kept_target(share, "20min")
    '75.0 % (60.0–86.0) of 40 actions were closed within 20 min. With 2 undecided, it is between 71.4 % and 76.2 % of all.'
    """
    row, promised = rows_of(share)[0], Target.read(target)
    decided, undecided = int(row["met"] + row["missed"]), int(row["undetermined"])
    if not decided:
        return f"No action can be judged against {promised} yet."
    rate = estimate(row["rate"], row["low"], row["high"])
    said = f"{rate} of {count(decided)} {was_or_were(decided)} closed within {promised}."
    if not undecided:
        return said
    ends = f"between {format_value(row['worst'])} and {format_value(row['best'])}"
    return f"{said} With {undecided:,} undecided, it is {ends} of all."


@answer
def waiting(open_now: pd.DataFrame, target: Span | Target) -> str:
    """Say what is open and what passes the target next, in what `periodkit.open_actions` returned.

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
