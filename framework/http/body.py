"""Reading a body under a byte cap that holds before and after decompression."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

from framework.errors import ConnectionFailed, TooLarge

ACCEPT_ENCODING = "gzip, deflate"

_GZIP, _ZLIB, _RAW = 31, 15, -15  # zlib's wbits
_MOST_LAYERS = 2


def read_body(url: str, chunks: Iterable[bytes], *, length: str | None, encoding: str | None, max_bytes: int) -> bytes:
    """The decoded body. ``length`` and ``encoding`` are the header values, where sent.

    Raises ``TooLarge`` as soon as the cap is passed, and ``ConnectionFailed`` for a body that cannot be decoded.
    """
    if length is not None and length.isdecimal() and int(length[:20]) > max_bytes:
        raise _too_large(url, max_bytes)
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > max_bytes:
            raise _too_large(url, max_bytes)
    decoded = bytes(body)
    layers = [name for part in (encoding or "").split(",") if (name := part.strip().lower()) not in ("", "identity")]
    if len(layers) > _MOST_LAYERS:
        raise ConnectionFailed(url, f"The body is compressed {len(layers)} times over")
    for layer in reversed(layers):
        decoded = _decode(url, layer, decoded, max_bytes)
    return decoded


def _decode(url: str, encoding: str, body: bytes, max_bytes: int) -> bytes:
    if not body:
        return body
    try:
        if encoding in ("gzip", "x-gzip"):
            decoded = _inflate_members(body, max_bytes)
        elif encoding == "deflate":
            decoded = _inflate_either(body, max_bytes)
        else:
            raise ConnectionFailed(url, f"The server sent an encoding that was not asked for: {encoding[:40]}")
    except zlib.error:
        raise ConnectionFailed(url, f"The body is no valid {encoding} data") from None
    if len(decoded) > max_bytes:
        raise _too_large(url, max_bytes)
    return decoded


def _inflate_members(body: bytes, cap: int) -> bytes:
    """A gzip file may consist of several members; what follows the last one is padding."""
    decoded = b""
    while body[:2] == b"\x1f\x8b" or not decoded:
        inflater = zlib.decompressobj(_GZIP)
        decoded += _inflate(inflater, body, cap + 1 - len(decoded))
        body = inflater.unused_data
        if len(decoded) > cap or not body:
            break
    return decoded


def _inflate_either(body: bytes, cap: int) -> bytes:
    """ "deflate" means zlib data (RFC 9110), but some servers send it bare."""
    try:
        return _inflate(zlib.decompressobj(_ZLIB), body, cap + 1)
    except zlib.error:
        return _inflate(zlib.decompressobj(_RAW), body, cap + 1)


def _inflate(inflater: zlib._Decompress, body: bytes, room: int) -> bytes:
    decoded = inflater.decompress(body, room)
    if len(decoded) < room and not inflater.eof:
        raise zlib.error("cut short")
    return decoded


def _too_large(url: str, max_bytes: int) -> TooLarge:
    return TooLarge(url, f"The body is larger than {max_bytes:,} bytes")
