"""What is wrong with the records, in a sentence."""

from __future__ import annotations

import pandas as pd

from periodkit.answers._rows import NOTHING, rows_of
from periodkit.answers.answer import answer
from periodkit.wording import count, format_value

__all__ = ["records"]


@answer
def records(advice: pd.DataFrame, n: int) -> str:
    """Name the worst defect of `n` records, in what `periodkit.quality_advice` returned.

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
