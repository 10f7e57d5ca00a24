"""What the readers of the formats hand over, and how it becomes entries: one place for cleaning and identity."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urljoin, urlsplit

from framework.deals import Entry
from framework.dedupe import canonical_url
from framework.feeds.identity import entry_id
from framework.feeds.text import plain_text

LONGEST_TITLE = 300
_LONGEST_CONTENT = 200_000
_LONGEST_URL = 4_000
_LONGEST_NAME = 200
_MOST_CATEGORIES = 30
_FIRST_IMAGE = re.compile(r"""<img\b[^<>]{0,1000}?\ssrc\s*=\s*["']?([^"'\s<>]+)""", re.IGNORECASE)
_UNTITLED = "(untitled)"
_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class RawEntry:
    """An entry as the reader of its format found it: nothing cleaned, nothing resolved, nothing trusted."""

    title: str = ""
    content: str = ""
    guid: str | None = None
    links: Sequence[str] = ()  # in order of preference
    images: Sequence[str] = ()
    published: datetime | None = None
    author: str = ""
    categories: Sequence[str] = ()
    fields: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ParsedFeed:
    """A feed that was read. ``ttl`` is the pause in seconds between checks that the feed asks for."""

    title: str | None
    entries: tuple[Entry, ...]
    items: int = 0  # as published; ``entries`` holds repeated ones once
    ttl: float | None = None
    version: str = ""  # as feedparser names it ("rss20", "atom10", "json1")


def clean_entries(feed_url: str, base: str, raws: Iterable[RawEntry], *, sample: bool = False) -> tuple[Entry, ...]:
    """Entries in document order, each once. ``base`` is what relative links are relative to.

    Broken publishers give all their entries one guid or one address. Where one document names different things
    alike, what differs is added to the name: the page's address to a guid, the title to an address.
    """
    drafts = [(raw, web_url(base, *raw.links)) for raw in raws]
    by_guid: defaultdict[str, set[str]] = defaultdict(set)
    by_url: defaultdict[str, set[str]] = defaultdict(set)
    for raw, url in drafts:
        by_guid[raw.guid or ""].add(canonical_url(url, keep_fragment=True) if url else raw.title)
        by_url[url or ""].add(raw.title)
    entries: dict[str, Entry] = {}
    for raw, url in drafts:
        guid = raw.guid if raw.guid and len(by_guid[raw.guid]) == 1 else None
        page = url if url and (raw.guid or len(by_url[url]) == 1) else None
        entry = _clean(
            feed_url,
            base,
            raw,
            url,
            entry_id(feed_url, guid=guid, url=page, title=raw.title or raw.content, published=raw.published),
            sample,
        )
        entries.setdefault(entry.id, entry)
    return tuple(entries.values())


def _clean(feed_url: str, base: str, raw: RawEntry, url: str | None, identity: str, sample: bool) -> Entry:
    content = raw.content[:_LONGEST_CONTENT].replace("\x00", "")
    title = plain_text(raw.title, LONGEST_TITLE) or plain_text(content, 100) or url or _UNTITLED
    published = raw.published if raw.published and raw.published >= _EARLIEST else None
    embedded = [match.group(1) for match in [_FIRST_IMAGE.search(content)] if match]
    return Entry(
        id=identity,
        feed_url=feed_url,
        url=url,
        title=title,
        content=content,
        published=published,
        author=plain_text(raw.author, _LONGEST_NAME) or None,
        image=web_url(base, *raw.images, *embedded),
        categories=_categories(raw.categories),
        fields=raw.fields,
        sample=sample,
    )


def _categories(names: Sequence[str]) -> tuple[str, ...]:
    cleaned = (plain_text(name, _LONGEST_NAME) for name in names[:_MOST_CATEGORIES])
    return tuple(dict.fromkeys(name for name in cleaned if name))


def web_url(base: str, *candidates: str) -> str | None:
    """The first candidate that is an http or https address, made absolute; ``None`` when none is."""
    for candidate in candidates:
        text = "".join(char for char in candidate.strip() if char.isprintable() and not char.isspace())
        try:
            absolute = urljoin(base, text) if text else ""
            parts = urlsplit(absolute)
            usable = parts.scheme.lower() in ("http", "https") and bool(parts.hostname)
        except ValueError:
            continue
        if usable and len(absolute) <= _LONGEST_URL:
            return parts.scheme.lower() + absolute[len(parts.scheme) :]
    return None
