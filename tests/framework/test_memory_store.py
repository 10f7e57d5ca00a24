"""The memory: what is stored together, what is found again after a crash, and what is refused."""

from __future__ import annotations

import threading
from decimal import Decimal

import pytest

from framework.deals import Kind, Reading, ReadingVerdict, Verdict
from framework.errors import DatabaseUnavailable
from framework.feedstate import FeedStatus
from framework.memory.entries import EXCERPT_CHARS, MAX_ATTEMPTS
from framework.memory.records import EntryState, EntryVerdict, NotificationState, OpportunityOrder
from framework.memory.store import Store
from framework.money import Money
from tests.framework.memory_examples import (
    FEED,
    START,
    FixedClock,
    deal,
    entry,
    judgement,
    poll,
    reading,
    surface,
    valuation,
)


def refuse_inserts(store: Store, table: str) -> None:
    """Make the database itself refuse rows of one table, as a full disk would."""
    with store._database.write() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql(
                f"CREATE TRIGGER refuse BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'disk is full'); END"
            )
        else:
            connection.exec_driver_sql(f"ALTER TABLE {table} ADD CONSTRAINT disk_is_full CHECK (false) NOT VALID")


@pytest.fixture
def store(store: Store) -> Store:
    store.add_feed(FEED, "Deals")
    return store


def test_a_poll_stores_the_etag_and_the_new_entries_together(store: Store) -> None:
    fresh = store.record_poll(poll(entry(1), entry(2)), "hunt-1")
    assert [e.id for e in fresh] == ["entry-1", "entry-2"]
    followed = store.feed(FEED)
    assert followed is not None
    assert (followed.etag, followed.status, followed.title) == ('"v1"', FeedStatus.OK, None)
    assert store.pending_entries() == [entry(1), entry(2)]


def test_polling_again_brings_only_unknown_entries(store: Store) -> None:
    store.record_poll(poll(entry(1)))
    assert [e.id for e in store.record_poll(poll(entry(1), entry(2), entry(2)))] == ["entry-2"]
    assert store.count_entries() == 2


def test_a_poll_that_cannot_store_its_entries_leaves_the_etag(store: Store) -> None:
    refuse_inserts(store, "entries")
    with pytest.raises(DatabaseUnavailable, match="disk"):
        store.record_poll(poll(entry(1)))
    followed = store.feed(FEED)
    assert followed is not None
    assert followed.etag is None


def test_the_first_poll_hunts_only_the_newest_of_a_long_backlog(store: Store) -> None:
    fresh = store.record_poll(poll(*(entry(n) for n in range(1, 6))), backlog_limit=2)
    assert [e.id for e in fresh] == ["entry-1", "entry-2"]  # published last
    backlog = store.entries(verdict=EntryVerdict.SKIPPED)
    assert {record.entry.id for record in backlog} == {"entry-3", "entry-4", "entry-5"}
    assert all(record.reason.startswith("backlog") for record in backlog)
    assert len(store.record_poll(poll(*(entry(n) for n in range(6, 10))), backlog_limit=2)) == 4


def test_entries_of_a_feed_that_is_not_followed_are_recorded_without_following_it(store: Store) -> None:
    elsewhere = "https://other.example/rss"
    assert store.record_poll(poll(entry(1, feed=elsewhere), feed=elsewhere))
    assert store.feed(elsewhere) is None


def test_removing_a_feed_keeps_its_entries_known(store: Store) -> None:
    store.record_poll(poll(entry(1)))
    assert store.remove_feed(FEED)
    assert not store.remove_feed(FEED)
    assert store.known_ids(["entry-1", "entry-9"]) == {"entry-1"}


def test_feeds_are_due_when_new_or_when_their_time_has_come(store: Store, clock: FixedClock) -> None:
    assert [feed.url for feed in store.due_feeds(START)] == [FEED]
    store.record_poll(poll())
    assert store.due_feeds(START) == []
    assert [feed.url for feed in store.due_feeds(clock.forward(hours=1))] == [FEED]


