"""One request and its response: the only place where bytes leave or enter this process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from http.client import HTTPException
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import requests
from requests.adapters import BaseAdapter
from urllib3.exceptions import HTTPError

from periodkit.client.connection import open_session
from periodkit.client.credentials import BearerAuth, is_loopback
from periodkit.client.pacing import Clock, Gate
from periodkit.client.retry import RetrySession
from periodkit.client.statuses import answered_at, sandbox_name, status_error
from periodkit.errors import InvalidRequestError, TransportError
from periodkit.parse import Answer

_PIECE = 2**16
_LONGEST_MESSAGE = 300
_HOPELESS = (
    requests.exceptions.SSLError,
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidHeader,
    requests.exceptions.InvalidProxyURL,
)


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
    adapter : requests.adapters.BaseAdapter or None
        Takes the place of the network in a session of our own.
    timeout : float or (float, float)
        Seconds for a connection and for the next bytes.
    whole : float or None
        Seconds for a whole answer; held to the byte by a session of our own, and between pieces by the caller's.
    connections : int
        How many connections the own session keeps.
    gate : Gate
        Told when the server answers.
    clock : Clock
        What tells the time.
    max_bytes : int
        How large a body may be, unpacked.
    """

    def __init__(
        self,
        base_url: str,
        auth: BearerAuth,
        *,
        session: requests.Session | None,
        adapter: BaseAdapter | None,
        timeout: float | tuple[float, float],
        whole: float | None,
        connections: int,
        gate: Gate,
        clock: Clock,
        max_bytes: int,
    ) -> None:
        self.base_url = base_url
        self.sandbox: str | None = None
        """What the server serves, if it said that it is the sandbox when it was first asked, or for periods last."""
        self._known = False
        self.max_bytes = max_bytes
        self._auth = auth
        self._timeout = timeout
        self._whole = whole
        self._gate = gate
        self._clock = clock
        self._owned = session is None
        self._session = open_session(connections, whole, clock, adapter) if session is None else session
        parts = urlsplit(base_url)
        # The most specific name of a proxy that requests looks for. Empty is none, whatever the environment says.
        self._proxies = {f"{parts.scheme}://{parts.hostname}": ""} if is_loopback(base_url) else {}

    def __repr__(self) -> str:
        return f"Transport({self.base_url!r})"

    def close(self) -> None:
        """Close the own session."""
        if self._owned:
            self._session.close()

    def scrub(self, text: str) -> str:
        """Return `text` without the token."""
        return self._auth.scrub(text)

    def get(self, path: str, params: Mapping[str, str], period_id: int | None, retry: RetrySession) -> Answer:
        """Ask for `path`, as often as `retry` allows, and return the whole answer."""
        if any(self._auth.is_in(value) for value in params.values()):
            msg = f"{path}: a parameter holds the token, and addresses are logged, so the request was not sent."
            raise InvalidRequestError(None, f"{msg} Leave the token out of form_fields.")
        return retry.run(path, lambda: self._get_once(path, params, period_id, retry))

    def _get_once(self, path: str, params: Mapping[str, str], period_id: int | None, retry: RetrySession) -> Answer:
        url = self.base_url + path + ("?" + urlencode(params, quote_via=quote, safe="") if params else "")
        failed: BaseException
        try:
            with self._session.get(
                url,
                auth=self._auth,
                timeout=self._timeout,
                allow_redirects=False,
                headers={"Accept": "application/json", "Accept-Encoding": "gzip"},
                proxies=dict(self._proxies),  # requests adds those of the environment to it
                stream=True,
            ) as response:
                self._gate.reached = True
                if response.status_code == requests.codes.ok:
                    body = self._body(response, path, retry)
                    self._check_origin(sandbox_name(response, self._shown), path, period_id)
                    return Answer(body, answered_at(response, self._clock.utc()), period_id)
                failed = status_error(response, path, self._shown, self._clock.utc())
        except requests.RequestException as error:
            failed = self._failure(error, path)
        except (OSError, HTTPException, HTTPError) as error:  # what requests lets through while a body arrives
            failed = self._failure(requests.ConnectionError(error), path)
        except Exception as error:  # noqa: BLE001  (whatever a response makes a library raise is this request's failure)
            msg = f"{path}: {type(error).__name__} while the answer was read ({self._shown(_cause(error))})."
            failed = TransportError(f"{msg} Report it to the developers of periodkit.", retryable=False)
        except BaseException as stop:  # noqa: BLE001  (raised below)
            failed = stop.with_traceback(None)
            failed.__context__ = None
        # Raised here, without the frames above and without a context: both hold the request, and with it the token.
        raise failed

    def _check_origin(self, sandbox: str | None, path: str, period_id: int | None) -> None:
        """Take no actions from elsewhere than the periods: invented ones would pass for an account's, or for another's."""
        if self._known and period_id is not None and sandbox != self.sandbox:
            now, before = (
                f"from the sandbox ({name})" if name else "not from the sandbox" for name in (sandbox, self.sandbox)
            )
            msg = f"{path}: this answer comes {now}, though what was fetched before comes {before}. It was not kept."
            raise _RefusedError(
                f"{msg} Fetch the periods again, and check what answers at the base URL.", retryable=False
            )
        self.sandbox, self._known = sandbox, True

    def _body(self, response: requests.Response, path: str, retry: RetrySession) -> bytes:
        """Read a body piece by piece, so that none fills the memory, even if it is small when packed."""
        began = self._clock.now()
        pieces = []
        size = 0
        for piece in _read(response):
            size += len(piece)
            if size > self.max_bytes:
                msg = (
                    f"{path}: the answer is larger than {self.max_bytes:,} bytes, so the rest was not read. If it may be, "
                    "give Client a larger max_body_bytes."
                )
                raise _RefusedError(msg, retryable=False)
            if retry.stop.is_set():
                msg = f"{path}: the fetch was stopped before the answer was whole. Ask again."
                raise _RefusedError(msg)
            if self._whole is not None and self._clock.now() - began > self._whole:
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
        cause = self._shown(_cause(error))
        if isinstance(error, requests.Timeout) or "timed out" in cause or "not whole in time" in cause:
            msg = f"{self.base_url} did not answer {path} in time. Try again, or give Client a longer timeout."
            return TransportError(msg)
        advice = "Check the base URL and the network."
        if isinstance(error, requests.exceptions.SSLError):
            advice = "Check the base URL; for a custom certificate, pass Client(session=...)."
        elif isinstance(error, requests.exceptions.ProxyError):
            advice = "Check the proxy that the environment names (HTTPS_PROXY, HTTP_PROXY, NO_PROXY)."
        msg = f"No whole answer to {path} from {self.base_url} ({cause}). {advice}"
        return TransportError(msg, retryable=not isinstance(error, _HOPELESS))

    def _shown(self, text: str) -> str:
        """Return a server's text on one line: without the token, then without control characters, then cut."""
        line = " ".join(self.scrub(text).split())
        return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in line[:_LONGEST_MESSAGE])


def _read(response: requests.Response) -> Iterator[bytes]:
    try:
        yield from response.iter_content(_PIECE)
    except ValueError as error:  # what `http.client` makes of a chunk whose size is below 0
        raise requests.exceptions.ChunkedEncodingError(error) from None


class _RefusedError(requests.RequestException):
    """Why a body that arrived is not accepted."""

    def __init__(self, message: str, retryable: bool = True) -> None:
        super().__init__(message)
        self.retryable = retryable


def _cause(error: Exception) -> str:
    """Say what went wrong in a few words, without addresses of objects."""
    inner: Any = error
    while True:
        nested = [getattr(inner, "reason", None), *getattr(inner, "args", ())]
        deeper = next((item for item in nested if isinstance(item, BaseException)), None)
        if deeper is None:
            break
        inner = deeper
    text = getattr(inner, "strerror", None) or str(inner)
    text = text.split(": ", 1)[-1] if "object at 0x" in text else text
    return " ".join(text.split()) or type(inner).__name__
