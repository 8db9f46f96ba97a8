"""What a user of the explorer has chosen, and what there is to choose from. Knows no widgets."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from periodkit._arguments import require_columns
from periodkit.frames import ordered_periods
from periodkit.metrics import COUNT_COLUMNS
from periodkit.schema import FORM_PREFIX
from periodkit.wording import clean_label, label, unique_labels

__all__ = [
    "AI_CHOICES",
    "Choice",
    "Option",
    "check_columns",
    "filters",
    "group_options",
    "mask",
    "options_of",
    "period_options",
]

AI_CHOICES: dict[str, tuple[Any, ...]] = {
    "all": (),
    "AI-dispatched": (True,),
    "not AI-dispatched": (False,),
    "dispatch unknown": (None,),
}
"""What can be chosen of AI dispatch, and the values that this keeps."""

_MOST_OPTIONS = 300
_MOST_GROUPS = 100
_PLAIN = (
    "classification",
    "channel",
    "ai_dispatched",
    "latest_channel",
    "sub_classification",
    "status",
    "period_marker",
)
_TAKEN = {*COUNT_COLUMNS, *(f"{name}{side}" for name in ("p50", "p90") for side in ("", "_low", "_high"))}


@dataclass(frozen=True, slots=True)
class Choice:
    """What is chosen; an empty tuple means all.

    Parameters
    ----------
    periods : tuple of int or None
        Period ids; None stands for actions without one.
    classification, channel : tuple of str or None
        Values of these columns; None stands for null.
    ai : str
        A key of `AI_CHOICES`.
    stage : str
        The stage whose duration is looked at.
    as_of : str, optional
        The moment that is replayed, as ISO 8601 text; None means as fetched.
    by : str, optional
        The column to group by.
    """

    periods: tuple[Any, ...] = ()
    classification: tuple[Any, ...] = ()
    channel: tuple[Any, ...] = ()
    ai: str = "all"
    stage: str = "cycle"
    as_of: str | None = None
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Option:
    """A value that can be chosen, and how it is called."""

    value: Any
    text: str


def filters(choice: Choice) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Yield each column that the choice narrows, and the values that it keeps."""
    wanted = {
        "period_id": choice.periods,
        "classification": choice.classification,
        "channel": choice.channel,
        "ai_dispatched": AI_CHOICES[choice.ai],
    }
    yield from ((column, values) for column, values in wanted.items() if values)


def mask(actions: pd.DataFrame, choice: Choice) -> pd.Series | None:
    """Return which actions are chosen, or None for all of them."""
    found: pd.Series | None = None
    for column, values in filters(choice):
        known = [value for value in values if value is not None]
        part = actions[column].isin(known) if known else actions[column].isna()
        if known and len(known) < len(values):
            part |= actions[column].isna()
        found = part if found is None else found & part
    return None if found is None else found.astype(bool)


def period_options(actions: pd.DataFrame, periods: pd.DataFrame | None) -> list[Option]:
    """Return the periods that have actions, in the order of their start, and what they are called."""
    if "period_id" not in actions.columns:
        return []
    sizes = actions["period_id"].value_counts(dropna=False)
    names = {}
    if "period_name" in actions.columns:
        first = actions[["period_id", "period_name"]].drop_duplicates("period_id")
        names = {key: name for key, name in first.itertuples(index=False) if not pd.isna(key)}
    ids = [key for key in dict.fromkeys(actions["period_id"].tolist()) if not pd.isna(key)]
    if periods is not None:
        known = ordered_periods(periods)
        order = [key for key in known["period_id"].tolist() if key in sizes.index]
        names = names | dict(zip(known["period_id"].tolist(), known["period_name"].tolist(), strict=True))
        ids = order + [key for key in ids if key not in set(order)]
    texts = unique_labels([names.get(key) for key in ids], ids, 40)
    found = [Option(key, f"{text} ({sizes[key]:,})") for key, text in zip(ids, texts, strict=True)]
    none = int(actions["period_id"].isna().sum())
    return [*found, *([Option(None, f"no period ({none:,})")] if none else [])]


def options_of(actions: pd.DataFrame, column: str) -> list[Option]:
    """Return the values of a column that can be chosen: the most frequent first, of many only these; null last.

    Examples
    --------
    >>> [option.text for option in options_of(pd.DataFrame({"channel": ["Bar", None, "Bar"]}), "channel")]
    ['Bar (2)', 'no channel (1)']
    """
    if column not in actions.columns or not _is_plain(actions[column]):
        return []
    sizes = actions[column].value_counts(sort=True)
    found = [Option(value, f"{clean_label(value, 40)} ({n:,})") for value, n in sizes.head(_MOST_OPTIONS).items() if n]
    none = int(actions[column].isna().sum())
    return [*found, *([Option(None, f"no {label(column)} ({none:,})")] if none else [])]


def group_options(actions: pd.DataFrame) -> list[Option]:
    """Return the columns that can be grouped by; no people, and none with more groups than a table shows."""
    found = []
    own_names = {"period_id", "period_name"} <= {*actions.columns}
    if own_names:
        pairs = actions[["period_id", "period_name"]].drop_duplicates()
        unique = len(pairs) == pairs["period_name"].nunique(dropna=False)
        if 1 < len(pairs) <= _MOST_GROUPS:
            found.append(Option("period_name" if unique else "period_id", "period"))
    form = [name for name in actions.columns if str(name).startswith(FORM_PREFIX)]
    for name in (*_PLAIN, *form):
        usable = name in actions.columns and name not in _TAKEN
        if usable and _is_plain(actions[name]) and actions[name].nunique() <= _MOST_GROUPS:
            found.append(Option(name, clean_label(label(name), 40)))
    return found


def check_columns(actions: pd.DataFrame) -> None:
    """Raise a SchemaError that names the first column that the explorer needs and does not find."""
    require_columns(actions.columns, ["created_time", "assigned_time", "doing_time", "closed_time", "status"])


def _is_plain(values: pd.Series | pd.DataFrame) -> bool:
    """Whether a column holds single values, of which each can be chosen."""
    if isinstance(values, pd.DataFrame):  # several columns of that name
        return False
    return values.dtype != object or all(isinstance(value, Hashable) for value in values)
