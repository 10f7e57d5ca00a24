"""Opportunities as the dashboard, the command line and memory.json read them, and the price history."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Unpack

from sqlalchemy import ColumnElement, Connection, RowMapping, func, insert, select, update

from framework.deals import Opportunity
from framework.memory.base import Repository, chunks, insert_new
from framework.memory.judgements import opportunity_row
from framework.memory.narrowing import Narrowing, narrowed
from framework.memory.records import (
    EntryState,
    EntryVerdict,
    NotificationState,
    OpportunityOrder,
    OpportunityRecord,
    PricePoint,
    Source,
)
from framework.memory.state import OPPORTUNITIES_VERSION, bump
from framework.memory.tables import entries, opportunities, outbox, prices, sources
from framework.money import Money

# Ties are broken in the direction in which the index runs, so that a deep page needs no sorting.
_ORDERS: dict[OpportunityOrder, tuple[ColumnElement[Any], ...]] = {
    OpportunityOrder.NEWEST: (opportunities.c.seq.desc(),),
    OpportunityOrder.DISCOUNT: (opportunities.c.discount.desc(), opportunities.c.seq.desc()),
    OpportunityOrder.DISCOUNT_PCT: (opportunities.c.discount_pct.desc(), opportunities.c.seq.desc()),
    OpportunityOrder.PROBABILITY: (opportunities.c.probability.desc(), opportunities.c.seq.desc()),
    OpportunityOrder.PRICE: (opportunities.c.price.asc(), opportunities.c.seq.asc()),
}


class Opportunities(Repository):
    """What was surfaced, for ever."""

    def opportunities(
        self,
        limit: int = 100,
        offset: int = 0,
        *,
        order: OpportunityOrder = OpportunityOrder.NEWEST,
        **only: Unpack[Narrowing],
    ) -> list[OpportunityRecord]:
        """One page of opportunities with their sources; those that the owner hid are left out unless asked for."""
        wanted = narrowed(select(opportunities.c.seq), only).order_by(*_ORDERS[order]).limit(limit).offset(offset)
        # The numbers first: sorting and skipping whole rows would drag their JSON along.
        page = select(opportunities).where(opportunities.c.seq.in_(wanted.scalar_subquery()))
        with self._database.read() as connection:
            rows = list(connection.execute(page.order_by(*_ORDERS[order])).mappings())
            met = _sources(connection, [row["id"] for row in rows])
            return [_record(row, met.get(row["id"], ())) for row in rows]

    def count_opportunities(self, **only: Unpack[Narrowing]) -> int:
        """How many opportunities ``opportunities`` would list."""
        query = narrowed(select(func.count(opportunities.c.seq)), only)
        with self._database.read() as connection:
            return int(connection.execute(query).scalar_one())

    def opportunity(self, opportunity_id: str) -> OpportunityRecord | None:
        """One opportunity with its sources."""
        query = select(opportunities).where(opportunities.c.id == opportunity_id)
        with self._database.read() as connection:
            row = connection.execute(query).mappings().first()
            return _record(row, _sources(connection, [opportunity_id]).get(opportunity_id, ())) if row else None

    def all_opportunities(self) -> Iterator[Opportunity]:
        """Every opportunity, newest last, read piece by piece from one consistent picture."""
        return map(Opportunity.model_validate, self.all_opportunities_json())

    def all_opportunities_json(self) -> Iterator[dict[str, Any]]:
        """The same in their JSON form, as they were stored."""
        query = select(opportunities.c.data).order_by(opportunities.c.seq)
        with self._database.read() as connection:
            yield from connection.execute(query.execution_options(yield_per=1000)).scalars()

    def import_opportunities(self, imported: Sequence[Opportunity]) -> int:
        """Add opportunities known from elsewhere (memory.json), in order; those known already are left. Counts new."""
        now, added = self._clock(), 0
        with self._database.write() as connection:
            for chunk in chunks(imported):
                ids = [opportunity.id for opportunity in chunk]
                query = select(opportunities.c.id).where(opportunities.c.id.in_(ids))
                known = set(connection.execute(query).scalars())
                new = list({o.id: o for o in chunk if o.id not in known}.values())
                if new:
                    _import(connection, new, now)
                added += len(new)
            if added:
                bump(connection, OPPORTUNITIES_VERSION, now)
        return added

    def mark_expired(self, opportunity_id: str, reason: str = "the offer is over") -> bool:
        """Note that an offer is over; False when it is unknown or was marked before.

        What waits to be sent of it is dropped, with ``reason``: nobody wants to be woken for that.
        """
        row = update(opportunities).where(opportunities.c.id == opportunity_id, opportunities.c.expired.is_(None))
        waiting = outbox.c.state == NotificationState.WAITING.value
        dropped = {"state": NotificationState.DROPPED.value, "finished": self._clock(), "last_error": reason}
        with self._database.write() as connection:
            if not connection.execute(row.values(expired=self._clock())).rowcount:
                return False
            mine = update(outbox).where(outbox.c.opportunity_id == opportunity_id, waiting)
            connection.execute(mine.values(**dropped))
            return True

    def live_opportunities_of(self, entry_ids: Sequence[str]) -> list[str]:
        """The ids of opportunities whose present offer stands in these entries, and that are not over yet."""
        found: list[str] = []
        with self._database.read() as connection:
            for chunk in chunks(entry_ids):
                query = select(opportunities.c.id).where(
                    opportunities.c.entry_id.in_(chunk), opportunities.c.expired.is_(None)
                )
                found += connection.execute(query).scalars()
        return found

    def price_history(self, product_key: str, *, since: datetime | None = None) -> list[PricePoint]:
        """Every observed price of one piece of a product, oldest first; those of the sample feed left out."""
        query = select(prices).where(prices.c.product_key == product_key, prices.c.sample.is_(False))
        if since is not None:
            query = query.where(prices.c.seen >= since)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(prices.c.seen, prices.c.id))
            return [
                PricePoint(
                    price=Money(amount=row.price, currency=row.currency),
                    seen=row.seen,
                    entry_id=row.entry_id,
                    merchant=row.merchant,
                    url=row.url,
                )
                for row in rows
            ]


def _sources(connection: Connection, ids: Sequence[str]) -> dict[str, tuple[Source, ...]]:
    query = (
        select(sources, opportunities.c.currency)
        .join(opportunities, opportunities.c.id == sources.c.opportunity_id)
        .where(sources.c.opportunity_id.in_(ids))
    )
    found: dict[str, tuple[Source, ...]] = {}
    for row in connection.execute(query.order_by(sources.c.seen)):
        price = Money(amount=row.price, currency=row.currency)
        source = Source(entry_id=row.entry_id, feed_url=row.feed_url, url=row.url, price=price, seen=row.seen)
        found[row.opportunity_id] = (*found.get(row.opportunity_id, ()), source)
    return found


def _record(row: RowMapping, met: tuple[Source, ...]) -> OpportunityRecord:
    return OpportunityRecord(
        number=row["seq"],
        opportunity=Opportunity.model_validate(row["data"]),
        product_key=row["product_key"],
        updated=row["updated"],
        expired=row["expired"],
        hidden=row["hidden"],
        sources=met,
    )


def _import(connection: Connection, new: Sequence[Opportunity], now: datetime) -> None:
    insert_new(connection, entries, [_imported_entry(opportunity, now) for opportunity in new])
    rows = [opportunity_row(o, f"entry:{o.deal.entry_id}", now) | {"alerted": o.created} for o in new]
    connection.execute(insert(opportunities), rows)


def _imported_entry(opportunity: Opportunity, now: datetime) -> dict[str, Any]:
    deal = opportunity.deal
    feed_url = "memory.json"
    return {
        "id": deal.entry_id,
        "feed_url": feed_url,
        "url": deal.url,
        "title": deal.title,
        "first_seen": opportunity.created,
        "sample": deal.sample,
        "state": EntryState.DONE.value,
        "verdict": EntryVerdict.OPPORTUNITY.value,
        "reason": "imported from memory.json",
        "attempts": 0,
        "handled": now,
        "data": {"id": deal.entry_id, "feed_url": feed_url, "url": deal.url, "title": deal.title, "content": ""},
    }
