"""A real HTTP server on loopback that serves what a test tells it to, and remembers every request.

::

    with LoopbackWeb() as web:
        web.add("/feed.xml", FEED, content_type="application/rss+xml", etag='"1"')
        web.add("/slow", lambda request: Reply(chunks(b"...", pause=0.1)))
        HttpClient(allow_hosts=web.hosts, gap=0).get(web.url("/feed.xml"))
        assert web.requests[0].path == "/feed.xml"
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Request:
    """A request as it came in. ``host`` is the Host header without its port; header names are lower case."""

    method: str
    target: str  # path and query, as sent
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def host(self) -> str:
        return self.headers.get("host", "").rpartition(":")[0]


@dataclass
class Reply:
    """What to answer. A body of several pieces is sent piece by piece, without a Content-Length."""

    body: bytes | Iterable[bytes] = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


Handler = Callable[[Request], Reply | None]


class LoopbackWeb:
    """Serves callables and fixed bodies by path on loopback (``address``); unknown paths answer 404.

    A path ending in ``*`` matches every path that begins with what stands before it. Several names can be served at
    once: ``add("/feed", ..., host="a.test")`` answers only requests whose Host header says so.
    """

    def __init__(self, ssl_context: Any = None, address: str = "127.0.0.1") -> None:
        self.requests: list[Request] = []
        self._routes: dict[tuple[str, str], Handler] = {}
        self._active: dict[str, int] = {}
        self.most_at_once: dict[str, int] = {}  # by host: the greatest number of requests in work at one time
        self._lock = threading.Lock()
        self._address = address
        self._server = _Server((address, 0), _handler_class(self))
        if ssl_context is not None:
            self._server.socket = ssl_context.wrap_socket(self._server.socket, server_side=True)
        self._scheme = "https" if ssl_context is not None else "http"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> LoopbackWeb:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def hosts(self) -> frozenset[str]:
        """What ``HttpClient(allow_hosts=...)`` needs to reach this server."""
        return frozenset({f"{self._address}:{self.port}", f"localhost:{self.port}"})

    def url(self, path: str = "/", host: str | None = None) -> str:
        """The address of ``path`` on this server, under the given name."""
        return f"{self._scheme}://{host or self._address}:{self.port}{path}"

    def add(
        self,
        path: str,
        answer: Handler | Reply | bytes | str,
        *,
        content_type: str = "application/xml",
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        etag: str | None = None,
        last_modified: str | None = None,
        host: str = "*",
    ) -> None:
        """Serve ``answer`` at ``path``. With ``etag`` or ``last_modified``, conditional requests are answered 304."""
        if callable(answer):
            self._routes[host, path] = answer
            return
        if isinstance(answer, Reply):
            fixed = answer
        else:
            body = answer.encode() if isinstance(answer, str) else answer
            fixed = Reply(body, status, {"Content-Type": content_type, **(headers or {})})
        self._routes[host, path] = _conditional(fixed, etag, last_modified)

    def paths(self) -> list[str]:
        """The paths asked for, in order."""
        return [request.path for request in self.requests]

    def answer(self, request: Request) -> Reply | None:
        """Find the handler of a request and let it answer (called by the server, on its threads)."""
        with self._lock:
            self.requests.append(request)
            self._active[request.host] = self._active.get(request.host, 0) + 1
            self.most_at_once[request.host] = max(self.most_at_once.get(request.host, 0), self._active[request.host])
        return self._route(request)(request)

    def finished(self, request: Request) -> None:
        """Note that a request is no longer in work."""
        with self._lock:
            self._active[request.host] -= 1

    def _route(self, request: Request) -> Handler:
        for host in (request.host, "*"):
            if (host, request.path) in self._routes:
                return self._routes[host, request.path]
            for (route_host, path), handler in self._routes.items():
                if route_host == host and path.endswith("*") and request.path.startswith(path[:-1]):
                    return handler
        return lambda _: Reply(b"not found", 404)


def chunks(body: bytes, *, size: int = 1, pause: float = 0.0) -> Iterator[bytes]:
    """``body`` in small pieces with pauses (seconds) between them: a slow drip."""
    for start in range(0, len(body), size):
        yield body[start : start + size]
        time.sleep(pause)


def _conditional(reply: Reply, etag: str | None, last_modified: str | None) -> Handler:
    validators = {
        name: value for name, value in (("ETag", etag), ("Last-Modified", last_modified)) if value is not None
    }

    def handle(request: Request) -> Reply:
        asked = (request.headers.get("if-none-match"), request.headers.get("if-modified-since"))
        if (etag is not None and asked[0] == etag) or (last_modified is not None and asked == (None, last_modified)):
            return Reply(b"", 304, dict(validators))
        return Reply(reply.body, reply.status, {**reply.headers, **validators})

    return handle


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up in the middle are part of the tests: nothing is printed."""


def _handler_class(web: LoopbackWeb) -> type[BaseHTTPRequestHandler]:
    class OneRequest(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30
        disable_nagle_algorithm = True

        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Request(self.command, self.path, headers, self.rfile.read(length))
            try:
                reply = web.answer(request)
                if reply is not None:
                    self._send(reply)
            finally:
                web.finished(request)

        def _send(self, reply: Reply) -> None:
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            whole = isinstance(reply.body, bytes)
            if whole and "Content-Length" not in reply.headers and reply.status != 304:
                self.send_header("Content-Length", str(len(reply.body)))  # type: ignore[arg-type]
            self.send_header("Connection", "close")
            self.close_connection = True
            self.end_headers()
            for piece in [reply.body] if whole else reply.body:
                self.wfile.write(piece)  # type: ignore[arg-type]

        do_GET = do_POST = do_HEAD = do_PUT = _serve

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: the request log is ``web.requests``."""

    return OneRequest


class RawServer:
    """A TCP server on loopback that answers every connection with a function of its socket: for broken HTTP.

    The request's header is read first; the socket is closed when the function returns.
    """

    def __init__(self, talk: Callable[[socket.socket], None], *, read_request: bool = True) -> None:
        self._talk = talk
        self._read_request = read_request
        self.connections = 0
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = int(self._socket.getsockname()[1])
        self.hosts = frozenset({f"127.0.0.1:{self.port}"})

    def url(self, path: str = "/") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def __enter__(self) -> RawServer:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._socket.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                if self._read_request:
                    connection.recv(65536)
                self._talk(connection)
            except OSError:
                return
