"""A memory filled with made-up deals, feeds and hunts, as the dashboard meets them; and controls that remember."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from framework.atlas import Atlas, Place
from framework.deals import (
    Condition,
    Deal,
    Entry,
    Estimate,
    Evidence,
    Judgement,
    Kind,
    Reading,
    ReadingVerdict,
    Similar,
    Valuation,
    Verdict,
)
from framework.errors import ChatUnavailable
from framework.feedstate import FeedState, FeedStatus, PollOutcome, PollResult
from framework.health import Check, CheckStatus
from framework.memory.store import Store
from framework.money import Money

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
FEED = "https://deals.example/rss"
_GOODS = [
    ("Corven ANC-700 over-ear noise-cancelling headphones", "Headphones", 179, 320, 260, 390),
    ("Halden 27-inch 1440p 165Hz IPS gaming monitor", "Monitors", 189, 275, 240, 320),
    ("Brewmont Duo drip and pod coffee machine, 12 cups", "Coffee machines", 69.99, 129, 100, 160),
    ("Tessla-free 20V brushless drill and impact driver kit", "Tools", 99, 171, 140, 210),
    ("Orbiq S8 robot vacuum with self-emptying base", "Vacuum cleaners", 279, 465, 380, 560),
    ("Kestrel 2TB NVMe solid state drive, PCIe 4.0", "Solid state drives", 94.5, 140, 118, 165),
    ("Panella 6-quart air fryer with window", "Air fryers", 49, 88, 70, 110),
    ("Lumo 65-inch QLED 4K television (2025)", "TVs", 498, 760, 640, 900),
]


def deal(number: int, title: str | None = None, **changes: Any) -> Deal:
    """A made-up deal; every eighth number is the same kind of product."""
    name, _, price, value, _, _ = _GOODS[number % len(_GOODS)]
    facts: dict[str, Any] = {
        "entry_id": f"entry-{number}",
        "url": f"https://shop{number % 5}.example/p/{number}",
        "title": title or f"{name} for ${price:,.2f} + free shipping",
        "description": name,
        "price": Money.of(price),
        "list_price": Money.of(value + 40) if number % 3 == 0 else None,
        "condition": Condition.REFURBISHED if number % 7 == 3 else None,
        "merchant": ("Bestmart", "Amazing", "Walgrove")[number % 3],
        "evidence": (f"for ${price:,.2f}", "+ free shipping"),
    }
    return Deal(**(facts | changes))


def valuation(number: int) -> Valuation:
    """What the deal of that number is worth, with everything that led to it."""
    name, _, _, value, low, high = _GOODS[number % len(_GOODS)]
    estimate = Estimate(
        value=value,
        low=low,
        high=high,
        log_mean=5.0,
        log_scale=0.2,
        members={"specialist": value * 0.96, "frontier": value * 1.05, "random_forest": None},
        failures={"random_forest": "artifact missing"},
        degraded=("frontier: retrieval only, no language model is set up",),
        similar=(Similar(description=f"{name}, last year's model", price=value * 0.9, similarity=0.91),),
    )
    return Valuation(
        value=value,
        low=low,
        high=high,
        quantiles=(low * 0.8, low, value, high, high * 1.2),
        estimate=estimate,
        evidence=(
            Evidence(name="estimate", value=value, weight=0.7),
            Evidence(name="list price", value=value + 40, weight=0.3),
        ),
    )


def judgement(number: int) -> Judgement:
    """The judge's word on the deal of that number."""
    _, _, price, value, _, _ = _GOODS[number % len(_GOODS)]
    return Judgement(
        verdict=Verdict.OPPORTUNITY,
        discount=value - price,
        discount_pct=100 * (value - price) / value,
        probability=0.97 - (number % 8) * 0.03,
        reason=f"Worth about ${value:,.0f}; even the low end of its range is above the price.",
    )


def add_opportunity(
    store: Store, number: int, title: str | None = None, *, channels: Sequence[str] = ("console",), **changes: Any
) -> None:
    """Take one entry through the whole pipeline into the store."""
    offer = deal(number, title, **changes)
    entry = Entry(id=offer.entry_id, feed_url=FEED, url=offer.url, title=offer.title, sample=offer.sample)
    now = NOW + timedelta(seconds=number)
    feed = FeedState(
        url=FEED, title="Deals of the day", status=FeedStatus.OK, added=NOW, last_check=now, last_success=now
    )
    store.record_poll(PollResult(feed=feed, outcome=PollOutcome.UPDATED, entries=(entry,)), "hunt-1")
    reading = Reading(entry=entry, verdict=ReadingVerdict.DEAL, kind=Kind.PRODUCT, deal=offer)
    store.record_reading(reading, "hunt-1", product_key=f"product-{number}")
    store.record_judgement(
        offer,
        valuation(number),
        judgement(number),
        hunt_id="hunt-1",
        channels=channels,
        product_key=f"product-{number}",
    )


