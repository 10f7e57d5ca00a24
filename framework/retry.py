"""Trying again: exponential backoff with jitter, and the pause that a server asks for."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_LONGEST_PAUSE = 10 * 365 * 86400.0


def parse_retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds to wait by a Retry-After header, which holds seconds or a date (RFC 9110, 10.2.3); never negative."""
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdecimal():
        return min(float(text[:20]), _LONGEST_PAUSE)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())


@dataclass(frozen=True, slots=True)
class Backoff:
    """Pauses that double from ``first`` to ``longest`` seconds, each shortened by up to ``jitter`` of itself."""

    first: float = 1.0
    longest: float = 60.0
    jitter: float = 0.25

    def pause(self, failures: int, rng: random.Random) -> float:
        """Seconds to wait after ``failures`` failures in a row (1 or more)."""
        full = min(self.longest, self.first * 2.0 ** min(max(failures - 1, 0), 60))
        return full * (1.0 - self.jitter * rng.random())
