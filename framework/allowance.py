"""A service's allowance of messages, and how to make what is left of it last: pure rules."""

from __future__ import annotations

from datetime import datetime, time, tzinfo
from math import ceil

from pydantic import Field

from framework.deals import Value
from framework.outbox import Hold, next_at

_SLOW_BELOW = 0.10  # of the allowance: from here on a share per day
_RESERVE = 0.02  # of the allowance: kept for what is urgent and for notices


class Allowance(Value):
    """How many messages a service takes until ``reset`` (aware), as it last said."""

    limit: int = Field(gt=0)
    remaining: int
    reset: datetime

    @property
    def scarce(self) -> bool:
        """Whether so little is left that alerts are spread over the days."""
        return self.remaining <= self.limit * _SLOW_BELOW


def pace(allowance: Allowance, now: datetime, zone: tzinfo, sent_today: int) -> Hold | None:
    """Whether an alert that is not urgent has to wait, so that urgent ones still get through at the month's end.

    Near its end the allowance, less a reserve, is shared out over the days until it is renewed.
    """
    if not allowance.scarce or allowance.reset <= now:
        return None
    left = allowance.remaining - ceil(allowance.limit * _RESERVE)
    if left <= 0:
        return Hold(allowance.reset, f"only {allowance.remaining} messages are left of the service's allowance")
    days = max(1, ceil((allowance.reset - now).total_seconds() / 86_400))
    share = max(1, (left + sent_today) // days)  # what went out today was part of today's share
    if sent_today < share:
        return None
    return Hold(
        next_at(now, time(0), zone),
        f"{allowance.remaining} messages are left of the service's allowance: {share} a day",
    )