def fill(store: Store, opportunities: int = 8) -> None:
    """Feeds in good and bad health, a hunt, opportunities, and an entry that was skipped."""
    store.add_feed(FEED, "Deals of the day")
    store.put_feed(
        FeedState(
            url="https://slow.example/feed.xml",
            title="Slow bargains",
            status=FeedStatus.FAILING,
            added=NOW,
            errors=3,
            last_check=NOW,
            last_error="The server answered 503",
            next_check=NOW + timedelta(hours=2),
        )
    )
    store.start_hunt("hunt-1")
    for number in range(opportunities):
        add_opportunity(store, number)
    skipped = Entry(id="sale", feed_url=FEED, url="https://deals.example/sale", title="Up to 60% off boots at Walgrove")
    store.record_poll(PollResult(feed=store.feed(FEED), outcome=PollOutcome.UPDATED, entries=(skipped,)), "hunt-1")
    store.record_reading(
        Reading(entry=skipped, verdict=ReadingVerdict.SKIPPED, kind=Kind.MANY, reason="a sale of many products"),
        "hunt-1",
    )
    store.finish_hunt(
        "hunt-1", {"entries_new": opportunities + 1, "deals": opportunities, "opportunities": opportunities}
    )


def atlas() -> Atlas:
    """A map with one cluster per kind of product."""
    places = []
    for group, (name, category, _, value, _, _) in enumerate(_GOODS):
        for item in range(12):
            x, y = (group % 4) * 10 + (item * 7 % 5), (group // 4) * 10 + (item * 3 % 5)
            described = f"{name}, last year's model" if item == 0 else f"{name}, version {item}"
            places.append(
                Place(description=described, category=category, price=value + item, flat=(x, y), deep=(x, y, item))
            )
    return Atlas(places=tuple(places), catalogue_size=len(places))


def evaluation() -> dict[str, Any]:
    """An evaluation's report with all of its parts."""
    line = {"precision": 0.74, "recall": 0.42, "alerts": 90}
    judged = {
        "judge": line,
        "reference": {"precision": 0.37, "recall": 0.24, "alerts": 90},
        "trusting_claims": {"precision": 0.6, "recall": 0.3, "alerts": 90},
        "curve": [{"recall": 0.2, "precision": 0.9}, {"recall": 0.5, "precision": 0.7}],
        "reliability": [{"said": 0.1, "happened": 0.12}, {"said": 0.6, "happened": 0.57}],
    }
    member = {"ratio": 0.4, "rmsle": 0.58, "mae": 61.0, "median_error": 19.0, "close": 0.7}
    return {
        "products": 1_234,
        "slices": {
            "whole": {
                "count": 1_234,
                "accuracy": {"blend": member, "specialist": member | {"ratio": 0.42}},
                "coverage": {"whole": 0.8, "fifths": [0.8, 0.83, 0.81, 0.81, 0.76]},
                "judge": judged,
                "judge_without_claims": judged,
            }
        },
        "scatter": [[10.0, 12.0], [200.0, 150.0], [40.0, 44.0], [900.0, 700.0]],
        "by_price": [
            {"from": 1, "to": 50, "median_error_pct": 30.0},
            {"from": 50, "to": 900, "median_error_pct": 20.0},
        ],
        "by_category": [{"category": "Tools & <b>more</b>", "median_error_pct": 21.0}],
    }


def checks() -> list[Check]:
    """One part in each state."""
    return [
        Check(name="database", status=CheckStatus.OK, detail="SQLite, 1.2 MB"),
        Check(
            name="language model",
            status=CheckStatus.DEGRADED,
            detail="none is set up: deals are read by the grammar",
            fix="set OPENAI_API_KEY, or DEALHOUND_LLM_BASE_URL for a local server",
        ),
        Check(
            name="pushover",
            status=CheckStatus.FAILED,
            detail="the user key was refused",
            fix="copy PUSHOVER_USER from your Pushover page again",
        ),
    ]


def ask(question: str, turns: Sequence[tuple[str, str]]) -> Iterator[str]:
    """A model that repeats what it was asked, counts the turns before, and fails when told to."""
    yield "You asked"
    if question == "fail":
        raise ChatUnavailable("made-up", "The server does not answer")
    yield f"You asked: {question} (turns before: {len(turns)})"


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


class Controls:
    """Controls that remember what they were asked."""

    def __init__(self) -> None:
        self.hunts = 0
        self._paused = False

    def hunt_now(self) -> bool:
        self.hunts += 1
        return True

    def pause(self) -> None:
        self._paused = True

    def resume(self) -> None:
        self._paused = False

    def paused(self) -> bool:
        return self._paused
