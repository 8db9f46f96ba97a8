"""One request and its answer: the only place where bytes leave or enter this process."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from ipaddress import ip_address
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import requests
from requests.auth import AuthBase
from urllib3.exceptions import HTTPError
from urllib3.util import parse_url

from periodkit._settings import TOKEN_VARIABLE
from periodkit.client.connection import open_session
from periodkit.client.pacing import Gate
from periodkit.client.retry import Effort
from periodkit.errors import (
    ApiError,
    AuthError,
    ConfigError,
    InvalidRequestError,
    PeriodkitError,
    PeriodNotFoundError,
    RateLimitError,
    ServerError,
    TransportError,
)
from periodkit.parse import Answer

_PIECE = 2**16
_HOPELESS = (
    requests.exceptions.SSLError,
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidHeader,
    requests.exceptions.InvalidProxyURL,
)

_BY_STATUS: Mapping[int, type[ApiError]] = {
    400: InvalidRequestError,
    401: AuthError,
    403: AuthError,
    404: PeriodNotFoundError,
    429: RateLimitError,
}


class Transport:
    """Sends requests under one base URL with one token, and turns every failure into an error of ours.

    Parameters
    ----------
    base_url : str
        Where to, as `checked_url` returned it.
    auth : BearerAuth
        As whom.
    session : requests.Session or None
        The caller's session, left open; None opens one of our own.
    timeout : float or (float, float)
        Seconds for a connection and for the next bytes.
    whole : float or None
        Seconds for a whole answer; held to the byte by a session of our own, and between pieces by the caller's.
    connections : int
        How many connections the own session keeps.
    gate : Gate
        Told when the server answers.
    max_bytes : int
        How large a body may be, unpacked.
    """

    def __init__(
        self,
        base_url: str,
        auth: BearerAuth,
        *,
        session: requests.Session | None,
        timeout: float | tuple[float, float],
        whole: float | None,
        connections: int,
        gate: Gate,
        max_bytes: int,
    ) -> None:
        self.base_url = base_url
        self._auth = auth
        self._timeout = timeout
        self._whole = whole
        self._gate = gate
        self._max_bytes = max_bytes
        self._owned = session is None
        self._session = open_session(connections, whole) if session is None else session

    def __repr__(self) -> str:
        return f"Transport({self.base_url!r})"

    def close(self) -> None:
        """Close the own session."""
        if self._owned:
            self._session.close()

    def get(self, path: str, params: Mapping[str, str], period_id: int | None, effort: Effort) -> Answer:
        """Ask for `path`, as often as `effort` says, and return the whole answer."""
        return effort.run(path, lambda: self._once(path, params, period_id, effort))

    def _once(self, path: str, params: Mapping[str, str], period_id: int | None, effort: Effort) -> Answer:
        url = self.base_url + path + ("?" + urlencode(params, quote_via=quote, safe="") if params else "")
        try:
            with self._session.get(
                url,
                auth=self._auth,
                timeout=self._timeout,
                allow_redirects=False,
                headers={"Accept": "application/json", "Accept-Encoding": "gzip"},
                stream=True,
            ) as response:
                self._gate.reached = True
                if response.status_code == requests.codes.ok:
                    body = self._body(response, path, effort)
                    return Answer(body, _answered_at(response), period_id)
                failed: PeriodkitError = self._error(response, path)
        except requests.RequestException as error:
            failed = self._failure(error, path)
        except (OSError, HTTPException, HTTPError) as error:  # what requests lets through while a body comes
            failed = self._failure(requests.ConnectionError(error), path)
        # Raised here, where it has no context: that holds the request, and with it the token.
        raise failed

    def _body(self, response: requests.Response, path: str, effort: Effort) -> bytes:
        """Read a body piece by piece, so that none fills the memory, not even one that was packed small."""
        began = time.monotonic()
        pieces = []
        size = 0
        for piece in response.iter_content(_PIECE):
            size += len(piece)
            if size > self._max_bytes:
                msg = (
                    f"{path}: the answer is larger than {self._max_bytes:,} bytes, so it was not read on. If it may be, "
                    "give Client a larger max_body_bytes."
                )
                raise _RefusedError(msg, retryable=False)
            if effort.stop.is_set():
                msg = f"{path}: the fetch was stopped before the answer was whole. Ask again."
                raise _RefusedError(msg)
            if self._whole is not None and time.monotonic() - began > self._whole:
                raise requests.Timeout
            pieces.append(piece)
        body = b"".join(pieces)
        # Where the server gives no length, nothing else tells that the connection broke.
        if not body or (body.startswith(b"{") and not body.rstrip().endswith(b"}")):
            ends = f"ends in the middle, after {len(body):,} bytes" if body else "is empty"
            msg = f"{path}: the answer {ends}. Ask again."
            raise _RefusedError(msg)
        return body

    def _failure(self, error: requests.RequestException, path: str) -> TransportError:
        if isinstance(error, _RefusedError):
            return TransportError(str(error), error.retryable)
        cause = self._auth.scrub(_cause(error))
        if isinstance(error, requests.Timeout) or "timed out" in cause or "not whole in time" in cause:
            msg = f"{self.base_url} did not answer {path} in time. Try again, or give Client a longer timeout."
            return TransportError(msg)
        advice = "Check the base URL and the network."
        if isinstance(error, requests.exceptions.SSLError):
            advice = "Check the base URL; a certificate of your own is the business of Client(session=...)."
        msg = f"No whole answer to {path} from {self.base_url} ({cause}). {advice}"
        return TransportError(msg, retryable=not isinstance(error, _HOPELESS))

    def _error(self, response: requests.Response, path: str) -> ApiError:
        status = response.status_code
        said = _server_message(response)
        if status in (401, 403):
            advice = f"Check the token (argument token, or {TOKEN_VARIABLE}) and that it may read {path}."
        elif status == 404:
            found = said and path != "/periods"
            advice = f"{'client.periods() lists the ids that this token may read' if found else 'Check the base URL'}."
        elif status == 429:
            advice = "Wait, then ask again."
        elif status >= 500:
            advice = "The server failed; try again later."
        elif 300 <= status < 400:
            target = urlsplit(response.headers.get("Location", ""))
            host = f"{target.scheme}://{target.netloc}" if target.netloc else "elsewhere"
            advice = f"The server redirects to {host}. If that is right, make it the base URL."
        else:
            advice = "Correct the request and ask again."
        kind = ServerError if status >= 500 else _BY_STATUS.get(status, ApiError)
        message = self._auth.scrub(f"{path}: {said or response.reason or 'error'} (HTTP {status}). {advice}")
        return kind(status, message, status == 429 or status >= 500, _retry_after(response))


class _RefusedError(requests.RequestException):
    """Why a body that did arrive is not taken."""

    def __init__(self, message: str, retryable: bool = True) -> None:
        super().__init__(message)
        self.retryable = retryable


class BearerAuth(AuthBase):
    """Puts the token on a request, and nowhere else."""

    def __init__(self, token: str) -> None:
        if not token.isascii() or not token.isprintable() or " " in token:
            msg = "The token holds characters that no token has (a space, a line break?). Copy it again."
            raise ConfigError(msg)
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the header that carries the token."""
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request

    def __repr__(self) -> str:
        return "Bearer(***)"

    def scrub(self, text: str) -> str:
        """Return `text` without the token, in case a server repeats it."""
        return text.replace(self._token, "***")


