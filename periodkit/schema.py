"""The one table of every field: API name, column, kind, whether it may be null or is personal, meaning and unit.

Parsing, empty frames, archives, pseudonyms, the sandbox's JSON and ``docs/data-dictionary.md`` all read it. To add a
field of the API, add a line here and run ``make docs``.
"""

from __future__ import annotations

import re
from copy import deepcopy
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any, NamedTuple

import pandas as pd
import pyarrow as pa

__all__ = [
    "ACTIONS",
    "FORM_CONTAINERS",
    "FORM_PREFIX",
    "MARKERS",
    "PERIODS",
    "TABLES",
    "Field",
    "Kind",
    "Table",
    "data_dictionary",
    "snake_case",
]

FORM_PREFIX = "form."
"""Prefix of the column of a requested form field: ``department`` becomes ``form.department``."""

FORM_CONTAINERS = ("formFields", "form_fields")
"""Objects of an action that may hold its form fields; otherwise they are keys of the action itself."""


class Kind(StrEnum):
    """What a column holds; each kind has one type in pandas, Arrow, DuckDB and JSON."""

    ID = "id"
    TEXT = "text"
    TIME = "time"
    FLAG = "flag"
    LIST = "list"

    @property
    def dtype(self) -> str:
        """The pandas dtype that holds this kind."""
        return _TYPES[self].pandas

    @property
    def arrow(self) -> pa.DataType:
        """The Arrow type that holds this kind."""
        return _TYPES[self].arrow

    @property
    def sql(self) -> str:
        """The DuckDB type that holds this kind."""
        return _TYPES[self].sql

    @property
    def json(self) -> dict[str, Any]:
        """The JSON Schema of a value of this kind, as the API sends it."""
        return deepcopy(_TYPES[self].json)


class _Types(NamedTuple):
    pandas: str
    arrow: pa.DataType
    sql: str
    json: dict[str, Any]


