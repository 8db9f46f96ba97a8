"""Read and check what callers pass: moments, lengths of time, shares, counts, zones, names of columns, ids.

A message shows a short value as it is, and anything else, such as a Series, by its type. pandas takes longer to import
than a wrong option of a command takes to refuse, so it is loaded only for values that a text or a number is not.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from fractions import Fraction
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, TypeAlias
from zoneinfo import ZoneInfo

from periodkit.errors import ArgumentError, InvalidRequestError, PeriodkitError, SchemaError

if TYPE_CHECKING:
    import pandas as pd

AsOf: TypeAlias = str | datetime
When: TypeAlias = str | date | datetime
Key: TypeAlias = "str | pd.Series | Callable[[pd.DataFrame], Any]"
By: TypeAlias = "Key | Sequence[Key] | None"
"""What to group by; `periodkit.frames.keyed` makes columns of it."""
PeriodIds: TypeAlias = "int | str | Iterable[Any] | pd.DataFrame"
Zone: TypeAlias = tuple[tzinfo, str]

_LONGEST_SHOWN = 60
_SHORT = (str, bytes, int, float, complex, date, timedelta, tzinfo, type(None))


def named(value: object) -> str:
    """Return a value as a message names it.

    Examples
    --------
    >>> import pandas as pd
    >>> named("Cup final"), named(7), named(pd.Series([1, 2])), named([0.5, "x"])
    ("'Cup final'", '7', 'a Series', "[0.5, 'x']")
    """
    if isinstance(value, _SHORT) or _is_scalar(value):
        text = ascii(value) if isinstance(value, str) and not is_unicode(value) else repr(value)
    elif isinstance(value, list | tuple):
        text = f"[{', '.join(named(item) for item in value[:10])}]"
    else:
        return with_article(type(value).__name__)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 3]}..."


def with_article(kind: str) -> str:
    """Return the name of a type after "a" or "an"."""
    return f"{'an' if kind[:1].lower() in {*'aeiou'} or kind == 'ndarray' else 'a'} {kind}"


def _is_scalar(value: object) -> bool:
    import numpy as np  # noqa: PLC0415
    import pandas as pd  # noqa: PLC0415

    return value is pd.NaT or value is pd.NA or isinstance(value, np.generic)


def is_unicode(text: str) -> bool:
    """Whether a text can be encoded: JSON's escapes can spell half a surrogate pair."""
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            return False
    return True


