"""How the memory behaves when it is old: a hunt's overhead, memory.json, the dashboard's queries, by size.

    python -m benchmarks.growth --opportunities 1000 10000 100000 --entries 1000000

Each size gets a database of its own with that many opportunities and ten times as many handled entries (at most
``--entries``). Times are medians in milliseconds, [wall, processor], everything on disk with full durability. Prints a
JSON line per size.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from framework.deals import (
    Deal,
    Entry,
    Estimate,
    Judgement,
    Kind,
    Opportunity,
    Reading,
    ReadingVerdict,
    Valuation,
    Verdict,
)
from framework.feedstate import FeedState, FeedStatus, PollOutcome, PollResult
from framework.memory.judgements import opportunity_row
from framework.memory.records import EntryVerdict, OpportunityOrder
from framework.memory.snapshot import Snapshot
from framework.memory.store import Store
from framework.memory.tables import deals, entries, opportunities, outbox, prices, sources, valuations
from framework.money import Money

FEED = "https://deals.example/rss"
START = datetime(2026, 1, 1, tzinfo=UTC)
_PIECE = 5_000
_WORDS = ("steel kettle", "wireless earbuds", "gaming laptop", "air fryer", "robot vacuum", "office chair", "SSD 2 TB")


def make_entry(number: int) -> Entry:
    title = f"{_WORDS[number % len(_WORDS)]} model {number} for $20"
    return Entry(id=f"e{number}", feed_url=FEED, url=f"https://deals.example/{number}", title=title, content="x" * 600)


def make_opportunity(number: int) -> Opportunity:
    entry = make_entry(number)
    price = Money.of(20 + number % 500)
    deal = Deal(entry_id=entry.id, url=entry.url, title=entry.title, description=entry.title * 3, price=price)
    return Opportunity(
        id=f"o{number}", deal=deal, valuation=VALUATION, judgement=JUDGEMENT, created=START + timedelta(minutes=number)
    )


ESTIMATE = Estimate(
    value=600, low=500, high=700, log_mean=6.4, log_scale=0.1, members={"specialist": 590.0, "frontier": 610.0}
)
VALUATION = Valuation(
    value=600, low=500, high=700, quantiles=tuple(400.0 + 20 * n for n in range(21)), estimate=ESTIMATE
)
JUDGEMENT = Judgement(verdict=Verdict.OPPORTUNITY, discount=400, discount_pct=66, probability=0.9, reason="cheap")


def entry_row(number: int, verdict: EntryVerdict) -> dict[str, Any]:
    entry = make_entry(number)
    common = {"feed_url": FEED, "url": entry.url, "title": entry.title, "first_seen": START, "sample": False}
    done = {"state": "done", "verdict": verdict.value, "reason": "a list of offers", "attempts": 0, "handled": START}
    return {"id": entry.id, **common, **done, "data": entry.model_dump(mode="json")}


def fill(store: Store, surfaced: int, handled: int) -> None:
    """Insert the past in bulk."""
    for start in range(0, handled, _PIECE):
        numbers = range(start, min(start + _PIECE, handled))
        with store._database.write() as connection:
            verdict = {True: EntryVerdict.OPPORTUNITY, False: EntryVerdict.SKIPPED}
            connection.execute(insert(entries), [entry_row(n, verdict[n < surfaced]) for n in numbers])
            for table, rows in surfaced_rows([n for n in numbers if n < surfaced]):
                connection.execute(insert(table), rows)


def surfaced_rows(numbers: list[int]) -> Iterator[tuple[Any, list[dict[str, Any]]]]:
    """Rows of everything that hangs on an opportunity."""
    if not numbers:
        return
    made = [make_opportunity(number) for number in numbers]
    yield opportunities, [opportunity_row(o, f"product-{o.id}", o.created) for o in made]
    yield (
        deals,
        [
            {
                "entry_id": o.deal.entry_id,
                "product_key": f"product-{o.id}",
                "title": o.deal.title,
                "price": o.deal.price.amount,
                "currency": "USD",
                "created": o.created,
                "data": o.deal.model_dump(mode="json"),
            }
            for o in made
        ],
    )
    data = {"valuation": VALUATION.model_dump(mode="json"), "judgement": JUDGEMENT.model_dump(mode="json")}
    figures = {"value": VALUATION.value, "low": VALUATION.low, "high": VALUATION.high, "currency": "USD"}
    judged = {"verdict": "opportunity", "discount_pct": 66.0, "probability": 0.9, "members": {}, "data": data}
    yield valuations, [{"entry_id": o.deal.entry_id, "created": o.created, **figures, **judged} for o in made]
    yield (
        sources,
        [
            {
                "opportunity_id": o.id,
                "entry_id": o.deal.entry_id,
                "feed_url": FEED,
                "price": o.deal.price.amount,
                "seen": START,
            }
            for o in made
        ],
    )
    yield (
        prices,
        [
            {
                "product_key": f"product-{o.id}",
                "entry_id": o.deal.entry_id,
                "price": o.deal.price.amount,
                "currency": "USD",
                "seen": o.created,
                "sample": False,
            }
            for o in made
        ],
    )
    sent = {"kind": "opportunity", "state": "sent", "attempts": 1, "finished": START, "repeated": False}
    yield (
        outbox,
        [
            {
                "key": f"{o.id}:p",
                "opportunity_id": o.id,
                "channel": "pushover",
                "created": START,
                "next_try": START,
                **sent,
            }
            for o in made
        ],
    )


def milliseconds(call: Callable[[], object], times: int = 5) -> list[float]:
    """Median wall time of a call, and median processor time."""
    wall, busy = [], []
    for _ in range(times):
        started, worked = time.perf_counter(), time.process_time()
        call()
        wall.append(time.perf_counter() - started)
        busy.append(time.process_time() - worked)
    return [round(statistics.median(spent) * 1000, 1) for spent in (wall, busy)]


def hunt(store: Store, first_new: int, known: int) -> None:
    """What one hunt asks of the memory: a feed of 100 known entries and 5 new ones, all five opportunities."""
    hunt_id = store.start_hunt()
    store.due_feeds(datetime.now(UTC))
    fresh = [make_entry(number) for number in range(first_new, first_new + 5)]
    feed = FeedState(url=FEED, status=FeedStatus.OK, added=START, last_success=START)
    old = tuple(make_entry(known - 1 - number) for number in range(100))
    store.record_poll(PollResult(feed=feed, outcome=PollOutcome.UPDATED, entries=(*fresh, *old)), hunt_id)
    for entry in store.pending_entries(200, hunt_id=hunt_id):
        deal = make_opportunity(int(entry.id[1:])).deal
        reading = Reading(entry=entry, verdict=ReadingVerdict.DEAL, kind=Kind.PRODUCT, deal=deal)
        store.record_reading(reading, hunt_id, product_key=f"product-{entry.id}")
    for deal in store.pending_deals(hunt_id=hunt_id):
        store.record_judgement(deal, VALUATION, JUDGEMENT, hunt_id=hunt_id, channels=("console",))
    store.due_notifications(datetime.now(UTC))
    store.finish_hunt(hunt_id, {"entries": 5})


def measure(surfaced: int, handled: int, folder: Path) -> dict[str, Any]:
    """All figures for one size."""
    with Store.open(f"sqlite:///{folder}/dealhound.db") as store:
        store.add_feed(FEED)
        fill(store, surfaced, handled)
        snapshot = Snapshot(folder / "memory.json", store)
        fresh = iter(range(10_000_000, 20_000_000, 5))
        result = {
            "opportunities": surfaced,
            "entries": handled,
            "database_mb": round((folder / "dealhound.db").stat().st_size / 1e6),
            "hunt_overhead_ms": milliseconds(lambda: hunt(store, next(fresh), handled)),
            "snapshot_ms": milliseconds(snapshot.write, 1),
            "snapshot_mb": round((folder / "memory.json").stat().st_size / 1e6, 1),
            "snapshot_unchanged_ms": milliseconds(snapshot.write),
            "page_newest_ms": milliseconds(lambda: store.opportunities(50)),
            "page_by_discount_ms": milliseconds(lambda: store.opportunities(50, order=OpportunityOrder.DISCOUNT)),
            "page_deep_ms": milliseconds(lambda: store.opportunities(50, max(0, surfaced - 100))),
            "search_ms": milliseconds(lambda: store.opportunities(50, search="kettle model 7")),
            "count_ms": milliseconds(store.count_opportunities),
            "entries_page_ms": milliseconds(lambda: store.entries(50)),
            "entries_failed_page_ms": milliseconds(lambda: store.entries(50, verdict=EntryVerdict.FAILED)),
            "entries_search_ms": milliseconds(lambda: store.entries(50, search="no such thing"), 1),
            "verdicts_ms": milliseconds(store.count_by_verdict, 1),
            "outbox_counts_ms": milliseconds(store.count_notifications, 1),
            "price_history_ms": milliseconds(lambda: store.price_history("product-o7")),
            "expiry_ms": milliseconds(lambda: store.live_opportunities_of([f"e{n}" for n in range(100)])),
            "learn_ms": milliseconds(store.met),
            "forget_ms": milliseconds(store.forget, 1),
        }
        store.close()
    started = time.perf_counter()
    with Store.open(f"sqlite:///{folder}/dealhound.db"):
        result["open_ms"] = round((time.perf_counter() - started) * 1000, 1)
    result["peak_rss_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    return result


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--opportunities", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--entries", type=int, default=1_000_000, help="most entries")
    options = parser.parse_args()
    for surfaced in options.opportunities:
        with tempfile.TemporaryDirectory(prefix="dealhound-growth-") as folder:
            result = measure(surfaced, min(surfaced * 10, options.entries), Path(folder))
            print(json.dumps(result), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
