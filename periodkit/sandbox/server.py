"""The API over real HTTP on the loopback interface.

A request is checked in this order, and the first check that fails decides: host (421), path (404), method (405), token
(401), then what `responses.py` checks. A parameter given twice counts as its last value; unknown parameters are ignored.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import os
import re
import secrets
import socket
import threading
import weakref
from collections.abc import Callable, Iterator
from email.utils import format_datetime
from functools import cache
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from periodkit.errors import ConfigError
from periodkit.sandbox import openapi
from periodkit.sandbox.dataset import DataSet
from periodkit.sandbox.responses import Body, Refusal, Responses
from periodkit.sandbox.season import make_season

try:
    import uvicorn
    from starlette.applications import Starlette
    from starlette.exceptions import HTTPException
    from starlette.middleware import Middleware
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route
    from starlette.types import ASGIApp, Receive, Scope, Send
except ModuleNotFoundError as error:
    raise ConfigError(
        f'the sandbox needs the package {error.name!r}; install it with: pip install "periodkit[sandbox]"'
    ) from error

__all__ = ["DEFAULT_TOKEN", "HOST", "Sandbox", "create_app", "serve", "token_for"]

HOST = "127.0.0.1"
DEFAULT_TOKEN = "sandbox-token"  # noqa: S105 - known to everyone, opens nothing but invented data

_STARTUP_SECONDS = 10.0
_SHUTDOWN_SECONDS = 5.0
# Below this a gzip header costs more than it saves.
_GZIP_FROM = 500
# A web page can make a host name of its own lead to this machine, but not these.
_OWN_HOST = re.compile(rf"({re.escape(HOST)}|localhost)(:[0-9]+)?", re.IGNORECASE)
_PRINTABLE = "".join(map(chr, range(32, 127))).replace("%", "")


class _Api:
    """The endpoints; every response, refusals included, is made by `_respond`."""

    def __init__(self, dataset: DataSet, token: str, page_size: int | None, latency: float) -> None:
        self._responses = Responses(dataset, page_size)
        self._token = token.encode()
        self._latency = latency
        self._date = format_datetime(dataset.as_of, usegmt=True)
        self._name = quote(dataset.name[:100].strip() or "a data set", safe=_PRINTABLE, errors="replace")
        self._description = Body(openapi.description("1", paged=page_size is not None))

    async def periods(self, request: Request) -> Response:
        await self._enter(request)
        return self._respond(request, self._responses.periods(request.query_params))

    async def actions(self, request: Request) -> Response:
        await self._enter(request)
        return self._respond(request, self._responses.actions(request.path_params["period_id"], request.query_params))

    async def describe(self, request: Request) -> Response:
        return self._respond(request, self._description)

    async def refuse(self, request: Request, error: Exception) -> Response:
        if isinstance(error, Refusal):
            return self._respond(request, Body({"message": error.message}), error.status)
        if not isinstance(error, HTTPException):
            return self._respond(request, Body({"message": "Internal error of the sandbox"}), 500)
        response = self._respond(request, Body({"message": error.detail}), error.status_code)
        response.headers.update(error.headers or {})
        return response

    def only_own_hosts(self, app: ASGIApp) -> ASGIApp:
        """Return the application behind a check of the host that was asked for."""

        async def checked(scope: Scope, receive: Receive, send: Send) -> None:
            request = Request(scope)
            hosts = request.headers.getlist("host")
            if hosts and all(_OWN_HOST.fullmatch(host) for host in hosts):
                await app(scope, receive, send)
            else:
                await self._respond(request, Body({"message": openapi.MISDIRECTED}), 421)(scope, receive, send)

        return checked

    async def _enter(self, request: Request) -> None:
        if self._latency:
            await asyncio.sleep(self._latency)
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        # Header text is Latin-1 by definition, so this returns the bytes that were sent.
        right = hmac.compare_digest(given.strip().encode("latin-1"), self._token)
        if scheme.lower() != "bearer" or not right:
            raise HTTPException(401, openapi.UNAUTHORIZED, {"WWW-Authenticate": "Bearer"})

    def _respond(self, request: Request, body: Body, status: int = 200) -> Response:
        headers = {
            "Date": self._date,
            "Content-Type": "application/json",
            "Vary": "Accept-Encoding",
            openapi.SANDBOX_HEADER: self._name,
        }
        content = body.plain
        if len(content) >= _GZIP_FROM and _takes_gzip(request.headers.get("accept-encoding", "")):
            headers["Content-Encoding"] = "gzip"
            content = body.gzipped
        return Response(content, status, headers)


def _takes_gzip(accepted: str) -> bool:
    for part in accepted.lower().split(","):
        coding, _, weight = part.partition(";")
        if coding.strip() in {"gzip", "*"}:
            return not re.fullmatch(r"\s*q=0(\.0*)?\s*", weight)
    return False


def token_for(dataset: DataSet | None) -> str:
    """Return a token for a data set: a new one if it was recorded, since its data may not be for everyone."""
    return DEFAULT_TOKEN if dataset is None or dataset.file is None else secrets.token_urlsafe(24)


def create_app(
    dataset: DataSet, token: str = DEFAULT_TOKEN, *, page_size: int | None = None, latency: float = 0.0
) -> Starlette:
    """Return the API as an ASGI application.

    Parameters
    ----------
    dataset : DataSet
        What to serve; must not change afterwards.
    token : str
        The bearer token that every request needs, except for ``/openapi.json``.
    page_size : int, optional
        Send both lists in pages of at most this many records, with ``page``, ``per_page``, ``total_pages`` and
        ``total_count`` beside them. By default a list is whole, as the API documents it.
    latency : float
        Seconds to wait before each response, as a distant server would take.

    Returns
    -------
    Starlette
        The application. Its ``Date`` header is always ``dataset.as_of``, and ``X-Periodkit-Sandbox`` names the data set.

    Raises
    ------
    ConfigError
        `page_size` is below 1, or the token is empty.
    """
    if page_size is not None and page_size < 1:
        raise ConfigError(f"page_size is {page_size}; give a positive number, or None for whole answers")
    if not token.strip():
        raise ConfigError("the sandbox's token is empty; give any text, or leave it out")
    api = _Api(dataset, token.strip(), page_size, latency)
    app = Starlette(
        routes=[
            _get("/periods", api.periods),
            _get("/periods/{period_id}/actions", api.actions),
            _get("/openapi.json", api.describe),
        ],
        middleware=[Middleware(api.only_own_hosts)],
        exception_handlers={Refusal: api.refuse, HTTPException: api.refuse, Exception: api.refuse},
    )
    app.router.redirect_slashes = False
    return app


def _get(path: str, endpoint: Callable[[Request], Any]) -> Route:
    route = Route(path, endpoint, methods=["GET"])
    # Starlette answers HEAD along with GET; the API documents GET alone.
    route.methods = {"GET"}
    return route


class _Server(uvicorn.Server):
    """A server that says when it has started or given up, and ends at once; signals stay with the main thread."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.settled = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._told = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.settled.set()

    async def main_loop(self) -> None:
        # uvicorn looks every tenth of a second whether it shall end, and so does this, unless it is told.
        self._loop = asyncio.get_running_loop()
        ticks = 0
        while not await self.on_tick(ticks):
            ticks += 1
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._told.wait(), 0.1)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # uvicorn waits a tenth of a second for answers to be sent, even where none is being sent.
        for server in self.servers:
            server.close()
        for listener in sockets or []:
            listener.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        await asyncio.sleep(0)
        if self.server_state.connections or self.server_state.tasks:
            await super().shutdown(sockets)

    def stop(self) -> None:
        """Let it end; may be called in any thread."""
        self.should_exit = True
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # it has ended
                self._loop.call_soon_threadsafe(self._told.set)

    def run_quietly(self, listener: socket.socket) -> None:
        try:
            self.run([listener])
        finally:
            listener.close()
            self.settled.set()


