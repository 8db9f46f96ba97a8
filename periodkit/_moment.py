"""Moments as people write them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import TypeAlias

import pandas as pd

from periodkit.errors import PeriodkitError

AsOf: TypeAlias = str | datetime
When: TypeAlias = str | date | datetime


def read_moment(value: object, argument: str, error: Callable[[str], PeriodkitError]) -> datetime:
    """Return the moment that `value` names, in UTC.

    A date is its midnight UTC. A time of day without a zone is refused, since only the caller knows which it is.

    Parameters
    ----------
    value : str, date or datetime
        ISO 8601 text, date or datetime.
    argument : str
        How the message calls it.
    error : callable
        Makes the error to raise from a message.
    """
    advice = f"Give {argument} as a date (2024-07-01, midnight UTC) or a time with a zone (2024-07-01T19:00:00Z)."
    if value is pd.NaT or not isinstance(value, str | date):
        raise error(f"{argument} is {value!r}, which is not a date or time. {advice}")
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value.strip())
        except ValueError:
            raise error(f"{argument} is {value!r}, which is not an ISO 8601 date or time. {advice}") from None
        if len(value.strip()) <= len("2024-07-01"):
            return moment.replace(tzinfo=UTC)
    elif isinstance(value, datetime):
        moment = value
    else:
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    if moment.tzinfo is None:
        raise error(f"{argument} is {value}, which has no time zone. {advice}")
    return moment.astimezone(UTC)


def utc_text(moment: pd.Timestamp) -> str:
    """Return a moment as ISO 8601 text in UTC at microseconds, as hashes and exports have it.

    Examples
    --------
    >>> utc_text(pd.Timestamp("2024-07-01T19:00:00+02:00"))
    '2024-07-01T17:00:00.000000Z'
    """
    return f"{moment.tz_convert('UTC').tz_localize(None).isoformat(timespec='microseconds')}Z"
