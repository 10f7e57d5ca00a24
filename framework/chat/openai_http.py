"""The HTTP client under the SDK: a deadline for the whole call, a cap on bytes, no redirects.

A read timeout alone does not end a call whose server sends one byte a minute. A redirect is refused, because the key
would travel with it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx2

_MOST_BYTES = 16 * 2**20


class _Deadline(httpx2.SyncByteStream):
    """A body that must end before a moment and below a size."""

    def __init__(self, stream: httpx2.SyncByteStream, request: httpx2.Request, ends: float) -> None:
        self._stream, self._request, self._ends = stream, request, ends

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for chunk in self._stream:
            size += len(chunk)
            if time.monotonic() > self._ends:
                raise httpx2.ReadTimeout("the answer took too long", request=self._request)
            if size > _MOST_BYTES:
                raise httpx2.ReadError("the answer is too large", request=self._request)
            yield chunk

    def close(self) -> None:
        self._stream.close()


class _DeadlineTransport(httpx2.HTTPTransport):
    def __init__(self, timeout: float, proxy: str | None) -> None:
        super().__init__(proxy=proxy, trust_env=False)
        self._timeout = timeout

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        ends = time.monotonic() + self._timeout
        response = super().handle_request(request)
        assert isinstance(response.stream, httpx2.SyncByteStream)  # noqa: S101 - a sync transport's stream is sync
        response.stream = _Deadline(response.stream, request, ends)
        return response


def deadline_client(timeout: float, proxy: str | None = None) -> httpx2.Client:
    """A client whose calls end within ``timeout`` seconds (plus one read). The environment's proxies are not used."""
    return httpx2.Client(
        transport=_DeadlineTransport(timeout, proxy),
        timeout=httpx2.Timeout(timeout, connect=min(timeout, 10.0)),
        follow_redirects=False,
        trust_env=False,
    )