_TEXT = {"type": "string"}
_TYPES = {
    Kind.ID: _Types("Int64", pa.int64(), "BIGINT", {"type": "integer"}),
    Kind.TEXT: _Types("str", pa.string(), "VARCHAR", _TEXT),
    Kind.TIME: _Types("datetime64[us, UTC]", pa.timestamp("us", "UTC"), "TIMESTAMPTZ", _TEXT | {"format": "date-time"}),
    Kind.FLAG: _Types("boolean", pa.bool_(), "BOOLEAN", {"type": "boolean"}),
    Kind.LIST: _Types("object", pa.list_(pa.string()), "VARCHAR[]", {"type": "array", "items": _TEXT}),
}


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the API and the column that it becomes.

    Parameters
    ----------
    column : str
        Name of the DataFrame column.
    api : str or None
        Name in the API's JSON; None for a column that periodkit adds itself.
    kind : Kind
        What it holds.
    meaning : str
        One sentence for the data dictionary.
    nullable : bool
        Whether the API may leave it out or send null.
    unit : str
        Unit or form of the value, where it has one.
    personal : bool
        Whether it names people; `periodkit.pseudonymize` replaces the names.
    """

    column: str
    api: str | None
    kind: Kind
    meaning: str
    nullable: bool = True
    unit: str = ""
    personal: bool = False


@dataclass(frozen=True)
class Table:
    """One kind of frame: its name, what one row means, and its fields in column order."""

    name: str
    grain: str
    fields: tuple[Field, ...]

    @cached_property
    def columns(self) -> list[str]:
        """Column names, in order."""
        return [field.column for field in self.fields]

    @cached_property
    def by_api(self) -> dict[str, Field]:
        """The fields that the API sends, by their API name."""
        return {field.api: field for field in self.fields if field.api is not None}

    def __getitem__(self, column: str) -> Field:
        return next(field for field in self.fields if field.column == column)

    def empty(self) -> pd.DataFrame:
        """Return a frame of no rows with every column and dtype."""
        return pd.DataFrame({field.column: pd.Series([], dtype=field.kind.dtype) for field in self.fields})


_MARKER_FORM = "list of {name, timestamp}"

PERIODS = Table(
    "periods",
    "one period: an event's timeframe",
    (
        Field("period_id", "id", Kind.ID, "Identifies the period.", nullable=False),
        Field("period_name", "name", Kind.TEXT, "What the venue calls the event."),
        Field("start_date", "start_date", Kind.TIME, "Start of the event's timeframe."),
        Field("end_date", "end_date", Kind.TIME, "End of the event's timeframe; actions may close after it."),
        Field("created_at", "created_at", Kind.TIME, "When the period was set up on the platform."),
        Field("updated_at", "updated_at", Kind.TIME, "When the period's own record last changed."),
        Field("markers", "markers", Kind.LIST, "The event's named moments as sent; empty if none.", unit=_MARKER_FORM),
        Field("fetched_at", None, Kind.TIME, "When the server answered.", nullable=False),
    ),
)

MARKERS = Table(
    "markers",
    "one named moment of a period, such as Doors or Kick-off",
    (
        Field("period_id", None, Kind.ID, "The period that the marker belongs to.", nullable=False),
        Field("marker", "name", Kind.TEXT, "Name of the moment."),
        Field("timestamp", "timestamp", Kind.TIME, "When it happened."),
    ),
)

ACTIONS = Table(
    "actions",
    "one action (task, incident, request, checklist) of one period",
    (
        Field("period_id", "periodId", Kind.ID, "The period that it was reported in.", nullable=False),
        Field("period_name", "periodName", Kind.TEXT, "Name of that period."),
        Field("period_action_id", "periodActionId", Kind.ID, "Its number within the period, as staff see it."),
        Field("action_id", "actionId", Kind.ID, "Identifies the action; unique within its period."),
        Field("classification", "classification", Kind.TEXT, "What kind of thing it is."),
        Field("sub_classification", "subClassification", Kind.TEXT, "The finer kind, where one was chosen."),
        Field("status", "status", Kind.TEXT, "State as the platform names it, kept verbatim."),
        Field("created_time", "createdTime", Kind.TIME, "Milestone: it was reported."),
        Field("assigned_time", "assignedTime", Kind.TIME, "Milestone: it became someone's. Null: not so far."),
        Field("doing_time", "doingTime", Kind.TIME, "Milestone: someone began. Null: not so far, or skipped."),
        Field("closed_time", "closedTime", Kind.TIME, "Milestone: it ended. Null: still open, or never recorded."),
        Field("created_by_user_name", "createdByUserName", Kind.TEXT, "Who reported it.", personal=True),
        Field("period_marker", "periodMarker", Kind.TEXT, "The marker in force when it was reported."),
        Field(
            "assigned_user_names", "assignedUserNames", Kind.LIST, "Who it was given to.", unit="names", personal=True
        ),
        Field("channel", "channel", Kind.TEXT, "The channel that it was first routed to."),
        Field("form_type", "formType", Kind.TEXT, "The form that it was reported with."),
        Field("latest_channel", "latestChannel", Kind.TEXT, "The channel that it is in now."),
        Field(
            "ai_dispatched", "aiDispatched", Kind.FLAG, "Whether AI dispatched it. Null is unknown, which is not False."
        ),
        Field("notes", "notes", Kind.LIST, "What the API remarked, such as form fields it did not find.", unit="texts"),
        Field(
            "fetched_at",
            None,
            Kind.TIME,
            "When the server answered: the last moment at which an action without `closed_time` was seen open.",
            nullable=False,
        ),
    ),
)

TABLES = (PERIODS, MARKERS, ACTIONS)

CLOCK = {
    "hour": ("Int64", "Local hour of its creation, 0 to 23."),
    "weekday": ("category, ordered", "Local weekday of its creation, Monday to Sunday."),
    "date": ("str", "Local date of its creation, such as `2024-07-01`; after midnight it is the next day."),
    "minutes_from_marker": (
        "Float64",
        "Minutes from the marker, negative before it. Null: the period has none.",
    ),
    "phase": ("category, ordered", "Between which markers it was created, such as `Doors to Kick-off`."),
}
"""The columns that `periodkit.add_clock` adds: dtype and meaning."""

_BOUNDARY = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def snake_case(name: str) -> str:
    """Return the column name of an API name.

    Examples
    --------
    >>> snake_case("createdTime"), snake_case("aiDispatched"), snake_case("start_date")
    ('created_time', 'ai_dispatched', 'start_date')
    """
    return _BOUNDARY.sub("_", name).lower()


def data_dictionary() -> str:
    """Return the data dictionary as Markdown; ``docs/data-dictionary.md`` holds the same text."""
    lines = [
        "# Data dictionary",
        "",
        "Made from `periodkit/schema.py` by `make docs`. Times are UTC, held at microseconds.",
        f"A requested form field `x` is the column `{FORM_PREFIX}x`. A field that the API adds later is a column",
        "behind these, under its name in snake_case.",
    ]
    for table in TABLES:
        lines += ["", f"## `{table.name}`", "", f"One row is {table.grain}.", ""]
        lines += ["| column | API name | dtype | null? | meaning |", "| --- | --- | --- | --- | --- |"]
        for field in table.fields:
            api = f"`{field.api}`" if field.api else "(added)"
            dtype = f"`{field.kind.dtype}`" + (f", {field.unit}" if field.unit else "")
            meaning = field.meaning + (" Personal data." if field.personal else "")
            lines.append(f"| `{field.column}` | {api} | {dtype} | {'yes' if field.nullable else 'no'} | {meaning} |")
    lines += ["", "## Columns that `add_clock` adds to `actions`", "", "Null where `created_time` is."]
    lines += ["The last two need the periods.", "", "| column | dtype | meaning |", "| --- | --- | --- |"]
    lines += [f"| `{name}` | `{dtype}` | {meaning} |" for name, (dtype, meaning) in CLOCK.items()]
    return "\n".join(lines) + "\n"