def _make_server(app: Starlette) -> _Server:
    return _Server(
        uvicorn.Config(
            app,
            # Fixed, so that the sandbox answers the same whatever else is installed.
            http="h11",
            loop="asyncio",
            ws="none",
            lifespan="off",
            # The Date header is the data set's.
            date_header=False,
            server_header=False,
            proxy_headers=False,
            access_log=False,
            log_config=None,
            log_level="error",
            timeout_graceful_shutdown=1,
        )
    )


def _listen(port: int) -> socket.socket:
    # Named as TCP, because asyncio turns Nagle's delay off only then: 40 ms an answer otherwise.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":
            # Elsewhere this option would let two servers share the port.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen(128)
    except (OSError, OverflowError) as error:
        listener.close()
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(
            f"the sandbox cannot listen on port {port}: {reason}; give another port, or 0 for any free one"
        ) from error
    return listener


@cache
def _season() -> DataSet:
    """Return the synthetic season, which takes half a second to draw: once a process."""
    return make_season().dataset


def _stop(server: _Server, thread: threading.Thread) -> None:
    server.stop()
    if thread is not threading.current_thread():
        thread.join(_SHUTDOWN_SECONDS)


class Sandbox:
    """The API on this machine, in a background thread, until closed.

    Parameters
    ----------
    dataset : DataSet, optional
        What to serve; the synthetic season by default.
    token : str, optional
        The bearer token to require. By default ``"sandbox-token"``, or a new one for a data set loaded from a file.
    port : int
        Port on 127.0.0.1; 0 takes any free one.
    page_size, latency
        As in `create_app`.

    Raises
    ------
    ConfigError
        The port is taken or not allowed; the message names it.

    Examples
    --------
    >>> import requests
    >>> with Sandbox() as sandbox:
    ...     answer = requests.get(sandbox.base_url + "/periods", headers={"Authorization": f"Bearer {sandbox.token}"})
    >>> len(answer.json()["periods"])
    26
    """

    def __init__(
        self,
        dataset: DataSet | None = None,
        token: str | None = None,
        port: int = 0,
        *,
        page_size: int | None = None,
        latency: float = 0.0,
    ) -> None:
        self.dataset = _season() if dataset is None else dataset
        self.token = token_for(self.dataset) if token is None else token
        app = create_app(self.dataset, self.token, page_size=page_size, latency=latency)
        listener = _listen(port)
        self.port: int = listener.getsockname()[1]
        self.base_url = f"http://{HOST}:{self.port}"
        server = _make_server(app)
        # The thread holds the server and not this object, so that one forgotten without close() is still collected.
        thread = threading.Thread(target=server.run_quietly, args=(listener,), name="periodkit-sandbox", daemon=True)
        thread.start()
        self._finalizer = weakref.finalize(self, _stop, server, thread)
        if not server.settled.wait(_STARTUP_SECONDS) or not server.started:
            self.close()
            raise ConfigError(f"the sandbox did not start on port {self.port}; try another port")

    def close(self) -> None:
        """Stop the server and wait until its thread has ended; a second call does nothing."""
        self._finalizer()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "serving" if self._finalizer.alive else "closed"
        return f"<Sandbox {state} {len(self.dataset.periods)} periods on {self.base_url}>"


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    # uvicorn ends its work on Ctrl-C and then raises the signal again; that is how a person stops a server.
    with contextlib.suppress(KeyboardInterrupt):
        yield


def serve(
    dataset: DataSet | None = None,
    token: str | None = None,
    port: int = 0,
    *,
    announce: Callable[[str], object] | None = None,
    page_size: int | None = None,
    latency: float = 0.0,
) -> None:
    """Serve until interrupted; returns after Ctrl-C.

    Parameters
    ----------
    dataset, token, port, page_size, latency
        As in `Sandbox`.
    announce : callable, optional
        Called once with the base URL when the port is open.

    Raises
    ------
    ConfigError
        The port is taken or not allowed; the message names it.
    """
    data = _season() if dataset is None else dataset
    app = create_app(data, token_for(data) if token is None else token, page_size=page_size, latency=latency)
    with _listen(port) as listener, _interruptible():
        if announce is not None:
            announce(f"http://{HOST}:{listener.getsockname()[1]}")
        _make_server(app).run([listener])