def checked_url(url: str, allow_insecure: bool) -> str:
    """Return a base URL that the token may be sent to."""
    try:
        parts = urlsplit(url)
        # Two readers that differ on the host differ on where the token goes.
        host = parts.hostname if parts.hostname == _host_asked(url) else None
        odd = parts.query or parts.fragment or "@" in parts.netloc or not url.isprintable() or {" ", "\\"} & set(url)
    except ValueError:
        host = None
    if not host or parts.scheme not in ("http", "https") or odd:
        msg = f"The base URL is {url.rsplit('@', maxsplit=1)[-1]!r}; it should look like https://api.example.com/v1."
        raise ConfigError(msg)
    if parts.scheme == "http" and not allow_insecure and not _is_loopback(host):
        msg = (
            f"The base URL is plain http to {host}, which shows the token to anyone on the way. Use https, or pass "
            "allow_insecure=True if the network is yours."
        )
        raise ConfigError(msg)
    return url.rstrip("/")


def _host_asked(url: str) -> str | None:
    """Return the host as the library that opens the connection reads it."""
    host = parse_url(url).host
    return host.strip("[]") if host else None


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _server_message(response: requests.Response) -> str:
    """Return what an error says of itself; of a page without end only the first piece is read."""
    try:
        said = json.loads(next(response.iter_content(_PIECE), b""))["message"]
    except (ValueError, KeyError, TypeError, RecursionError, requests.RequestException, OSError, HTTPException):
        return ""
    return said[:300] if isinstance(said, str) else ""


def _answered_at(response: requests.Response) -> datetime:
    try:
        return parsedate_to_datetime(response.headers["Date"]).astimezone(UTC)
    except (KeyError, ValueError, OverflowError):
        return datetime.now(UTC)


def _retry_after(response: requests.Response) -> float | None:
    """Return the seconds of a ``Retry-After`` header, which may be a number or a date."""
    value = response.headers.get("Retry-After", "").strip()
    if value.isdecimal():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - _answered_at(response)).total_seconds())
    except (ValueError, TypeError):
        return None


def _cause(error: requests.RequestException) -> str:
    """Say what went wrong in a few words, without addresses of objects."""
    inner: Any = error
    while True:
        nested = [getattr(inner, "reason", None), *getattr(inner, "args", ())]
        deeper = next((each for each in nested if isinstance(each, BaseException)), None)
        if deeper is None:
            break
        inner = deeper
    text = getattr(inner, "strerror", None) or str(inner)
    text = text.split(": ", 1)[-1] if "object at 0x" in text else text
    return " ".join(text.split()) or type(inner).__name__
