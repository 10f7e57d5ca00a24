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
            _acts(feed),
        )
        for feed in feeds
    ]
    summary = tag("p", f"{len(feeds)} feeds, {failing} in trouble", class_="dh-count", role="status")
    return join(summary, table("Feeds", ("Feed", "State", "Last success", "Next check", "Errors", "Do"), rows))


def _acts(feed: FeedState) -> Html:
    """Buttons for the page's script; removing asks a second time."""
    buttons = [
        tag(
            "button",
            label,
            type="button",
            class_="dh-button",
            data_post=f"page/feeds/{act}",
            data_url=feed.url,
            data_sure=sure,
            aria_label=f"{label}: {feed.title or feed.url}",
        )
        for label, act, sure in (("Check", "check", None), ("Remove", "remove", "Really remove?"))
    ]
    return tag("div", buttons, tag("span", class_="dh-said", role="status"), class_="dh-acts")


def opml_tools() -> Html:
    """Taking the list of feeds to another feed reader, and bringing one from there."""
    return tag(
        "div",
        tag("h2", "OPML"),
        tag("p", "The list of feeds in the format that feed readers exchange.", class_="dh-muted"),
        tag(
            "div",
            tag("a", "Export", href="page/feeds.opml", download="dealhound.opml", class_="dh-button"),
            tag("label", "Import a file", for_="dh-opml-file"),
            tag("input", type="file", id="dh-opml-file", accept=".opml,.xml", data_send="page/feeds.opml"),
            tag("span", class_="dh-said", role="status"),
            class_="dh-acts",
        ),
    )


def _next(feed: FeedState, zone: ZoneInfo, now: datetime) -> Html:
    if feed.status is FeedStatus.GONE:
        return tag("span", "when you ask", class_="dh-muted")
    if feed.next_check is None or feed.next_check <= now:
        return tag("span", "with the next hunt")
    return moment(feed.next_check, zone)
