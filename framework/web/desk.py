"""What the owner can do from the page: each act answers with a sentence, and none of them works in the page's time."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import structlog

from framework.errors import DealhoundError
from framework.feedstate import FeedStatus
from framework.opml import OpmlFeed, read_opml, write_opml
from framework.views.markup import Html, text, web_address
from framework.views.status import checks_list, problem
from framework.web.context import Controls, DashboardContext, Preferences

log = structlog.get_logger("dashboard")


class Desk:
    """The owner's acts on one daemon; ``changed`` is called after each, so that pages are read afresh."""

    def __init__(self, context: DashboardContext, changed: Callable[[], None] = lambda: None) -> None:
        self._context, self._changed = context, changed

    @property
    def controls(self) -> Controls | None:
        """The daemon's controls, ``None`` where no daemon runs."""
        return self._context.controls

    @property
    def preferences(self) -> Preferences | None:
        """The settings that can be changed from the page, ``None`` where none can."""
        return self._context.preferences

    @property
    def can_test(self) -> bool:
        """Whether a test notification can be sent from here."""
        return self._context.test_notification is not None

    def hunt_now(self) -> str:
        """Ask for a hunt."""
        if self.controls is None:
            return "No daemon runs here."
        if self.controls.hunt_now():
            return "A hunt starts now."
        return "A hunt is running already; it finds what this one would."

    def pause_or_resume(self) -> str:
        """Pause the schedule, or take it up again."""
        if self.controls is None:
            return "No daemon runs here."
        was_paused = self.controls.paused()
        if was_paused:
            self.controls.resume()
        else:
            self.controls.pause()
        self._changed()
        return "Hunting by the schedule again." if was_paused else "Paused: no further hunt starts until you resume."

    def add_feed(self, url: str) -> str:
        """Follow a feed."""
        address = web_address((url or "").strip())
        if address is None:
            return "Give the feed's address, beginning with https:// or http://."
        try:
            self._context.store.add_feed(address)
        except DealhoundError as error:
            return text(error)
        log.info("feed_added", url=address)
        self._changed()
        return "Added. It is polled with the next hunt."

    def check_feed(self, url: str) -> str:
        """Make a feed due at once; all of them when no address is given."""
        store, address = self._context.store, (url or "").strip()
        try:
            chosen = [feed for feed in store.feeds() if address in ("", feed.url)]
            for feed in chosen:
                status = FeedStatus.NEW if feed.status is FeedStatus.GONE else feed.status
                store.put_feed(feed.model_copy(update={"next_check": None, "status": status}))
        except DealhoundError as error:
            return text(error)
        self._changed()
        if not chosen:
            return "That feed is not followed."
        return f"{len(chosen)} {'feed is' if len(chosen) == 1 else 'feeds are'} due. {self.hunt_now()}"

    def remove_feed(self, url: str) -> str:
        """Stop following a feed."""
        try:
            removed = self._context.store.remove_feed((url or "").strip())
        except DealhoundError as error:
            return text(error)
        if removed:
            log.info("feed_removed", url=url)
        self._changed()
        return "Removed. What it brought stays known." if removed else "That feed is not followed."

    def export_opml(self) -> str:
        """The followed feeds as OPML. Raises ``DatabaseUnavailable``."""
        return write_opml([OpmlFeed(url=feed.url, title=feed.title) for feed in self._context.store.feeds()])

    def import_opml(self, document: bytes) -> str:
        """Follow every feed of an OPML document. Raises ``FeedError`` for another document."""
        store = self._context.store
        known = {feed.url for feed in store.feeds()}
        listed = read_opml(document, "This file")
        for feed in listed:
            store.add_feed(feed.url, feed.title)
        self._changed()
        new = len({feed.url for feed in listed} - known)
        log.info("feeds_imported", listed=len(listed), new=new)
        return f"{len(listed)} feeds are listed, {new} of them new. They are polled with the next hunt."

    def change_settings(self, wishes: Mapping[str, str]) -> str:
        """Keep the owner's wishes: text by setting, an empty one for the default."""
        if self.preferences is None:
            return "Settings cannot be changed here."
        try:
            where = self.preferences.change({name: (wish or "").strip() or None for name, wish in wishes.items()})
        except DealhoundError as error:
            return text(error)
        self._changed()
        return f"Kept in {where}. The next hunt and the next message go by it."

    def test_notification(self) -> Html:
        """Send a test message through every channel; what each answered."""
        if self._context.test_notification is None:
            return problem("No notification channel can be tested here.")
        try:
            return checks_list(self._context.test_notification())
        except DealhoundError as error:
            return problem(str(error))
