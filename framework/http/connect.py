"""Connecting: the name is resolved once, the addresses are checked, and what was checked is connected to.

Nothing resolves a second time, so DNS that changes its answer between look-up and connection (rebinding) gains
nothing. Every wait is cut to what is left of the request's deadline, so neither a slow drip of bytes, nor a stalled
handshake, nor a name server that never answers can hold a request longer.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any

import httpcore2

from framework.http.addresses import Address, AddressPolicy, parse_address

Resolver = Callable[[str, int], Sequence[str]]

_ADDRESSES_TRIED = 4


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host in the system's order of preference. Raises ``OSError`` when it has none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))


@cache
def default_tls() -> ssl.SSLContext:
    """The system's trusted certificates, loaded at the first https request."""
    return httpcore2.default_ssl_context()


class Deadline:
    """A point in time by which a request must be over. Times are in seconds on a monotonic clock."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds = seconds
        self._clock = clock
        self._start = clock()

    @property
    def spent(self) -> float:
        """Seconds since the start, without the extensions."""
        return self._clock() - self._start

    def extend(self, seconds: float) -> None:
        """Do not count ``seconds`` that have just passed."""
        self._start += seconds

    def cut(self, timeout: float | None) -> float:
        """``timeout``, or what is left where that is less. Raises ``httpcore2.ReadTimeout`` when nothing is left."""
        left = self.seconds - self.spent
        if left <= 0:
            raise httpcore2.ReadTimeout(f"the request took longer than {self.seconds:g} s")
        return left if timeout is None else min(timeout, left)


class GuardedBackend(httpcore2.NetworkBackend):
    """Opens the connections of one request, under its deadline, to checked addresses only.

    ``proxy_host`` is the outbound proxy's name, which the owner set and which may therefore be private.
    """

    def __init__(
        self, url: str, policy: AddressPolicy, resolver: Resolver, deadline: Deadline, proxy_host: str | None = None
    ) -> None:
        self._url = url
        self._policy = policy
        self._resolver = resolver
        self._deadline = deadline
        self._proxy_host = proxy_host
        self._open: list[httpcore2.NetworkStream] = []
        self._tcp = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        """Connect to the first address of ``host`` that answers; all of them must be permitted."""
        addresses = self._look_up(host, port, timeout)
        if host != self._proxy_host:
            self._policy.check(self._url, host, port, addresses)
        failure: Exception = httpcore2.ConnectError(f"{host} has no address")
        for address in addresses[:_ADDRESSES_TRIED]:
            try:
                stream = self._tcp.connect_tcp(
                    str(address), port, self._deadline.cut(timeout), local_address, socket_options
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
                continue
            self._open.append(stream)
            return _DeadlineStream(stream, self._deadline)
        raise failure

    def check_through_proxy(self, host: str, port: int) -> None:
        """Check a host that the proxy will connect to: where its name resolves here, it must be public.

        Behind many proxies outside names do not resolve; then the proxy's own rules decide.
        """
        try:
            addresses = self._look_up(host, port, None)
        except httpcore2.ConnectError:
            addresses = []
        self._policy.check(self._url, host, port, addresses)

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore2.NetworkStream:
        """Refused: outbound requests never reach local sockets."""
        raise httpcore2.UnsupportedProtocol("local sockets are not connected to")

    def abort(self) -> None:
        """End the request from another thread: whoever waits on its sockets wakes with an error."""
        for stream in list(self._open):
            raw: socket.socket = stream.get_extra_info("socket")
            try:
                raw.shutdown(socket.SHUT_RDWR)
            except OSError:  # already closed
                continue

    def _look_up(self, host: str, port: int, timeout: float | None) -> list[Address]:
        if literal := parse_address(host):
            return [literal]
        texts = _within(self._deadline.cut(timeout), lambda: self._resolver(host, port), host)
        return [address for text in texts if (address := parse_address(text.partition("%")[0]))]


class _DeadlineStream(httpcore2.NetworkStream):
    """A stream whose every operation ends with the request's deadline at the latest."""

    def __init__(self, stream: httpcore2.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadline.cut(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._deadline.cut(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        secured = self._stream.start_tls(ssl_context, server_hostname, self._deadline.cut(timeout))
        return _DeadlineStream(secured, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _within(seconds: float, look_up: Callable[[], Sequence[str]], host: str) -> Sequence[str]:
    """Run a look-up that has no timeout of its own on a thread, and stop waiting after ``seconds``."""
    outcome: list[Sequence[str] | OSError | UnicodeError] = []

    def run() -> None:
        try:
            outcome.append(look_up())
        except (OSError, UnicodeError) as error:  # gaierror is an OSError; an over-long label is a UnicodeError
            outcome.append(error)

    thread = threading.Thread(target=run, name=f"resolve {host}", daemon=True)
    thread.start()
    thread.join(seconds)
    if not outcome:
        raise httpcore2.ConnectTimeout(f"the name {host} was not resolved within {seconds:.3g} s")
    if isinstance(outcome[0], Exception):
        raise httpcore2.ConnectError(f"the name {host} could not be resolved: {outcome[0]}")
    return outcome[0]
