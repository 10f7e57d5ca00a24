"""From deal to opportunity: the one transaction that records a judgement and what is to be sent because of it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, insert, select, update

from framework.deals import Deal, Judgement, Opportunity, Valuation, Verdict
from framework.memory.base import Repository, insert_new, put, serialize
from framework.memory.entries import done_values
from framework.memory.records import EntryState, EntryVerdict, JudgedDeal, NotificationState
from framework.memory.state import OPPORTUNITIES_VERSION, bump
from framework.memory.tables import deals, entries, opportunities, outbox, sources, valuations
from framework.outbox import LOCAL_CHANNELS, News, Repeat, news


class Judgements(Repository):
    """Record, then act: nothing is sent that was not stored first."""

    def record_judgement(
        self,
        deal: Deal,
        valuation: Valuation,
        judgement: Judgement,
        *,
        hunt_id: str | None = None,
        channels: Sequence[str] = (),
        product_key: str | None = None,
        repeat: Repeat | None = None,
    ) -> Opportunity | None:
        """Store a judgement; for an opportunity also its row and one outbox row per channel: all or nothing.

        Returns the opportunity when its owner is to be told of it: it is new, or a known one became cheaper than what
        its owner was told by the margin of ``repeat``. A lower price updates the known opportunity, under its old id,
        and what still waits to be sent of it; by less than the margin the owner is not told again. The offer of a
        known opportunity becomes one more source of it, and ``None`` is returned, as it is for a pass and for a deal
        that was judged before. Deals of the bundled sample feed go to local channels only, never to a phone.
        """
        now = self._clock()
        with self._database.write() as connection:
            row = connection.execute(
                select(entries.c.state, entries.c.data, entries.c.feed_url, deals.c.product_key)
                .join(deals, deals.c.entry_id == entries.c.id)
                .where(entries.c.id == deal.entry_id)
                .with_for_update(of=entries)
            ).first()
            if row is None or row.state != EntryState.READ.value:
                return None
            _store_valuation(connection, deal, valuation, judgement, hunt_id, now)
            verdict, reason, surfaced = EntryVerdict.PASS, judgement.reason, None
            if judgement.verdict is Verdict.OPPORTUNITY:
                offer = _Offer(deal, valuation, judgement, product_key or row.product_key, row.feed_url, now)
                verdict, reason, surfaced = offer.store(connection, repeat or Repeat())
                if surfaced is not None:
                    _enqueue(connection, surfaced, channels, now)
            done = done_values(row.data, verdict, reason, hunt_id, now)
            connection.execute(update(entries).where(entries.c.id == deal.entry_id).values(**done))
            return surfaced

    def valuation(self, entry_id: str) -> JudgedDeal | None:
        """What a deal was judged on, ``None`` when it was not judged."""
        query = select(
            deals.c.data.label("deal"), valuations.c.data, valuations.c.created, valuations.c.hunt_id
        ).join_from(valuations, deals, deals.c.entry_id == valuations.c.entry_id)
        with self._database.read() as connection:
            row = connection.execute(query.where(valuations.c.entry_id == entry_id)).first()
        if row is None:
            return None
        return JudgedDeal(
            deal=Deal.model_validate(row.deal),
            valuation=Valuation.model_validate(row.data["valuation"]),
            judgement=Judgement.model_validate(row.data["judgement"]),
            judged=row.created,
            hunt_id=row.hunt_id,
        )


class _Offer:
    """One deal judged an opportunity, on its way into the tables."""

    def __init__(
        self,
        deal: Deal,
        valuation: Valuation,
        judgement: Judgement,
        product_key: str,
        feed_url: str,
        now: datetime,
    ) -> None:
        self.deal, self.valuation, self.judgement = deal, valuation, judgement
        self.product_key, self.feed_url, self.now = product_key, feed_url, now

    def store(self, connection: Connection, repeat: Repeat) -> tuple[EntryVerdict, str, Opportunity | None]:
        """The entry's verdict and reason, and the opportunity when its owner is to be told."""
        serialize(connection, f"product {self.product_key}")  # two of its offers at once are one piece of news
        known = self._known(connection)
        if known is None or self._news(known, repeat) is News.FRESH:
            opportunity = self._opportunity(_new_id(self.deal), self.now)
            connection.execute(insert(opportunities).values(**opportunity_row(opportunity, self.product_key, self.now)))
            self._add_source(connection, opportunity.id)
            bump(connection, OPPORTUNITIES_VERSION, self.now)
            return EntryVerdict.OPPORTUNITY, self.judgement.reason, opportunity
        self._add_source(connection, known["id"])
        if self.deal.price.amount >= known["price"]:
            return EntryVerdict.DUPLICATE, f"the same offer as opportunity {known['id']}: {known['title']}", None
        return self._cheaper(connection, known, tell=self._news(known, repeat) is News.CHEAPER)

    def _news(self, known: RowMapping, repeat: Repeat) -> News:
        told = known["alerted_price"] if known["alerted_price"] is not None else known["price"]
        return news(self.deal.price.amount, told, known["alerted"], self.now, repeat)

    def _cheaper(
        self, connection: Connection, known: RowMapping, *, tell: bool
    ) -> tuple[EntryVerdict, str, Opportunity | None]:
        """The price dropped again: the opportunity takes the new offer over, told again or not."""
        opportunity = self._opportunity(known["id"], known["created"])
        row = opportunity_row(opportunity, self.product_key, self.now) | {"expired": None}
        if not tell:
            del row["alerted"], row["alerted_price"]
        connection.execute(update(opportunities).where(opportunities.c.id == known["id"]).values(**row))
        bump(connection, OPPORTUNITIES_VERSION, self.now)
        reason = f"cheaper than when opportunity {known['id']} was surfaced: {self.judgement.reason}"
        return EntryVerdict.OPPORTUNITY, reason, opportunity if tell else None

    def _known(self, connection: Connection) -> RowMapping | None:
        same = select(opportunities).where(
            opportunities.c.product_key == self.product_key,
            opportunities.c.currency == self.deal.price.currency,
            opportunities.c.sample == self.deal.sample,
        )
        return connection.execute(same.order_by(opportunities.c.seq.desc()).limit(1)).mappings().first()

    def _opportunity(self, opportunity_id: str, created: datetime) -> Opportunity:
        return Opportunity(
            id=opportunity_id, deal=self.deal, valuation=self.valuation, judgement=self.judgement, created=created
        )

    def _add_source(self, connection: Connection, opportunity_id: str) -> None:
        row = {
            "opportunity_id": opportunity_id,
            "entry_id": self.deal.entry_id,
            "feed_url": self.feed_url,
            "url": self.deal.url,
            "price": self.deal.price.amount,
            "seen": self.now,
        }
        insert_new(connection, sources, [row])


