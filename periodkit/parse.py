"""JSON bytes of the API -> DataFrames. Pure: knows no HTTP, reads no clock.

Actions take a fast way through pyarrow (`periodkit._json_arrow`). Whatever that declines goes through `json`, value by
value (`periodkit._json_exact`), to the same result or to an error that names the record and the field.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from periodkit._answer import Answer, OnBad
from periodkit._columns import Column, to_frame
from periodkit._json_arrow import ActionsReader
from periodkit._json_exact import Problems, Rows, exact_columns, loads, read_records
from periodkit._values import as_markers, as_texts, shown
from periodkit.errors import ArgumentError, SchemaError
from periodkit.schema import MARKERS, PERIODS

__all__ = ["Answer", "OnBad", "PageInfo", "markers", "page_info", "parse_actions", "parse_periods"]


@dataclass(frozen=True, slots=True)
class PageInfo:
    """What an answer says of its pages; an answer that says nothing is page 1 of 1."""

    page: int | None = None
    per_page: int | None = None
    total_pages: int = 1
    total_count: int | None = None
    records: int | None = None


def parse_periods(answers: Iterable[Answer], on_bad: OnBad = "raise") -> pd.DataFrame:
    """Turn answers of ``GET /periods`` into one frame.

    Parameters
    ----------
    answers : iterable of Answer
        The bodies, in order; several when the server paged them.
    on_bad : {"raise", "null"}
        What to do with a value that is not of its documented kind: raise, or make it null with one
        `BadValueWarning` and keep the raw value in ``frame.attrs["bad_values"]``.

    Returns
    -------
    pandas.DataFrame
        One row per period, columns as `schema.PERIODS`, then unknown fields. A period sent twice is kept once;
        ``frame.attrs["duplicates"]`` counts those left out.

    Raises
    ------
    SchemaError
        The body is not JSON or has no ``periods``; a period has no usable ``id``; or a value is bad.

    Examples
    --------
    >>> from datetime import datetime, timezone
    >>> body = b'{"periods": [{"id": 7, "name": "Cup final", "markers": {"name": "Kick-off", "timestamp": null}}]}'
    >>> frame = parse_periods([Answer(body, datetime(2024, 7, 1, tzinfo=timezone.utc))])
    >>> frame["markers"].tolist()
    [[{'name': 'Kick-off', 'timestamp': None}]]
    """
    problems = Problems(_checked(on_bad))
    rows = Rows(PERIODS)
    for answer in answers:
        rows.add(answer, *read_records(answer, "periods"))
    columns = rows.columns(problems)
    missing = [
        where for where, value in zip(rows.where, columns["period_id"].to_pylist(), strict=True) if value is None
    ]
    if missing:
        msg = f"{missing[0]}.id: a period without an id cannot be asked for its actions. Report it to the platform."
        raise SchemaError(msg)
    return _finish(columns, problems, keys=["period_id"])


def parse_actions(answers: Iterable[Answer], form_fields: Sequence[str] = (), on_bad: OnBad = "raise") -> pd.DataFrame:
    """Turn answers of ``GET /periods/{id}/actions`` into one frame.

    Parameters
    ----------
    answers : iterable of Answer
        The bodies of one or many periods and pages, in the order that the rows shall have.
    form_fields : sequence of str
        The form fields that were asked for; each becomes a column ``form.<field>``, null where an action lacks it.
    on_bad : {"raise", "null"}
        As for `parse_periods`.

    Returns
    -------
    pandas.DataFrame
        One row per action, columns as `schema.ACTIONS`, then ``form.*``, then unknown fields. ``notes`` is a list of
        texts (notes that stood beside ``actions`` come last in each of its rows, and for an answer without actions
        in ``frame.attrs["notes"]``). An action sent twice in a period is kept once, where it first stood;
        ``frame.attrs["duplicates"]`` counts those left out.

    Raises
    ------
    SchemaError
        The body is not JSON or has no ``actions``; an action names another period than the one that was asked for; or a
        value is bad.

    Examples
    --------
    >>> from datetime import datetime, timezone
    >>> body = b'{"actions": [{"actionId": 1, "createdTime": "2024-07-01T19:00:00+02:00", "department": "Bar"}]}'
    >>> frame = parse_actions([Answer(body, datetime(2024, 7, 2, tzinfo=timezone.utc), 7)], ["department"])
    >>> frame.loc[0, ["created_time", "form.department"]].tolist()
    [Timestamp('2024-07-01 17:00:00+0000', tz='UTC'), 'Bar']
    """
    return ActionsParser(form_fields, on_bad).frame(answers)


class ActionsParser:
    """`parse_actions` for a caller that has time on its hands while further answers are on their way.

    Parameters
    ----------
    form_fields, on_bad
        As for `parse_actions`.
    """

    def __init__(self, form_fields: Sequence[str] = (), on_bad: OnBad = "raise") -> None:
        self._form_fields = form_fields
        self._on_bad = _checked(on_bad)
        self._reader = ActionsReader(form_fields)

    def read_ahead(self, answers: Sequence[Answer]) -> None:
        """Do now what can be done for these answers, which `frame` will be given."""
        self._reader.read_ahead(answers)

    def frame(self, answers: Iterable[Answer]) -> pd.DataFrame:
        """Return the frame of these answers, in the order given here."""
        problems = Problems(self._on_bad)
        answers = list(answers)
        columns = self._reader.columns(answers)
        if columns is None:
            columns = exact_columns(answers, self._form_fields, problems)
        frame = _finish(columns, problems, keys=["period_id", "action_id"])
        if frame.empty:
            notes = [text for answer in answers for text in as_texts(loads(answer).get("notes")) or []]
            if notes:
                frame.attrs["notes"] = notes
        return frame


def markers(periods: pd.DataFrame) -> pd.DataFrame:
    """Return the markers of periods, one row per marker.

    Parameters
    ----------
    periods : pandas.DataFrame
        A periods frame.

    Returns
    -------
    pandas.DataFrame
        ``period_id, marker, timestamp`` (UTC; null where the API sent none), in the order of the periods and, within
        one, as sent; then whatever else the API says of a marker.

    Raises
    ------
    SchemaError
        `periods` has no ``period_id`` or ``markers`` column, or a timestamp cannot be read.

    Examples
    --------
    >>> import pandas as pd
    >>> kick_off = {"name": "Kick-off", "timestamp": "2024-07-01T19:00:00.000Z"}
    >>> print(markers(pd.DataFrame({"period_id": [7], "markers": [[kick_off]]})).to_string(index=False))
     period_id   marker                 timestamp
             7 Kick-off 2024-07-01 19:00:00+00:00
    """
    for column in ("period_id", "markers"):
        if column not in periods.columns:
            msg = f"The frame has no column {column!r}; markers() takes a periods frame as client.periods() returns it."
            raise SchemaError(msg)
    rows = Rows(MARKERS)
    for period_id, sent in zip(periods["period_id"], periods["markers"], strict=True):
        records = as_markers(sent)
        rows.records += records
        rows.where += [f"period {period_id}: markers[{i}]" for i in range(len(records))]
        rows.added["period_id"] += [period_id] * len(records)
    return to_frame(rows.columns(Problems("raise")))


def page_info(answer: Answer, key: str) -> PageInfo:
    """Return what an answer says of its pages.

    Parameters
    ----------
    answer : Answer
        Any answer of the API.
    key : {"periods", "actions"}
        Where its records stand.

    Raises
    ------
    SchemaError
        A paging figure is not a whole number, or the body is not JSON.

    Examples
    --------
    >>> from datetime import datetime, timezone
    >>> page_info(Answer(b'{"actions": [], "page": 1, "total_pages": 3}', datetime.now(timezone.utc), 7), "actions")
    PageInfo(page=1, per_page=None, total_pages=3, total_count=None, records=0)
    """
    # Nearly every answer says nothing of pages; looking for the words first spares a second parse of a large body.
    if not any(word in answer.body for word in (b"total_pages", b"total_count")):
        return PageInfo()
    whole = loads(answer)
    holders = [whole, *(value for value in whole.values() if isinstance(value, dict))]
    found: dict[str, int] = {}
    for name in ("page", "per_page", "total_pages", "total_count"):
        value = next((holder[name] for holder in holders if holder.get(name) is not None), None)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            msg = f"{answer.name}: {name} is {shown(value)}, not a whole number; whether all is here cannot be told."
            raise SchemaError(msg)
        found[name] = value
    records = whole.get(key)
    return PageInfo(**found, records=len(records) if isinstance(records, list) else None)


def _finish(columns: dict[str, Column], problems: Problems, keys: list[str]) -> pd.DataFrame:
    frame = to_frame(columns)
    problems.warn(len(frame))
    twice = frame.duplicated(keys) & frame[keys[-1]].notna()
    if twice.any():
        frame = frame[~twice].reset_index(drop=True)
    frame.attrs["duplicates"] = int(twice.sum())
    if problems.on_bad == "null":
        frame.attrs["bad_values"] = problems.found
    return frame


def _checked(on_bad: str) -> OnBad:
    if on_bad not in ("raise", "null"):
        msg = f'on_bad is {on_bad!r}; it takes "raise" or "null".'
        raise ArgumentError(msg)
    return on_bad  # type: ignore[return-value]
