"""``feeds list, add, remove, check, import, export``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from agents.assemble import Hound
from agents.commands.rows import feed_row
from framework.deals import ReadingVerdict
from framework.errors import DealhoundError, SettingsError
from framework.feedstate import FeedState, PollOutcome
from framework.opml import OpmlFeed, read_opml, write_opml

Row = dict[str, Any]


def listing(hound: Hound) -> list[Row]:
    """The followed feeds with their health."""
    return [feed_row(feed) for feed in hound.store.feeds()]


def add(hound: Hound, url: str, title: str | None = None) -> Row:
    """Follow a feed."""
    if not url.startswith(("http://", "https://")):
        raise SettingsError(f"A feed is an http or https address, and {url!r} is none; hunt --feed reads files")
    return feed_row(hound.store.add_feed(url, title))


def remove(hound: Hound, url: str) -> Row:
    """Stop following a feed. Raises ``DealhoundError`` when it is not followed."""
    feed = hound.store.feed(url)
    if feed is None:
        raise DealhoundError(f"{url} is not among the feeds; see ./dealhound feeds list")
    hound.store.remove_feed(url)
    return {**feed_row(feed), "status": "removed"}


def check(hound: Hound, urls: Sequence[str]) -> Iterator[Row]:
    """Fetch feeds now and say what is seen in them; nothing is remembered."""
    now = datetime.now(UTC)
    feeds = [hound.store.feed(url) or FeedState(url=url, added=now) for url in urls] or hound.store.feeds()
    # Without validators, so that an unchanged feed shows its entries all the same.
    fresh = [feed.model_copy(update={"etag": None, "last_modified": None, "content_hash": None}) for feed in feeds]
    for result in hound.scanner.poll(fresh):
        row = feed_row(result.feed) | {"entries": len(result.entries)}
        if result.outcome is PollOutcome.FAILED:
            yield row | {"explanation": result.error}
            continue
        verdicts = [reading.verdict for chunk in hound.scanner.read(result.entries) for reading in chunk]
        counts = {verdict.value: verdicts.count(verdict) for verdict in ReadingVerdict}
        newest = max((entry.published for entry in result.entries if entry.published), default=None)
        said = f"{len(result.entries)} entries: {counts['deal']} deals, {counts['skipped']} skipped, "
        said += f"{counts['failed']} not readable; newest {newest.isoformat() if newest else 'without a date'}"
        yield row | counts | {"explanation": said}


def import_opml(hound: Hound, file: Path) -> list[Row]:
    """Follow every feed of an OPML file; those that are followed already stay as they are."""
    return [feed_row(hound.store.add_feed(feed.url, feed.title)) for feed in read_opml(file.read_bytes())]


def export_opml(hound: Hound) -> str:
    """The followed feeds as OPML."""
    return write_opml([OpmlFeed(url=feed.url, title=feed.title) for feed in hound.store.feeds()])