def opportunity_row(opportunity: Opportunity, product_key: str, now: datetime) -> dict[str, Any]:
    """An opportunity as a row of its table."""
    deal, valuation, judgement = opportunity.deal, opportunity.valuation, opportunity.judgement
    return {
        "id": opportunity.id,
        "entry_id": deal.entry_id,
        "product_key": product_key,
        "title": deal.title,
        "url": deal.url,
        "price": deal.price.amount,
        "currency": deal.price.currency,
        "value": valuation.value,
        "discount": judgement.discount,
        "discount_pct": judgement.discount_pct,
        "probability": judgement.probability,
        "sample": deal.sample,
        "created": opportunity.created,
        "updated": now,
        "alerted": now,
        "alerted_price": deal.price.amount,
        "data": opportunity.model_dump(mode="json"),
    }


def _new_id(deal: Deal) -> str:
    """The same for the same offer, so that what is exported and read back is recognised."""
    return hashlib.sha256(f"{deal.entry_id}|{deal.price}".encode()).hexdigest()[:16]


def _store_valuation(
    connection: Connection, deal: Deal, valuation: Valuation, judgement: Judgement, hunt_id: str | None, now: datetime
) -> None:
    row = {
        "entry_id": deal.entry_id,
        "hunt_id": hunt_id,
        "created": now,
        "value": valuation.value,
        "low": valuation.low,
        "high": valuation.high,
        "currency": valuation.currency,
        "verdict": judgement.verdict.value,
        "discount_pct": judgement.discount_pct,
        "probability": judgement.probability,
        "members": dict(valuation.estimate.members) if valuation.estimate else {},
        "data": {"valuation": valuation.model_dump(mode="json"), "judgement": judgement.model_dump(mode="json")},
    }
    put(connection, valuations, "entry_id", row)


def _enqueue(connection: Connection, opportunity: Opportunity, channels: Sequence[str], now: datetime) -> None:
    """A row for each channel, save those where one of this opportunity waits still: it will tell the newest price."""
    waits = select(outbox.c.channel).where(
        outbox.c.opportunity_id == opportunity.id,
        outbox.c.kind == "opportunity",
        outbox.c.state == NotificationState.WAITING.value,
    )
    waiting = set(connection.execute(waits).scalars())
    wanted = [channel for channel in dict.fromkeys(channels) if channel not in waiting]
    allowed = [c for c in wanted if c in LOCAL_CHANNELS or not opportunity.deal.sample]
    rows = [
        {
            "key": f"{opportunity.id}:{opportunity.deal.price}:{channel}",
            "opportunity_id": opportunity.id,
            "channel": channel,
            "kind": "opportunity",
            "message": None,
            "state": NotificationState.WAITING.value,
            "attempts": 0,
            "created": now,
            "next_try": now,
        }
        for channel in allowed
    ]
    if rows:
        insert_new(connection, outbox, rows)
