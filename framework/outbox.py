"""When to send: pure rules over times and figures, without database, network or clock.

Backoff is exponential with a cap (the pauses double from the base), and a longer wait that the service asks for wins.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

LOCAL_CHANNELS = frozenset({"console", "dashboard"})  # these never leave the machine


class News(StrEnum):
    """What an offer of a known product is to its owner."""

    FRESH = "fresh"  # long ago, or never seen: worth a new alert
    CHEAPER = "cheaper"  # clearly cheaper than when the owner was told
    KNOWN = "known"


@dataclass(frozen=True)
class Repeat:
    """When the same product is worth another alert: cheaper by a margin, or after some time."""

    cheaper_pct: float = 5.0
    after: timedelta = timedelta(days=14)


def news(price: Decimal, known_price: Decimal, alerted: datetime, now: datetime, repeat: Repeat) -> News:
    """Compare an offer with what its owner was told at ``alerted``; prices are in one currency."""
    if now - alerted >= repeat.after:
        return News.FRESH
    if float(price) <= float(known_price) * (1 - repeat.cheaper_pct / 100):
        return News.CHEAPER
    return News.KNOWN


@dataclass(frozen=True)
class Backoff:
    """How often and how long apart a notification is tried."""

    base: timedelta = timedelta(seconds=10)
    cap: timedelta = timedelta(hours=1)
    max_attempts: int = 20  # with these figures, about 13 hours

    def next_try(self, attempts: int, now: datetime, retry_after: float | None = None) -> datetime | None:
        """When to try again after ``attempts`` failures; ``None``: give up. ``retry_after`` is in seconds."""
        if attempts >= self.max_attempts:
            return None
        pause = min(self.base * (1 << min(attempts - 1, 30)), self.cap)
        asked = timedelta(seconds=min(retry_after or 0, 31 * 86_400))
        return now + max(pause, asked)
