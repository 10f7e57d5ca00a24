"""``hunt`` and ``scan``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from agents.assemble import Hound
from agents.commands.rows import judged_row, reading_row
from agents.sources import is_url
from framework.deals import Entry, Reading
from framework.errors import DealhoundError, FeedError
from framework.feeds import parse_feed
from framework.feedstate import FeedState
from framework.hunt import HuntReport
from framework.reading.read_page import read_page


def hunt(hound: Hound, feeds: Sequence[str]) -> HuntReport:
    """One hunt: over the followed feeds that are due, or over the given URLs and files alone."""
    if not feeds:
        return hound.planner.hunt()
    now = datetime.now(UTC)
    return hound.planner.hunt([hound.store.feed(url) or FeedState(url=url, added=now) for url in feeds])


def judged_rows(report: HuntReport) -> list[dict[str, Any]]:
    """The deals that a hunt judged, the likeliest bargains first."""
    return [judged_row(offer.deal, offer.valuation, offer.judgement) for offer in report.judged]


def scan(hound: Hound, sources: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Read every source, feed or page, into rows; what cannot be read at all raises after the others are read."""
    unreadable: list[str] = []
    for source in sources:
        try:
            for reading in _readings(hound, source):
                yield reading_row(reading)
        except DealhoundError as error:
            unreadable.append(str(error))
    if unreadable:
        raise DealhoundError("\n".join(unreadable))


def _readings(hound: Hound, source: str) -> Iterator[Reading]:
    """The entries of a feed as read; a page that is no feed is read as one entry of its own."""
    content, url = _content(hound, source)
    try:
        entries = parse_feed(content, url).entries
    except FeedError as no_feed:
        if b"<html" not in content[:100_000].lower():
            raise no_feed
        yield _read_page_alone(hound, content, url)
        return
    for readings in hound.scanner.read(entries):
        yield from readings


def _read_page_alone(hound: Hound, content: bytes, url: str) -> Reading:
    """A page given by its owner, read as if an entry had linked to it. Raises ``PageError``."""
    page = read_page(content, url)
    link = url if is_url(url) else None
    entry = Entry(id=url, feed_url=url, url=link, title=page.product or page.title or url)
    return hound.reader.read([entry], {entry.id: page})[0]


def _content(hound: Hound, source: str) -> tuple[bytes, str]:
    if is_url(source):
        response = hound.http.get(source)
        return response.content, response.url
    path = Path(source.removeprefix("file://"))
    try:
        return path.read_bytes(), path.resolve().as_uri()
    except OSError as error:
        raise FeedError(source, f"The file cannot be read: {error.strerror}") from error
