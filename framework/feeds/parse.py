"""Bytes into entries: any feed in the wild, read with feedparser (or as JSON Feed), nothing fetched, nothing opened."""

from __future__ import annotations

import io
import re
from calendar import timegm
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urljoin

import structlog

from framework.errors import FeedError
from framework.feeds.encoding import to_utf8
from framework.feeds.extras import foreign_prefixes, read_extras
from framework.feeds.guard import guarded, unpacked
from framework.feeds.jsonfeed import looks_like_json, read_json_feed
from framework.feeds.raw import LONGEST_TITLE, ParsedFeed, RawEntry, clean_entries
from framework.feeds.text import plain_text

_log = structlog.get_logger(__name__)

_JUNK_SEARCHED = 65536
_WEB_PAGE = re.compile(rb"<!doctype\s+html|<html[\s>]", re.IGNORECASE)
# feedparser would resolve these against the address that the feed came from, and ids must survive a move.
_BARE_GUID = re.compile(rb"""<guid(?:\s+isPermaLink\s*=\s*["']true["'])?\s*>""", re.IGNORECASE)
_UNRESOLVED_GUID = b'<guid isPermaLink="false">'
_PAGE_TAG = re.compile(rb"<html[\s>]", re.IGNORECASE)
_FEED_LINK = re.compile(
    rb"<link\b[^<>]{0,1000}\btype\s*=\s*[\"']application/(?:rss|atom|feed)\+(?:xml|json)[^<>]{0,1000}>"
)
_HREF = re.compile(rb"""\bhref\s*=\s*["']([^"'<>]{1,1000})["']""")
_UPDATE_PERIODS = {"hourly": 3600.0, "daily": 86400.0, "weekly": 604800.0, "monthly": 2592000.0, "yearly": 31536000.0}
# What hostile bytes have been seen to make parsers of this kind raise.
_PARSER_ERRORS = (ValueError, TypeError, LookupError, AttributeError, AssertionError, ArithmeticError, RecursionError)


def parse_feed(
    data: bytes, feed_url: str, *, base_url: str | None = None, content_type: str = "", sample: bool = False
) -> ParsedFeed:
    """Read a feed.

    ``feed_url`` is the feed's name (the scope of its entries' ids), ``base_url`` the address that the bytes came
    from, where that differs. Raises ``FeedError`` for bytes that are no feed; a feed without entries is fine.
    """
    base = base_url or feed_url
    data = unpacked(data, feed_url)
    if not data.strip():
        raise FeedError(feed_url, "The answer is empty")
    if looks_like_json(data):
        title, raws = read_json_feed(data, feed_url)
        return ParsedFeed(_title(title), clean_entries(feed_url, base, raws, sample=sample), len(raws), version="json1")
    data = guarded(to_utf8(data, content_type), feed_url)
    result = _feedparser(data, feed_url, base)
    if not result["entries"] and (not result.get("version") or _PAGE_TAG.search(data[:_JUNK_SEARCHED])):
        raise FeedError(feed_url, _no_feed(data, base))
    raws = [_raw(item, extras) for item, extras in _with_extras(data, result)]
    entries = clean_entries(feed_url, base, raws, sample=sample)
    if len(entries) < len(raws):
        _log.debug("feed_repeats_entries", feed=feed_url, items=len(raws), entries=len(entries))
    return ParsedFeed(
        _title(result["feed"].get("title")), entries, len(raws), _ttl(result["feed"]), result["version"] or ""
    )


def _feedparser(data: bytes, feed_url: str, base: str) -> Any:
    """The library's result on UTF-8 data. A stream is passed, since it would open or fetch what a string names."""
    import feedparser

    headers = {"content-location": base, "content-type": "application/xml; charset=utf-8"}
    try:
        return feedparser.parse(
            io.BytesIO(_BARE_GUID.sub(_UNRESOLVED_GUID, data)),
            response_headers=headers,
            resolve_relative_uris=False,
            sanitize_html=False,
        )
    except _PARSER_ERRORS as error:
        raise FeedError(feed_url, f"The feed is broken beyond reading ({type(error).__name__})") from error


