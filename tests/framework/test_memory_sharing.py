"""Several processes write one memory: nothing is counted, judged, told or claimed twice, and no figure is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from threading import Barrier
from typing import TypeVar

import pytest

from framework.deals import Entry, Opportunity
from framework.memory.records import EntryState, NotificationState
from framework.memory.state import OPPORTUNITIES_VERSION
from framework.memory.store import Store
from tests.framework.memory_examples import FEED, START, FixedClock, deal, entry, judgement, poll, reading, valuation

WRITERS = 4
ROUNDS = 5
_T = TypeVar("_T")


@pytest.fixture
def stores(database_url: str) -> Iterator[list[Store]]:
    """One memory, opened by several as several processes do."""
    with ExitStack() as stack:
        opened = [stack.enter_context(Store.open(database_url, clock=FixedClock())) for _ in range(WRITERS)]
        opened[0].add_feed(FEED)
        yield opened


def at_once(stores: Sequence[Store], act: Callable[[Store, int], _T]) -> list[_T]:
    """All stores do it at the same time."""
    gate = Barrier(len(stores))

    def run(number: int) -> _T:
        gate.wait()
        return act(stores[number], number)

    with ThreadPoolExecutor(len(stores)) as threads:
        return list(threads.map(run, range(len(stores))))


def read_in(store: Store, *entries: Entry, product_key: str = "kettle") -> None:
    store.record_poll(poll(*entries))
    for each in entries:
        store.record_reading(reading(each), product_key=product_key)


def judge(store: Store, of: Entry) -> Opportunity | None:
    return store.record_judgement(deal(of), valuation(), judgement(), channels=("pushover",))


def test_a_deal_judged_by_several_at_once_is_told_once(stores: list[Store]) -> None:
    for number in range(ROUNDS):
        this = entry(number)
        read_in(stores[0], this, product_key=f"product {number}")
        told = at_once(stores, lambda store, _, this=this: judge(store, this))  # type: ignore[misc]
        assert sum(opportunity is not None for opportunity in told) == 1
    assert stores[0].count_opportunities() == ROUNDS
    assert len(stores[0].notifications()) == ROUNDS


def test_two_offers_of_one_product_judged_at_once_are_one_opportunity(stores: list[Store]) -> None:
    for number in range(ROUNDS):
        offers = [entry(10 * number + writer) for writer in range(WRITERS)]
        read_in(stores[0], *offers, product_key=f"product {number}")
        at_once(stores, lambda store, writer, offers=offers: judge(store, offers[writer]))  # type: ignore[misc]
    assert stores[0].count_opportunities() == ROUNDS
    assert stores[0].count_by_verdict() == {"opportunity": ROUNDS, "duplicate": ROUNDS * (WRITERS - 1)}


def test_no_change_is_missed_by_the_version_that_memory_json_goes_by(stores: list[Store]) -> None:
    offers = [entry(number) for number in range(WRITERS)]
    for number, offer in enumerate(offers):
        read_in(stores[0], offer, product_key=f"product {number}")
    at_once(stores, lambda store, writer: judge(store, offers[writer]))
    assert stores[0].get_state(OPPORTUNITIES_VERSION) == WRITERS


def test_feeds_that_bring_the_same_entries_in_another_order_store_them_once(stores: list[Store]) -> None:
    for number in range(ROUNDS):
        brought = [entry(20 * number + each) for each in range(20)]

        def record(store: Store, writer: int, brought: list[Entry] = brought) -> int:
            order = brought if writer % 2 else brought[::-1]
            return len(store.record_poll(poll(*order, feed=f"https://feed{writer}.example/")))

        assert sum(at_once(stores, record)) == len(brought)
    assert stores[0].count_entries() == ROUNDS * 20


def test_a_channel_has_one_message_in_hand_whoever_claims(stores: list[Store]) -> None:
    for number in range(WRITERS):
        stores[0].enqueue("pushover", f"notice {number}", {"title": "t", "text": "t"})
    waiting = [notification.id for notification in stores[0].due_notifications(START)]
    won = at_once(stores, lambda store, writer: store.claim(waiting[writer]))
    assert sum(won) == 1
    assert stores[0].count_notifications()[NotificationState.SENDING.value] == 1


def test_a_late_failure_does_not_undo_a_verdict(stores: list[Store]) -> None:
    this = entry(1)
    read_in(stores[0], this)
    judge(stores[1], this)
    assert not stores[0].record_failure(this.id, "late", max_attempts=1)
    assert stores[0].count_by_verdict() == {"opportunity": 1}


def test_the_figures_of_shares_add_up(stores: list[Store]) -> None:
    hunt_id = stores[0].start_hunt()
    at_once(stores, lambda store, _: store.add_to_hunt(hunt_id, {"deals": 2, "ms_poll": 5}))
    stores[0].add_to_hunt(hunt_id, {"sent": 1}, error="one was interrupted")
    stores[1].add_to_hunt("forgotten", {"deals": 100})
    (hunt,) = stores[0].hunts()
    assert hunt.counts == {"deals": 2 * WRITERS, "ms_poll": 5 * WRITERS, "sent": 1}
    assert (hunt.finished, hunt.error) == (START, "one was interrupted")
    assert stores[0].hunt_totals()["deals"] == 2 * WRITERS


def test_open_entries_are_those_to_be_read_or_judged(stores: list[Store]) -> None:
    store = stores[0]
    store.record_poll(poll(entry(1), entry(2), entry(3), entry(4)), "hunt")
    store.record_reading(reading(entry(2)))
    store.record_failure("entry-3", "no answer", hunt_id="hunt")
    store.record_reading(reading(entry(4)), product_key="other")
    judge(store, entry(4))
    assert [(each.id, each.state) for each in store.open_entries()] == [
        ("entry-1", EntryState.PENDING),
        ("entry-2", EntryState.READ),
    ]
    assert [each.attempts for each in store.open_entries(failed=True)] == [0, 0, 1]
    assert len(store.open_entries(1)) == 1
    assert [each.id for each in store.pending_entries(only=["entry-1", "entry-2"])] == ["entry-1"]
    assert [each.entry_id for each in store.pending_deals(only=["entry-1", "entry-2"])] == ["entry-2"]
    assert store.pending_deals(only=[]) == []


def test_the_opportunities_of_one_hunt_are_counted(stores: list[Store]) -> None:
    store = stores[0]
    for number, hunt_id in enumerate(("this", "this", "other")):
        read_in(store, entry(number), product_key=f"product {number}")
        store.record_judgement(deal(entry(number)), valuation(), judgement(), hunt_id=hunt_id)
    assert store.count_surfaced("this", START) == 2
    assert store.count_surfaced("this", START + timedelta(days=30)) == 0
