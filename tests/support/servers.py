"""Servers on loopback, and none at all, that answer what a test tells them to."""

import gzip
import io
import json
import socket
import socketserver
import struct
import threading
import zlib
from contextlib import contextmanager, suppress
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests
import urllib3
from requests.adapters import BaseAdapter


@contextmanager
def scripted(answer):
    """Serve ``answer(path, headers) -> (status, headers, body)``; yields the base URL and the list of requests seen."""
    seen = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            seen.append((self.path, dict(self.headers)))
            status, headers, body = answer(self.path, self.headers)
            body = json.dumps(body).encode() if not isinstance(body, bytes) else body
            self.send_response_only(status)
            for name, value in ({"Content-Length": str(len(body))} | headers).items():
                if value is not None:
                    self.send_header(name, value)
            with suppress(OSError):  # a client that has heard enough
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


RESET = object()
"""In what `raw` sends: tear the connection down."""


@contextmanager
def raw(answer):
    """Serve bytes that need not be HTTP, one connection a request; yields the base URL and the request heads seen.

    ``answer(path)`` returns what is sent, piece by piece: bytes, seconds to wait, or `RESET`.
    """
    seen = []
    stopping = threading.Event()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            head = b""
            while b"\r\n\r\n" not in head:
                more = self.request.recv(65536)
                if not more:
                    return
                head += more
            seen.append(head.decode("latin-1"))
            path = seen[-1].split(" ")[1]
            with suppress(OSError):  # a client that has heard enough
                for piece in answer(path):
                    if piece is RESET:
                        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                        self.request.close()
                        return
                    if not isinstance(piece, bytes):
                        if stopping.wait(piece):
                            return
                        continue
                    self.request.sendall(piece)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False
        request_queue_size = 64

        def handle_error(self, request, address):
            pass

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", seen
        finally:
            stopping.set()
            server.shutdown()
            thread.join()


def head(body, status="200 OK", **headers):
    """The head of an answer as bytes; headers are named with underscores, and None leaves one out."""
    given = {"Date": "Tue, 02 Jul 2024 06:30:00 GMT", "Connection": "close", "Content_Length": str(len(body))}
    given |= headers
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in given.items() if value is not None]
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode()


class Canned(BaseAdapter):
    """Answers without a network, for ``Client(transport=...)``.

    `body` is bytes, what JSON can hold, or ``body(request)``, which returns either or raises.
    """

    def __init__(self, body, status=200, headers=None):
        super().__init__()
        self.body, self.status, self.headers = body, status, headers or {}
        self.seen = []

    def send(self, request, **options):
        self.seen.append(request.url)
        body = self.body(request) if callable(self.body) else self.body
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        response = requests.Response()
        response.status_code, response.url, response.request = self.status, request.url, request
        response.headers.update(self.headers)
        response.raw = urllib3.HTTPResponse(io.BytesIO(body), self.headers, self.status, preload_content=False)
        return response

    def close(self):
        pass


@cache
def bomb(mib, times=1):
    """Zeros, packed."""
    packer = zlib.compressobj(9, wbits=31)
    packed = b"".join(packer.compress(bytes(2**20)) for _ in range(mib)) + packer.flush()
    for _ in range(times - 1):
        packed = gzip.compress(packed, mtime=0)
    return packed