def test_a_feed_that_is_gone_is_never_due(store: Store, clock: FixedClock) -> None:
    gone = poll()
    store.record_poll(gone.model_copy(update={"feed": gone.feed.model_copy(update={"status": FeedStatus.GONE})}))
    assert store.due_feeds(clock.forward(days=400)) == []


def test_adding_a_feed_twice_keeps_the_first(store: Store) -> None:
    assert store.add_feed(FEED, "Another name").title == "Deals"
    assert len(store.feeds()) == 1


def test_a_deal_waits_for_judgement_and_its_price_joins_the_history(store: Store) -> None:
    store.record_poll(poll(entry(1)))
    store.record_reading(reading(entry(1), "30.00", quantity=2, merchant="Shop"), "hunt-1", product_key="kettle")
    assert store.pending_entries() == []
    assert store.pending_deals() == [deal(entry(1), "30.00", quantity=2, merchant="Shop")]
    (point,) = store.price_history("kettle")
    assert (point.price.amount, point.merchant) == (Decimal(15), "Shop")


def test_a_skipped_entry_is_remembered_with_its_reason_and_an_excerpt(store: Store) -> None:
    long = entry(1, content="x" * 10_000)
    store.record_poll(poll(long))
    skipped = Reading(entry=long, verdict=ReadingVerdict.SKIPPED, kind=Kind.GIFT_CARD, reason="a gift card")
    store.record_reading(skipped, "hunt-1")
    record = store.entry(long.id)
    assert record is not None
    assert (record.state, record.verdict, record.kind) == (EntryState.DONE, EntryVerdict.SKIPPED, "gift_card")
    assert (record.reason, len(record.entry.content)) == ("a gift card", EXCERPT_CHARS)


def test_a_failed_reading_is_tried_in_later_hunts_and_then_given_up(store: Store) -> None:
    store.record_poll(poll(entry(1)), "hunt-0")
    failed = Reading(entry=entry(1), verdict=ReadingVerdict.FAILED, reason="page unreachable")
    for attempt in range(MAX_ATTEMPTS):
        assert store.pending_entries() == [entry(1)]
        store.record_reading(failed, f"hunt-{attempt}")
        assert store.pending_entries(hunt_id=f"hunt-{attempt}") == []
    assert store.pending_entries() == []
    record = store.entry("entry-1")
    assert record is not None
    assert (record.verdict, record.reason, record.attempts) == (EntryVerdict.FAILED, "page unreachable", MAX_ATTEMPTS)


def test_a_deal_that_cannot_be_judged_is_given_up_too(store: Store) -> None:
    store.record_poll(poll(entry(1)))
    store.record_reading(reading(entry(1)))
    assert [store.record_failure("entry-1", "all members down", hunt_id=str(n)) for n in range(3)] == [
        False,
        False,
        True,
    ]
    assert store.pending_deals() == []


def test_an_opportunity_and_its_notifications_appear_together(store: Store) -> None:
    opportunity = surface(store, entry(1), channels=("console", "pushover"))
    assert opportunity is not None
    waiting = store.due_notifications(START)
    assert [(n.channel, n.opportunity) for n in waiting] == [("console", opportunity), ("pushover", opportunity)]
    (record,) = store.opportunities()
    assert (record.opportunity, len(record.sources)) == (opportunity, 1)
    judged = store.valuation("entry-1")
    assert judged is not None
    assert judged.valuation == valuation()
    assert store.entries(verdict=EntryVerdict.OPPORTUNITY)[0].entry.id == "entry-1"


def test_when_the_outbox_cannot_be_written_there_is_no_opportunity_either(store: Store) -> None:
    refuse_inserts(store, "outbox")
    with pytest.raises(DatabaseUnavailable):
        surface(store, entry(1))
    assert store.count_opportunities() == 0
    assert len(store.pending_deals()) == 1


