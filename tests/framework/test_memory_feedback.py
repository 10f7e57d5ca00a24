"""Votes, what is learnt from them, and forgetting what is long past."""

from __future__ import annotations

from datetime import timedelta

from framework.deals import Reading, ReadingVerdict
from framework.feedback import MIN_VOTES, suggest_threshold
from framework.memory.feedback import Vote
from framework.memory.store import Store
from tests.framework.memory_examples import FEED, START, FixedClock, entry, poll, surface


def surfaced(store: Store, number: int = 1) -> str:
    opportunity = surface(store, entry(number), product_key=str(number))
    assert opportunity is not None
    return opportunity.id


def test_the_last_vote_counts_and_can_be_taken_back(store: Store) -> None:
    this = surfaced(store)
    assert store.vote_on(this) is None
    assert store.vote(this, Vote.BAD, via="dashboard")
    assert store.vote(this, Vote.GOOD, via="cli")
    (record,) = store.votes()
    assert (record.vote, record.via, record.probability) == (Vote.GOOD, "cli", 0.93)
    assert store.vote_on(this) is Vote.GOOD
    store.vote(this, Vote.UNDO, via="link")
    assert store.votes() == []
    assert store.vote_on(this) is None


def test_a_vote_on_something_unknown_is_refused(store: Store) -> None:
    assert not store.vote("nothing", Vote.GOOD, via="link")
    assert store.votes() == []


def test_hiding_takes_it_from_the_list_until_it_is_undone_and_is_no_judgement(store: Store) -> None:
    this = surfaced(store)
    store.vote(this, Vote.GOOD, via="dashboard")
    store.vote(this, Vote.HIDE, via="dashboard")
    assert (store.opportunities(), store.count_opportunities()) == ([], 0)
    assert len(store.opportunities(hidden=True)) == 1
    assert store.vote_on(this) is Vote.GOOD
    store.vote(this, Vote.UNDO, via="dashboard")
    assert store.count_opportunities() == 1


def test_too_few_votes_suggest_nothing() -> None:
    assert suggest_threshold([(0.9, True)] * (MIN_VOTES - 1), 0.5) is None


def test_the_lowest_threshold_that_keeps_the_wish_is_suggested() -> None:
    votes = [(0.9, True)] * 10 + [(0.8, True)] * 5 + [(0.7, False)] * 10
    suggestion = suggest_threshold(votes, 0.9)
    assert suggestion is not None
    assert (suggestion.min_probability, suggestion.votes) == (0.8, 15)
    assert 0.9 <= suggestion.precision < 1


def test_a_wish_that_all_votes_fulfil_changes_nothing_and_a_hopeless_one_lets_almost_nothing_through() -> None:
    votes = [(0.9, True)] * 5 + [(0.6, False)] * 5
    assert suggest_threshold(votes, 0.4) is None
    hopeless = suggest_threshold([(0.9, False)] * 10, 0.9)
    assert hopeless is not None
    assert hopeless.min_probability == 0.99


def test_old_entries_are_forgotten_but_never_those_of_opportunities_or_waiting_ones(
    store: Store, clock: FixedClock
) -> None:
    store.add_feed(FEED)
    surfaced(store, 1)
    surface(store, entry(2), product_key="1")  # one more source of it
    store.record_poll(poll(entry(3), entry(4)))
    store.record_reading(Reading(entry=entry(3), verdict=ReadingVerdict.SKIPPED, reason="a sale"))
    store.enqueue("console", "notice", {"title": "t", "text": "t"})
    clock.forward(days=181)
    store.start_hunt("new")
    forgotten = store.forget()
    assert forgotten["entries"] == 1
    assert store.known_ids([f"entry-{n}" for n in range(1, 5)]) == {"entry-1", "entry-2", "entry-4"}
    assert store.count_opportunities() == 1
    assert len(store.due_notifications(clock.now)) == 2
    assert len(store.price_history("1")) == 2


def test_forgetting_keeps_what_is_younger_and_compaction_what_is_left(store: Store, clock: FixedClock) -> None:
    store.record_poll(poll(*(entry(n, content="x" * 2_000) for n in range(50))))
    for number in range(50):
        store.record_reading(Reading(entry=entry(number), verdict=ReadingVerdict.SKIPPED, reason="a sale"))
    clock.forward(days=10)
    assert store.forget()["entries"] == 0
    assert store.forget(timedelta(days=9))["entries"] == 50
    store.compact()
    assert store.count_entries() == 0
    assert store.usage_since(START).calls == 0
