"""The planning agent: one hunt from feeds to messages.

Scan, estimate, judge, record, notify: each step reads what the memory holds as not yet done and records each item in
one transaction, so that a hunt killed anywhere goes on at the next start where it stopped. What goes wrong with an item
is recorded with it and ends nothing else.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from agents.appraiser import Appraiser
from agents.scanner import ScannerAgent
from framework.agent import Agent
from framework.deals import Deal, Entry, Opportunity, Reading, ReadingVerdict
from framework.dedupe import deal_key
from framework.feedstate import FeedState, PollOutcome, PollResult
from framework.hunt import HuntReport, JudgedOffer
from framework.log import hunt_context
from framework.memory.store import Store
from framework.outbox import LOCAL_CHANNELS
from framework.progress import ProgressBoard

ESTIMATE_BATCH = 64  # deals priced together: bounds memory and the wait for a stop
BACKLOG = 50  # entries of a new feed that are hunted at its first poll
OLD_NEWS = timedelta(hours=24)  # what was published so long before its feed was added is not pushed to a phone


@dataclass
class _Tally:
    """A hunt's figures while it runs."""

    counts: dict[str, int] = field(default_factory=dict)
    judged: list[JudgedOffer] = field(default_factory=list)
    opportunities: list[Opportunity] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    sample: bool = False

    def add(self, name: str, number: int = 1) -> None:
        self.counts[name] = self.counts.get(name, 0) + number


