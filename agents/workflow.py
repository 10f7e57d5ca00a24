"""The steps of one hunt: poll, read, appraise, record. The deterministic planner runs them in this order; the
autonomous one calls them as tools.

Each step reads what the memory holds as not yet done and records each item in one transaction, so that a hunt killed
anywhere goes on at the next start where it stopped. What goes wrong with an item is recorded with it and ends nothing
else.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import structlog

from agents.appraiser import Appraiser
from agents.autonomous import EstimatedItem, ScannedItem
from agents.messaging.base import Message
from agents.messaging.notices import Notices
from agents.scanner import ScannerAgent
from framework.deals import Deal, Entry, Opportunity, Reading, ReadingVerdict, Verdict
from framework.dedupe import deal_key
from framework.feeds import notice, with_new_entries
from framework.feeds.health import is_silent
from framework.feedstate import FeedState, FeedStatus, PollOutcome, PollResult
from framework.hunt import JudgedOffer
from framework.memory.store import Store
from framework.money import Money
from framework.outbox import LOCAL_CHANNELS, Repeat
from framework.progress import ProgressBoard
from framework.reading.expiry import says_over
from framework.tally import Tally

ESTIMATE_BATCH = 64  # deals priced together: bounds memory and the wait for a stop
BACKLOG = 50  # entries of a new feed that are hunted at its first poll
OLD_NEWS = timedelta(hours=24)  # what was published so long before its feed was added is not pushed to a phone
_T = TypeVar("_T")
_OUTCOMES = {ReadingVerdict.DEAL: "deals", ReadingVerdict.SKIPPED: "skipped", ReadingVerdict.FAILED: "failed"}


@dataclass(frozen=True)
class Parts:
    """What hunts work with. ``sample_feed`` reads the bundled feed; ``channels`` are those that messages go out on;
    ``prepare`` is told, without waiting, that there will be something to price."""

    store: Store
    scanner: ScannerAgent
    appraiser: Appraiser
    channels: Sequence[str]
    sample_feed: Callable[[], PollResult]
    prepare: Callable[[], None] = lambda: None
    notices: Notices | None = None
    progress: ProgressBoard = field(default_factory=ProgressBoard)
    tally: Tally = field(default_factory=Tally)
    stop: threading.Event = field(default_factory=threading.Event)
    max_entries: int = 200
    max_alerts: int = 5
    repeat: Repeat = field(default_factory=Repeat)


class Workflow:
    """One hunt in its steps, and what they came to so far."""

    def __init__(
        self,
        hunt_id: str,
        parts: Parts,
        feeds: Sequence[FeedState] | None = None,
        *,
        only: Sequence[str] | None = None,
    ) -> None:
        """``feeds`` limits polling to these; ``None`` means the followed feeds that are due. ``only`` limits reading
        and judging to the entries with these ids; ``None`` means all that wait. With a limit it is a hunt's share.
        """
        self.hunt_id, self._parts, self._feeds, self._only = hunt_id, parts, feeds, only
        self._store, self._progress, self.tally = parts.store, parts.progress, parts.tally
        self.counts: dict[str, int] = {}
        self.stage_ms: dict[str, int] = {}
        self.judged: list[JudgedOffer] = []
        self.opportunities: list[Opportunity] = []
        self.problems: list[str] = []
        self.sample = False
        self._waiting: dict[str, JudgedOffer] = {}  # valued, not recorded yet
        self._log = structlog.get_logger("dealhound").bind(agent="planner")

    def timed(self, stage: str, step: Callable[[], _T]) -> _T:
        """Do a step and note how long it took."""
        started = time.perf_counter()
        try:
            return step()
        finally:
            self.stage_ms[stage] = round((time.perf_counter() - started) * 1000)

    # --- poll ---------------------------------------------------------------------------------------------------------

    def poll(self) -> None:
        """Poll the feeds and store what is new. On a first hunt without any network the sample feed stands in."""
        due = self._store.due_feeds(datetime.now(UTC)) if self._feeds is None else list(self._feeds)
        self._progress.stage("poll", len(due))
        self._record_polls(self._parts.scanner.poll(due))
        polled, failed = self.counts.get("feeds_polled", 0), self.counts.get("feeds_failed", 0)
        first_hunt = self._feeds is None and self._store.count_entries() == 0
        if first_hunt and polled == failed and not self._parts.stop.is_set():
            self._log.warning("no feed can be reached; hunting the bundled sample feed instead")
            self.problems.append(
                "No feed can be reached, so the bundled sample feed was hunted: nothing in it is real."
            )
            self.sample = True
            self._record_polls([self._parts.sample_feed()])

    def _record_polls(self, results: Iterable[PollResult]) -> None:
        for result in results:
            before = self._store.feed(result.feed.url)
            new = self._store.record_poll(result, self.hunt_id, backlog_limit=BACKLOG)
            self._mark_expired(result.entries)
            if before is not None:
                self._follow_up(before, result, new=bool(new))
            self._progress.step()
            self._add("feeds_polled")
            self._add("entries_new", len(new))
            self._add("entries_known", len(result.entries) - len(new))
            self._add("bytes_fetched", result.bytes)
            self._add("feeds_unchanged", int(result.outcome is PollOutcome.UNCHANGED))
            if result.outcome is PollOutcome.FAILED:
                self._add("feeds_failed")
                self.problems.append(f"Feed failed: {result.error}")

    def _mark_expired(self, entries: Sequence[Entry]) -> None:
        """Mark the opportunities whose posts say by now that they are over."""
        over = [entry.id for entry in entries if says_over(entry)]
        for identity in self._store.live_opportunities_of(over) if over else ():
            if self._store.mark_expired(identity, "its post says that it is over"):
                self._log.info("opportunity is over", opportunity=identity)
                self._add("expired")

    def _follow_up(self, before: FeedState, result: PollResult, *, new: bool) -> None:
        """What shows only once the new entries are known: how often the feed speaks, and that it fell silent."""
        after = with_new_entries(result.feed, datetime.now(UTC)) if new else result.feed
        if after is not result.feed:
            self._store.put_feed(after)
        said = notice(before, after)
        if said is not None:
            self._log.warning("notice", feed=after.url, said=said)
            self.problems.append(said)
            self._tell_operator(after, said)

    def _tell_operator(self, feed: FeedState, said: str) -> None:
        notices = self._parts.notices
        if notices is None:
            return
        message = Message(title="Dealhound: a feed", text=said)
        troubled = feed.errors > 0 or feed.status is FeedStatus.GONE or is_silent(feed, feed.last_check)
        (notices.begin if troubled else notices.end)(f"feed {feed.url}", message)

    # --- read ---------------------------------------------------------------------------------------------------------

    def read(self) -> None:
        """Read the pending entries into deals."""
        pending = self._store.pending_entries(self._parts.max_entries, hunt_id=self.hunt_id, only=self._only)
        self._progress.stage("scan", len(pending))
        if pending:
            self._parts.prepare()
        for readings in self._parts.scanner.read(pending):
            for reading in readings:
                self._record_reading(reading)
            self._progress.step(len(readings))
        self._add("pages_fetched", self._parts.scanner.pages_fetched)

    def _record_reading(self, reading: Reading) -> None:
        key = deal_key(reading.deal) if reading.deal else None
        self._store.record_reading(reading, self.hunt_id, product_key=key)
        self._add("entries_read")
        self._add(_OUTCOMES[reading.verdict])

    # --- appraise -----------------------------------------------------------------------------------------------------

    def pending_deals(self) -> list[Deal]:
        """The deals that wait for a verdict."""
        return self._store.pending_deals(self._parts.max_entries, hunt_id=self.hunt_id, only=self._only)

    def appraise(self, deals: Sequence[Deal]) -> None:
        """Value and judge deals, in batches. What a stop leaves unpriced is priced by the next hunt."""
        deals = [deal for deal in deals if deal.entry_id not in self._waiting]
        self._progress.stage("estimate", len(deals))
        for start in range(0, len(deals), ESTIMATE_BATCH):
            if self._parts.stop.is_set():
                return
            batch = deals[start : start + ESTIMATE_BATCH]
            for deal, offer in zip(batch, self._appraise(batch), strict=True):
                if isinstance(offer, JudgedOffer):
                    self._waiting[deal.entry_id] = offer
                else:
                    self._record_failure(deal, offer)
            self._progress.step(len(batch))

    def _appraise(self, deals: Sequence[Deal]) -> Sequence[JudgedOffer | str]:
        """Appraise together; where that raises what nobody expected, each alone, so that one deal fails and no hunt.

        A boundary: the fault is logged with its trace and the deal's id, and counts as a failed try of that deal.
        """
        try:
            return self._parts.appraiser.appraise(deals)
        except Exception as error:  # noqa: BLE001 - the stated boundary
            if len(deals) == 1:
                self._log.exception("fault while appraising", entry=deals[0].entry_id)
                return [f"internal fault ({type(error).__name__}), see the log"]
            return [offer for deal in deals for offer in self._appraise([deal])]

    def _record_failure(self, deal: Deal, reason: str) -> None:
        self._log.warning("deal not valued", entry=deal.entry_id, reason=reason)
        self._store.record_failure(deal.entry_id, reason, hunt_id=self.hunt_id)
        self._add("failed")
        self.problems.append(f"Not valued: {deal.title}: {reason}")

    # --- record -------------------------------------------------------------------------------------------------------

    def record_all(self) -> None:
        """Record every verdict, the likeliest bargains first, because only so many alerts go to a phone."""
        self._progress.stage("judge", len(self._waiting))
        for offer in sorted(self._waiting.values(), key=lambda offer: -offer.judgement.probability):
            self.record(offer)

    def record(self, offer: JudgedOffer) -> Opportunity | None:
        """Record one verdict; for an opportunity that its owner is to be told of, its messages too."""
        del self._waiting[offer.deal.entry_id]
        opportunity = self._store.record_judgement(
            offer.deal,
            offer.valuation,
            offer.judgement,
            hunt_id=self.hunt_id,
            channels=self._channels_for(offer.deal),
            repeat=self._parts.repeat,
        )
        self.judged.append(offer)
        self._progress.step()
        if opportunity is not None:
            self.opportunities.append(opportunity)
            self._log.info(
                "opportunity",
                title=offer.deal.title,
                price=str(offer.deal.price),
                worth=float(offer.valuation.value),
                probability=round(offer.judgement.probability, 2),
            )
        return opportunity

    def _channels_for(self, deal: Deal) -> list[str]:
        full = self._surfaced() >= self._parts.max_alerts
        quiet = full or deal.sample or self._is_old_news(deal.entry_id)
        return [channel for channel in self._parts.channels if not quiet or channel in LOCAL_CHANNELS]

    def _surfaced(self) -> int:
        """How many opportunities the hunt has so far; of a share, also what its other shares found."""
        here = len(self.opportunities)
        if self._only is None:
            return here
        return max(here, self._store.count_surfaced(self.hunt_id, datetime.now(UTC)))

    def _is_old_news(self, entry_id: str) -> bool:
        """Whether the entry was published long before its feed was followed."""
        record = self._store.entry(entry_id)
        entry = record.entry if record else None
        feed = self._store.feed(entry.feed_url) if entry else None
        return bool(feed and entry and entry.published and entry.published < feed.added - OLD_NEWS)

    def _add(self, name: str, number: int = 1) -> None:
        self.counts[name] = self.counts.get(name, 0) + number

    # --- as tools -----------------------------------------------------------------------------------------------------

    def scan(self) -> list[ScannedItem]:
        """The autonomous planner's first tool: poll, read, and show the deals that wait."""
        self.poll()
        self.read()
        return [ScannedItem(deal.entry_id, deal.title, str(deal.price)) for deal in self.pending_deals()]

    def estimate(self, ids: Sequence[str]) -> list[EstimatedItem]:
        """Its second: value and judge the deals with these ids; those that cannot be valued are left out."""
        wanted = set(ids)
        self.appraise([deal for deal in self.pending_deals() if deal.entry_id in wanted])
        return [_shown(offer) for entry_id, offer in self._waiting.items() if entry_id in wanted]

    def notify(self, id: str) -> str | None:
        """Its third: record an opportunity and its messages. ``None`` when the owner is told, else why not."""
        offer = self._waiting.get(id)
        if offer is None:
            return "this deal was not estimated, or was recorded already"
        if offer.judgement.verdict is not Verdict.OPPORTUNITY:
            return "the judge did not call this an opportunity"
        return None if self.record(offer) is not None else "the owner knows this offer already"


def _shown(offer: JudgedOffer) -> EstimatedItem:
    valuation, judgement = offer.valuation, offer.judgement
    value, low, high = (
        Money.of(amount, valuation.currency) for amount in (valuation.value, valuation.low, valuation.high)
    )
    return EstimatedItem(
        id=offer.deal.entry_id,
        worth=f"{value} ({low} to {high})",
        discount_pct=judgement.discount_pct,
        probability=judgement.probability,
        opportunity=judgement.verdict is Verdict.OPPORTUNITY,
        reason=judgement.reason,
    )
