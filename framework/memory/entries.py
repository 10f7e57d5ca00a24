"""Entries on their way through a hunt: pending, read, done; each with its verdict and the reason."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, func, insert, select, update

from framework.deals import Deal, Entry, Reading, ReadingVerdict
from framework.memory.base import Repository, insert_new, matching
from framework.memory.records import EntryRecord, EntryState, EntryVerdict
from framework.memory.tables import deals, entries, prices

EXCERPT_CHARS = 600  # of an entry's content, kept after it is handled
MAX_ATTEMPTS = 3  # readings of an entry, each in another hunt, before it is given up


class Entries(Repository):
    """Entries by their id, and the deals that were read from them."""

    def pending_entries(
        self, limit: int = 1000, *, hunt_id: str | None = None, only: Sequence[str] | None = None
    ) -> list[Entry]:
        """Entries still to be read, oldest first, also those that a killed hunt left behind; of ``only`` where given.

        With ``hunt_id`` those that failed in this very hunt are left out: they are tried again in a later one.
        """
        query = _open(select(entries.c.data), EntryState.PENDING, hunt_id, only)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(entries.c.seq).limit(limit)).scalars()
            return [Entry.model_validate(data) for data in rows]

    def record_reading(self, reading: Reading, hunt_id: str | None = None, *, product_key: str | None = None) -> None:
        """Store what an entry was read as; a deal awaits judgement, and its price joins the price history.

        ``product_key`` names the product across shops and feeds (see ``framework.dedupe``); without one the entry
        stands for itself. A ``FAILED`` reading is counted, see ``record_failure``. Recording the same entry again
        after it was judged changes nothing.
        """
        if reading.verdict is ReadingVerdict.FAILED:
            self.record_failure(reading.entry.id, reading.reason, hunt_id=hunt_id)
            return
        now = self._clock()
        with self._database.write() as connection:
            open_row = _finish_reading(connection, reading, hunt_id, now)
            if open_row and reading.deal is not None:
                _store_deal(connection, reading.deal, product_key or f"entry:{reading.entry.id}", now)

    def record_failure(
        self, entry_id: str, reason: str, *, hunt_id: str | None = None, max_attempts: int = MAX_ATTEMPTS
    ) -> bool:
        """Count a failed attempt at an entry or its deal; True when it is given up, with the verdict "failed".

        Until then it stays where it is (pending, or read and awaiting judgement) for a later hunt.
        """
        with self._database.write() as connection:
            found = select(entries).where(entries.c.id == entry_id).with_for_update()
            row = connection.execute(found).mappings().first()
            if row is None or row["state"] == EntryState.DONE.value:
                return False
            attempts = row["attempts"] + 1
            values: dict[str, Any] = {"attempts": attempts, "reason": reason, "hunt_id": hunt_id}
            given_up = attempts >= max_attempts
            if given_up:
                values |= done_values(row["data"], EntryVerdict.FAILED, reason, hunt_id, self._clock())
            connection.execute(update(entries).where(entries.c.id == entry_id).values(**values))
            return bool(given_up)

    def pending_deals(
        self, limit: int = 1000, *, hunt_id: str | None = None, only: Sequence[str] | None = None
    ) -> list[Deal]:
        """Deals read but not judged, oldest first, with the limits that ``pending_entries`` has."""
        joined = select(deals.c.data).join(entries, entries.c.id == deals.c.entry_id)
        query = _open(joined, EntryState.READ, hunt_id, only)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(entries.c.seq).limit(limit)).scalars()
            return [Deal.model_validate(data) for data in rows]

    def deal(self, entry_id: str) -> Deal | None:
        """The deal read from an entry, ``None`` when there is none."""
        with self._database.read() as connection:
            data = connection.execute(select(deals.c.data).where(deals.c.entry_id == entry_id)).scalar()
            return Deal.model_validate(data) if data is not None else None

    def known_ids(self, ids: Sequence[str]) -> set[str]:
        """Which of these entries were seen before."""
        with self._database.read() as connection:
            known: set[str] = set()
            for start in range(0, len(ids), 500):
                part = ids[start : start + 500]
                known.update(connection.execute(select(entries.c.id).where(entries.c.id.in_(part))).scalars())
            return known

    def entry(self, entry_id: str) -> EntryRecord | None:
        """One entry with its verdict."""
        with self._database.read() as connection:
            row = connection.execute(select(entries).where(entries.c.id == entry_id)).mappings().first()
            return _record(row) if row else None

    def entries(
        self,
        limit: int = 100,
        offset: int = 0,
        *,
        verdict: EntryVerdict | None = None,
        feed_url: str | None = None,
        search: str | None = None,
    ) -> list[EntryRecord]:
        """Entries with their verdicts, newest first."""
        query = _narrow(select(entries), verdict, feed_url, search)
        with self._database.read() as connection:
            page = query.order_by(entries.c.seq.desc()).limit(limit).offset(offset)
            return [_record(row) for row in connection.execute(page).mappings()]

    def count_entries(
        self, *, verdict: EntryVerdict | None = None, feed_url: str | None = None, search: str | None = None
    ) -> int:
        """How many entries ``entries`` would list."""
        query = _narrow(select(func.count()).select_from(entries), verdict, feed_url, search)
        with self._database.read() as connection:
            return int(connection.execute(query).scalar_one())

    def count_by_verdict(self) -> dict[str, int]:
        """Entries per verdict; those without one yet count as "pending"."""
        query = select(func.coalesce(entries.c.verdict, EntryState.PENDING.value), func.count()).group_by(
            entries.c.verdict
        )
        with self._database.read() as connection:
            return {str(verdict): int(count) for verdict, count in connection.execute(query)}


def done_values(
    data: dict[str, Any], verdict: EntryVerdict, reason: str, hunt_id: str | None, now: datetime
) -> dict[str, Any]:
    """The columns of an entry that is dealt with: its verdict, and its content cut to an excerpt."""
    return {
        "state": EntryState.DONE.value,
        "verdict": verdict.value,
        "reason": reason,
        "hunt_id": hunt_id,
        "handled": now,
        "data": data | {"content": data.get("content", "")[:EXCERPT_CHARS]},
    }


def _open(query: Select[Any], state: EntryState, hunt_id: str | None, only: Sequence[str] | None) -> Select[Any]:
    query = query.where(entries.c.state == state.value)
    if hunt_id is not None:
        query = query.where((entries.c.attempts == 0) | entries.c.hunt_id.is_distinct_from(hunt_id))
    return query if only is None else query.where(entries.c.id.in_(only))


def _finish_reading(connection: Connection, reading: Reading, hunt_id: str | None, now: datetime) -> bool:
    """Put the reading's outcome on the entry's row; False when the entry was done already."""
    data = reading.entry.model_dump(mode="json")
    values = done_values(data, EntryVerdict(reading.verdict.value), reading.reason, hunt_id, now)
    if reading.deal is not None:
        values |= {"state": EntryState.READ.value, "handled": None}
    values |= {"kind": reading.kind.value if reading.kind else None, "reader": reading.reader.value, "attempts": 0}
    still_open = entries.c.state != EntryState.DONE.value
    row = update(entries).where(entries.c.id == reading.entry.id, still_open).values(**values)
    return bool(connection.execute(row).rowcount)


def _store_deal(connection: Connection, deal: Deal, product_key: str, now: datetime) -> None:
    data = deal.model_dump(mode="json")
    row = {
        "entry_id": deal.entry_id,
        "product_key": product_key,
        "title": deal.title,
        "price": deal.price.amount,
        "currency": deal.price.currency,
        "created": now,
        "data": data,
    }
    if not connection.execute(update(deals).where(deals.c.entry_id == deal.entry_id).values(**row)).rowcount:
        connection.execute(insert(deals).values(**row))
    observed = {
        "product_key": product_key,
        "entry_id": deal.entry_id,
        "price": deal.price.amount / deal.quantity,
        "currency": deal.price.currency,
        "seen": now,
        "merchant": deal.merchant,
        "url": deal.url,
        "sample": deal.sample,
    }
    insert_new(connection, prices, [observed])


def _narrow(query: Select[Any], verdict: EntryVerdict | None, feed_url: str | None, search: str | None) -> Select[Any]:
    if verdict is not None:
        query = query.where(entries.c.verdict == verdict.value)
    if feed_url is not None:
        query = query.where(entries.c.feed_url == feed_url)
    if search:
        query = query.where(entries.c.title.ilike(matching(search), escape="\\"))
    return query


def _record(row: RowMapping) -> EntryRecord:
    return EntryRecord(
        entry=Entry.model_validate(row["data"]),
        state=EntryState(row["state"]),
        verdict=EntryVerdict(row["verdict"]) if row["verdict"] else None,
        kind=row["kind"],
        reader=row["reader"],
        reason=row["reason"],
        attempts=row["attempts"],
        first_seen=row["first_seen"],
        handled=row["handled"],
        hunt_id=row["hunt_id"],
    )
