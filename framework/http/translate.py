"""httpcore2's errors, translated into ours at this one boundary."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpcore2

from framework.errors import ConnectionFailed, FetchError, FetchTimeout, ForbiddenAddress

# By base class: the first match counts. A test holds that every error of httpcore2 is covered.
ERROR_MAP: tuple[tuple[type[Exception], type[FetchError], str], ...] = (
    (httpcore2.TimeoutException, FetchTimeout, "No answer in time"),
    (httpcore2.NetworkError, ConnectionFailed, "The connection failed"),
    (httpcore2.ProtocolError, ConnectionFailed, "The server does not speak HTTP properly"),
    (httpcore2.ProxyError, ConnectionFailed, "The outbound proxy refused"),
    (httpcore2.ConnectionNotAvailable, ConnectionFailed, "The connection was lost"),
    (httpcore2.UnsupportedProtocol, ForbiddenAddress, "This kind of address is not fetched"),
)
_LONGEST_DETAIL = 200


@contextmanager
def translated(url: str) -> Iterator[None]:
    """Raise our error in place of httpcore2's; everything else passes through."""
    try:
        yield
    except tuple(foreign for foreign, _, _ in ERROR_MAP) as error:
        _, ours, sentence = next(row for row in ERROR_MAP if isinstance(error, row[0]))
        detail = " ".join(str(error).split())[:_LONGEST_DETAIL]
        raise ours(url, f"{sentence}: {detail}" if detail else sentence) from error