class PlanningAgent(Agent):
    """The deterministic workflow."""

    name = "planner"

    def __init__(
        self,
        store: Store,
        scanner: ScannerAgent,
        appraiser: Appraiser,
        deliver: Callable[[], int],
        *,
        channels: Sequence[str],
        save_snapshot: Callable[[], object],
        sample_feed: Callable[[], PollResult],
        progress: ProgressBoard | None = None,
        stop: threading.Event | None = None,
        max_entries: int = 200,
        max_alerts: int = 5,
    ) -> None:
        """``deliver`` sends what the outbox holds and says how many messages were accepted; ``save_snapshot`` rewrites
        memory.json where something changed; ``sample_feed`` reads the bundled feed.
        """
        super().__init__()
        self._store, self._scanner, self._appraiser, self._deliver = store, scanner, appraiser, deliver
        self._channels = tuple(channels)
        self._save_snapshot, self._sample_feed = save_snapshot, sample_feed
        self._stop = stop or threading.Event()
        self._max_entries, self._max_alerts = max_entries, max_alerts
        self._progress = progress or ProgressBoard()

    def stop(self) -> None:
        """Ask a running hunt to end after the item in hand; what is left waits for the next one."""
        self._stop.set()

    def hunt(self, feeds: Sequence[FeedState] | None = None) -> HuntReport:
        """One hunt over the feeds that are due, or over ``feeds`` alone. Raises only ``MemoryStoreError``."""
        started, clock = datetime.now(UTC), time.perf_counter()
        hunt_id, tally = self._store.start_hunt(), _Tally()
        self._progress.begin(hunt_id)
        with hunt_context(hunt_id):
            self.log.info("hunt begins")
            error: str | None = "it was interrupted"
            try:
                self._run(hunt_id, feeds, tally)
                error = None
            finally:
                self._progress.end()
                report = self._report(hunt_id, started, time.perf_counter() - clock, tally)
                self._store.finish_hunt(hunt_id, report.counts(), error)
            self.log.info("hunt ends", seconds=round(report.seconds, 1), **report.counts())
        return report

    def _run(self, hunt_id: str, feeds: Sequence[FeedState] | None, tally: _Tally) -> None:
        self._poll(hunt_id, feeds, tally)
        self._read(hunt_id, tally)
        self._appraise(hunt_id, tally)
        self._progress.stage("notify")
        tally.add("sent", self._deliver())
        self._save_snapshot()

    # --- poll ---------------------------------------------------------------------------------------------------------

    def _poll(self, hunt_id: str, feeds: Sequence[FeedState] | None, tally: _Tally) -> None:
        due = self._store.due_feeds(datetime.now(UTC)) if feeds is None else list(feeds)
        self._progress.stage("poll", len(due))
        self._record_polls(hunt_id, self._scanner.poll(due), tally)
        polled, failed = tally.counts.get("feeds_polled", 0), tally.counts.get("feeds_failed", 0)
        first_hunt = feeds is None and self._store.count_entries() == 0
        if first_hunt and polled == failed and not self._stop.is_set():
            self.log.warning("no feed can be reached; hunting the bundled sample feed instead")
            tally.problems.append(
                "No feed can be reached, so the bundled sample feed was hunted: nothing in it is real."
            )
            tally.sample = True
            self._record_polls(hunt_id, [self._sample_feed()], tally)

    def _record_polls(self, hunt_id: str, results: Iterable[PollResult], tally: _Tally) -> None:
        for result in results:
            new = self._store.record_poll(result, hunt_id, backlog_limit=BACKLOG)
            self._progress.step()
            tally.add("feeds_polled")
            tally.add("entries_new", len(new))
            if result.outcome is PollOutcome.FAILED:
                tally.add("feeds_failed")
                tally.problems.append(f"Feed failed: {result.error}")

    # --- read ---------------------------------------------------------------------------------------------------------

    def _read(self, hunt_id: str, tally: _Tally) -> None:
        pending = self._store.pending_entries(self._max_entries, hunt_id=hunt_id)
        self._progress.stage("scan", len(pending))
        for readings in self._scanner.read(pending):
            for reading in readings:
                self._record_reading(reading, hunt_id, tally)
            self._progress.step(len(readings))
        tally.add("pages_fetched", self._scanner.pages_fetched)

    def _record_reading(self, reading: Reading, hunt_id: str, tally: _Tally) -> None:
        key = deal_key(reading.deal) if reading.deal else None
        self._store.record_reading(reading, hunt_id, product_key=key)
        tally.add("entries_read")
        outcome = {ReadingVerdict.DEAL: "deals", ReadingVerdict.SKIPPED: "skipped", ReadingVerdict.FAILED: "failed"}
        tally.add(outcome[reading.verdict])

    # --- estimate, judge, record --------------------------------------------------------------------------------------

    def _appraise(self, hunt_id: str, tally: _Tally) -> None:
        deals = self._store.pending_deals(self._max_entries, hunt_id=hunt_id)
        self._progress.stage("estimate", len(deals))
        judged: list[JudgedOffer] = []
        for start in range(0, len(deals), ESTIMATE_BATCH):
            if self._stop.is_set():
                return  # nothing of these was recorded; the next hunt prices them
            batch = deals[start : start + ESTIMATE_BATCH]
            for deal, offer in zip(batch, self._appraiser.appraise(batch), strict=True):
                if isinstance(offer, JudgedOffer):
                    judged.append(offer)
                else:
                    self._record_failure(deal, offer, hunt_id, tally)
            self._progress.step(len(batch))
        self._record_offers(judged, hunt_id, tally)

    def _record_failure(self, deal: Deal, reason: str, hunt_id: str, tally: _Tally) -> None:
        self.log.warning("deal not valued", entry=deal.entry_id, reason=reason)
        self._store.record_failure(deal.entry_id, reason, hunt_id=hunt_id)
        tally.add("failed")
        tally.problems.append(f"Not valued: {deal.title}: {reason}")

    def _record_offers(self, judged: list[JudgedOffer], hunt_id: str, tally: _Tally) -> None:
        """The likeliest first, because only so many alerts of a hunt go to a phone."""
        self._progress.stage("judge", len(judged))
        for offer in sorted(judged, key=lambda offer: -offer.judgement.probability):
            opportunity = self._store.record_judgement(
                offer.deal,
                offer.valuation,
                offer.judgement,
                hunt_id=hunt_id,
                channels=self._channels_for(offer.deal, alerts=len(tally.opportunities)),
            )
            tally.judged.append(offer)
            if opportunity is not None:
                tally.opportunities.append(opportunity)
                self.log.info(
                    "opportunity",
                    title=offer.deal.title,
                    price=str(offer.deal.price),
                    worth=float(offer.valuation.value),
                    probability=round(offer.judgement.probability, 2),
                )

    def _channels_for(self, deal: Deal, alerts: int) -> list[str]:
        quiet = alerts >= self._max_alerts or deal.sample or self._is_old_news(deal.entry_id)
        return [channel for channel in self._channels if not quiet or channel in LOCAL_CHANNELS]

    def _is_old_news(self, entry_id: str) -> bool:
        """Whether the entry was published long before its feed was followed."""
        record = self._store.entry(entry_id)
        entry: Entry | None = record.entry if record else None
        feed = self._store.feed(entry.feed_url) if entry else None
        return bool(feed and entry and entry.published and entry.published < feed.added - OLD_NEWS)

    def _report(self, hunt_id: str, started: datetime, seconds: float, tally: _Tally) -> HuntReport:
        return HuntReport(
            hunt_id=hunt_id,
            started=started,
            seconds=seconds,
            sample=tally.sample,
            judged=tuple(tally.judged),
            opportunities=tuple(tally.opportunities),
            problems=tuple(tally.problems),
            **tally.counts,
        )
