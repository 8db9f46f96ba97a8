"""What a caller asks for, checked before anything is sent."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, TypeAlias

import pandas as pd

from periodkit._values import is_unicode
from periodkit.errors import InvalidRequestError, SchemaError

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
