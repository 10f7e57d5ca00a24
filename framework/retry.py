"""Trying again: exponential backoff with jitter, the server's own wish, and one helper that follows both."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

Result = TypeVar("Result")

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


def call_with_retries(
    call: Callable[[], Result],
    *,
    retry_on: tuple[type[Exception], ...],
    attempts: int = 3,
    backoff: Backoff | None = None,
    longest_wish: float = 120.0,
    rng: random.Random | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Result:
    """Call until it succeeds, an error of another kind comes, or ``attempts`` are used up; then the error is raised.

    Where the error carries ``retry_after`` (seconds, the server's wish), the pause is at least that; a wish for more
    than ``longest_wish`` ends the attempts at once, since waiting that long is the caller's decision.
    """
    backoff = backoff or Backoff()
    rng = rng or random.Random()  # noqa: S311 - jitter, not a secret
    for failures in range(1, attempts + 1):
        try:
            return call()
        except retry_on as error:
            wish: float = getattr(error, "retry_after", None) or 0.0
            if failures == attempts or wish > longest_wish:
                raise
            sleep(max(wish, backoff.pause(failures, rng)))
    raise ValueError("attempts must be at least 1")
