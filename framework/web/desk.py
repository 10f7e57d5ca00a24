"""What the owner can do from the page: each act answers with a sentence, and none of them works in the page's time."""

from __future__ import annotations

import structlog

from framework.errors import DealhoundError
from framework.feedstate import FeedStatus
from framework.views.markup import Html, text, web_address
from framework.views.status import checks_list, problem
from framework.web.context import Controls, DashboardContext

AGENTS = ("planner", "scanner", "ensemble", "specialist", "frontier", "random_forest", "messenger")

log = structlog.get_logger("dashboard")


class Desk:
    """The owner's acts on one daemon."""

    def __init__(self, context: DashboardContext) -> None:
        self._context = context

    @property
    def controls(self) -> Controls | None:
        """The daemon's controls, ``None`` where no daemon runs."""
        return self._context.controls

    @property
    def can_test(self) -> bool:
        """Whether a test notification can be sent from here."""
        return self._context.test_notification is not None

    def agents(self) -> tuple[str, ...]:
        """Who may speak in the log."""
        return AGENTS

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
        if self.controls.paused():
            self.controls.resume()
            return "Hunting by the schedule again."
        self.controls.pause()
        return "Paused: the running hunt ends, and no further one starts."

    def add_feed(self, url: str) -> str:
        """Follow a feed."""
        address = web_address((url or "").strip())
        if address is None:
            return "Give the feed's address, beginning with https:// or http://."
        try:
            self._context.store.add_feed(address)
        except DealhoundError as error:
            return _plain(error)
        log.info("feed_added", url=address)
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
            return _plain(error)
        if not chosen:
            return "That feed is not followed."
        return f"{len(chosen)} feeds are due. {self.hunt_now()}"

    def remove_feed(self, url: str) -> str:
        """Stop following a feed."""
        address = (url or "").strip()
        if not address:
            return "Paste the address of the feed to remove."
        try:
            removed = self._context.store.remove_feed(address)
        except DealhoundError as error:
            return _plain(error)
        if removed:
            log.info("feed_removed", url=address)
        return "Removed. What it brought stays known." if removed else "That feed is not followed."

    def test_notification(self) -> Html:
        """Send a test message through every channel; what each answered."""
        if self._context.test_notification is None:
            return problem("No notification channel can be tested here.")
        try:
            return checks_list(self._context.test_notification())
        except DealhoundError as error:
            return problem(str(error))


def _plain(error: DealhoundError) -> str:
    """An error's sentence for a component that reads Markdown: no character in it is markup."""
    return "".join(f"\\{character}" if character in "\\`*_[]<>#!|~&" else character for character in text(error))
