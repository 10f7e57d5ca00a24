"""What the memory answers with, where a domain type alone would not say enough."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from pydantic import Field

from framework.deals import Deal, Entry, Judgement, Opportunity, Valuation, Value
from framework.money import Money


class EntryState(StrEnum):
    """Where an entry stands."""

    PENDING = "pending"  # not read yet, or its reading failed and will be tried again
    READ = "read"  # a deal that awaits judgement
    DONE = "done"


class EntryVerdict(StrEnum):
    """What became of an entry in the end."""

    SKIPPED = "skipped"
    FAILED = "failed"
    DEAL = "deal"  # read, not judged yet
    PASS = "pass"
    OPPORTUNITY = "opportunity"
    DUPLICATE = "duplicate"  # the offer of an opportunity that is known already


class EntryRecord(Value):
    """An entry with its verdict; ``entry.content`` is only an excerpt once it is handled."""

    entry: Entry
    state: EntryState
    verdict: EntryVerdict | None = None
    kind: str | None = None
    reader: str | None = None
    reason: str = ""
    attempts: int = 0
    first_seen: datetime
    handled: datetime | None = None
    hunt_id: str | None = None


class OpenEntry(Value):
    """An entry that waits to be read (``PENDING``) or judged (``READ``), without its content."""

    id: str
    url: str | None
    state: EntryState
    hunt_id: str | None
    attempts: int


class JudgedDeal(Value):
    """A deal with what it was judged on."""

    deal: Deal
    valuation: Valuation
    judgement: Judgement
    judged: datetime
    hunt_id: str | None = None


class Source(Value):
    """One place where an opportunity's offer was met."""

    entry_id: str
    feed_url: str
    url: str | None
    price: Money
    seen: datetime


class OpportunityRecord(Value):
    """An opportunity with what happened to it since; ``number`` grows with age of record, newest highest."""

    number: int
    opportunity: Opportunity
    product_key: str
    updated: datetime
    expired: datetime | None = None
    hidden: datetime | None = None  # when its owner wished not to see it again
    sources: tuple[Source, ...] = ()


class OpportunityOrder(StrEnum):
    """The orders in which opportunities can be listed; each puts the best or the newest first."""

    NEWEST = "newest"
    DISCOUNT = "discount"
    DISCOUNT_PCT = "discount_pct"
    PROBABILITY = "probability"
    PRICE = "price"  # lowest first


class PricePoint(Value):
    """One observed price of one piece of a product."""

    price: Money
    seen: datetime
    entry_id: str
    merchant: str | None = None
    url: str | None = None


class HuntRecord(Value):
    """One run of the pipeline. ``finished`` is ``None`` while it runs, and for ever when it was killed."""

    id: str
    started: datetime
    finished: datetime | None = None
    counts: dict[str, int] = Field(default_factory=dict)
    error: str | None = None


class NotificationState(StrEnum):
    """Where a notification stands."""

    WAITING = "waiting"
    SENDING = "sending"  # claimed by a sender; found again after a crash
    SENT = "sent"
    REJECTED = "rejected"  # the service said no, or it was tried too often
    UNCERTAIN = "uncertain"  # it may have arrived; nothing more can be found out
    DROPPED = "dropped"  # overtaken by events: never to be sent


class Notification(Value):
    """One message to one channel, as the outbox keeps it."""

    id: int
    key: str
    channel: str
    kind: str
    state: NotificationState
    attempts: int
    created: datetime
    next_try: datetime
    claimed: datetime | None = None
    baseline: int | None = None
    last_error: str | None = None
    repeated: bool = False
    message: dict[str, Any] | None = None
    opportunity: Opportunity | None = None


class Delivery(Value):
    """One line of the delivery log."""

    outbox_id: int
    channel: str
    at: datetime
    outcome: str
    detail: str


class Usage(Value):
    """What language models cost over some time."""

    calls: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    usd: Decimal = Decimal(0)
