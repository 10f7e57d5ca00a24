"""The HTTP client: GET with redirects, every step checked and bounded."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Self
from urllib.parse import unquote, urljoin, urlsplit

import httpcore2

from framework.errors import ConnectionFailed, ForbiddenAddress, HTTPStatusError, SettingsError, TooManyRedirects
from framework.http.addresses import AddressPolicy, Target, parse_target
from framework.http.body import ACCEPT_ENCODING, read_body
from framework.http.connect import Deadline, GuardedBackend, Resolver, default_tls, resolve
from framework.http.politeness import HostGate
from framework.http.translate import translated
from framework.retry import parse_retry_after

USER_AGENT = "Dealhound/0.1 (personal deal reader; conditional requests, one at a time per host)"
MEGABYTE = 1 << 20

_REDIRECTS = {301, 302, 303, 307, 308}
_PERMANENT = {301, 308}
_PRIVATE_HEADERS = {"authorization", "cookie"}
_CLOSED = "Dealhound is shutting down"


@dataclass(frozen=True, slots=True)
class Response:
    """An answer with status 2xx or 304. Header names are lower case; ``content`` is decompressed."""

    url: str  # after redirects
    status: int
    headers: Mapping[str, str]
    content: bytes
    elapsed: float  # seconds, without the wait for the host's turn
    moved_to: str | None = None  # where permanent redirects alone led, if anywhere


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: dict[str, str]
    content: bytes


class HttpClient:
    """Fetches from the public web. Thread-safe; one instance serves the whole process, so that politeness holds.

    ``allow_hosts`` names private hosts that may be reached ("127.0.0.1:8000", "localhost"). All times are in seconds;
    ``total_timeout`` bounds one ``get`` with all its redirects, not the wait for the host's turn. ``proxy`` is the
    URL of an outbound HTTP proxy. ``resolver`` maps (host, port) to addresses.

    ``get`` raises only the family of ``FetchError``.
    """

    def __init__(
        self,
        *,
        user_agent: str = USER_AGENT,
        allow_hosts: Iterable[str] = (),
        connect_timeout: float = 10.0,
        read_timeout: float = 20.0,
        total_timeout: float = 45.0,
        max_bytes: int = 8 * MEGABYTE,
        max_redirects: int = 5,
        gap: float = 1.0,
        proxy: str | None = None,
        resolver: Resolver = resolve,
        ssl_context: ssl.SSLContext | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._user_agent = user_agent
        self._policy = AddressPolicy(allow_hosts)
        self._timeouts = {"connect": connect_timeout, "read": read_timeout, "write": read_timeout}
        self._total_timeout = total_timeout
        self._max_bytes = max_bytes
        self._max_redirects = max_redirects
        self._proxy = _proxy(proxy) if proxy else None
        self._resolver = resolver
        self._ssl_context = ssl_context
        self._clock = clock
        self._gate = HostGate(gap, clock)
        self._live: set[GuardedBackend] = set()
        self._live_lock = threading.Lock()
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Refuse new requests and end those under way; they fail with ``ConnectionFailed``."""
        self._closed = True
        self._gate.close()
        with self._live_lock:
            for backend in self._live:
                backend.abort()

    def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        max_bytes: int | None = None,
        accept: str = "*/*",
    ) -> Response:
        """Fetch a URL, following redirects.

        Raises ``ForbiddenAddress``, ``FetchTimeout``, ``TooLarge``, ``TooManyRedirects``, ``ConnectionFailed``, and
        ``HTTPStatusError`` (with the server's Retry-After) for every status but 2xx and 304.
        """
        sent = {"Accept": accept, **(headers or {})}
        target, moved_to, permanent = parse_target(url), None, True
        deadline = Deadline(self._total_timeout, self._clock)
        for _ in range(self._max_redirects + 1):
            answer = self._in_turn(target, sent, deadline, max_bytes or self._max_bytes)
            following = _redirect(target, answer)
            if following is None:
                return _response(target, answer, deadline.spent, moved_to)
            permanent = permanent and answer.status in _PERMANENT
            moved_to = following.url if permanent else moved_to
            if following.host != target.host:
                sent = {name: value for name, value in sent.items() if name.lower() not in _PRIVATE_HEADERS}
            target = following
        raise TooManyRedirects(url, f"More than {self._max_redirects} redirects")

    def _in_turn(self, target: Target, headers: Mapping[str, str], deadline: Deadline, max_bytes: int) -> _Answer:
        asked = self._clock()
        with self._gate.turn(target.host) as is_open:
            if not is_open:
                raise ConnectionFailed(target.url, _CLOSED)
            deadline.extend(self._clock() - asked)
            return self._request(target, headers, deadline, max_bytes)

    def _request(self, target: Target, headers: Mapping[str, str], deadline: Deadline, max_bytes: int) -> _Answer:
        """One exchange on a connection of its own: nothing is shared that a server could spoil for the next one."""
        proxy_host = self._proxy.url.host.decode() if self._proxy else None
        backend = GuardedBackend(target.url, self._policy, self._resolver, deadline, proxy_host)
        with self._registered(backend, target), translated(target.url):
            if self._proxy:
                backend.check_through_proxy(target.host, target.port)
            tls = self._ssl_context or (default_tls() if target.scheme == "https" else None)
            pool = httpcore2.ConnectionPool(
                ssl_context=tls, proxy=self._proxy, max_connections=1, network_backend=backend
            )
            with (
                pool,
                pool.stream(
                    "GET",
                    _core_url(target),
                    headers=self._fields(target, headers),
                    extensions={"timeout": self._timeouts},
                ) as answer,
            ):
                received = _headers(answer.headers)
                if answer.status >= 300:  # the body of a refusal or a redirect is not wanted
                    return _Answer(answer.status, received, b"")
                content = read_body(
                    target.url,
                    answer.iter_stream(),
                    length=received.get("content-length"),
                    encoding=received.get("content-encoding"),
                    max_bytes=max_bytes,
                )
                return _Answer(answer.status, received, content)

    def _fields(self, target: Target, headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
        fields = {
            "Host": target.authority,
            "User-Agent": self._user_agent,
            "Accept-Encoding": ACCEPT_ENCODING,
            "Connection": "close",
            **headers,
        }
        return [(name.encode("ascii"), value.encode("latin-1", "replace")) for name, value in fields.items()]

    @contextmanager
    def _registered(self, backend: GuardedBackend, target: Target) -> Iterator[None]:
        with self._live_lock:
            if self._closed:
                raise ConnectionFailed(target.url, _CLOSED)
            self._live.add(backend)
        try:
            yield
        finally:
            with self._live_lock:
                self._live.discard(backend)


def _redirect(target: Target, answer: _Answer) -> Target | None:
    """Where an answer sends us. Raises ``ForbiddenAddress`` when that is no address to fetch."""
    location = answer.headers.get("location")
    if answer.status not in _REDIRECTS or location is None:
        return None
    try:
        return parse_target(urljoin(target.url, location))
    except ValueError:
        raise ForbiddenAddress(target.url, "The server redirects to an address that is none") from None


def _response(target: Target, answer: _Answer, elapsed: float, moved_to: str | None) -> Response:
    if not (200 <= answer.status < 300 or answer.status == 304):
        pause = parse_retry_after(answer.headers.get("retry-after"), datetime.now(UTC))
        raise HTTPStatusError(target.url, answer.status, retry_after=pause)
    return Response(target.url, answer.status, answer.headers, answer.content, elapsed, moved_to)


def _headers(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Header fields by lower-case name; repeated ones are joined by commas (RFC 9110, 5.3)."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in raw:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _core_url(target: Target) -> httpcore2.URL:
    default = {"http": 80, "https": 443}[target.scheme]
    port = None if target.port == default else target.port
    return httpcore2.URL(
        scheme=target.scheme.encode(), host=target.host.encode(), port=port, target=target.path.encode()
    )


def _proxy(url: str) -> httpcore2.Proxy:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SettingsError("The outbound proxy must be given as http://host:port or https://host:port")
    login = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
    port = parts.port or {"http": 80, "https": 443}[parts.scheme]
    return httpcore2.Proxy(f"{parts.scheme}://{parts.hostname}:{port}", auth=login)
