"""The sandbox's responses: parameters in, bytes out. Knows the API's rules and no HTTP library.

After the token, a request is checked in this order, and the first check that fails decides: ``period_id`` is a positive
integer (400), ``form_fields`` (400), the dates or the page (400), the period exists (404).
"""

from __future__ import annotations

import contextlib
import gzip
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from typing import Any

from periodkit.sandbox import openapi
from periodkit.sandbox.dataset import DataSet, parse_time

__all__ = ["Body", "Refusal", "Responses"]

_POSITIVE = re.compile(r"0*[1-9][0-9]*")
_TIME = re.compile(openapi.TIME_PATTERN.removesuffix("$"))
_EVER = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
_MAX_DIGITS = 18


class Refusal(Exception):  # noqa: N818 - a response of the API, not an error of the sandbox
    """A request that the API refuses, with its status and message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(status, message)
        self.status = status
        self.message = message


class Body:
    """The bytes of one response, compressed at most once."""

    def __init__(self, content: object) -> None:
        self.plain = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()

    @cached_property
    def gzipped(self) -> bytes:
        """The same bytes, gzipped fast: on the loopback interface nothing is gained by more."""
        return gzip.compress(self.plain, 1, mtime=0)


class Responses:
    """The responses over one data set, whole or, with a `page_size`, page by page.

    Methods take the query's parameters and raise `Refusal` where the API would refuse.
    """

    def __init__(self, dataset: DataSet, page_size: int | None = None) -> None:
        self._dataset = dataset
        self._page_size = page_size
        self._ids = frozenset(dataset.period_ids)
        self._spans = [_span(period) for period in dataset.periods]
        # The data never change, so a response can be kept; bounded, because form_fields come in any combination.
        self._actions_body = lru_cache(maxsize=256)(self._make_actions_body)

    def periods(self, query: Mapping[str, str]) -> Body:
        """Answer ``GET /periods``: the periods whose timeframe overlaps [start_date, end_date], ends included."""
        start, end = _time(query, "start_date") or _EVER[0], _time(query, "end_date") or _EVER[1]
        page = self._page(query)
        chosen = [
            period
            for period, (first, last) in zip(self._dataset.periods, self._spans, strict=True)
            # The last comparison: a timeframe that ends before it starts overlaps nothing.
            if last >= start and first <= end and start <= end
        ]
        return Body(_paged("periods", chosen, page))

    def actions(self, raw_id: str, query: Mapping[str, str]) -> Body:
        """Answer ``GET /periods/{period_id}/actions``."""
        if not _POSITIVE.fullmatch(raw_id):
            raise Refusal(400, openapi.INVALID_PERIOD_ID)
        fields = _form_fields(query)
        page = self._page(query)
        digits = raw_id.lstrip("0")
        # Python refuses to read integers of thousands of digits; none of that length is an id.
        period_id = int(digits) if len(digits) <= _MAX_DIGITS else -1
        if period_id not in self._ids:
            raise Refusal(404, openapi.NOT_FOUND)
        return self._actions_body(period_id, fields, page)

    def _page(self, query: Mapping[str, str]) -> tuple[int, int] | None:
        """Return (page, per_page), or None where answers are whole."""
        if self._page_size is None:
            return None
        numbers = []
        for name, default in (("page", 1), ("per_page", self._page_size)):
            raw = query.get(name, str(default))
            if not _POSITIVE.fullmatch(raw):
                raise Refusal(400, openapi.INVALID_PAGE.format(name))
            numbers.append(int(raw.lstrip("0")[:_MAX_DIGITS]))
        return numbers[0], min(numbers[1], self._page_size)

    def _make_actions_body(self, period_id: int, fields: tuple[str, ...], page: tuple[int, int] | None) -> Body:
        actions = self._dataset.actions.get(period_id, [])
        if fields:
            values = self._dataset.form_values.get(period_id, {})
            actions = [_with_fields(action, fields, values.get(action.get("actionId", -1), {})) for action in actions]
        return Body(_paged("actions", actions, page))


def _with_fields(action: dict[str, Any], fields: tuple[str, ...], values: dict[str, Any]) -> dict[str, Any]:
    # A form field never covers one of the action's own keys, whatever it is called.
    found = {name: values[name] for name in fields if name in values and name not in action}
    lacking = [f"Form field not found: {name}" for name in fields if name not in found]
    if not lacking:
        return action | found
    own = action.get("notes") or []
    return action | found | {"notes": [*([own] if isinstance(own, str) else own), *lacking]}


def _paged(key: str, records: list[dict[str, Any]], page: tuple[int, int] | None) -> dict[str, object]:
    if page is None:
        return {key: records}
    number, size = page
    pages = max(1, -(-len(records) // size))
    chosen = records[(number - 1) * size : number * size]
    # A record that stands at the edges of two pages is one.
    name = "id" if key == "periods" else "actionId"
    distinct = len({json.dumps(record.get(name, record), sort_keys=True) for record in records})
    return {key: chosen, "page": number, "per_page": size, "total_pages": pages, "total_count": distinct}


def _span(period: dict[str, Any]) -> tuple[datetime, datetime]:
    """Return a period's timeframe; an end that is missing or unreadable is open."""
    ends = []
    for key, otherwise in (("start_date", _EVER[0]), ("end_date", _EVER[1])):
        try:
            ends.append(parse_time(period.get(key)))
        except ValueError:
            ends.append(otherwise)
    return ends[0], ends[1]


def _time(query: Mapping[str, str], name: str) -> datetime | None:
    raw = query.get(name)
    if raw is None:
        return None
    with contextlib.suppress(ValueError):
        if _TIME.fullmatch(raw):
            return parse_time(raw)
    raise Refusal(400, openapi.INVALID_DATE.format(name))


def _form_fields(query: Mapping[str, str]) -> tuple[str, ...]:
    # `form_fields[]=a` is how other APIs spell a list. To ignore it would look as if no action had the field.
    if any(name.startswith("form_fields[") for name in query):
        raise Refusal(400, openapi.INVALID_FORM_FIELDS)
    raw = query.get("form_fields")
    if raw is None:
        return ()
    try:
        fields = json.loads(raw)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, list) or not all(isinstance(name, str) and _is_unicode(name) for name in fields):
        raise Refusal(400, openapi.INVALID_FORM_FIELDS)
    return tuple(dict.fromkeys(fields))


def _is_unicode(text: str) -> bool:
    """Tell whether a text can be sent at all: JSON escapes can spell half a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
