"""Serves the app from a thread of the daemon, and ends within seconds while pages are open."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Awaitable, Sequence

import structlog
import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from framework.errors import SettingsError

log = structlog.get_logger("web")

_GRACE = 3  # seconds that open requests have to end in


class ServerHandle:
    """A running server. ``port`` is the real one, also where 0 (any free port) was asked for."""

    def __init__(self, server: uvicorn.Server, listener: socket.socket, streams: _EndableStreams) -> None:
        self._server = server
        self._streams = streams
        self.host, self.port = listener.getsockname()[:2]
        self._thread = threading.Thread(target=server.run, args=([listener],), name="web", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """The address to open in a browser."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}/"

    def wait_until_started(self, seconds: float = 30.0) -> bool:
        """Whether it answers; False when it did not within the time."""
        return self._streams.started.wait(seconds)

    def stop(self, seconds: float = 8.0) -> bool:
        """End open streams, then the server. False when it did not end in time."""
        self._streams.end()
        self._server.should_exit = True
        self._thread.join(seconds)
        return not self._thread.is_alive()


def serve(app: ASGIApp, host: str, port: int, trusted_proxies: Sequence[str] = ()) -> ServerHandle:
    """Listen and serve from a thread of its own. Raises ``SettingsError`` when the address cannot be had.

    ``trusted_proxies`` are addresses or networks whose X-Forwarded-For and X-Forwarded-Proto are believed.
    """
    listener = _listen(host, port)
    streams = _EndableStreams(app)
    config = uvicorn.Config(
        streams,
        log_config=None,
        access_log=False,
        proxy_headers=bool(trusted_proxies),
        forwarded_allow_ips=list(trusted_proxies),
        server_header=False,
        lifespan="on",
        timeout_graceful_shutdown=_GRACE,
        limit_concurrency=200,
        h11_max_incomplete_event_size=64_000,
    )
    handle = ServerHandle(uvicorn.Server(config), listener, streams)
    log.info("web_listening", url=handle.url)
    return handle


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        raise SettingsError(
            f"The dashboard cannot listen on {host}:{port} ({error.strerror or error}); "
            "stop what uses that port, or set DEALHOUND_PORT or DEALHOUND_HOST"
        ) from error
    return listener


class _EndableStreams:
    """ASGI wrapper: at the end, every open request is told that its client is gone, so that streams finish."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ending: asyncio.Event | None = None
        self.started = threading.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            self._loop, self._ending = asyncio.get_running_loop(), asyncio.Event()
            await self._app(scope, receive, self._noting_start(send))
            return

        ending = self._ending or asyncio.Event()

        async def receive_or_end() -> Message:
            return await _first(receive(), ending)

        await self._app(scope, receive_or_end, send)

    def end(self) -> None:
        """Called from any thread."""
        if self._loop is not None and self._ending is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._ending.set)

    def _noting_start(self, send: Send) -> Send:
        async def noting(message: Message) -> None:
            await send(message)
            if message["type"] == "lifespan.startup.complete":
                self.started.set()

        return noting


async def _first(message: Awaitable[Message], ending: asyncio.Event) -> Message:
    """The next message of the client, or its farewell when the server ends first."""
    arrival, end = asyncio.ensure_future(message), asyncio.ensure_future(ending.wait())
    try:
        await asyncio.wait({arrival, end}, return_when=asyncio.FIRST_COMPLETED)
        return arrival.result() if arrival.done() else {"type": "http.disconnect"}
    finally:
        for task in (arrival, end):
            if not task.done():
                task.cancel()
