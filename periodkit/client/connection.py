"""Connections whose responses have a deadline, and which never print what they send."""

from __future__ import annotations

import http.client
import io
from collections.abc import Mapping
from functools import partial
from socket import socket
from typing import Any

import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from requests.cookies import RequestsCookieJar
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from periodkit._version import __version__
from periodkit.client.pacing import Clock

_LONGEST_LINE = 2**16


def open_session(
    connections: int, whole: float | None, clock: Clock, transport: BaseAdapter | None
) -> requests.Session:
    """Return a session of our own.

    Parameters
    ----------
    connections : int
        How many connections it keeps open.
    whole : float or None
        Seconds from the first byte of a response to the last. A read time-out alone never ends a server that sends a
        byte now and then.
    clock : Clock
        What tells the time.
    transport : requests.adapters.BaseAdapter or None
        Takes the place of the network.
    """
    session = requests.Session()
    adapter = _Adapter(connections, whole, clock) if transport is None else transport
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    session.headers["User-Agent"] = f"periodkit/{__version__}"
    session.cookies = _NoCookies()
    return session


class _NoCookies(RequestsCookieJar):
    """Keeps none: the API has no use for cookies, and a server must not make requests grow."""

    def extract_cookies(self, *_: Any) -> None:  # noqa: ANN401
        """Take nothing from a response, and parse none of it."""


class _Adapter(HTTPAdapter):
    def __init__(self, connections: int, whole: float | None, clock: Clock) -> None:
        self._pools = _pool_classes(whole, clock)
        super().__init__(pool_connections=1, pool_maxsize=connections)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:  # noqa: ANN401
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:  # noqa: ANN401
        manager = super().proxy_manager_for(proxy, **options)
        if not proxy.lower().startswith("socks"):  # those have connections of their own
            manager.pool_classes_by_scheme = self._pools
        return manager


def _pool_classes(whole: float | None, clock: Clock) -> Mapping[str, type[HTTPConnectionPool]]:
    own: dict[str, Any] = {
        # `http.client` prints headers, the token among them, where it is set for all connections.
        "debuglevel": 0,
        "response_class": staticmethod(partial(_Response, whole=float("inf") if whole is None else whole, clock=clock)),
    }
    plain = type("_Connection", (HTTPConnection,), own)
    secure = type("_SecureConnection", (HTTPSConnection,), own)
    return {
        "http": type("_Pool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
        "https": type("_SecurePool", (HTTPSConnectionPool,), {"ConnectionCls": secure}),
    }


class _Response(http.client.HTTPResponse):
    """A response whose status line, headers and body all have to arrive in time."""

    def __init__(self, sock: socket, *args: Any, whole: float, clock: Clock, **options: Any) -> None:  # noqa: ANN401
        super().__init__(sock, *args, **options)
        self.fp.close()  # nothing was read from it so far
        self.fp = _BoundedLines(_TimedReader(sock, whole, clock))


class _BoundedLines(io.BufferedReader):
    """Reads no endless line: older versions of urllib3 read chunk headers and trailers without a bound."""

    def readline(self, size: int | None = -1, /) -> bytes:
        if size is not None and size >= 0:
            return super().readline(size)
        line = super().readline(_LONGEST_LINE + 1)
        if len(line) > _LONGEST_LINE:
            raise http.client.LineTooLong("chunk")
        return line


class _TimedReader(io.RawIOBase):
    def __init__(self, sock: socket, whole: float, clock: Clock) -> None:
        super().__init__()
        self._sock = sock
        self._read_timeout = sock.gettimeout()
        self._clock = clock
        self._deadline = clock.now() + whole
        self._raw = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:  # noqa: ANN401
        left = self._deadline - self._clock.now()
        if left <= 0:
            msg = "the response was not whole in time"
            raise TimeoutError(msg)
        # No socket takes an infinite time-out.
        self._sock.settimeout(min(left, 2**20 if self._read_timeout is None else self._read_timeout))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()