def _no_feed(data: bytes, base: str) -> str:
    """The sentence for bytes that are no feed, with the page's own feeds where it names some."""
    if not _WEB_PAGE.search(data[:_JUNK_SEARCHED]):
        return "This is no feed"
    found = [
        urljoin(base, href.group(1).decode("utf-8", "replace"))
        for link in _FEED_LINK.finditer(data[: _JUNK_SEARCHED * 4])
        if (href := _HREF.search(link.group()))
    ]
    return (
        f"This is a web page, not a feed; its feeds are {', '.join(found[:3])}"
        if found
        else ("This is a web page, not a feed")
    )


def _with_extras(data: bytes, result: Any) -> Iterator[tuple[Any, dict[str, str]]]:
    """Each item with its namespaced extras: from the second pass as far as it reaches, else as feedparser has them."""
    prefixes = foreign_prefixes(data)
    read = read_extras(data, prefixes) if prefixes else []
    for number, item in enumerate(result["entries"]):
        guid, fields = read[number] if number < len(read) else ("", {})
        if number < len(read) and (not guid or guid == str(item.get("id", "")).strip() or item.get("guidislink")):
            yield item, fields
        else:
            yield item, _flattened(item, prefixes)


def _flattened(item: Mapping[str, Any], prefixes: frozenset[str]) -> dict[str, str]:
    """feedparser's own view of foreign elements, for documents that are not well-formed."""
    starts = {f"{prefix.lower()}_": prefix for prefix in prefixes}
    return {
        f"{prefix}:{key[len(start) :]}": plain_text(value, 500)
        for key, value in item.items()
        for start, prefix in starts.items()
        if key.startswith(start) and isinstance(value, str) and value.strip()
    }


def _raw(item: Any, fields: dict[str, str]) -> RawEntry:
    guid = str(item.get("id") or "").strip()
    links = [item.get("feedburner_origlink"), item.get("link")]
    links += [link.get("href") for link in item.get("links", ()) if link.get("rel") in (None, "alternate", "related")]
    return RawEntry(
        title=_text(item.get("title")),
        content=_content(item),
        guid=guid or None,
        links=[link for link in [*links, guid] if isinstance(link, str) and (":" in link or link.startswith("/"))],
        images=list(_images(item)),
        published=_published(item),
        author=_text(item.get("author")),
        categories=[tag.get("term") for tag in item.get("tags", ()) if isinstance(tag.get("term"), str)],
        fields=fields,
    )


def _content(item: Any) -> str:
    """The longest of the summary and the contents that are text."""
    texts = [_text(part.get("value")) for part in item.get("content", ()) if isinstance(part, Mapping)]
    return max([_text(item.get("summary")), *texts], key=len)


def _images(item: Any) -> Iterator[str]:
    for name in ("media_content", "media_thumbnail"):
        for medium in item.get(name, ()):
            kind = f"{medium.get('medium', '')} {medium.get('type', '')}"
            if name == "media_thumbnail" or "image" in kind or kind == " ":
                yield _text(medium.get("url"))
    for link in item.get("links", ()):
        if link.get("rel") == "enclosure" and _text(link.get("type")).startswith("image/"):
            yield _text(link.get("href"))
    image = item.get("image")
    yield _text(image.get("href") if isinstance(image, Mapping) else image)


def _published(item: Any) -> datetime | None:
    for name in ("published_parsed", "created_parsed", "updated_parsed"):
        moment = dict.get(item, name)  # the library's own look-up warns, and gives one date for another
        try:
            if moment:
                return datetime.fromtimestamp(timegm(moment), UTC)
        except (ValueError, OverflowError, OSError):
            continue
    return None


def _ttl(channel: Any) -> float | None:
    """<ttl> in minutes (RSS 2.0), or the syndication module's period, divided by its frequency."""
    minutes = _text(channel.get("ttl")).strip()
    if minutes.isdecimal() and int(minutes[:9]) > 0:
        return int(minutes[:9]) * 60.0
    period = _UPDATE_PERIODS.get(_text(channel.get("sy_updateperiod")).strip().lower())
    frequency = _text(channel.get("sy_updatefrequency")).strip()
    return period / max(1, int(frequency[:6]) if frequency.isdecimal() else 1) if period else None


def _title(text: Any) -> str | None:
    return plain_text(_text(text), LONGEST_TITLE) or None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
