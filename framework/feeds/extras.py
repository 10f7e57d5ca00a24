"""The namespaced extras of feed items, with their attributes: what deal sites say beyond RSS.

feedparser flattens foreign namespaces, and drops the text of an element that has attributes and all but the last of
repeated ones. So a second, hardened pass with expat collects them: no entity is ever declared or expanded, nothing is
loaded, depth and amounts are bounded. A price element ``<dealnews:price currency="USD">7.46</dealnews:price>`` becomes
``{"dealnews:price": "7.46", "dealnews:price@currency": "USD"}``; a second one of the same name ends in ``#2``.
"""

from __future__ import annotations

import re
from typing import Any
from xml.parsers import expat

from framework.feeds.text import plain_text

# Prefixes that feedparser understands itself or that say nothing about a deal.
_KNOWN = re.compile(
    "atom|atom10|admin|app|cc|content|creativecommons|dc|dcterms|feedburner|fb|foaf|geo|georss|gd|itunes|l|media|openid|"
    "opensearch|podcast|prism|rdfs?|rss|slash|sy|syn|taxo|thr|trackback|wfw|webfeeds|xhtml|xml|xmlns|xsi",
    re.IGNORECASE,
)
_PREFIX = re.compile(rb"""xmlns:([A-Za-z][\w.-]{0,40})\s*=\s*["']""")
_ITEMS = {"item", "entry"}
_DEEPEST = 100
_MOST_FIELDS = 60
_LONGEST_VALUE = 500


def foreign_prefixes(data: bytes) -> frozenset[str]:
    """The namespace prefixes of a document that are worth a second pass."""
    found = {match.group(1).decode("ascii", "ignore") for match in _PREFIX.finditer(data)}
    return frozenset(prefix for prefix in found if not _KNOWN.fullmatch(prefix))


def read_extras(data: bytes, prefixes: frozenset[str]) -> list[tuple[str, dict[str, str]]]:
    """For each item of a UTF-8 document in order: its raw guid or id, and its extras; up to the first XML error."""
    collector = _Collector(prefixes)
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartElementHandler = collector.start
    parser.EndElementHandler = collector.end
    parser.CharacterDataHandler = collector.text
    parser.EntityDeclHandler = collector.refuse
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, _Stop):
        return collector.items
    return collector.items


class _Stop(Exception):
    """The document is beyond what this pass reads."""


class _Collector:
    def __init__(self, prefixes: frozenset[str]) -> None:
        self.items: list[tuple[str, dict[str, str]]] = []
        self._prefixes = prefixes
        self._path: list[str] = []
        self._item_depth = 0  # 0: outside of items
        self._fields: dict[str, str] = {}
        self._guid = ""
        self._text: list[str] = []
        self._names: list[str] = []  # the keys of the foreign elements that are open

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._path.append(name)
        if len(self._path) > _DEEPEST:
            raise _Stop
        self._text = []
        if not self._item_depth:
            if name.rpartition(":")[2].lower() in _ITEMS:
                self._item_depth, self._fields, self._guid = len(self._path), {}, ""
        elif name.partition(":")[0] in self._prefixes and ":" in name:
            self._open_field(name, attributes)

    def end(self, name: str) -> None:
        if self._item_depth == len(self._path):
            self.items.append((self._guid, self._fields))
            self._item_depth = 0
        elif self._item_depth:
            value = "".join(self._text)
            if self._names and name.partition(":")[0] in self._prefixes and ":" in name:
                self._keep(self._names.pop(), value)
            elif name in ("guid", "id") and len(self._path) == self._item_depth + 1:
                self._guid = value.strip()
        self._path.pop()
        self._text = []

    def text(self, data: str) -> None:
        if self._item_depth:
            self._text.append(data)

    def refuse(self, *declaration: Any) -> None:
        raise _Stop

    def _open_field(self, name: str, attributes: dict[str, str]) -> None:
        path = f"{self._names[-1]}/{name}" if self._names else name
        key, count = path, 1
        while any(taken == key or taken.startswith(f"{key}@") for taken in self._fields) and count < _MOST_FIELDS:
            count += 1
            key = f"{path}#{count}"
        self._names.append(key)
        for attribute, value in attributes.items():
            self._keep(f"{key}@{attribute}", value)

    def _keep(self, key: str, value: str) -> None:
        value = plain_text(value, _LONGEST_VALUE)
        if value and len(self._fields) < _MOST_FIELDS:
            self._fields[key] = value
