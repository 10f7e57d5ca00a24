"""The hunt: each step recorded, each failure contained, a killed hunt taken up where it stopped."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from agents.messaging.notices import Notices
from agents.planning import PlanningAgent
from agents.scanner import ScannerAgent
from agents.workflow import Parts
from framework.deals import Deal, Entry, Judgement, Reading, Valuation, Verdict
from framework.errors import FetchError
from framework.feedstate import FeedState, PollOutcome, PollResult
from framework.filters import Filters
from framework.hunt import JudgedOffer
from framework.memory.records import EntryVerdict
from framework.memory.store import Store
from framework.reading.extractive import ExtractiveReader
from framework.reading.pages import Page

FEED = "https://feeds.example/deals"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def entry(number: int, title: str, **changes: object) -> Entry:
    url = f"https://shop.example/{number}"
    fields = {"id": f"e{number}", "feed_url": FEED, "url": url, "title": title, "published": NOW, **changes}
    return Entry.model_validate(fields)


KETTLE = entry(1, "Acme K-200 Steel Kettle $20")
TENT = entry(2, "Northpeak 4-Person Tent $90")
SALE = entry(3, "Up to 60% off shoes at Macy's")


class FakePoller:
    """Gives each feed its entries; a feed named in ``down`` fails."""

    def __init__(self, entries: Sequence[Entry], down: Sequence[str] = ()) -> None:
        self.entries, self.down, self.polled = list(entries), set(down), 0

    def poll_all(self, feeds: Sequence[FeedState]) -> Iterator[PollResult]:
        for feed in feeds:
            self.polled += 1
            if feed.url in self.down:
                state = feed.model_copy(update={"errors": 1, "last_error": "no route"})
                yield PollResult(feed=state, outcome=PollOutcome.FAILED, error="no route")
            else:
                mine = tuple(e for e in self.entries if e.feed_url == feed.url)
                yield PollResult(feed=feed, outcome=PollOutcome.UPDATED, entries=mine)


class FakeAppraiser:
    """Values a deal at twice its price with certainty; what ``fails`` names has no estimate."""

    def __init__(self, fails: Sequence[str] = (), probability: Callable[[Deal], float] = lambda deal: 0.9) -> None:
        self.fails, self.probability, self.asked = set(fails), probability, 0

    def appraise(self, deals: Sequence[Deal]) -> list[JudgedOffer | str]:
        self.asked += len(deals)
        return ["no member could price it" if deal.entry_id in self.fails else self._offer(deal) for deal in deals]

    def _offer(self, deal: Deal) -> JudgedOffer:
        price = float(deal.price.amount)
        worth = (price, 2 * price, 3 * price)
        valuation = Valuation(value=worth[1], low=worth[0], high=worth[2], quantiles=worth)
        judgement = Judgement(
            verdict=Verdict.OPPORTUNITY,
            discount=price,
            discount_pct=50,
            probability=self.probability(deal),
            reason="half price",
        )
        return JudgedOffer(deal=deal, valuation=valuation, judgement=judgement)


class Hunt:
    """A planner over a real store and the real reader; the network and the models are fakes."""

    def __init__(self, store: Store, entries: Sequence[Entry] = (KETTLE, TENT, SALE), **options: object) -> None:
        self.store = store
        self.poller = FakePoller(entries, down=options.pop("down", ()))  # type: ignore[arg-type]
        self.appraiser = options.pop("appraiser", None) or FakeAppraiser()
        self.stop = threading.Event()
        self.fetched: list[str] = []
        self.snapshots = 0
        reader = ExtractiveReader()
        skip = options.pop("reason_to_skip", lambda item, feed: None)
        scanner = ScannerAgent(
            self.poller,
            reader,
            self._fetch,
            reader.needs_page,
            reason_to_skip=skip,  # type: ignore[arg-type]
            stopped=self.stop.is_set,
        )
        parts = Parts(
            store,
            scanner,
            self.appraiser,  # type: ignore[arg-type]
            ("console", "pushover"),
            self._sample,
            stop=self.stop,
            **options,  # type: ignore[arg-type]
        )
        self.planner = PlanningAgent(parts, deliver=lambda: 0, save_snapshot=self._save)

    def record(self, result: PollResult) -> None:
        """Hunt with this as the one result of polling."""
        self.poller.poll_all = lambda feeds: iter([result])  # type: ignore[method-assign]
        self.planner.hunt()

    def _fetch(self, url: str) -> Page:
        self.fetched.append(url)
        raise FetchError(url, "unreachable")

    def _save(self) -> None:
        self.snapshots += 1

    def _sample(self) -> PollResult:
        sample = KETTLE.model_copy(update={"id": "s1", "sample": True, "feed_url": "sample"})
        return PollResult(feed=FeedState(url="sample", added=NOW), outcome=PollOutcome.UPDATED, entries=(sample,))


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    with Store.open(database_url, clock=lambda: NOW) as opened:
        opened.add_feed(FEED)
        yield opened


def test_a_hunt_records_every_entry_with_its_verdict(store: Store) -> None:
    report = Hunt(store).planner.hunt()
    assert (report.entries_new, report.deals, report.skipped, len(report.opportunities)) == (3, 2, 1, 2)
    assert store.count_by_verdict() == {"opportunity": 2, "skipped": 1}
    (hunt,) = store.hunts()
    assert hunt.finished is not None
    assert hunt.error is None
    assert hunt.counts["opportunities"] == 2
    assert set(report.stage_ms) == {"poll", "scan", "estimate", "judge", "notify"}


def test_the_figures_of_all_hunts_add_up(store: Store) -> None:
    Hunt(store).planner.hunt()
    Hunt(store).planner.hunt()
    totals = store.hunt_totals()
    assert (totals["feeds_polled"], totals["entries_new"], totals["entries_known"]) == (2, 3, 3)


def test_a_post_that_says_it_is_over_ends_its_opportunity(store: Store) -> None:
    Hunt(store).planner.hunt()
    over = KETTLE.model_copy(update={"title": f"[Expired] {KETTLE.title}"})
    report = Hunt(store, entries=(over, TENT)).planner.hunt()
    assert report.expired == 1
    ended = {record.opportunity.deal.entry_id for record in store.opportunities() if record.expired}
    assert ended == {KETTLE.id}


def test_a_second_hunt_reads_fetches_and_prices_nothing(store: Store) -> None:
    Hunt(store).planner.hunt()
    again = Hunt(store)
    report = again.planner.hunt()
    assert (report.entries_new, report.entries_read, again.appraiser.asked, again.fetched) == (0, 0, 0, [])


def test_a_page_that_cannot_be_fetched_fails_its_entry_alone_and_is_tried_again(store: Store) -> None:
    lamp = entry(4, "Acme Desk Lamp with USB")
    hunt = Hunt(store, [lamp, KETTLE])
    report = hunt.planner.hunt()
    assert hunt.fetched == [lamp.url]
    assert (report.failed, report.deals) == (1, 1)
    assert [pending.id for pending in store.pending_entries()] == [lamp.id]
    Hunt(store, []).planner.hunt()
    Hunt(store, []).planner.hunt()
    record = store.entry(lamp.id)
    assert record is not None
    assert record.verdict is EntryVerdict.FAILED


def test_a_deal_that_cannot_be_valued_fails_alone(store: Store) -> None:
    report = Hunt(store, appraiser=FakeAppraiser(fails=["e1"])).planner.hunt()
    assert [o.deal.entry_id for o in report.opportunities] == ["e2"]
    assert "no member could price it" in report.problems[0]
    assert [deal.entry_id for deal in store.pending_deals()] == ["e1"]


def test_a_fault_of_ours_in_one_deal_fails_that_deal_alone(store: Store) -> None:
    class Faulty(FakeAppraiser):
        def appraise(self, deals: Sequence[Deal]) -> list[JudgedOffer | str]:
            if any(deal.entry_id == "e1" for deal in deals):
                raise KeyError("a bug")
            return super().appraise(deals)

    report = Hunt(store, appraiser=Faulty()).planner.hunt()
    assert [o.deal.entry_id for o in report.opportunities] == ["e2"]
    assert "internal fault (KeyError)" in report.problems[0]


def test_a_fault_of_ours_in_one_entry_fails_that_entry_alone(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    read_one = ExtractiveReader.read_one

    def faulty(self: ExtractiveReader, entry: Entry, page: Page | None = None) -> Reading:
        if entry.id == "e1":
            raise ZeroDivisionError
        return read_one(self, entry, page)

    monkeypatch.setattr(ExtractiveReader, "read_one", faulty)
    report = Hunt(store).planner.hunt()
    assert (report.failed, report.deals, report.skipped) == (1, 1, 1)
    record = store.entry("e1")
    assert record is not None
    assert "internal fault (ZeroDivisionError)" in record.reason


def test_one_bad_feed_leaves_the_others(store: Store) -> None:
    store.add_feed("https://down.example/feed")
    report = Hunt(store, down=["https://down.example/feed"]).planner.hunt()
    assert (report.feeds_polled, report.feeds_failed, len(report.opportunities)) == (2, 1, 2)
    assert not report.sample


def test_with_no_network_the_first_hunt_takes_the_sample_feed_and_keeps_it_off_the_phone(store: Store) -> None:
    report = Hunt(store, down=[FEED]).planner.hunt()
    assert report.sample
    assert [o.deal.sample for o in report.opportunities] == [True]
    assert [n.channel for n in store.notifications()] == ["console"]
    assert "sample" in report.problems[1]


def test_without_network_a_later_hunt_takes_no_sample(store: Store) -> None:
    Hunt(store).planner.hunt()
    report = Hunt(store, down=[FEED]).planner.hunt()
    assert (report.sample, report.feeds_failed, report.judged) == (False, 1, ())


def test_an_empty_feed_is_no_fault(store: Store) -> None:
    report = Hunt(store, []).planner.hunt()
    assert (report.feeds_failed, report.entries_new, report.problems) == (0, 0, ())


def test_only_the_likeliest_alerts_of_a_hunt_go_to_the_phone(store: Store) -> None:
    likelier = {"e2": 0.95, "e1": 0.8}
    appraiser = FakeAppraiser(probability=lambda deal: likelier[deal.entry_id])
    Hunt(store, appraiser=appraiser, max_alerts=1).planner.hunt()
    sent = {(n.opportunity.deal.entry_id, n.channel) for n in store.notifications() if n.opportunity}
    assert sent == {("e2", "console"), ("e2", "pushover"), ("e1", "console")}


def test_old_news_of_a_new_feed_stays_off_the_phone(store: Store) -> None:
    old = KETTLE.model_copy(update={"published": NOW - timedelta(days=3)})
    Hunt(store, [old]).planner.hunt()
    assert [n.channel for n in store.notifications()] == ["console"]


def test_a_hunt_killed_after_polling_goes_on_with_what_was_polled(store: Store) -> None:
    class Killed(FakeAppraiser):
        def appraise(self, deals: Sequence[Deal]) -> list[JudgedOffer | str]:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Hunt(store, appraiser=Killed()).planner.hunt()
    assert store.hunts()[0].error == "it was interrupted"
    report = Hunt(store, []).planner.hunt()  # the feed shows them no more
    assert {o.deal.entry_id for o in report.opportunities} == {"e1", "e2"}


def test_a_stopped_hunt_leaves_the_rest_for_the_next(store: Store) -> None:
    hunt = Hunt(store)
    hunt.planner.stop()
    report = hunt.planner.hunt()
    assert (report.entries_new, report.entries_read, report.judged) == (3, 0, ())
    assert len(Hunt(store, []).planner.hunt().opportunities) == 2


def test_a_hunt_over_given_feeds_polls_no_other(store: Store) -> None:
    hunt = Hunt(store)
    hunt.planner.hunt([FeedState(url="https://elsewhere.example/", added=NOW)])
    assert hunt.poller.polled == 1
    assert [feed.url for feed in store.feeds()] == [FEED]


def test_the_owners_filters_keep_entries_from_being_read_and_deals_from_being_judged(store: Store) -> None:
    filters = Filters(exclude=("tent",), max_price=Decimal(50))
    dear = entry(5, "Acme Espresso Machine EC-9 $300")
    hunt = Hunt(store, [KETTLE, TENT, dear], reason_to_skip=lambda item, feed: filters.reason_to_skip(item))
    report = hunt.planner.hunt()
    assert [o.deal.entry_id for o in report.opportunities] == ["e1"]
    assert report.skipped == 2
    reasons = [record.reason for record in store.entries(verdict=EntryVerdict.SKIPPED)]
    assert any('the excluded word "tent"' in reason for reason in reasons)
    assert any("above the highest price" in reason for reason in reasons)


def test_the_owner_is_told_once_that_a_feed_is_down_and_once_that_it_is_back(store: Store) -> None:
    notices = Notices(store, ["console"])
    for errors in range(1, 8):
        failing = FeedState(url=FEED, added=NOW, errors=errors, last_error="no route", last_check=NOW)
        Hunt(store, notices=notices).record(PollResult(feed=failing, outcome=PollOutcome.FAILED, error="no route"))
    back = FeedState(url=FEED, added=NOW, errors=0, last_check=NOW, last_success=NOW)
    for _ in range(2):
        Hunt(store, notices=notices).record(PollResult(feed=back, outcome=PollOutcome.UPDATED))
    said = [str(n.message) for n in reversed(store.notifications()) if n.kind == "notice"]
    assert len(said) == 2
    assert "failed 5 checks in a row" in said[0]
    assert "is back" in said[1]


def test_the_snapshot_is_saved_after_each_hunt(store: Store) -> None:
    hunt = Hunt(store)
    hunt.planner.hunt()
    assert hunt.snapshots == 1
