"""The filters of the Deals tab, as the database evaluates them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from framework.memory.feedback import Vote
from framework.memory.narrowing import Said
from framework.memory.records import OpportunityOrder
from framework.memory.store import Store
from tests.fakes import board


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    with Store.open(database_url, clock=lambda: board.NOW) as opened:
        board.fill(opened, 8)
        board.add_opportunity(opened, 20, "A sample 50% lamp", sample=True)
        for number, vote in (
            (0, Vote.GOOD),
            (1, Vote.BAD),
            (2, Vote.BOUGHT),
            (3, Vote.HIDE),
            (4, Vote.GOOD),
            (4, Vote.UNDO),
        ):
            opened.vote(_identity(opened, number), vote, via="dashboard")
        yield opened


def _identity(store: Store, number: int) -> str:
    entry = f"entry-{number}"
    return next(r.opportunity.id for r in store.opportunities(hidden=True) if r.opportunity.deal.entry_id == entry)


@pytest.mark.parametrize(
    ("only", "numbers"),
    [
        ({}, {0, 1, 2, 4, 5, 6, 7, 20}),
        ({"hidden": True}, {0, 1, 2, 3, 4, 5, 6, 7, 20}),
        ({"samples": False}, {0, 1, 2, 4, 5, 6, 7}),
        ({"search": "DRIVE pcie"}, {5}),
        ({"search": "50%"}, {20}),
        ({"search": "%"}, {20}),
        ({"feed": board.FEED}, {0, 1, 2, 4, 5, 6, 7, 20}),
        ({"feed": "https://other.example/"}, set()),
        ({"most": Decimal("94.50")}, {2, 5, 6}),
        ({"least_pct": 44.0}, {0, 2, 6}),
        ({"surest": 0.9}, {0, 1, 2}),
        ({"said": Said.LIKED}, {0, 2}),
        ({"said": Said.DISLIKED}, {1}),
        ({"said": Said.HIDDEN}, {3}),
        ({"said": Said.NOTHING}, {4, 5, 6, 7, 20}),
        ({"since": board.NOW + timedelta(seconds=1)}, set()),
        ({"most": Decimal(200), "surest": 0.95, "search": "headphones"}, {0}),
    ],
    ids=str,
)  # fmt: skip
def test_each_filter_keeps_what_it_says(store: Store, only: dict[str, Any], numbers: set[int]) -> None:
    found = store.opportunities(**only)
    assert {record.opportunity.deal.entry_id for record in found} == {f"entry-{number}" for number in numbers}
    assert store.count_opportunities(**only) == len(numbers)


@pytest.mark.parametrize("order", list(OpportunityOrder))
def test_pages_in_every_order_show_each_deal_once(store: Store, order: OpportunityOrder) -> None:
    pages = [store.opportunities(3, start, order=order) for start in (0, 3, 6, 9)]
    shown = [record.opportunity.id for page in pages for record in page]
    assert len(shown) == len(set(shown)) == 8
    assert shown == [record.opportunity.id for record in store.opportunities(order=order)]


def test_the_words_on_many_deals_are_read_at_once(store: Store) -> None:
    ids = [record.opportunity.id for record in store.opportunities()]
    found = store.votes_on([*ids, "unknown"])
    assert sorted(found.values()) == [Vote.BAD, Vote.BOUGHT, Vote.GOOD]
