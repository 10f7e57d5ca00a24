"""HTML bytes into a tree, fast and within bounds.

Scripts, styles and drawings are cut out before parsing: they are three quarters of a shop's page. The tree is lxml's
own: BeautifulSoup's takes 30 times as long on the same pages (3 s for a megabyte of tables); its detector of encodings
is used.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from framework.errors import PageError

LARGEST = 4_000_000  # characters; the rest of a longer page is not read
_MOST_SCRIPTS = 60
_LONGEST_SCRIPT = 600_000
_MOST_ELEMENTS = 50_000  # shops have at most 12,000

Element = Any  # lxml has no type information

_OPEN = re.compile(r"<(script|style|svg|noscript|template|iframe)\b([^>]{0,2000})>", re.I)
_JSON_LD = re.compile(r"ld\+json", re.I)
_SPACES = re.compile(r"\s+")


@dataclass(frozen=True)
class Tree:
    """A parsed page: its elements, its JSON-LD scripts as text, and what its head says (first value of each name)."""

    root: Element
    json_ld: tuple[str, ...] = ()
    meta: dict[str, str] = field(default_factory=dict)

    def elements(self) -> Iterator[Element]:
        """The elements in document order, comments left out; of a monstrous page the first ``_MOST_ELEMENTS``."""
        return (node for node in islice(self.root.iter(), _MOST_ELEMENTS) if isinstance(node.tag, str))

    def first_text(self, tag: str) -> str:
        """The text of the first element with this tag that has any."""
        return next((text for node in self.root.iter(tag) if (text := text_of(node))), "")


def decode(document: bytes | str) -> str:
    """A page as text: by its byte order mark, its declared encoding, or what its bytes look like."""
    if isinstance(document, str):
        return document[:LARGEST]
    from bs4.dammit import EncodingDetector

    head = document[: 2 * LARGEST]
    declared = EncodingDetector.find_declared_encoding(head, is_html=True, search_entire_document=False)
    for encoding in (_mark(head), declared, "utf-8"):
        if encoding:
            try:
                return head.decode(encoding)[:LARGEST]
            except (UnicodeDecodeError, LookupError):
                continue
    return head.decode("windows-1252", errors="replace")[:LARGEST]


def _mark(document: bytes) -> str | None:
    marks = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
    return next((encoding for mark, encoding in marks if document.startswith(mark)), None)


def parse(document: bytes | str, url: str) -> Tree:
    """Parse a page. Raises ``PageError`` when there is no markup in it."""
    from lxml import etree  # type: ignore[import-untyped]

    text, scripts = _without_scripts(decode(document).replace("\x00", ""))
    if not text.strip():
        raise PageError(url, "The page is empty")
    # as bytes: lxml refuses text that declares an encoding, and the declared one is no longer true
    parser = etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    try:
        root = etree.fromstring(text.encode("utf-8", errors="replace"), parser=parser)
    except (etree.LxmlError, ValueError) as error:
        raise PageError(url, "The page has no markup that can be read") from error
    if root is None:
        raise PageError(url, "The page has no markup that can be read")
    return Tree(root, tuple(scripts), _meta(root))


def _without_scripts(text: str) -> tuple[str, list[str]]:
    """Cut scripts and the like out, keeping JSON-LD aside; each closing tag is looked for once."""
    kept: list[str] = []
    scripts: list[str] = []
    lower = text.lower()
    place = 0
    while match := _OPEN.search(text, place):
        kept.append(text[place : match.start()])
        if match[2].endswith("/") and match[1].lower() in ("svg", "iframe"):
            place = match.end()
            continue
        end = lower.find(f"</{match[1].lower()}", match.end())
        if end < 0:  # never closed: what follows cannot be told from the script
            place = len(text)
            break
        if _JSON_LD.search(match[2]) and len(scripts) < _MOST_SCRIPTS:
            scripts.append(text[match.end() : min(end, match.end() + _LONGEST_SCRIPT)])
        place = text.find(">", end) + 1 or len(text)
    kept.append(text[place:])
    return " ".join(kept), scripts


def _meta(root: Element) -> dict[str, str]:
    found: dict[str, str] = {}
    for node in root.iter("meta"):
        name = (node.get("property") or node.get("name") or "").strip().lower()
        content = (node.get("content") or "").strip()
        if name and content:
            found.setdefault(name, content[:2000])
    return found


def text_of(node: Element, longest: int = 20_000) -> str:
    """The text of an element with single spaces."""
    parts: list[str] = []
    size = 0
    for part in islice(node.itertext(), _MOST_ELEMENTS):
        parts.append(part)
        size += len(part)
        if size > longest:
            break
    return _SPACES.sub(" ", " ".join(parts)).strip()[:longest]
