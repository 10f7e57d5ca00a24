"""The feeds that the owner follows, and what a poll of one brought."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, or_, select, update

from framework.deals import Entry
from framework.feedstate import FeedState, FeedStatus, PollResult
from framework.memory.base import Repository, chunks, insert_new, put, serialize
from framework.memory.records import EntryState, EntryVerdict
from framework.memory.tables import entries, feeds


class Feeds(Repository):
    """Feeds by their URL."""

    def feeds(self) -> list[FeedState]:
        """All feeds, in the order in which they were added."""
        with self._database.read() as connection:
            rows = connection.execute(select(feeds.c.data).order_by(feeds.c.added, feeds.c.url)).scalars()
            return [FeedState.model_validate(data) for data in rows]

    def feed(self, url: str) -> FeedState | None:
        """One feed, ``None`` when it is not followed."""
        with self._database.read() as connection:
            return _state(connection, url)

    def add_feed(self, url: str, title: str | None = None, *, sample: bool = False) -> FeedState:
        """Follow a feed; one that is followed already is returned as it is."""
        new = FeedState(url=url, title=title, sample=sample, added=self._clock())
        with self._database.write() as connection:
            insert_new(connection, feeds, [_row(new)])
            return _state(connection, url) or new

    def remove_feed(self, url: str) -> bool:
        """Stop following a feed; its entries stay known. False when it was not followed."""
        with self._database.write() as connection:
            return bool(connection.execute(delete(feeds).where(feeds.c.url == url)).rowcount)

    def due_feeds(self, now: datetime) -> list[FeedState]:
        """The feeds to poll now, the longest waiting first; those that are gone never."""
        due = or_(feeds.c.next_check.is_(None), feeds.c.next_check <= now)
        query = select(feeds.c.data).where(due, feeds.c.status != FeedStatus.GONE.value)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(feeds.c.next_check.nulls_first(), feeds.c.added)).scalars()
            return [FeedState.model_validate(data) for data in rows]

    def record_poll(
        self, result: PollResult, hunt_id: str | None = None, *, backlog_limit: int | None = None
    ) -> list[Entry]:
        """Store the feed's next state and its unknown entries, as pending, in one transaction; return those.

        The two belong together: once the new etag is stored, the server will not send these entries again.
        At a feed's first successful poll only the newest ``backlog_limit`` entries become pending; the older ones
        are remembered as skipped. A feed that is not followed (given on the command line, or removed during the
        poll) is not added; its entries are recorded all the same.
        """
        with self._database.write() as connection:
            serialize(connection, "new entries")  # two feeds may bring the same ones, in another order
            known = connection.execute(select(feeds.c.last_success).where(feeds.c.url == result.feed.url)).first()
            unknown = _unknown(connection, result.entries)
            first_poll = known is not None and known.last_success is None
            fresh, backlog = _split(unknown, backlog_limit if first_poll else None)
            now = self._clock()
            rows = [_entry_row(entry, now, hunt_id) for entry in fresh]
            rows += [_backlog_row(entry, now, hunt_id) for entry in backlog]
            if rows:
                insert_new(connection, entries, rows)
            if known is not None:
                connection.execute(update(feeds).where(feeds.c.url == result.feed.url).values(**_row(result.feed)))
        return fresh

    def put_feed(self, feed: FeedState) -> None:
        """Store a feed's state as it is, adding the feed where it is not followed yet."""
        with self._database.write() as connection:
            put(connection, feeds, "url", _row(feed))


def _row(feed: FeedState) -> dict[str, object]:
    columns = feed.model_dump(include={"url", "added", "last_success", "next_check"})
    return columns | {"status": feed.status.value, "data": feed.model_dump(mode="json")}


def _state(connection: Connection, url: str) -> FeedState | None:
    data = connection.execute(select(feeds.c.data).where(feeds.c.url == url)).scalar()
    return None if data is None else FeedState.model_validate(data)


def _unknown(connection: Connection, polled: Sequence[Entry]) -> list[Entry]:
    by_id = {entry.id: entry for entry in reversed(polled)}  # of two with one id, the first in the feed counts
    unknown = [by_id[entry_id] for entry_id in dict.fromkeys(entry.id for entry in polled)]
    for chunk in chunks(list(by_id)):
        known = set(connection.execute(select(entries.c.id).where(entries.c.id.in_(chunk))).scalars())
        unknown = [entry for entry in unknown if entry.id not in known]
    return unknown


def _split(unknown: list[Entry], limit: int | None) -> tuple[list[Entry], list[Entry]]:
    """The entries to hunt and the backlog; feeds put the newest first where they give no dates."""
    if limit is None or len(unknown) <= limit:
        return unknown, []
    newest = sorted(unknown, key=lambda entry: entry.published.timestamp() if entry.published else 0, reverse=True)
    fresh = {entry.id for entry in newest[:limit]}
    return [e for e in unknown if e.id in fresh], [e for e in unknown if e.id not in fresh]


def _entry_row(entry: Entry, now: datetime, hunt_id: str | None) -> dict[str, object]:
    return {
        "id": entry.id,
        "feed_url": entry.feed_url,
        "url": entry.url,
        "title": entry.title,
        "published": entry.published,
        "first_seen": now,
        "sample": entry.sample,
        "state": EntryState.PENDING.value,
        "verdict": None,
        "reason": "",
        "attempts": 0,
        "hunt_id": hunt_id,
        "handled": None,
        "data": entry.model_dump(mode="json"),
    }


def _backlog_row(entry: Entry, now: datetime, hunt_id: str | None) -> dict[str, object]:
    return _entry_row(entry, now, hunt_id) | {
        "state": EntryState.DONE.value,
        "verdict": EntryVerdict.SKIPPED.value,
        "reason": "backlog: it was published before this feed was followed",
        "handled": now,
        "data": entry.model_copy(update={"content": ""}).model_dump(mode="json"),
    }
