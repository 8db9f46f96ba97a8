"""What one value of the API may be: each check returns it as a column holds it, or says why it cannot be held."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from periodkit._arguments import is_unicode
from periodkit.frames import BAD_TIME, INT64, is_empty, parse_times
from periodkit.schema import Kind


class BadValueError(ValueError):
    """Why one value is not of its kind."""


def shown(value: object) -> str:
    """Return a value as a message shows it: its JSON, cut to 60 characters."""
    text = "null" if value is None else json.dumps(value, ensure_ascii=True, default=repr)
    return text if len(text) <= 60 else text[:57] + "..."


def as_text(value: object) -> str:
    """Accept text that can be encoded."""
    if not isinstance(value, str):
        msg = "is not text"
        raise BadValueError(msg)
    if not is_unicode(value):
        msg = "holds half a surrogate pair, which is no character"
        raise BadValueError(msg)
    return value


def as_id(value: object) -> int:
    """Accept a whole number of 64 bits."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        msg = "is not a whole number"
        raise BadValueError(msg)
    if value not in INT64:
        msg = "does not fit into 64 bits"
        raise BadValueError(msg)
    return value


def as_flag(value: object) -> bool:
    """Accept true or false."""
    if not isinstance(value, bool):
        msg = "is not true or false"
        raise BadValueError(msg)
    return value


def as_names(value: object) -> list[str | None]:
    """Accept a list of texts and nulls."""
    if not isinstance(value, list):
        msg = "is not a list"
        raise BadValueError(msg)
    return [None if item is None else as_text(item) for item in value]


def as_texts(value: object) -> list[str] | None:
    """Bring notes to one shape, a list of texts; what is not text is kept as its JSON."""
    if value is None:
        return None
    items = value if isinstance(value, list) else [value]
    # json.dumps escapes what is no character, so the text can always be held.
    texts = [item if isinstance(item, str) else json.dumps(item) for item in items]
    return [text if is_unicode(text) else json.dumps(text) for text in texts]


def as_markers(value: object) -> list[dict[str, Any]]:
    """Bring markers to one shape, a list of objects without the empty ones; null and absence are an empty list."""
    if value is None:
        return []
    items: list[Any] = value if isinstance(value, list) else [value]
    for i, item in enumerate(items):
        if not isinstance(item, dict):
            msg = "is neither an object nor a list of objects"
            raise BadValueError(msg)
        if item.get("name") is not None:
            as_text(item["name"])
        stamp = item.get("timestamp")
        if stamp is not None and (not isinstance(stamp, str) or parse_times([stamp])[1]):
            msg = f"has a timestamp in [{i}] that {BAD_TIME}"
            raise BadValueError(msg)
    return [item for item in items if not is_empty(item)]


CHECKS: dict[str, Callable[[Any], Any]] = {
    Kind.TEXT: as_text,
    Kind.TIME: as_text,
    Kind.ID: as_id,
    Kind.FLAG: as_flag,
    Kind.LIST: as_names,
    "notes": as_texts,
    "markers": as_markers,
}
