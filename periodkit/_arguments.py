"""What a caller asks for, checked before anything is sent."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, tzinfo
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from periodkit.errors import ArgumentError, InvalidRequestError, PeriodkitError, SchemaError

PeriodIds: TypeAlias = int | str | Iterable[Any] | pd.DataFrame


def api_time(moment: datetime) -> str:
    """Write a moment as the API wants it: ``YYYY-MM-DDTHH:MM:SS.sssZ``."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def period_ids(periods: PeriodIds) -> list[int]:
    """Return the ids that `periods` names, each once, in order."""
    if isinstance(periods, pd.DataFrame):
        if "period_id" not in periods.columns:
            msg = "The frame has no column 'period_id'. Pass what client.periods() returned, or ids."
            raise SchemaError(msg)
        periods = periods["period_id"]
    one = isinstance(periods, str | bytes) or not isinstance(periods, Iterable)
    return list(dict.fromkeys(_period_id(each) for each in ([periods] if one else periods)))  # type: ignore[union-attr]


def _period_id(value: Any) -> int:  # noqa: ANN401
    try:
        number = int(value)
        if not isinstance(value, bool) and (isinstance(value, str) or number == value):
            return number
    except (TypeError, ValueError, OverflowError):
        pass
    msg = f"The period id {value!r} is not a whole number. client.periods()['period_id'] lists the ids."
    raise InvalidRequestError(None, msg)


def checked_form_fields(form_fields: Iterable[str] | None) -> list[str]:
    """Return the names of form fields, each once; a single text is refused, since it may be meant as several."""
    if isinstance(form_fields, str):
        msg = f"form_fields is the text {form_fields!r}. Pass a list: form_fields=[{form_fields!r}]."
        raise InvalidRequestError(None, msg)
    fields: list[Any] = [] if form_fields is None else list(form_fields)
    wrong = [field for field in fields if not isinstance(field, str) or not is_unicode(field)]
    if wrong:
        msg = f"form_fields holds {wrong[0]!a}, which is not a text. Pass a list of field names."
        raise InvalidRequestError(None, msg)
    return list(dict.fromkeys(fields))


def check_share(value: object, name: str) -> float:
    """Return `value` as a float, or raise an ArgumentError that names it unless it is strictly between 0 and 1."""
    # Written so that NaN fails too.
    if not isinstance(value, int | float | np.number) or not 0.0 < value < 1.0:
        raise ArgumentError(f"{name} must lie between 0 and 1, both excluded, not {value!r}.")
    return float(value)


def whole_number(value: object, name: str, least: int = 1) -> int:
    """Return `value`, or raise an ArgumentError that names it unless it is a whole number from `least`."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ArgumentError(f"{name} is {value!r}; it takes a whole number from {least}.")
    return value


Zone = tuple[tzinfo, str]


def zone(tz: str | tzinfo | None) -> Zone:
    """Return a time zone and its name; none is UTC."""
    if tz is None:
        return UTC, "UTC"
    if isinstance(tz, tzinfo):
        return tz, str(tz)
    try:
        return ZoneInfo(tz), tz
    except (ValueError, TypeError, OSError, KeyError):
        msg = f'tz is {tz!r}, which is no time zone. Pass an IANA name, such as "Europe/London".'
        raise ArgumentError(msg) from None


def is_unicode(text: str) -> bool:
    """Whether all of a text can be written: JSON's escapes can spell half a surrogate pair."""
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            return False
    return True


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


def as_micros(value: Any, argument: str) -> int:  # noqa: ANN401
    """Return a length of time in microseconds, or say that it is none.

    Examples
    --------
    >>> as_micros("15min", "target"), as_micros(np.timedelta64(15, "m"), "target")
    (900000000, 900000000)
    """
    msg = f'{argument} is {value!r}; it takes a length of time such as "15min", "7D" or a timedelta.'
    # pandas would take a number, or a text that is one, for nanoseconds.
    bare = isinstance(value, int | float | np.number) and not isinstance(value, np.timedelta64)
    if bare or (isinstance(value, str) and _is_number(value)):
        raise ArgumentError(msg)
    try:
        delta = pd.Timedelta(value)
    except (ValueError, TypeError):
        raise ArgumentError(msg) from None
    if not delta >= pd.Timedelta(0):  # NaT is neither
        raise ArgumentError(msg)
    return int(delta // pd.Timedelta(microseconds=1))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
