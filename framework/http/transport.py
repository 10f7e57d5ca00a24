"""The same guard for libraries that speak through an httpx2 client of their own (the OpenAI SDK does)."""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Iterator

import httpcore2
import httpx2

from framework.http.addresses import AddressPolicy
from framework.http.connect import Deadline, GuardedBackend, Resolver, default_tls, resolve
from framework.http.translate import translated


class GuardedTransport(httpx2.BaseTransport):
    """Connects to public addresses and to the hosts that the owner named, nothing else; redirects are checked alike.

    For ``httpx2.Client(transport=GuardedTransport(...))``. ``total_timeout`` bounds one exchange in seconds. Raises
    the family of ``FetchError``.
    """

    def __init__(
        self,
        *,
        allow_hosts: Iterable[str] = (),
        total_timeout: float = 300.0,
        resolver: Resolver = resolve,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._policy = AddressPolicy(allow_hosts)
        self._total_timeout = total_timeout
        self._resolver = resolver
        self._ssl_context = ssl_context

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send one request over a connection of its own."""
        url = str(request.url)
        backend = GuardedBackend(url, self._policy, self._resolver, Deadline(self._total_timeout))
        tls = self._ssl_context or (default_tls() if request.url.scheme == "https" else None)
        pool = httpcore2.ConnectionPool(ssl_context=tls, max_connections=1, network_backend=backend)
        core_request = httpcore2.Request(
            method=request.method,
            url=httpcore2.URL(
                scheme=request.url.raw_scheme,
                host=request.url.raw_host,
                port=request.url.port,
                target=request.url.raw_path,
            ),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        try:
            with translated(url):
                answer = pool.handle_request(core_request)
        except BaseException:
            pool.close()
            raise
        return httpx2.Response(answer.status, headers=answer.headers, stream=_Body(url, pool, answer))


class _Body(httpx2.SyncByteStream):
    """The answer's bytes; closing it closes the connection."""

    def __init__(self, url: str, pool: httpcore2.ConnectionPool, answer: httpcore2.Response) -> None:
        self._url = url
        self._pool = pool
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        with translated(self._url):
            yield from self._answer.iter_stream()

    def close(self) -> None:
        self._answer.close()
        self._pool.close()