def api_time(moment: datetime) -> str:
    """Write a moment as the API wants it: ``YYYY-MM-DDTHH:MM:SS.sssZ``."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def period_of_row(period: Any) -> Any:  # noqa: ANN401
    """Return the id of a period that is a row of a periods frame, and anything else as it is.

    Examples
    --------
    >>> import pandas as pd
    >>> period_of_row(pd.DataFrame({"period_id": [7], "period_name": "Cup final"}).iloc[0]), period_of_row("Cup final")
    (np.int64(7), 'Cup final')
    """
    is_series = _is_pandas(period) and hasattr(period, "iloc") and period.ndim == 1
    is_row = is_series and "period_id" in period.index
    return period["period_id"] if is_row else period


def period_ids(periods: PeriodIds, find: Callable[[str], int] | None = None) -> list[int]:
    """Return the ids that `periods` names, each once, in order; `find` returns the id of a name, if names are taken."""
    import pandas as pd  # noqa: PLC0415

    if isinstance(periods, pd.DataFrame):
        require_columns(periods.columns, ["period_id"], "what client.periods() returned, or ids")
        periods = periods["period_id"]
    periods = period_of_row(periods)
    one = isinstance(periods, str | bytes) or not isinstance(periods, Iterable)
    return list(dict.fromkeys(_period_id(item, find) for item in ([periods] if one else periods)))  # type: ignore[union-attr]


def _period_id(value: Any, find: Callable[[str], int] | None) -> int:  # noqa: ANN401
    value = period_of_row(value)
    if not isinstance(value, Iterable) or isinstance(value, str):
        try:
            number = int(value)
            if not isinstance(value, bool) and (isinstance(value, str) or number == value):
                return number
        except (TypeError, ValueError, OverflowError):
            pass
    if find is not None and isinstance(value, str):
        return find(value)
    msg = (
        f"periods is or holds {named(value)}, which is not a whole number. client.periods()['period_id'] lists the ids."
    )
    raise InvalidRequestError(None, msg)


def checked_form_fields(form_fields: Iterable[str] | None) -> list[str]:
    """Return the names of form fields, each once. A single text is refused: it may have been meant as several."""
    if isinstance(form_fields, str):
        msg = f"form_fields is the text {named(form_fields)}. Pass a list: form_fields=[{named(form_fields)}]."
        raise InvalidRequestError(None, msg)
    if form_fields is not None and (_is_pandas(form_fields) or not isinstance(form_fields, Iterable)):
        msg = f"form_fields is {named(form_fields)}. Pass a list of field names."
        raise InvalidRequestError(None, msg)
    fields: list[Any] = [] if form_fields is None else list(form_fields)
    wrong = [field for field in fields if not isinstance(field, str) or not is_unicode(field)]
    if wrong:
        msg = f"form_fields holds {named(wrong[0])}, which is not a text. Pass a list of field names."
        raise InvalidRequestError(None, msg)
    return list(dict.fromkeys(fields))


def _is_pandas(value: object) -> bool:
    return any(kind.__module__.partition(".")[0] == "pandas" for kind in type(value).__mro__)


_OWN = re.compile(
    "_(absurd|after_as_of|at|bare|counted|created|ended_without_time|exists|fetched|first|flag[0-9]+|from|hash|key[0-9]+|last|"
    "micros|n|out_of_order|outcome|periodkit_shared|row|said|second|seen|skipped_stage|state|timed|total|until)",
    re.IGNORECASE,
)
"""Columns that counting puts beside those of a frame."""


def grouping(by: By, reserved: Collection[str] = (), argument: str = "by") -> tuple[str, ...]:
    """Return `by` as a tuple of column names; none of them may be one of the `reserved` names of the result.

    Parameters
    ----------
    by : str or sequence of str, optional
        What a caller passed.
    reserved : collection of str
        Columns that the result has of its own.
    argument : str
        What an error calls it.

    Returns
    -------
    tuple of str
        The key columns.

    Raises
    ------
    ArgumentError
        A name comes twice, or is a column of the result.

    Examples
    --------
    >>> grouping("channel"), grouping(None)
    (('channel',), ())
    """
    several = isinstance(by, Collection) and not isinstance(by, str) and not _is_pandas(by)
    names: tuple[Any, ...] = () if by is None else tuple(by) if several else (by,)  # type: ignore[arg-type]
    wrong = [name for name in names if not isinstance(name, str)]
    if wrong:
        msg = f"{argument} is or holds {named(wrong[0])}; it takes a column name or a list of column names."
        raise ArgumentError(msg)
    clash = [name for name in names if name in reserved]
    if clash or len(set(names)) < len(names):
        msg = f"{argument} is {list(names)}; it takes each column once, and none that is a name in the result."
        raise ArgumentError(msg)
    own = [name for name in names if _OWN.fullmatch(name)]
    if own:
        msg = f"{argument} is or holds {named(own[0])}, a name that periodkit counts by itself. Rename the column."
        raise ArgumentError(msg)
    return names


ACTIONS_FRAME = "an actions frame as client.actions() returns it"
PERIODS_FRAME = "a periods frame as client.periods() returns it"


_TO_PANDAS = {
    "DuckDBPyRelation": ".to_arrow_table().to_pandas()",
    "LazyFrame": ".collect().to_pandas()",
    "Table": ".to_pandas()",
    "polars DataFrame": ".to_pandas()",
    "pyspark DataFrame": ".toArrow().to_pandas()",
}


def kind_of(frame: object) -> str:
    """Return the type of what is no pandas frame, with the library of those that are also called a DataFrame."""
    kind = type(frame)
    return f"{kind.__module__.partition('.')[0]} DataFrame" if kind.__name__ == "DataFrame" else kind.__name__


def require_pandas(frame: object, argument: str = "actions") -> None:
    """Refuse what is no pandas frame, where single records are looked at and not only counted."""
    import pandas as pd  # noqa: PLC0415

    if not isinstance(frame, pd.DataFrame):
        source = f"client.{argument}()" if argument in ("actions", "periods") else "a client or a metric"
        msg = f"{argument} is {with_article(kind_of(frame))}. Pass a pandas frame, as {source} returns it."
        if kind_of(frame) in _TO_PANDAS:
            msg += f" Filter it, then convert it with {_TO_PANDAS[kind_of(frame)]}."
        raise ArgumentError(msg)


def require_columns(present: Iterable[object], columns: Iterable[str], expected: str = ACTIONS_FRAME) -> None:
    """Raise a SchemaError that names the columns that are not present, and what may have been meant by the first."""
    names = [name for name in present if isinstance(name, str)]
    twice = [name for name in columns if names.count(name) > 1]
    if twice:
        msg = f"The frame has several columns named {twice[0]!r}. Keep one of them."
        raise SchemaError(msg)
    missing = [name for name in columns if name not in names]
    if not missing:
        return
    name, *others = missing
    folded = {known.casefold(): known for known in names}
    text = f"The frame has no column {name!r}"
    if name.startswith("form."):
        folded = {folds: known for folds, known in folded.items() if folds.startswith("form.")}
        expected = f"actions that were fetched with form_fields=[{name.removeprefix('form.')!r}]"
    near = difflib.get_close_matches(name.casefold(), folded, 1)
    text += f"; did you mean {folded[near[0]]!r}?" if near else f". Pass {expected}."
    text += f" Also missing: {', '.join(map(repr, others))}." if others else ""
    shown = ", ".join(names[:40]) + (f" and {len(names) - 40} more" if len(names) > 40 else "")
    raise SchemaError(f"{text} The frame has: {shown or 'no columns'}.")


def one_of(value: object, argument: str, choices: Collection[str]) -> str:
    """Return `value` if it is one of the choices, or name them."""
    if isinstance(value, str) and value in choices:
        return value
    raise ArgumentError(f"{argument} is {named(value)}; it takes one of {', '.join(choices)}.")


def check_share(value: object, name: str) -> float:
    """Return `value` as a float, or raise an ArgumentError that names it unless it is strictly between 0 and 1."""
    # Written so that NaN fails too.
    if not isinstance(value, Real) or not 0.0 < float(value) < 1.0:
        raise ArgumentError(f"{name} must lie between 0 and 1, both excluded, not {named(value)}.")
    return float(value)


def check_count(value: object, name: str, least: int = 0) -> int:
    """Return `value` as a whole number, or raise an ArgumentError that names it unless it is at least `least`."""
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        raise ArgumentError(f"{name} is {named(value)}; it takes a whole number from {least}.")
    return int(value)


def zone(tz: str | tzinfo | None) -> Zone:
    """Return a time zone and its name; None is UTC."""
    if tz is None:
        return UTC, "UTC"
    if isinstance(tz, tzinfo):
        return tz, str(tz)
    try:
        return ZoneInfo(tz), tz
    except (ValueError, TypeError, OSError, KeyError, AttributeError):
        msg = f'tz is {named(tz)}, which is no time zone. Pass an IANA name, such as "Europe/London".'
        raise ArgumentError(msg) from None


_ISO = re.compile(
    r"(?P<date>[0-9]{4}-?(?:[0-9]{2}-?[0-9]{2}|W[0-9]{2}-?[0-9]))[T ]"
    r"(?P<hour>[0-9]{2})(?::?(?P<minute>[0-9]{2})(?::?(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]+))?)?)?"
    r"(?P<zone>Z|[+-][0-9]{2}(?::?[0-5][0-9])?)",
    re.IGNORECASE,
)


def iso_moment(text: str) -> datetime | None:
    """Return the moment, in UTC, that an ISO 8601 text with ``Z`` or an offset names; None for any other text.

    Also read are lower-case ``t`` and ``z``, a comma before the fraction, the basic format, week dates, the minus sign
    U+2212, ``24:00:00`` (midnight at the day's end), and ``:60`` (a leap second; the second after ``:59``). Digits finer
    than a microsecond are cut off. A moment outside the years 1 to 9999 in UTC is none.

    Examples
    --------
    >>> iso_moment("2024-06-30t23:59:60,5z").isoformat()
    '2024-07-01T00:00:00.500000+00:00'
    """
    match = _ISO.fullmatch(text.replace("\u2212", "-"))
    if match is None:
        return None
    hour, minute, second = (int(match[part] or 0) for part in ("hour", "minute", "second"))
    micros = int(f"{match['fraction'] or 0:0<6}"[:6])
    shift = timedelta(seconds=second == 60, days=hour == 24)
    if hour > 24 or (hour == 24 and (minute or second or micros)):
        return None
    offset = match["zone"].upper()
    try:
        day = date.fromisoformat(match["date"].upper())
        whole = f"{day}T{hour % 24:02}:{minute:02}:{second - shift.seconds:02}.{micros:06}{offset}"
        return datetime.fromisoformat(whole).astimezone(UTC) + shift
    except (ValueError, OverflowError):
        return None


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
    if not isinstance(value, str | date) or value != value:  # noqa: PLR0124  (NaT)
        raise error(f"{argument} is {named(value)}, which is not a date or time. {advice}")
    moment: date | None = value if isinstance(value, date) else _read_text(value.strip())
    if moment is not None and hasattr(moment, "to_pydatetime"):  # a pandas.Timestamp
        moment = moment.to_pydatetime(warn=False)
    if moment is None:
        raise error(f"{argument} is {named(value)}, which is not an ISO 8601 date or time. {advice}")
    if not isinstance(moment, datetime):
        return datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
    if moment.tzinfo is None:
        raise error(f"{argument} is {value}, which has no time zone. {advice}")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise error(f"{argument} is {value}, which lies outside the years 1 to 9999 in UTC. {advice}") from None


def read_range(start: When | None, end: When | None, error: Callable[[str], PeriodkitError]) -> dict[str, datetime]:
    """Return those of the two moments that are given, in UTC, or say that they are the wrong way round."""
    given = {"start": start, "end": end}
    bounds = {name: read_moment(when, name, error) for name, when in given.items() if when is not None}
    if len(bounds) == 2 and bounds["start"] > bounds["end"]:
        raise error(f"start ({start}) is after end ({end}). Swap them.")
    return bounds


def _read_text(text: str) -> date | None:
    found = iso_moment(text)
    if found is not None:
        return found
    for read in (date.fromisoformat, datetime.fromisoformat):
        try:
            return read(text)
        except ValueError:
            continue
    return None


_PART = re.compile(r"\s*([0-9]{1,40}(?:\.[0-9]{0,40})?|\.[0-9]{1,40})\s*([^\W\d_]+)\s*,?")
_MICROS: dict[tuple[str, ...], int | Fraction] = {
    ("W", "w", "week", "weeks"): 604_800_000_000,
    ("D", "d", "day", "days"): 86_400_000_000,
    ("h", "H", "hr", "hrs", "hour", "hours"): 3_600_000_000,
    ("m", "min", "mins", "minute", "minutes"): 60_000_000,
    ("s", "S", "sec", "secs", "second", "seconds"): 1_000_000,
    ("ms", "millis", "millisecond", "milliseconds"): 1_000,
    ("us", "µs", "μs", "micros", "microsecond", "microseconds"): 1,
    ("ns", "nanos", "nanosecond", "nanoseconds"): Fraction(1, 1_000),
}
_UNITS = {name: Fraction(micros) for names, micros in _MICROS.items() for name in names}
# About 292 years, the most that a pandas Timedelta of nanoseconds holds.
_LONGEST_TIME = 2**63 // 1000


def as_micros(value: Any, argument: str, *, above_zero: bool = False) -> int:  # noqa: ANN401
    """Return a length of time in microseconds, exact for texts such as ``"0.57min"``, or say that it is none.

    Examples
    --------
    >>> import numpy as np
    >>> as_micros("0.57min", "target"), as_micros(np.timedelta64(15, "m"), "target")
    (34200000, 900000000)
    """
    micros = _exact_micros(value) if isinstance(value, str) else _micros(value)
    if micros is None or not 0 <= micros <= _LONGEST_TIME:
        msg = f'{argument} is {named(value)}; it takes a length of time such as "15min", "7D" or a timedelta.'
        raise ArgumentError(msg)
    if above_zero and not round(micros):
        raise ArgumentError(f'{argument} is {named(value)}; it takes a length of time above zero, such as "15min".')
    return round(micros)


def _exact_micros(text: str) -> Fraction | None:
    total, at = Fraction(0), 0
    while match := _PART.match(text, at):
        unit = _UNITS.get(match[2])
        if unit is None:
            break
        total, at = total + Fraction(match[1]) * unit, match.end()
    if at and not text[at:].strip():
        return total
    # pandas would take a text that is a number for nanoseconds.
    return None if not re.search("[:P]", text) else _micros(text)


def _micros(value: Any) -> Fraction | None:  # noqa: ANN401
    """Return what pandas makes of a value."""
    import numpy as np  # noqa: PLC0415
    import pandas as pd  # noqa: PLC0415

    # pandas would take a number without a unit for nanoseconds.
    if isinstance(value, np.timedelta64):
        if np.datetime_data(value)[0] == "generic":
            return None
    elif isinstance(value, int | float | np.number):
        return None
    try:
        return Fraction(int(pd.Timedelta(value) // pd.Timedelta(nanoseconds=1)), 1000)
    except (ValueError, TypeError, OverflowError):
        return None
