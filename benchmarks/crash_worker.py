"""The process that ``crash.py`` kills: poll, read, judge, record, send and snapshot, over the real memory and sender.

It leaves out what has no state (models, pages), so that hundreds of kills fit into minutes and fall where it matters.
Importing takes longer than a victim lives, so one process imports and forks a victim for each line on its standard
input; it answers with the victim's pid.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.request import Request, urlopen

from agents.messaging.pushover import PushoverNotifier
from agents.messaging.sender import Sender
from benchmarks.crash_daemon import fork_when_asked
from framework.deals import Deal, Entry, Judgement, Kind, Reading, ReadingVerdict, Valuation, Verdict
from framework.feedstate import FeedState, FeedStatus, PollOutcome, PollResult
from framework.memory.snapshot import Snapshot
from framework.memory.store import Store
from framework.money import Money
from framework.outbox import Backoff

_USED = ("alembic.command", "pushover_complete", "agents.messaging.pushover_session")


def main(home: Path, feed_url: str, pushover_url: str, user: str, token: str) -> None:
    """Hunt without pause until killed."""
    with Store.open(f"sqlite:///{home}/state/dealhound.db") as store:
        store.add_feed(feed_url)
        snapshot = Snapshot(home / "memory.json", store)
        snapshot.load()
        phone = PushoverNotifier(user, token, base_url=pushover_url, deadline=0.5)
        backoff = Backoff(base=timedelta(seconds=0.2), cap=timedelta(seconds=1), max_attempts=10_000)
        sender = Sender(store, [phone], backoff=backoff, grace=timedelta(seconds=2))
        while True:
            hunt(store, sender, feed_url)
            snapshot.write()
            time.sleep(0.02)


def hunt(store: Store, sender: Sender, feed_url: str) -> None:
    """One small hunt: every stage records before the next begins."""
    hunt_id = store.start_hunt()
    feed = store.feed(feed_url)
    assert feed is not None
    store.record_poll(poll(feed), hunt_id)
    for entry in store.pending_entries(hunt_id=hunt_id):
        deal = Deal(
            entry_id=entry.id, url=entry.url, title=entry.title, description=entry.title, price=Money.of("20.00")
        )
        reading = Reading(entry=entry, verdict=ReadingVerdict.DEAL, kind=Kind.PRODUCT, deal=deal)
        store.record_reading(reading, hunt_id, product_key=entry.id)
    for deal in store.pending_deals(hunt_id=hunt_id):
        store.record_judgement(deal, _VALUATION, _JUDGEMENT, hunt_id=hunt_id, channels=sender.channels)
    sender.drain(limit=5)
    store.finish_hunt(hunt_id)


def poll(feed: FeedState) -> PollResult:
    """Ask for what is new since the stored etag: the server will not give these entries again."""
    request = Request(feed.url, headers={"If-None-Match": feed.etag} if feed.etag else {})
    with urlopen(request, timeout=10) as answer:
        numbers, etag = json.load(answer), answer.headers["ETag"]
    now = datetime.now(UTC)
    state = feed.model_copy(update={"etag": etag, "status": FeedStatus.OK, "last_check": now, "last_success": now})
    entries = tuple(
        Entry(
            id=f"entry-{number}",
            feed_url=feed.url,
            url=f"https://deals.example/{number}",
            title=f"Kettle {number}",
            content="<p>A kettle.</p>" * 50,
        )
        for number in numbers
    )
    return PollResult(feed=state, outcome=PollOutcome.UPDATED, entries=entries)


_VALUATION = Valuation(value="60.00", low="48.00", high="72.00", quantiles=(40.0, 60.0, 80.0))
_JUDGEMENT = Judgement(
    verdict=Verdict.OPPORTUNITY, discount=40, discount_pct=66.7, probability=0.93, reason="far below its worth"
)

if __name__ == "__main__":
    fork_when_asked(_USED, lambda: main(Path(sys.argv[1]), *sys.argv[2:]))
