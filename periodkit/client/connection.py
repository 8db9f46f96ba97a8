"""Connections whose answers have a deadline, and which never print what they send."""

from __future__ import annotations

import http.client
import io
import time
from collections.abc import Mapping
from functools import partial
from socket import socket
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from periodkit._version import __version__


def open_session(connections: int, whole: float | None) -> requests.Session:
    """Return a session of our own.

    Parameters
    ----------
    connections : int
        How many connections it keeps open.
    whole : float or None
        Seconds from the first byte asked for to the last of an answer. A read time-out alone never ends a server that
        sends a byte now and then.
    """
    session = requests.Session()
    adapter = _Adapter(connections, whole)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    session.headers["User-Agent"] = f"periodkit/{__version__}"
    return session


class _Adapter(HTTPAdapter):
    def __init__(self, connections: int, whole: float | None) -> None:
        self._pools = _pool_classes(whole)
        super().__init__(pool_connections=1, pool_maxsize=connections)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:  # noqa: ANN401
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:  # noqa: ANN401
        manager = super().proxy_manager_for(proxy, **options)
        if not proxy.lower().startswith("socks"):  # those have connections of their own
            manager.pool_classes_by_scheme = self._pools
        return manager


def _pool_classes(whole: float | None) -> Mapping[str, type[HTTPConnectionPool]]:
    # debuglevel: `http.client` prints headers, the token among them, where it is set for all connections.
    own: dict[str, Any] = {"debuglevel": 0}
    if whole is not None:
        own["response_class"] = staticmethod(partial(_Response, whole=whole))
    plain = type("_Connection", (HTTPConnection,), own)
    secure = type("_SecureConnection", (HTTPSConnection,), own)
    return {
        "http": type("_Pool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
        "https": type("_SecurePool", (HTTPSConnectionPool,), {"ConnectionCls": secure}),
    }


class _Response(http.client.HTTPResponse):
    """An answer whose status line, headers and body all have to come in time."""

    def __init__(self, sock: socket, *args: Any, whole: float, **options: Any) -> None:  # noqa: ANN401
        super().__init__(sock, *args, **options)
        self.fp.close()  # nothing was read from it so far
        self.fp = io.BufferedReader(_TimedReader(sock, whole))


class _TimedReader(io.RawIOBase):
    def __init__(self, sock: socket, whole: float) -> None:
        super().__init__()
        self._sock = sock
        self._each = sock.gettimeout()
        self._deadline = time.monotonic() + whole
        self._raw = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:  # noqa: ANN401
        left = self._deadline - time.monotonic()
        if left <= 0:
            msg = "the answer was not whole in time"
            raise TimeoutError(msg)
        self._sock.settimeout(left if self._each is None else min(left, self._each))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()
