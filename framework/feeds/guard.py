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
_ENTITY = b"<!ENTITY"
_HARMLESS_ENTITY = re.compile(rb"""<!ENTITY\s+\w+\s+(?:"(?:&#\w+;|[^&%"<>]{0,64})"|'(?:&#\w+;|[^&%'<>]{0,64})')\s*>""")
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


def unpacked(data: bytes, url: str) -> bytes:
    """``data``, or what it unpacks to: some servers hand out a compressed file without saying so.

    Raises ``FeedError`` when it is larger than the limit; at most one byte more is unpacked.
    """
    if data[:2] == _GZIP_MAGIC:
        try:
            data = zlib.decompressobj(wbits=31).decompress(data, LARGEST_DOCUMENT + 1)
        except zlib.error:
            raise FeedError(url, "This is no feed but a broken compressed file") from None
    if len(data) > LARGEST_DOCUMENT:
        raise FeedError(url, f"The document is larger than {LARGEST_DOCUMENT >> 20} MB")
    return data


def guarded(data: bytes, url: str) -> bytes:
    """A UTF-8 document without entity declarations that could grow, over-long author names cut.

    Raises ``FeedError`` for documents beyond the limits.
    """
    tags = data.count(b"<")
    if tags > _MOST_TAGS:
        raise FeedError(url, f"The document has more than {_MOST_TAGS:,} tags")
    if any(tag.group().count(b"=") > _MOST_ASSIGNMENTS for tag in _LONG_TAG.finditer(data)):
        raise FeedError(url, "The document has tags with hundreds of attributes")
    if tags > _SUSPICIOUS_TAGS and _depth(data) > _DEEPEST:
        raise FeedError(url, f"The document nests more than {_DEEPEST:,} tags deep")
    return _LONG_AUTHOR.sub(rb"\1", _without_entities(data))


def _without_entities(data: bytes) -> bytes:
    """Drop every entity declaration but those of one character or a short plain text.

    feedparser drops only those that begin a line, and would expand the others ("billion laughs").
    """
    if _ENTITY not in data:
        return data
    kept, position = [], 0
    while (start := data.find(_ENTITY, position)) >= 0:
        end = data.find(b">", start)
        if end < 0:
            break
        kept.append(data[position:start])
        if _HARMLESS_ENTITY.fullmatch(data, start, end + 1):
            kept.append(b"\n" + data[start : end + 1])  # where feedparser looks for it
        position = end + 1
    return b"".join([*kept, data[position:]])


def _depth(data: bytes) -> int:
    depth = deepest = 0
    for tag in _TAG.finditer(_CDATA_OR_COMMENT.sub(b"", data)):
        if tag.group(1):
            depth = max(0, depth - 1)
        elif not tag.group(2):
            depth += 1
            deepest = max(deepest, depth)
    return deepest
