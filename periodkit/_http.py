"""One request and its answer: the only place where bytes leave or enter this process."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase

from periodkit._answer import Answer
from periodkit._version import __version__
from periodkit.errors import (
    ApiError,
    AuthError,
    ConfigError,
    InvalidRequestError,
    PeriodNotFoundError,
    RateLimitError,
    ServerError,
    TransportError,
)

TOKEN_VARIABLE = "ALO_API_TOKEN"  # noqa: S105  (the name of the variable, not a token)

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
    base_url, token : str
        Where to and as whom.
    session : requests.Session or None
        The caller's session, left open; None opens one of our own.
    timeout : float or (float, float)
        Seconds for a connection and for the next bytes.
    connections : int
        How many connections the own session keeps.
    allow_insecure : bool
        Whether plain http may leave this machine.
    """

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        session: requests.Session | None,
        timeout: float | tuple[float, float],
        connections: int,
        allow_insecure: bool,
    ) -> None:
        self.base_url = _checked_url(base_url, allow_insecure)
        self._auth = _BearerAuth(token)
        self._timeout = timeout
        self._owned = session is None
        self._session = _session(connections) if session is None else session

    def __repr__(self) -> str:
        return f"Transport({self.base_url!r})"

    def close(self) -> None:
        """Close the own session."""
        if self._owned:
            self._session.close()

    def get(self, path: str, params: Mapping[str, str], period_id: int | None) -> Answer:
        """Ask once for `path` and return the whole answer."""
        url = self.base_url + path + ("?" + urlencode(params, quote_via=quote, safe="") if params else "")
        try:
            response = self._session.get(
                url,
                auth=self._auth,
                timeout=self._timeout,
                allow_redirects=False,
                headers={"Accept": "application/json"},
            )
        except requests.Timeout:
            msg = f"{self.base_url} did not answer {path} in time. Try again, or give Client a longer timeout."
            raise TransportError(msg) from None
        except requests.RequestException as error:
            msg = (
                f"No whole answer to {path} from {self.base_url} ({_cause(error)}). Check the base URL and the network."
            )
            raise TransportError(msg) from None
        if response.status_code != requests.codes.ok:
            raise self._error(response, path)
        return Answer(response.content, _answered_at(response), period_id)

    def _error(self, response: requests.Response, path: str) -> ApiError:
        status = response.status_code
        said = self._auth.scrub(_server_message(response))
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
        message = f"{path}: {said or response.reason or 'error'} (HTTP {status}). {advice}"
        return kind(status, message, status == 429 or status >= 500, _retry_after(response))


class _BearerAuth(AuthBase):
    """Puts the token on a request, and nowhere else."""

    def __init__(self, token: str) -> None:
        if not token.isascii() or not token.isprintable() or " " in token:
            msg = "The token holds characters that no token has (a space, a line break?). Copy it again."
            raise ConfigError(msg)
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request

    def __repr__(self) -> str:
        return "Bearer(***)"

    def scrub(self, text: str) -> str:
        """Return `text` without the token, in case a server repeats it."""
        return text.replace(self._token, "***")


def _session(workers: int) -> requests.Session:
    session = requests.Session()
    adapter = HTTPAdapter(pool_maxsize=workers)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    session.headers["User-Agent"] = f"periodkit/{__version__}"
    return session


def _checked_url(url: str, allow_insecure: bool) -> str:
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        host = None
    if not host or parts.scheme not in ("http", "https") or parts.query or parts.fragment or parts.username:
        msg = f"The base URL is {url.rsplit('@', maxsplit=1)[-1]!r}; it should look like https://api.example.com/v1."
        raise ConfigError(msg)
    if parts.scheme == "http" and not allow_insecure and host not in ("localhost", "127.0.0.1", "::1"):
        msg = (
            f"The base URL is plain http to {host}, which shows the token to anyone on the way. Use https, or pass "
            "allow_insecure=True if the network is yours."
        )
        raise ConfigError(msg)
    return url.rstrip("/")


def _server_message(response: requests.Response) -> str:
    try:
        said = response.json()["message"]
    except (ValueError, KeyError, TypeError):
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
    inner: Any = error.args[0] if error.args else error
    inner = getattr(inner, "reason", inner)
    text = str(inner).split(": ", 1)[-1] if "object at 0x" in str(inner) else str(inner)
    return text or type(error).__name__
