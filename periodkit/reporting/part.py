"""A part of the actions to report on: those that have certain values in certain columns."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from periodkit._arguments import named, require_columns
from periodkit.errors import ArgumentError
from periodkit.schema import ACTIONS, FORM_PREFIX
from periodkit.wording import clean_label, listed

__all__ = ["Part", "rows_of"]

_PERSONAL = {field.column for field in ACTIONS.fields if field.personal}
_WHICH = {"period_id": "period", "period_name": "period"}
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Part:
    """What `where` asks for: actions that have one of the values in every column named.

    Parameters
    ----------
    choices : mapping of str to tuple
        The values of each column as texts; None for null.
    """

    choices: Mapping[str, tuple[str | None, ...]]

    @classmethod
    def read(cls, where: object, *, names: bool = False) -> Part | None:
        """Read what `periodkit.report` takes as `where`; None stands for all actions.

        Raises
        ------
        ArgumentError
            It is of another kind, or names people although `names` is false.
        """
        if where is None:
            return None
        if not isinstance(where, Mapping) or not all(isinstance(column, str) for column in where):
            msg = (
                f'where is {named(where)}; it takes a mapping from columns to values, such as {{"channel": "Medical"}}.'
            )
            raise ArgumentError(msg)
        choices = {column: _values(column, wanted) for column, wanted in where.items()}
        for column in choices:
            if column in _WHICH:
                msg = f"where names {column!r}. Name the period with {_WHICH[column]}= (--period) instead."
                raise ArgumentError(msg)
            if column in _PERSONAL and not names:
                msg = f"where names {column!r}, and its values are people. Pass names=True (--names) too."
                raise ArgumentError(msg)
        return cls(choices) if choices else None

    @property
    def form_fields(self) -> list[str]:
        """The form fields that must be asked for."""
        return [name.removeprefix(FORM_PREFIX) for name in self.choices if name.startswith(FORM_PREFIX)]

    @property
    def words(self) -> str:
        """It in words.

        Examples
        --------
        >>> Part.read({"channel": ["Medical", "Radio"], "sub_classification": None}).words
        'channel Medical or Radio, sub classification not given'
        """
        return ", ".join(
            f"{clean_label(column.replace('_', ' '), 40)} {_or(values)}" for column, values in self.choices.items()
        )

    @property
    def single(self) -> set[str]:
        """The columns that hold one value in it, by which it needs no groups."""
        return {column for column, values in self.choices.items() if len(values) == 1}

    def of(self, actions: pd.DataFrame) -> pd.DataFrame:
        """Return the actions that belong to it.

        Raises
        ------
        SchemaError
            There is no such column.
        """
        if actions.empty:  # it may lack form fields, which no action has
            return actions
        require_columns(actions.columns, self.choices)
        kept = np.ones(len(actions), dtype=bool)
        for column, values in self.choices.items():
            kept &= [not set(values).isdisjoint(texts) for texts in _texts(actions[column])]
        return rows_of(actions, kept)

    def check(self, actions: pd.DataFrame) -> None:
        """Raise unless every value occurs in some action, and name near ones.

        Raises
        ------
        ArgumentError
            A value occurs nowhere.
        SchemaError
            There is no such column.
        """
        require_columns(actions.columns, self.choices)
        for column, values in self.choices.items():
            there = Counter(text for texts in _texts(actions[column]) for text in texts)
            for value in values:
                if value not in there:
                    raise ArgumentError(_absent(column, value, there))


def rows_of(actions: pd.DataFrame, kept: np.ndarray | pd.Series) -> pd.DataFrame:
    """Return some rows, without what a fetch said of the frame as a whole, such as how many copies it dropped."""
    some = actions[kept]
    if len(some) < len(actions):
        some.attrs = {}
    return some


def _values(column: str, wanted: object) -> tuple[str | None, ...]:
    one = isinstance(wanted, str) or not isinstance(wanted, Iterable)
    values: list[Any] = [wanted] if one else list(wanted)  # type: ignore[call-overload]
    if not values:
        msg = f"where gives no value for {column!r}. Leave the column out for all of its values."
        raise ArgumentError(msg)
    for value in values:
        if not isinstance(value, str | np.bool | Real) and not _is_null(value):
            msg = (
                f"where gives {named(value)} for {column!r}; it takes a text, a number, True, False or None, or a list."
            )
            raise ArgumentError(msg)
    return tuple(dict.fromkeys(map(_text, values)))


def _texts(values: pd.Series) -> list[list[str | None]]:
    """Return the texts of each action's value; a list has one of each item."""
    return [
        ([_text(item) for item in value] or [None]) if isinstance(value, list) else [_text(value)]
        for value in values.astype("object")
    ]


def _text(value: Any) -> str | None:  # noqa: ANN401
    """Return a value as it is compared; None for null.

    Examples
    --------
    >>> _text("Bar"), _text(3.0), _text(True), _text(float("nan"))
    ('Bar', '3', 'true', None)
    """
    if _is_null(value):
        return None
    if isinstance(value, bool | np.bool):
        return "true" if value else "false"
    return str(int(float(value))) if isinstance(value, float) and value.is_integer() else str(value)


def _is_null(value: object) -> bool:
    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and bool(np.isnan(value)))


def _or(values: Iterable[str | None]) -> str:
    words = ["not given" if value is None else clean_label(value, 60) for value in values]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _absent(column: str, value: str | None, there: Counter[str | None]) -> str:
    if value is None:
        return f"where asks for a {column} that is null, and no action has one. Leave it out."
    known = {text.casefold(): text for text, _ in there.most_common() if text is not None}
    near = [known[key] for key in difflib.get_close_matches(value.casefold(), known, 3)]
    said = f"No action has the {column} {clean_label(value, 60)!r}"
    if near:
        return f"{said}. Did you mean {_or(map(repr, near))}?"
    some = [clean_label(text, 60) for text in known.values()]
    more = f" and {len(some) - _SHOWN:,} more" if len(some) > _SHOWN else ""
    return f"{said}. There are: {listed(some[:_SHOWN]) + more if some else 'none'}."
