"""What an answer says of its pages."""

from __future__ import annotations

import json
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

from periodkit.errors import SchemaError
from periodkit.parse.exact import loads
from periodkit.parse.response import Answer
from periodkit.parse.values import shown


@dataclass(frozen=True, slots=True)
class PageInfo:
    """What an answer says of its pages; an answer that says nothing is page 1 of 1.

    Parameters
    ----------
    page, per_page, total_pages, total_count : int or None
        As the answer says.
    keys : frozenset
        What tells its records apart: a record that the server sends twice, at the edges of two pages, is one.
    """

    page: int | None = None
    per_page: int | None = None
    total_pages: int = 1
    total_count: int | None = None
    keys: frozenset[Hashable] = field(default=frozenset(), repr=False)


def page_info(answer: Answer, key: str, *, paged: bool = False) -> PageInfo:
    """Return what an answer says of its pages.

    Parameters
    ----------
    answer : Answer
        Any answer of the API.
    key : {"periods", "actions"}
        Where its records stand.
    paged : bool
        Whether it is known to be one of several pages: its records count even if it says nothing of pages itself.

    Raises
    ------
    SchemaError
        A paging figure is not a whole number, or the body is not JSON.

    Examples
    --------
    >>> from datetime import datetime, timezone
    >>> page_info(Answer(b'{"actions": [], "page": 1, "total_pages": 3}', datetime.now(timezone.utc), 7), "actions")
    PageInfo(page=1, per_page=None, total_pages=3, total_count=None)
    """
    # Nearly every answer says nothing of pages; looking for the words first spares a second parse of a large body.
    if not paged and not any(word in answer.body for word in (b"total_pages", b"total_count")):
        return PageInfo()
    whole = loads(answer)
    holders = [whole, *(value for value in whole.values() if isinstance(value, dict))]
    found: dict[str, int] = {}
    for name in ("page", "per_page", "total_pages", "total_count"):
        value = next((holder[name] for holder in holders if holder.get(name) is not None), None)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            msg = f"{answer.name}: {name} is {shown(value)}, not a whole number, so records may be missing."
            raise SchemaError(msg)
        found[name] = value
    records = whole.get(key)
    name = "id" if key == "periods" else "actionId"
    keys = frozenset(_key(record, name) for record in records) if isinstance(records, list) else frozenset()
    return PageInfo(**found, keys=keys)


def _key(record: Any, name: str) -> Hashable:  # noqa: ANN401
    """Return the id of a record, or all of it where it has none."""
    own = record.get(name) if isinstance(record, dict) else None
    return own if isinstance(own, int | float | str) else json.dumps(record, sort_keys=True)
