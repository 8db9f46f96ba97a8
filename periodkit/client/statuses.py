"""What the head of a response says: the error that a status stands for, when it was sent, and by whom."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from urllib.parse import unquote, urlsplit

import requests

from periodkit.errors import (
    ApiError,
    AuthError,
    InvalidRequestError,
    PeriodNotFoundError,
    RateLimitError,
    ServerError,
)
from periodkit.settings import TOKEN_VARIABLE

SANDBOX_HEADER = "X-Periodkit-Sandbox"

_PIECE = 2**16
_BY_STATUS: Mapping[int, type[ApiError]] = {
    400: InvalidRequestError,
    401: AuthError,
    403: AuthError,
    404: PeriodNotFoundError,
    429: RateLimitError,
}

_ADVICE: Mapping[int, str] = {
    204: "The API sends a list even where it is empty, so this is not the API. Check the base URL.",
    206: (
        "The server sent a part of the answer, though the whole was asked for; nothing of it was kept. If there is a "
        "proxy or a cache on the way, report it to the people who run it."
    ),
    304: (
        "The server answers that nothing has changed, though periodkit keeps no earlier answer and did not ask for "
        "changes. If there is a proxy or a cache on the way, report it to the people who run it."
    ),
    429: "Wait, then ask again.",
}


def status_error(response: requests.Response, path: str, shown: Callable[[str], str], now: datetime) -> ApiError:
    """Return the error for a response whose status is not 200.

    Parameters
    ----------
    response : requests.Response
        Of its body, no more than the first piece is read.
    path : str
        What was asked for.
    shown : callable
        Makes a server's text safe to show.
    now : datetime
        When it came, if it does not say so itself.
    """
    status = response.status_code
    said = shown(_server_message(response))
    if status in (401, 403):
        advice = f"Check the token (argument token, or {TOKEN_VARIABLE}) and that it may read {path}."
    elif status == 404:
        found = said and path != "/periods"
        advice = f"{'client.periods() lists the ids that this token may read' if found else 'Check the base URL'}."
    elif status in _ADVICE:
        advice = _ADVICE[status]
    elif status >= 500:
        advice = "The server failed; try again later."
    elif 300 <= status < 400:
        advice = f"The server redirects {shown(_target(response))}. If that is right, make it the base URL."
    elif status < 300:
        advice = "The API answers with status 200 alone, so this is not its answer. Check the base URL."
    else:
        advice = "Correct the request and ask again."
    kind = ServerError if status >= 500 else _BY_STATUS.get(status, ApiError)
    message = f"{path}: {said or shown(response.reason or '') or 'error'} (HTTP {status}). {advice}"
    return kind(status, message, status == 429 or status >= 500, _retry_after(response, now))


def answered_at(response: requests.Response, now: datetime) -> datetime:
    """Return when the server answered: its ``Date``, or else `now`."""
    return _http_date(response.headers.get("Date")) or now


def sandbox_name(response: requests.Response, shown: Callable[[str], str]) -> str | None:
    """Return what the server serves, if it says that it is the sandbox."""
    return shown(unquote(response.headers.get(SANDBOX_HEADER, "")))[:100] or None


def _server_message(response: requests.Response) -> str:
    """Return what an error says of itself; of a page without end only the first piece is read."""
    try:
        said = json.loads(next(response.iter_content(_PIECE), b""))["message"]
    except (ValueError, KeyError, TypeError, RecursionError, requests.RequestException, OSError, HTTPException):
        return ""
    return said if isinstance(said, str) else ""


def _target(response: requests.Response) -> str:
    """Return where a redirect leads, no further than the host."""
    location = getattr(response.raw, "headers", {}).get("Location")
    if not location:
        return "without saying where"
    try:
        parts = urlsplit(location)
        host = parts.hostname
        port = "" if parts.port is None else f":{parts.port}"
    except ValueError:
        return "to an address that cannot be read"
    if parts.scheme not in ("http", "https", "") or (host and not host.isprintable()):
        return "to an address that is not http"
    if not host:
        return "to another path"
    return f"to {parts.scheme or 'http'}://{host[:100]}{port}"


def _http_date(text: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text or "")
        # "-0000" is UTC too, and the one offset that is read as none.
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return None


def _retry_after(response: requests.Response, now: datetime) -> float | None:
    """Return the seconds of a ``Retry-After`` header, which may be a number or a date."""
    value = response.headers.get("Retry-After", "").strip()
    if value.isdecimal():
        return float(value)
    moment = _http_date(value)
    return None if moment is None else max(0.0, (moment - answered_at(response, now)).total_seconds())
