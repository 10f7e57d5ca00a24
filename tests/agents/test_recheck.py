"""Offers that are over: by what their post says now, and by their page."""

from __future__ import annotations

import pytest

from agents.recheck import Recheck
from framework.deals import Entry, ReadingVerdict
from framework.errors import FetchTimeout, HTTPStatusError, PageError
from framework.memory.records import NotificationState
from framework.memory.store import Store
from framework.reading.expiry import says_over, shows_over
from framework.reading.extractive import ExtractiveReader
from framework.reading.pages import Page, PageKind
from tests.framework.memory_examples import START, FixedClock, entry, surface

URL = "https://deals.example/1"


def page(availability: str | None) -> Page:
    return Page(url=URL, kind=PageKind.PRODUCT, availability=availability)


def post(title: str = "Kettle for $20", content: str = "", **more: object) -> Entry:
    return Entry(id="e", feed_url="f", title=title, content=content, **more)


@pytest.mark.parametrize(
    "over",
    [
        post("[Expired] Kettle for $20"),
        post("Kettle for $20 (dead)"),
        post("EXPIRED: Kettle for $20"),
        post("Kettle for $20 - Sold Out"),
        post("Kettle for $20 [deal expired]"),
        post(categories=("Expired",)),
        post(content="<p>Great kettle.</p><p>Edit: now out of stock</p>"),
        post(content="This deal is dead, sorry."),
        post(content="It appears the deal has expired."),
        post(content="UPDATE 2: sold out"),
    ],
)
def test_plain_words_say_that_an_offer_is_over(over: Entry) -> None:
    assert says_over(over)
    reading = ExtractiveReader().read_one(over)
    assert (reading.verdict, reading.reason) == (ReadingVerdict.SKIPPED, "The post says that the offer is over.")


@pytest.mark.parametrize(
    "alive",
    [
        post("Grateful Dead: Best of (Vinyl) $12.20"),
        post("Red Dead Redemption 2 (Xbox) $14"),
        post("Dead Sea Bath Salt, 2 lb: $9"),
        post("Kettle for $20, before it is sold out"),
        post(content="<i>Please report the deal if expired</i> (click report -&gt; expired)"),
        post(content="The last one sold out in minutes. This deal ends tonight."),
        post(content="Out of stock at Walgrove, still there at Bestmart."),
        post(categories=("Deadpool",)),
    ],
)
def test_other_uses_of_these_words_do_not(alive: Entry) -> None:
    assert not says_over(alive)


@pytest.mark.parametrize(
    ("word", "over"),
    [("OutOfStock", True), ("SoldOut", True), ("soldout", True), ("Discontinued", True), ("InStock", False),
     ("PreOrder", False), (None, False)],
)  # fmt: skip
def test_a_pages_markup_tells(word: str | None, over: bool) -> None:
    assert shows_over(page(word)) is over


def test_what_cannot_be_bought_is_no_deal() -> None:
    reading = ExtractiveReader().read_one(post(), page("OutOfStock"))
    assert (reading.verdict, reading.reason) == (ReadingVerdict.SKIPPED, "Its page says that it cannot be bought.")


def test_an_offer_that_is_over_is_marked_and_its_waiting_alert_dropped(store: Store) -> None:
    opportunity = surface(store, entry(1), channels=("pushover",))
    assert store.live_opportunities_of(["entry-1", "other"]) == [opportunity.id]
    assert store.mark_expired(opportunity.id, "its post says so")
    assert not store.mark_expired(opportunity.id)
    assert store.live_opportunities_of(["entry-1"]) == []
    record = store.opportunity(opportunity.id)
    assert record is not None
    assert record.expired == START
    (notification,) = store.notifications()
    assert (notification.state, notification.last_error) == (NotificationState.DROPPED, "its post says so")


@pytest.mark.parametrize(
    ("answer", "over"),
    [
        (page("OutOfStock"), 1),
        (page("InStock"), 0),
        (HTTPStatusError(URL, 404), 1),
        (HTTPStatusError(URL, 503), 0),
        (FetchTimeout(URL, "slow"), 0),
        (PageError(URL, "a listing"), 0),
    ],
)
def test_pages_of_recent_opportunities_are_looked_at_again_now_and_then(
    store: Store, clock: FixedClock, answer: Page | Exception, over: int
) -> None:
    surface(store, entry(1))
    asked: list[str] = []

    def fetch(url: str) -> Page:
        asked.append(url)
        if isinstance(answer, Exception):
            raise answer
        return answer

    recheck = Recheck(store, fetch, clock=clock)
    assert (recheck.look(), asked) == (0, [])  # it was read just now
    clock.forward(hours=13)
    assert (recheck.look(), asked) == (over, [URL])
    assert recheck.look() == 0
    clock.forward(hours=11)
    assert (recheck.look(), len(asked)) == (0, 1)
    clock.forward(days=8)
    assert (recheck.look(), len(asked)) == (0, 1)  # too old to bother


def test_a_round_looks_at_few_pages_and_the_next_at_others(store: Store, clock: FixedClock) -> None:
    for number in range(7):
        surface(store, entry(number), product_key=str(number))
    clock.forward(hours=13)
    asked: list[str] = []

    def fetch(url: str) -> Page:
        asked.append(url)
        return page("InStock")

    recheck = Recheck(store, fetch, clock=clock)
    recheck.look()
    assert len(asked) == 5
    recheck.look()
    assert len(set(asked)) == len(asked) == 7
