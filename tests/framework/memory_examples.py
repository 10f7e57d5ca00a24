"""Small deals, readings and judgements for the memory's tests."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path

from framework.deals import Deal, Entry, Estimate, Judgement, Kind, Reading, ReadingVerdict, Valuation, Verdict
from framework.feedstate import FeedState, FeedStatus, PollOutcome, PollResult
from framework.memory.store import Store
from framework.money import Money

FEED = "https://deals.example/rss"
START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@cache
def _empty_database() -> bytes:
    """A database at the newest schema, made once: migrating anew for each test would take most of their time."""
    with tempfile.TemporaryDirectory() as folder:
        Store.open(f"sqlite:///{folder}/empty.db").close()
        return (Path(folder) / "empty.db").read_bytes()


def fresh_url(folder: Path) -> str:
    """The URL of a new, empty database in ``folder``."""
    (folder / "state").mkdir(parents=True, exist_ok=True)
    (folder / "state" / "dealhound.db").write_bytes(_empty_database())
    return f"sqlite:///{folder}/state/dealhound.db"


class FixedClock:
    """A clock that moves only when told to."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **how_far: float) -> datetime:
        self.now += timedelta(**how_far)
        return self.now


def entry(number: int = 1, *, feed: str = FEED, sample: bool = False, content: str = "<p>A kettle</p>") -> Entry:
    return Entry(
        id=f"entry-{number}",
        feed_url=feed,
        url=f"https://deals.example/{number}",
        title=f"Kettle {number} for $20",
        content=content,
        published=START - timedelta(hours=number),
        sample=sample,
    )


def deal(of: Entry, price: str = "20.00", **more: object) -> Deal:
    values = {"description": "Steel kettle, 1.7 litres", "sample": of.sample, "url": of.url, **more}
    return Deal(entry_id=of.id, title=of.title, price=Money.of(price), **values)


def reading(of: Entry, price: str = "20.00", **more: object) -> Reading:
    return Reading(entry=of, verdict=ReadingVerdict.DEAL, kind=Kind.PRODUCT, deal=deal(of, price, **more))


def valuation(value: str = "60.00") -> Valuation:
    worth = Decimal(value)
    estimate = Estimate(
        value=worth,
        low=worth * Decimal("0.8"),
        high=worth * Decimal("1.2"),
        log_mean=4.0,
        log_scale=0.2,
        members={"specialist": 58.5, "frontier": None, "random_forest": 61.25},
        failures={"frontier": "no neighbour"},
    )
    return Valuation(
        value=worth,
        low=worth * Decimal("0.8"),
        high=worth * Decimal("1.2"),
        quantiles=(float(worth) * 0.7, float(worth), float(worth) * 1.3),
        estimate=estimate,
    )


def judgement(verdict: Verdict = Verdict.OPPORTUNITY, reason: str = "far below its worth") -> Judgement:
    return Judgement(verdict=verdict, discount=40.0, discount_pct=66.7, probability=0.93, reason=reason)


def poll(*entries: Entry, feed: str = FEED, etag: str = '"v1"') -> PollResult:
    state = FeedState(
        url=feed,
        status=FeedStatus.OK,
        etag=etag,
        added=START,
        last_success=START,
        next_check=START + timedelta(hours=1),
    )
    return PollResult(feed=state, outcome=PollOutcome.UPDATED, entries=entries)


def surface(store: Store, of: Entry, price: str = "20.00", *, product_key: str = "kettle", channels=("console",)):
    """Take one entry all the way to a judged opportunity."""
    store.record_poll(poll(of, feed=of.feed_url))
    store.record_reading(reading(of, price), product_key=product_key)
    return store.record_judgement(deal(of, price), valuation(), judgement(), channels=channels)
