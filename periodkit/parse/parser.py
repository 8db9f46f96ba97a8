"""JSON bytes of the API -> DataFrames. Pure: knows no HTTP, reads no clock.

Actions take a fast way through pyarrow (`fast`). Whatever that declines goes through `json`, value by
value (`exact`), to the same result or to an error that names the record and the field.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from periodkit._arguments import one_of
from periodkit.errors import SchemaError
from periodkit.frames import Column, markers, to_frame
from periodkit.parse.exact import Problems, Rows, exact_columns, loads, read_records
from periodkit.parse.fast import ActionsReader
from periodkit.parse.pages import PageInfo, page_info
from periodkit.parse.response import Answer, OnBad
from periodkit.parse.values import as_texts
from periodkit.schema import PERIODS

__all__ = ["Answer", "OnBad", "PageInfo", "markers", "page_info", "parse_actions", "parse_periods"]


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
        One row per period, columns as `schema.PERIODS`, then unknown fields. Of a period sent twice the newer
        copy is kept; ``frame.attrs["duplicates"]`` counts the others.

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
        The bodies of one or many periods and pages, in the order of the rows.
    form_fields : sequence of str
        The form fields that were asked for; each becomes a column ``form.<field>``, null where an action lacks it.
    on_bad : {"raise", "null"}
        As for `parse_periods`.

    Returns
    -------
    pandas.DataFrame
        One row per action, columns as `schema.ACTIONS`, then ``form.*``, then unknown fields. ``notes`` is a list of
        texts (notes that stood beside ``actions`` come last in each of its rows, and for an answer without actions
        in ``frame.attrs["notes"]``). Of an action sent twice in a period the newer copy is kept, the
        one fetched later, else that of the later page, where the first one stood; ``frame.attrs["duplicates"]`` counts
        the others.

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
    """`parse_actions` for a caller that can read some answers while it waits for others.

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


def _finish(columns: dict[str, Column], problems: Problems, keys: list[str]) -> pd.DataFrame:
    frame = to_frame(columns)
    problems.warn(len(frame))
    frame, dropped = _newest(frame, keys)
    frame.attrs["duplicates"] = dropped
    if problems.on_bad == "null":
        frame.attrs["bad_values"] = problems.found
    return frame


def _newest(frame: pd.DataFrame, keys: list[str]) -> tuple[pd.DataFrame, int]:
    """Keep of each record the newest copy, where the first one stood: the one fetched last, else that of the last page."""
    if frame[keys[-1]].is_unique:  # nearly always, and far quicker to tell than pairs
        return frame, 0
    again = frame.duplicated(keys) & frame[keys[-1]].notna()
    if not again.any():
        return frame, 0
    code = frame.groupby(keys, dropna=False).ngroup().to_numpy()
    order = np.lexsort((frame["fetched_at"].astype("int64").to_numpy(), code))  # stable: pages stay in order
    last = np.flatnonzero(np.r_[np.diff(code[order]) > 0, True])
    rows = np.where(frame[keys[-1]].notna(), order[last][code], np.arange(len(frame)))
    return frame.iloc[rows[~again.to_numpy()]].reset_index(drop=True), int(again.sum())


def _checked(on_bad: OnBad) -> OnBad:
    one_of(on_bad, "on_bad", ("raise", "null"))
    return on_bad
