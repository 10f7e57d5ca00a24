"""JSON Feed (https://www.jsonfeed.org/version/1.1/)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from framework.errors import FeedError
from framework.feeds.raw import RawEntry
from framework.feeds.text import plain_text

_LONGEST_VALUE = 500


def looks_like_json(data: bytes) -> bool:
    """Whether a document can only be JSON."""
    return data[:256].removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"{"


def read_json_feed(data: bytes, url: str) -> tuple[str | None, list[RawEntry]]:
    """Title and entries. Raises ``FeedError`` when it is JSON of another kind, or no JSON."""
    try:
        document = json.loads(data.decode("utf-8-sig", "replace"), strict=False)
    except (ValueError, RecursionError):
        raise FeedError(url, "This is no valid JSON") from None
    if not isinstance(document, dict) or not isinstance(document.get("items"), list):
        raise FeedError(url, "This is JSON, but no JSON Feed")
    items = [item for item in document["items"] if isinstance(item, dict)]
    return _text(document, "title") or None, [_entry(item) for item in items]


def _entry(item: dict[str, Any]) -> RawEntry:
    tags = item.get("tags")
    identity = item.get("id")
    return RawEntry(
        title=_text(item, "title"),
        content=_text(item, "content_html") or _text(item, "content_text") or _text(item, "summary"),
        guid=str(identity).strip() or None if isinstance(identity, str | int) else None,
        links=[_text(item, "url"), _text(item, "external_url")],
        images=[_text(item, "image"), _text(item, "banner_image")],
        published=_moment(_text(item, "date_published") or _text(item, "date_modified")),
        author=_author(item),
        categories=[tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else [],
        fields=dict(_extensions(item)),
    )


def _text(item: dict[str, Any], name: str) -> str:
    value = item.get(name)
    return value if isinstance(value, str) else ""


def _author(item: dict[str, Any]) -> str:
    authors = item.get("authors")
    first = authors[0] if isinstance(authors, list) and authors else item.get("author")
    return _text(first, "name") if isinstance(first, dict) else ""


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def _extensions(item: dict[str, Any]) -> list[tuple[str, str]]:
    """Members that begin with an underscore are publishers' own: ``{"_shop": {"price": 5}}`` is ``shop:price``."""
    found = []
    for name, value in item.items():
        if name.startswith("_") and isinstance(value, dict):
            found += [
                (f"{name[1:]}:{key}", plain_text(str(part), _LONGEST_VALUE))
                for key, part in value.items()
                if isinstance(part, str | int | float) and not isinstance(part, bool)
            ]
    return found
