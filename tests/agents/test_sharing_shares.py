"""What is given out: due hosts once, waiting entries once, failed ones in the next hunt."""

from __future__ import annotations

from datetime import timedelta

from agents.sharing.shares import APPRAISE_BATCH, PAUSED, Busy, Share, due_feeds_of, share_out
from framework.deals import Entry
from framework.memory.store import Store
from tests.framework.memory_examples import FixedClock, entry, poll, reading

FEEDS = ("https://a.example/1", "https://a.example/2", "https://b.example/rss")
NOBODY = Busy.of([])
QUARTER = timedelta(minutes=15)


def bring(store: Store, *entries: Entry) -> str:
    """Entries that a hunt found; its id."""
    hunt_id = store.start_hunt()
    store.record_poll(poll(*entries), hunt_id)
    return hunt_id


def jobs(shares: list[Share]) -> list[str]:
    return [share.job for share in shares]


def test_the_first_hunt_polls_each_host_once_under_a_lock_of_its_own(store: Store, clock: FixedClock) -> None:
    for url in FEEDS:
        store.add_feed(url)
    shares = share_out(store, NOBODY, clock.now, QUARTER)
    (hunt,) = store.hunts()
    assert [(s.job, s.arguments["hunt_id"], s.arguments["host"], s.lock) for s in shares] == [
        ("poll", hunt.id, "a.example", "host a.example"),
        ("poll", hunt.id, "b.example", "host b.example"),
    ]
    assert [feed.url for feed in due_feeds_of(store, "a.example", clock.now)] == list(FEEDS[:2])


def test_a_host_at_work_is_not_given_out_again(store: Store, clock: FixedClock) -> None:
    for url in FEEDS:
        store.add_feed(url)
    busy = Busy.of([{"hunt_id": "h", "host": "a.example"}, {"timestamp": 1}])
    assert [s.arguments["host"] for s in share_out(store, busy, clock.now, QUARTER)] == ["b.example"]


def test_hunts_begin_by_the_interval_whoever_asks(store: Store, clock: FixedClock) -> None:
    store.add_feed(FEEDS[0])
    assert jobs(share_out(store, NOBODY, clock.now, QUARTER)) == ["poll"]
    assert share_out(store, NOBODY, clock.forward(minutes=14), QUARTER) == []
    assert jobs(share_out(store, NOBODY, clock.forward(minutes=1), QUARTER)) == ["poll"]
    assert len(store.hunts()) == 2


def test_a_clock_that_was_set_back_does_not_stop_the_hunts(store: Store, clock: FixedClock) -> None:
    store.add_feed(FEEDS[0])
    share_out(store, NOBODY, clock.now, QUARTER)
    assert jobs(share_out(store, NOBODY, clock.forward(days=-2), QUARTER)) == ["poll"]


def test_a_pause_stops_new_hunts_and_not_what_was_found(store: Store, clock: FixedClock) -> None:
    store.add_feed(FEEDS[0])
    bring(store, entry(1))
    store.set_state(PAUSED, True)
    clock.forward(hours=1)
    assert jobs(share_out(store, NOBODY, clock.now, QUARTER)) == ["read"]
    assert "poll" in jobs(share_out(store, NOBODY, clock.now, QUARTER, at_once=True))


def test_pending_entries_are_read_by_host_and_deals_appraised_in_batches(store: Store, clock: FixedClock) -> None:
    entries = [entry(n) for n in range(1, APPRAISE_BATCH + 3)]
    elsewhere = entry(99).model_copy(update={"url": "https://shop.example/99"})
    nowhere = entry(98).model_copy(update={"url": None})
    hunt_id = bring(store, *entries, elsewhere, nowhere)
    for each in entries[:-1]:
        store.record_reading(reading(each), hunt_id)
    shares = share_out(store, NOBODY, clock.now, QUARTER)
    assert [(s.job, s.lock, len(s.arguments["ids"])) for s in shares] == [
        ("read", "host deals.example", 1),
        ("read", "host shop.example", 1),
        ("read", "host ", 1),
        ("appraise", None, APPRAISE_BATCH),
        ("appraise", None, 1),
    ]
    assert {s.arguments["hunt_id"] for s in shares} == {hunt_id}


def test_entries_in_somebodys_hands_are_not_given_out_again(store: Store, clock: FixedClock) -> None:
    bring(store, entry(1), entry(2))
    busy = Busy.of([{"hunt_id": "h", "ids": ["entry-1"]}])
    (share,) = share_out(store, busy, clock.now, QUARTER)
    assert share.arguments["ids"] == ["entry-2"]


def test_what_failed_is_tried_again_in_the_next_hunt(store: Store, clock: FixedClock) -> None:
    found_by = bring(store, entry(1))
    store.record_failure("entry-1", "no answer", hunt_id=found_by)
    assert share_out(store, NOBODY, clock.now, QUARTER) == []
    (share,) = share_out(store, NOBODY, clock.forward(minutes=15), QUARTER)
    assert (share.job, share.arguments["ids"]) == ("read", ["entry-1"])
    assert share.arguments["hunt_id"] == store.hunts(1)[0].id != found_by


def test_entries_that_no_hunt_found_belong_to_the_last_one(store: Store, clock: FixedClock) -> None:
    hunt_id = store.start_hunt()
    store.record_poll(poll(entry(1)))
    (share,) = share_out(store, NOBODY, clock.now, QUARTER)
    assert share.arguments["hunt_id"] == hunt_id
