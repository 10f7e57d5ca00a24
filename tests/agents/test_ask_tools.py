"""What can be asked comes from the memory as it is."""

from __future__ import annotations

from agents.ask_tools import MemoryTools
from framework.deals import Reading, ReadingVerdict
from framework.memory.store import Store
from tests.framework.memory_examples import FEED, entry, poll, surface


def test_opportunities_carry_worth_range_and_our_url(store: Store) -> None:
    surface(store, entry(1))
    (row,) = MemoryTools(store, lambda text: {}).opportunities("kettle", 5)
    assert row["title"] == "Kettle 1 for $20"
    assert row["url"] == "https://deals.example/1"
    assert row["price"] == "$20.00"
    assert row["worth"] == "$60.00"
    assert row["range_80_percent"] == "$48.00 to $72.00"
    assert MemoryTools(store, lambda text: {}).opportunities("no such thing", 5) == []


def test_a_verdict_is_explained_with_members_and_reason(store: Store) -> None:
    surface(store, entry(1))
    store.record_poll(poll(entry(2)))
    store.record_reading(Reading(entry=entry(2), verdict=ReadingVerdict.SKIPPED, reason="It is a sale."))
    rows = {row["title"]: row for row in MemoryTools(store, lambda text: {}).explain("kettle")}
    assert rows["Kettle 2 for $20"]["reason"] == "It is a sale."
    assert rows["Kettle 2 for $20"]["verdict"] == "skipped"
    assert rows["Kettle 1 for $20"]["members"] == {"specialist": 58.5, "frontier": None, "random_forest": 61.25}
    assert rows["Kettle 1 for $20"]["judged"] == "far below its worth"


def test_feeds_and_prices(store: Store) -> None:
    store.add_feed(FEED)
    tools = MemoryTools(store, lambda text: {"value": len(text)})
    assert [feed["url"] for feed in tools.feeds()] == [FEED]
    assert tools.price("lamp") == {"value": 4}
