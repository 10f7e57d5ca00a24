"""A usage ledger and reply cache in memory, for tests of the chat layer alone (the store has its own tests)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any


@dataclass
class Ledger:
    """Keeps ``UsageLedger`` and ``ReplyCache``. ``rows`` are (at, model, in, out, usd, purpose, hunt)."""

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    rows: list[tuple[datetime, str, int, int, Decimal, str, str | None]] = field(default_factory=list)
    replies: dict[str, str] = field(default_factory=dict)

    def add_usage(self, model, tokens_in, tokens_out, usd=0, *, purpose="", hunt_id=None) -> None:
        self.rows.append((self.now(), model, tokens_in, tokens_out, Decimal(usd), purpose, hunt_id))

    def usage_since(self, since: datetime, *, hunt_id: str | None = None) -> Any:
        rows = [row for row in self.rows if row[0] >= since and hunt_id in (None, row[6])]
        return SimpleNamespace(
            calls=len(rows),
            tokens_in=sum(row[2] for row in rows),
            tokens_out=sum(row[3] for row in rows),
            usd=sum((row[4] for row in rows), Decimal(0)),
        )

    def cached_reply(self, key: str) -> str | None:
        return self.replies.get(key)

    def store_reply(self, key: str, reply: str, *, model: str) -> None:
        self.replies[key] = reply
