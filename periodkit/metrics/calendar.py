"""Which period people mean when they say "the event"."""

from __future__ import annotations

import pandas as pd

from periodkit.milestones import require_columns

__all__ = ["latest_period"]


def latest_period(periods: pd.DataFrame) -> pd.DataFrame:
    """Return the period that began last: the event that is running, or else the one just over.

    Parameters
    ----------
    periods : pandas.DataFrame
        A periods frame.

    Returns
    -------
    pandas.DataFrame
        One row of `periods`: of those that had begun when they were fetched, the one that began last. If none had
        begun, the one that begins first; if no start is known, the last row. No rows where there are no periods.

    Raises
    ------
    SchemaError
        A needed column is missing.

    Examples
    --------
    >>> import periodkit as pk
    >>> with pk.demo_client() as client:
    ...     latest_period(client.periods())["period_name"].item()
    'Harbour Park v Old Quay'
    """
    require_columns(periods.columns, ["start_date", "fetched_at"])
    begun = periods[periods["start_date"] <= periods["fetched_at"]]
    known = periods.dropna(subset=["start_date"])
    if len(begun):
        return begun.sort_values("start_date", kind="stable").tail(1)
    return known.sort_values("start_date", kind="stable").head(1) if len(known) else periods.tail(1)
