"""The database's tables, one schema for SQLite and PostgreSQL.

::

    feeds                      one row per feed the owner follows
    entries ─┬─ deals          one row per entry ever seen; a deal where one was read from it
             ├─ valuations     what the deal was judged on, with every member's figure
             └─ opportunities ─┬─ sources    the same offer met again elsewhere
                               ├─ feedback   what the owner thinks of it
                               └─ outbox ─── deliveries   what is to be sent, and each attempt
    prices                     every price observed of a product
    hunts, state               one row per run; key and value (heartbeats, versions)
    llm_usage, llm_cache       what language models cost, and their replies by content hash

Entries are never tied to ``feeds`` by a foreign key: what was seen stays known after its feed is removed.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
)
from sqlalchemy.engine import Dialect

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_TEN_THOUSANDTHS = 10_000


class Instant(TypeDecorator[datetime]):
    """An aware moment in UTC. SQLite keeps no zone, so it is put back when read; naive moments are refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn any aware moment into UTC; raise ``ValueError`` for a naive one."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Mark what was read as UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class ExactAmount(TypeDecorator[Decimal]):
    """An amount of money as a whole number of ten-thousandths: exact and sortable in every database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:
        """Scale up; what is finer than a ten-thousandth is rounded."""
        return None if value is None else int((value * _TEN_THOUSANDTHS).to_integral_value())

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        """Scale down."""
        return None if value is None else Decimal(int(value)) / _TEN_THOUSANDTHS


# SQLite gives only a plain INTEGER primary key its automatic number.
_Id = BigInteger().with_variant(Integer, "sqlite")

feeds = Table(
    "feeds",
    metadata,
    Column("url", Text, primary_key=True),
    Column("status", String(16), nullable=False),
    Column("added", Instant, nullable=False),
    Column("last_success", Instant),
    Column("next_check", Instant),
    Column("data", JSON, nullable=False),  # the feed's whole state; the columns above are for queries
)

entries = Table(
    "entries",
    metadata,
    Column("seq", _Id, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("feed_url", Text, nullable=False),
    Column("url", Text),
    Column("title", Text, nullable=False),
    Column("published", Instant),
    Column("first_seen", Instant, nullable=False),
    Column("sample", Boolean, nullable=False),
    Column("state", String(16), nullable=False),  # pending, read (a deal awaiting judgement), done
    Column("verdict", String(16)),  # skipped, failed, deal, opportunity, pass, duplicate
    Column("kind", String(16)),
    Column("reader", String(16)),
    Column("reason", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("hunt_id", Text),  # the last hunt that touched it
    Column("handled", Instant),
    Column("data", JSON, nullable=False),  # the entry; once handled, its content is cut to an excerpt
    Index("ix_entries_state", "state", "seq"),
    Index("ix_entries_feed_url", "feed_url", "seq"),
    Index("ix_entries_verdict", "verdict", "seq"),
    Index("ix_entries_handled", "handled"),
)

deals = Table(
    "deals",
    metadata,
    Column("entry_id", Text, ForeignKey("entries.id", ondelete="CASCADE"), primary_key=True),
    Column("product_key", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("price", ExactAmount, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("created", Instant, nullable=False),
    Column("data", JSON, nullable=False),
    Index("ix_deals_product_key", "product_key"),
)

valuations = Table(
    "valuations",
    metadata,
    Column("entry_id", Text, ForeignKey("entries.id", ondelete="CASCADE"), primary_key=True),
    Column("hunt_id", Text),
    Column("created", Instant, nullable=False),
    Column("value", ExactAmount, nullable=False),
    Column("low", ExactAmount, nullable=False),
    Column("high", ExactAmount, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("verdict", String(16), nullable=False),
    Column("discount_pct", Float, nullable=False),
    Column("probability", Float, nullable=False),
    Column("members", JSON, nullable=False),  # {name: value or null}
    Column("data", JSON, nullable=False),  # {"valuation": ..., "judgement": ...}
    Index("ix_valuations_created", "created"),
)

opportunities = Table(
    "opportunities",
    metadata,
    Column("seq", _Id, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("entry_id", Text, ForeignKey("entries.id"), nullable=False),
    Column("product_key", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("url", Text),
    Column("price", ExactAmount, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("value", ExactAmount, nullable=False),
    Column("discount", Float, nullable=False),
    Column("discount_pct", Float, nullable=False),
    Column("probability", Float, nullable=False),
    Column("sample", Boolean, nullable=False),
    Column("created", Instant, nullable=False),
    Column("updated", Instant, nullable=False),
    Column("alerted", Instant, nullable=False),  # when its owner was last told of it
    Column("alerted_price", ExactAmount),  # what its owner was told then; None: the price
    Column("expired", Instant),  # when it was found to be over
    Column("hidden", Instant),  # when its owner wished not to see it again
    Column("data", JSON, nullable=False),
    Index("ix_opportunities_product_key", "product_key", "seq"),
    Index("ix_opportunities_entry_id", "entry_id"),
    Index("ix_opportunities_created", "created"),
    Index("ix_opportunities_discount", "discount"),
    Index("ix_opportunities_discount_pct", "discount_pct"),
    Index("ix_opportunities_probability", "probability"),
    Index("ix_opportunities_price", "price"),
)

sources = Table(
    "sources",
    metadata,
    Column("opportunity_id", Text, ForeignKey("opportunities.id", ondelete="CASCADE"), primary_key=True),
    Column("entry_id", Text, primary_key=True),
    Column("feed_url", Text, nullable=False),
    Column("url", Text),
    Column("price", ExactAmount, nullable=False),
    Column("seen", Instant, nullable=False),
    Index("ix_sources_entry_id", "entry_id"),
    Index("ix_sources_feed_url", "feed_url"),
)

feedback = Table(
    "feedback",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("opportunity_id", Text, ForeignKey("opportunities.id", ondelete="CASCADE"), nullable=False),
    Column("vote", String(16), nullable=False),  # good, bad, bought, hide, and undo
    Column("at", Instant, nullable=False),
    Column("via", String(16), nullable=False),  # dashboard, cli, link
    Index("ix_feedback_opportunity_id", "opportunity_id"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("key", Text, nullable=False, unique=True),  # one message of one channel, however often it is tried
    Column("opportunity_id", Text, ForeignKey("opportunities.id", ondelete="CASCADE")),
    Column("channel", String(64), nullable=False),
    Column("kind", String(16), nullable=False),  # opportunity, digest, notice
    Column("message", JSON),  # ready to send; None: written from the opportunity when it is sent
    Column("state", String(16), nullable=False),  # waiting, sending, sent, rejected, uncertain, dropped
    Column("attempts", Integer, nullable=False),
    Column("created", Instant, nullable=False),
    Column("next_try", Instant, nullable=False),
    Column("claimed", Instant),
    Column("baseline", Integer),  # the service's own counter before the send: tells later whether it arrived
    Column("finished", Instant),
    Column("last_error", Text),
    Column("repeated", Boolean, nullable=False, server_default=false()),  # sent a second time, being uncertain
    Index("ix_outbox_state", "state", "next_try"),
    Index("ix_outbox_channel", "channel", "finished"),
    Index("ix_outbox_opportunity_id", "opportunity_id"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("outbox_id", _Id, ForeignKey("outbox.id", ondelete="CASCADE"), nullable=False),
    Column("channel", String(64), nullable=False),
    Column("at", Instant, nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("detail", Text, nullable=False),
    Index("ix_deliveries_outbox_id", "outbox_id"),
    Index("ix_deliveries_at", "at"),
)

prices = Table(
    "prices",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("product_key", Text, nullable=False),
    Column("entry_id", Text, nullable=False),
    Column("price", ExactAmount, nullable=False),  # of one piece
    Column("currency", String(3), nullable=False),
    Column("seen", Instant, nullable=False),
    Column("merchant", Text),
    Column("url", Text),
    Column("sample", Boolean, nullable=False),
    UniqueConstraint("entry_id", "price"),
    Index("ix_prices_product_key", "product_key", "seen"),
)

hunts = Table(
    "hunts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("started", Instant, nullable=False),
    Column("finished", Instant),
    Column("counts", JSON, nullable=False),
    Column("error", Text),
    Index("ix_hunts_started", "started"),
)

state = Table(
    "state",
    metadata,
    Column("key", String(128), primary_key=True),
    Column("value", JSON),
    Column("updated", Instant, nullable=False),
)

llm_usage = Table(
    "llm_usage",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("at", Instant, nullable=False),
    Column("hunt_id", Text),
    Column("model", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("tokens_in", Integer, nullable=False),
    Column("tokens_out", Integer, nullable=False),
    Column("usd", Float, nullable=False),
    Index("ix_llm_usage_at", "at"),
)

llm_cache = Table(
    "llm_cache",
    metadata,
    Column("key", Text, primary_key=True),
    Column("model", Text, nullable=False),
    Column("reply", Text, nullable=False),
    Column("created", Instant, nullable=False),
    Index("ix_llm_cache_created", "created"),
)
