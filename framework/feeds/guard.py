"""Limits that keep hostile documents from costing more than an honest one.

feedparser keeps stacks and lists whose cost grows with the square of nesting depth, of attributes per tag, and of
the length of an author's name (its search for an e-mail address). These are measured here in one linear pass, and cut
or refused, far beyond what honest feeds have.
"""

from __future__ import annotations

import re
import zlib

from framework.errors import FeedError

LARGEST_DOCUMENT = 16 << 20  # bytes
_GZIP_MAGIC = b"\x1f\x8b"
_MOST_TAGS = 400_000
_DEEPEST = 2_000
_SUSPICIOUS_TAGS = 1_000  # below this no nesting can be deep
_LONG_TAG = re.compile(rb"<[A-Za-z][^<>]{16384}")
_MOST_ASSIGNMENTS = 500
_CDATA_OR_COMMENT = re.compile(rb"<!\[CDATA\[.*?\]\]>|<!--.*?-->", re.DOTALL)
_TAG = re.compile(rb"<(/?)[A-Za-z][^<>]*?(/?)>")
_LONG_AUTHOR = re.compile(
    rb"(<(?:[\w.-]{1,40}:)?(?:author|creator|managingeditor|webmaster|publisher|owner|name|email|contributor)"
    rb"(?:\s[^<>]{0,500})?>\s{0,100}(?:<!\[CDATA\[)?[^<\]]{300})[^<\]]+",
    re.IGNORECASE,
)


def guarded(data: bytes, url: str) -> bytes:
    """``data``, unpacked where it is gzip, over-long author names cut.

    Raises ``FeedError`` for documents beyond the limits.
    """
    if data[:2] == _GZIP_MAGIC:
        data = _unpacked(data, url)
    if len(data) > LARGEST_DOCUMENT:
        raise FeedError(url, f"The document is larger than {LARGEST_DOCUMENT >> 20} MB")
    tags = data.count(b"<")
    if tags > _MOST_TAGS:
        raise FeedError(url, f"The document has more than {_MOST_TAGS:,} tags")
    if any(tag.group().count(b"=") > _MOST_ASSIGNMENTS for tag in _LONG_TAG.finditer(data)):
        raise FeedError(url, "The document has tags with hundreds of attributes")
    if tags > _SUSPICIOUS_TAGS and _depth(data) > _DEEPEST:
        raise FeedError(url, f"The document nests more than {_DEEPEST:,} tags deep")
    return _LONG_AUTHOR.sub(rb"\1", data)


def _unpacked(data: bytes, url: str) -> bytes:
    """Some servers hand out a compressed file without saying so; at most one byte more than the limit is unpacked."""
    try:
        return zlib.decompressobj(wbits=31).decompress(data, LARGEST_DOCUMENT + 1)
    except zlib.error:
        raise FeedError(url, "This is no feed but a broken compressed file") from None


def _depth(data: bytes) -> int:
    depth = deepest = 0
    for tag in _TAG.finditer(_CDATA_OR_COMMENT.sub(b"", data)):
        if tag.group(1):
            depth = max(0, depth - 1)
        elif not tag.group(2):
            depth += 1
            deepest = max(deepest, depth)
    return deepest