def test_judging_the_same_deal_twice_surfaces_it_once(store: Store) -> None:
    assert surface(store, entry(1)) is not None
    again = store.record_judgement(deal(entry(1)), valuation(), judgement(), channels=("console",))
    assert again is None
    assert len(store.notifications()) == 1


def test_a_pass_is_remembered_with_its_valuation_and_sends_nothing(store: Store) -> None:
    store.record_poll(poll(entry(1)))
    store.record_reading(reading(entry(1)))
    passed = judgement(Verdict.PASS, "worth about its price")
    assert store.record_judgement(deal(entry(1)), valuation(), passed, channels=("console",)) is None
    record = store.entry("entry-1")
    assert record is not None
    assert (record.verdict, record.reason) == (EntryVerdict.PASS, "worth about its price")
    assert store.notifications() == []


def test_the_same_offer_from_another_feed_is_one_more_source(store: Store) -> None:
    first = surface(store, entry(1))
    assert surface(store, entry(2, feed="https://other.example/rss")) is None
    (record,) = store.opportunities()
    assert record.opportunity == first
    assert {source.feed_url for source in record.sources} == {FEED, "https://other.example/rss"}
    assert store.entries(verdict=EntryVerdict.DUPLICATE)[0].entry.id == "entry-2"


def test_a_lower_price_updates_the_opportunity_and_its_waiting_alert(store: Store) -> None:
    first = surface(store, entry(1), "20.00")
    assert surface(store, entry(2), "19.50") is None  # a little: not told again
    cheaper = surface(store, entry(3), "15.00")
    assert first is not None
    assert cheaper is not None
    assert cheaper.id == first.id
    assert store.count_opportunities() == 1
    (waiting,) = store.notifications()
    assert waiting.opportunity is not None
    assert waiting.opportunity.deal.price.amount == 15


def test_only_a_clear_drop_below_the_told_price_is_told_again(store: Store) -> None:
    def told() -> int:
        due = [n for n in store.notifications() if n.state is NotificationState.WAITING]
        for notification in due:
            store.mark(notification.id, NotificationState.SENT)
        return len(due)

    surface(store, entry(1), "20.00")
    assert told() == 1
    for number, price in ((2, "19.00"), (3, "18.00"), (4, "17.50")):  # little by little
        assert surface(store, entry(number), price) is None
        assert store.opportunities()[0].opportunity.deal.price == Money.of(price)
    assert told() == 0
    assert surface(store, entry(5), "17.00") is not None  # 15% below what the owner knows of
    assert told() == 1
    assert surface(store, entry(6), "18.00") is None  # dearer: one more source
    assert store.opportunities()[0].opportunity.deal.price == Money.of(17)
    assert store.count_opportunities() == 1


def test_an_offer_that_was_over_and_is_cheaper_now_lives_again(store: Store) -> None:
    first = surface(store, entry(1), "20.00")
    assert first is not None
    store.mark_expired(first.id)
    assert surface(store, entry(2), "19.00") is None
    assert store.opportunities()[0].expired is None


def test_after_some_weeks_the_same_offer_is_news_again(store: Store, clock: FixedClock) -> None:
    first = surface(store, entry(1))
    clock.forward(days=15)
    second = surface(store, entry(2))
    assert first is not None
    assert second is not None
    assert second.id != first.id


def test_a_sample_deal_never_gets_to_a_phone_and_hides_no_real_one(store: Store) -> None:
    sample = surface(store, entry(1, sample=True), channels=("console", "pushover"))
    assert sample is not None
    assert [n.channel for n in store.notifications()] == ["console"]
    assert surface(store, entry(2), channels=("pushover",)) is not None


