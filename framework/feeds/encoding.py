"""Any encoding into UTF-8, before anything looks at the text: a limit that reads bytes must not be fooled by UTF-16.

Headers, byte-order marks, declarations and guesses are weighed by feedparser's rules (RFC 7303 and what the web does).
"""

from __future__ import annotations

import codecs
import re
from typing import Any

_MARKUP_START = re.compile(rb"<(?:!--|(?:\?xml|!DOCTYPE|(?:\w+:)?(?:rss|rdf|feed|channel))\b)", re.IGNORECASE)
_JUNK_SEARCHED = 65536
_WIDE_MARKS = (  # the longer ones first: the mark of UTF-32 begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_WIDE_DECLARATION = re.compile(rb"""\sencoding\s*=\s*["'](?:utf|ucs)-?_?(?:16|32|2|4)\w*["']""", re.IGNORECASE)


def to_utf8(data: bytes, content_type: str) -> bytes:
    """The document in UTF-8 with a declaration that says so; undecodable bytes become U+FFFD."""
    from feedparser.encodings import convert_to_utf8

    for mark, encoding in _WIDE_MARKS:
        if data.startswith(mark):
            data = data.decode(encoding, "replace").encode("utf-8", "replace")
            break
    data = without_leading_junk(data)
    if b"\x00" not in data[:200]:  # what can be read as ASCII is not UTF-16, whatever it declares
        data = _WIDE_DECLARATION.sub(b"", data[:200]) + data[200:]
    found: dict[str, Any] = {}
    headers = {"content-type": content_type} if content_type else {}
    converted: bytes = convert_to_utf8(headers, data, found)
    return converted.decode("utf-8", "replace").encode("utf-8", "replace")


def without_leading_junk(data: bytes) -> bytes:
    """Bytes from the first markup on: warnings of broken scripts and blank lines often stand before the feed."""
    start = _MARKUP_START.search(data, 0, _JUNK_SEARCHED)
    if start is None or start.start() == 0 or b"\x00" in data[:4]:
        return data
    return data[start.start() :]
