"""The health of the feeds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from framework.feedstate import FeedState, FeedStatus
from framework.views.markup import Html, empty, join, link, moment, table, tag

_WORDS = {FeedStatus.NEW: "not polled yet", FeedStatus.OK: "ok", FeedStatus.FAILING: "failing", FeedStatus.GONE: "gone"}
_PILLS = {FeedStatus.NEW: "ok", FeedStatus.OK: "ok", FeedStatus.FAILING: "degraded", FeedStatus.GONE: "failed"}


def feeds_table(feeds: Sequence[FeedState], zone: ZoneInfo, now: datetime) -> Html:
    """Every feed: how it is doing, when it is asked next, and what went wrong."""
    if not feeds:
        return empty("No feeds yet", "Paste the address of a deal site's RSS or Atom feed above and press Add.")
    failing = sum(feed.status in (FeedStatus.FAILING, FeedStatus.GONE) for feed in feeds)
    rows = [
        (
            join(link(feed.url, feed.title or feed.url), tag("small", feed.url, class_="dh-muted")),
            tag("span", _WORDS[feed.status], class_=f"dh-pill dh-{_PILLS[feed.status]}"),
            moment(feed.last_success, zone),
            _next(feed, zone, now),
            f"{feed.errors} in a row: {feed.last_error or ''}" if feed.errors else "none",
        )
        for feed in feeds
    ]
    summary = tag("p", f"{len(feeds)} feeds, {failing} in trouble", class_="dh-count", role="status")
    return join(summary, table("Feeds", ("Feed", "State", "Last success", "Next check", "Errors"), rows))


def _next(feed: FeedState, zone: ZoneInfo, now: datetime) -> Html:
    if feed.status is FeedStatus.GONE:
        return tag("span", "when you ask", class_="dh-muted")
    if feed.next_check is None or feed.next_check <= now:
        return tag("span", "with the next hunt")
    return moment(feed.next_check, zone)