def test_opportunities_can_be_searched_ordered_and_paged(store: Store) -> None:
    for number, price in ((1, "30.00"), (2, "10.00"), (3, "20.00")):
        surface(store, entry(number), price, product_key=f"kettle-{number}")
    cheapest = store.opportunities(2, order=OpportunityOrder.PRICE)
    assert [record.opportunity.deal.price.amount for record in cheapest] == [10, 20]
    assert [record.opportunity.deal.entry_id for record in store.opportunities(1, 1)] == ["entry-2"]
    assert store.count_opportunities(search="kettle 3") == 1
    assert store.count_opportunities(search="100%") == 0
    assert [o.deal.entry_id for o in store.all_opportunities()] == ["entry-1", "entry-2", "entry-3"]


def test_hunts_usage_and_replies_are_remembered(store: Store, clock: FixedClock) -> None:
    hunt_id = store.start_hunt()
    store.add_usage("gpt", 100, 10, 0.0125, hunt_id=hunt_id)
    store.add_usage("gpt", 50, 5, 0.0025)
    clock.forward(minutes=1)
    store.finish_hunt(hunt_id, {"entries": 3}, error="stopped")
    (hunt,) = store.hunts()
    assert (hunt.counts, hunt.error, hunt.finished) == ({"entries": 3}, "stopped", clock.now)
    assert store.usage_since(START).usd == Decimal("0.015")
    assert store.usage_since(START, hunt_id=hunt_id).tokens_in == 100
    assert store.usage_since(clock.now).calls == 0
    assert store.cached_reply("abc") is None
    store.store_reply("abc", "{}", model="gpt")
    assert store.cached_reply("abc") == "{}"


def test_states_and_heartbeats_are_kept(store: Store) -> None:
    assert store.get_state("missing", 7) == 7
    store.set_state("digest", {"day": "2026-03-01"})
    assert store.get_state("digest") == {"day": "2026-03-01"}
    store.clear_state("digest")
    assert store.get_state("digest") is None
    assert store.last_beat("hunt") is None
    store.beat("hunt")
    assert store.last_beat("hunt") == START


def test_everything_is_there_after_opening_again(database_url: str, clock: FixedClock) -> None:
    with Store.open(database_url, clock=clock) as first:
        opportunity = surface(first, entry(1))
    with Store.open(database_url, clock=clock) as second:
        assert [record.opportunity for record in second.opportunities()] == [opportunity]


def test_a_closed_store_says_so(database_url: str) -> None:
    store = Store.open(database_url)
    store.close()
    with pytest.raises(DatabaseUnavailable, match="closed"):
        store.feeds()


def test_a_claim_is_won_by_one_sender_only(store: Store) -> None:
    surface(store, entry(1))
    (waiting,) = store.due_notifications(START)
    assert [store.claim(waiting.id), store.claim(waiting.id)] == [True, False]
    assert store.due_notifications(START) == []


def test_each_attempt_is_in_the_delivery_log(store: Store, clock: FixedClock) -> None:
    surface(store, entry(1))
    (waiting,) = store.due_notifications(START)
    store.claim(waiting.id)
    store.mark(waiting.id, NotificationState.WAITING, detail="HTTP 503", next_try=clock.forward(seconds=10))
    store.claim(waiting.id)
    store.mark(waiting.id, NotificationState.SENT, detail="request 42")
    assert [(line.outcome, line.detail) for line in store.deliveries()] == [
        ("sent", "request 42"),
        ("delayed", "HTTP 503"),
    ]
    (sent,) = store.notifications()
    assert (sent.state, sent.attempts, sent.last_error) == (NotificationState.SENT, 2, None)
    assert store.count_sent("console", START) == 1


def test_threads_write_and_read_at_once_without_an_error(store: Store) -> None:
    failures: list[BaseException] = []

    def work(worker: int) -> None:
        try:
            for number in range(20):
                surface(store, entry(worker * 100 + number), product_key=f"{worker}-{number}")
                store.opportunities(5)
        except DatabaseUnavailable as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert store.count_opportunities() == 80
