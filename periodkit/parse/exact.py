"""The exact way from the API's JSON to columns: every value checked, every complaint with its record and field.

It is the reference that the fast way (`fast`) is held to.
"""

from __future__ import annotations

import inspect
import json
import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import pyarrow as pa

from periodkit._arguments import is_unicode
from periodkit.errors import BadValueWarning, SchemaError
from periodkit.frames import BAD_TIME, Column, infer_column, parse_times, unknown_name
from periodkit.parse.response import Answer, OnBad
from periodkit.parse.values import CHECKS, BadValueError, as_texts, shown
from periodkit.schema import ACTIONS, FORM_CONTAINERS, FORM_PREFIX, Field, Kind, Table


@dataclass
class Problems:
    """Decides what a bad value means: an error now, or a null and an entry in ``bad_values``."""

    on_bad: OnBad
    found: list[dict[str, Any]] = field(default_factory=list)

    def bad(self, where: str, api: str, value: object, reason: str, ids: dict[str, object]) -> None:
        """Raise for a value that is not of its kind, or note it."""
        if self.on_bad == "raise":
            known = ", ".join(f"{key} {shown(item)}" for key, item in ids.items() if item is not None)
            msg = (
                f"{where}.{api}{f' ({known})' if known else ''}: {shown(value)} {reason}. "
                'Report it to the platform, or pass on_bad="null" to go on without this value.'
            )
            raise SchemaError(msg)
        self.found.append({"record": where, "field": api, "value": value, "reason": reason, **ids})

    def warn(self, rows: int) -> None:
        """Warn once of the values that were made null."""
        if self.found:
            first = self.found[0]
            msg = (
                f"{len(self.found)} bad value(s) in {rows} record(s) were made null, the first in "
                f'{first["record"]}.{first["field"]}; frame.attrs["bad_values"] has them all.'
            )
            warnings.warn(msg, BadValueWarning, stacklevel=_levels_to_caller())


def _levels_to_caller() -> int:
    """Return the `stacklevel` that lets a warning name the line outside periodkit that led to it."""
    package = f"{Path(__file__).parents[1]}{os.sep}"
    level, frame = 0, inspect.currentframe()
    while frame is not None and frame.f_code.co_filename.startswith(package):
        level, frame = level + 1, frame.f_back
    return level


def exact_columns(answers: Sequence[Answer], form_fields: Sequence[str], problems: Problems) -> dict[str, Column]:
    """Read the answers value by value; the reference that the fast way is held to."""
    rows = Rows(ACTIONS, form_fields)
    for answer in answers:
        rows.add(answer, *read_records(answer, "actions"))
    return rows.columns(problems)


