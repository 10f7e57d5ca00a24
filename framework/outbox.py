"""When to send: pure rules over times and figures, without database, network or clock.

Backoff is exponential with a cap (the pauses double from the base), and a longer wait that the service asks for wins.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from framework.deals import Opportunity

LOCAL_CHANNELS = frozenset({"console", "dashboard"})  # these never leave the machine


class News(StrEnum):
    """What an offer of a known product is to its owner."""

    FRESH = "fresh"  # long ago, or never seen: worth a new alert
    CHEAPER = "cheaper"  # clearly cheaper than when the owner was told
    KNOWN = "known"


@dataclass(frozen=True)
class Repeat:
    """When the same product is worth another alert: cheaper by a margin than what the owner was told, or after some
    time. A smaller drop only updates what is known.
    """

    cheaper_pct: float = 15.0
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


def priority(probability: float, discount_pct: float, discount: float) -> Literal[-1, 0, 1]:
    """How loudly to tell of an opportunity: high for a near-certain, large one; quiet when it is only likely."""
    if probability >= 0.95 and discount_pct >= 50 and discount >= 50:
        return 1
    return 0 if probability >= 0.7 else -1


def priority_of(opportunity: Opportunity) -> Literal[-1, 0, 1]:
    """How loudly to tell of this opportunity."""
    judgement = opportunity.judgement
    return priority(judgement.probability, judgement.discount_pct, judgement.discount)


@dataclass(frozen=True)
class Plan:
    """The owner's wishes about when the phone may buzz. Times of day are wall-clock times in ``zone``."""

    zone: tzinfo = UTC
    quiet: tuple[time, time] | None = None  # from, until; may span midnight
    daily_cap: int | None = None  # opportunities per channel and day
    cooldown: timedelta = timedelta(0)  # least pause between two messages
    digest_at: time | None = None  # opportunities that are not urgent wait for one daily message


@dataclass(frozen=True)
class Hold:
    """A message has to wait: until when, and why (shown to the owner)."""

    until: datetime
    reason: str


def hold(
    plan: Plan, now: datetime, *, urgent: bool, notice: bool, sent_today: int, last_sent: datetime | None
) -> Hold | None:
    """Whether a message has to wait; holding never drops it. Urgent ones pass everything, notices pass cap and digest.

    ``sent_today`` and ``last_sent`` are of the same channel, the former counts opportunities since ``day_start``.
    """
    if urgent:
        return None
    if plan.quiet is not None and within(now.astimezone(plan.zone).time(), *plan.quiet):
        return Hold(next_at(now, plan.quiet[1], plan.zone), "quiet hours")
    if last_sent is not None and timedelta(0) <= now - last_sent < plan.cooldown:
        return Hold(last_sent + plan.cooldown, "cooldown")
    if notice:
        return None
    if plan.digest_at is not None:
        return Hold(next_at(now, plan.digest_at, plan.zone), "waits for the daily digest")
    if plan.daily_cap is not None and sent_today >= plan.daily_cap:
        return Hold(next_at(now, time(0), plan.zone), f"the daily cap of {plan.daily_cap} is reached")
    return None


def day_start(now: datetime, zone: tzinfo) -> datetime:
    """The beginning of the owner's day that ``now`` lies in."""
    local = now.astimezone(zone)
    return _instant(local.date(), time(0), zone, fold=0)


def next_at(now: datetime, at: time, zone: tzinfo) -> datetime:
    """The next moment after ``now`` when the clock in ``zone`` shows ``at``.

    Where clocks jump forward over it, it comes as much later as they jump; where they go back, it comes twice.
    """
    today = now.astimezone(zone).date()
    for day in (today, today + timedelta(days=1), today + timedelta(days=2)):
        for fold in (0, 1):
            moment = _instant(day, at, zone, fold)
            if moment > now:
                return moment
    return now + timedelta(days=1)


def latest_at(now: datetime, at: time, zone: tzinfo) -> datetime:
    """The last moment, now included, when the clock in ``zone`` showed ``at`` (the first of two where it did twice)."""
    today = now.astimezone(zone).date()
    moments = (_instant(day, at, zone, 0) for day in (today, today - timedelta(days=1), today - timedelta(days=2)))
    return next(moment for moment in moments if moment <= now)


def within(clock: time, start: time, end: time) -> bool:
    """Whether ``clock`` is from ``start`` until before ``end``, which may be past midnight."""
    return start <= clock < end if start <= end else clock >= start or clock < end


def _instant(day: date, at: time, zone: tzinfo, fold: int) -> datetime:
    return datetime.combine(day, at, zone).replace(fold=fold).astimezone(UTC)