class Rows:
    """Collect the records of one table from several answers, with the values that periodkit adds."""

    def __init__(self, table: Table, form_fields: Sequence[str] = ()) -> None:
        self.table = table
        self.form_fields = list(dict.fromkeys(form_fields))
        self.records: list[dict[str, Any]] = []
        self.where: list[str] = []
        self.added: dict[str, list[Any]] = {"period_id": [], "fetched_at": [], "notes": []}

    def add(self, answer: Answer, records: list[dict[str, Any]], notes: list[str] | None) -> None:
        """Take in the records of one answer."""
        start = f"{answer.name}: {self.table.name}"
        self.records += records
        self.where += [f"{start}[{i}]" for i in range(len(records))]
        for name, value in (("period_id", answer.period_id), ("fetched_at", answer.fetched_at), ("notes", notes)):
            self.added[name] += [value] * len(records)

    def columns(self, problems: Problems) -> dict[str, Column]:
        """Check every value and return the columns, in the table's order."""
        columns: dict[str, Column] = {}
        for item in self.table.fields:
            if item.api is None:
                columns[item.column] = pa.array(self.added[item.column], item.kind.arrow)
                continue
            values = [record.get(item.api) for record in self.records]
            columns[item.column] = self._checked_column(item, values, problems)
        if self.table is ACTIONS:
            columns["period_id"] = self._own_period(columns["period_id"], problems)
            columns["notes"] = [
                [*(own or []), *(beside or [])] if own or beside else own
                for own, beside in zip(columns["notes"], self.added["notes"], strict=True)
            ]
            columns |= self._form_columns()
        return columns | self._unknown_columns(set(columns))

    def _checked_column(self, item: Field, values: list[Any], problems: Problems) -> Column:
        assert item.api is not None  # noqa: S101
        check = CHECKS.get(item.column) or CHECKS[item.kind]
        for i, value in enumerate(values):
            if value is None and item.column != "markers":
                continue
            try:
                values[i] = check(value)
            except BadValueError as error:
                problems.bad(self.where[i], item.api, value, str(error), self._ids(i))
                values[i] = None
        if item.kind is not Kind.TIME:
            return values if item.kind is Kind.LIST else pa.array(values, item.kind.arrow)
        times, bad = parse_times(values)
        for i in bad:
            problems.bad(self.where[i], item.api, values[i], BAD_TIME, self._ids(i))
        return times

    def _own_period(self, sent: Column, problems: Problems) -> Column:
        """Put every action in the requested period; one that names another period is a bad value."""
        own = []
        for i, (said, asked) in enumerate(zip(sent.to_pylist(), self.added["period_id"], strict=True)):
            if said is not None and asked is not None and said != asked:
                reason = f"is not the period that was asked for ({asked})"
                problems.bad(self.where[i], "periodId", said, reason, self._ids(i))
            own.append(said if asked is None else asked)
        return pa.array(own, Kind.ID.arrow)

    def _form_columns(self) -> dict[str, Column]:
        """Form fields, from the action's own keys or from the object that holds them."""
        names = dict.fromkeys(self.form_fields)
        held = []
        for record in self.records:
            merged: dict[str, Any] = {}
            for container in FORM_CONTAINERS:
                inner = record.get(container)
                if isinstance(inner, dict):
                    merged |= inner
            held.append(merged)
            names |= dict.fromkeys(merged)
        columns: dict[str, Column] = {}
        for name in names:
            # A requested field may share its name with one of the API's own, which then keeps the key.
            at_key = name in self.form_fields and name not in self.table.by_api
            columns[FORM_PREFIX + name] = infer_column(
                [
                    inner[name] if inner.get(name) is not None else record.get(name) if at_key else None
                    for record, inner in zip(self.records, held, strict=True)
                ]
            )
        return columns

    def _unknown_columns(self, taken: set[str]) -> dict[str, Column]:
        """Fields that the table does not know, in order of appearance."""
        known = {*self.table.by_api}
        if self.table is ACTIONS:
            known |= set(self.form_fields)
        columns: dict[str, Column] = {}
        for name in dict.fromkeys(key for record in self.records for key in record):
            if name in known:
                continue
            values = [record.get(name) for record in self.records]
            if self.table is ACTIONS and name in FORM_CONTAINERS:
                if all(value is None or isinstance(value, dict) for value in values):
                    continue
                values = [None if isinstance(value, dict) else value for value in values]
            column = unknown_name(name, taken)
            taken.add(column)
            columns[column] = infer_column(values)
        return columns

    def _ids(self, i: int) -> dict[str, object]:
        names = ("periodId", "actionId") if self.table is ACTIONS else ("id",)
        return {name: value for name in names if isinstance(value := self.records[i].get(name), int)}


def read_records(answer: Answer, key: str) -> tuple[list[dict[str, Any]], list[str] | None]:
    """Return the records of an answer and the notes that stand beside them."""
    whole = loads(answer)
    records = whole.get(key)
    if not isinstance(records, list):
        said = f"{key!r} is {shown(records)}" if key in whole else f"{key!r} is missing"
        msg = (
            f"{answer.name}: the answer should hold a list of {key}, but {said}. Check that the base URL is the API's."
        )
        raise SchemaError(msg)
    for i, record in enumerate(records):
        if not isinstance(record, dict):
            msg = f"{answer.name}: {key}[{i}] is {shown(record)}, not an object. Report it to the platform."
            raise SchemaError(msg)
    return records, as_texts(whole.get("notes"))


def loads(answer: Answer) -> dict[str, Any]:
    """Read a body strictly: no repeated keys, no NaN, no bad UTF-8."""
    try:
        whole = json.loads(
            answer.body.decode("utf-8-sig"), object_pairs_hook=_unique_keys, parse_constant=_refuse_constant
        )
    except UnicodeDecodeError as error:
        msg = f"{answer.name}: the answer is not UTF-8 (byte {error.start}). Report it to the platform."
        raise SchemaError(msg) from None
    except RecursionError:
        msg = f"{answer.name}: the answer is nested too deeply to be what the API promises. Report it to the platform."
        raise SchemaError(msg) from None
    except ValueError as error:
        start = answer.body[:40].decode("utf-8", "replace").strip()
        what = f"it begins {start!r}" if start else "it is empty"
        msg = f"{answer.name}: the answer is not valid JSON ({what}; {error}). Check that the base URL is the API's."
        raise SchemaError(msg) from None
    if not isinstance(whole, dict):
        msg = f"{answer.name}: the answer is {shown(whole)}, not an object. Check that the base URL is the API's."
        raise SchemaError(msg)
    return whole


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    unique = dict(pairs)
    for name in unique:
        if not is_unicode(name):
            msg = f"the key {name!a} holds half a surrogate pair, which is no character"
            raise ValueError(msg)
    if len(unique) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        msg = f"the key {twice!r} stands twice in one object"
        raise ValueError(msg)
    return unique


def _refuse_constant(name: str) -> NoReturn:
    msg = f"{name} is not JSON"
    raise ValueError(msg)
