"""What a product's observed prices say: the lowest in some days, the trend, and points to draw."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from statistics import median

from framework.deals import Value
from framework.money import Money

_STEADY = 0.05  # medians of the older and the newer half closer than this are no trend
_SPARKS = 24


class Trend(StrEnum):
    """Where the price is going."""

    RISING = "rising"
    FALLING = "falling"
    STEADY = "steady"


class PriceSummary(Value):
    """Prices in one currency; ``is_lowest`` tells whether the last one is the lowest of the window (ties count)."""

    days: int
    last: Money
    before: Money | None  # the last one that differs
    lowest: Money
    highest: Money
    count: int
    is_lowest: bool
    trend: Trend
    sparkline: tuple[float, ...]  # amounts, oldest first, at most 24


def summarise(prices: Sequence[tuple[datetime, Money]], now: datetime, days: int = 90) -> PriceSummary | None:
    """Look at the observations of the last ``days``, in the currency of the newest; ``None`` when there are none."""
    recent = sorted((when, price) for when, price in prices if now - timedelta(days=days) <= when)
    if not recent:
        return None
    last = recent[-1][1]
    amounts = [price for _, price in recent if price.currency == last.currency]
    return PriceSummary(
        days=days,
        last=last,
        before=next((price for price in reversed(amounts) if price != last), None),
        lowest=min(amounts),
        highest=max(amounts),
        count=len(amounts),
        is_lowest=last == min(amounts),
        trend=_trend([float(price.amount) for price in amounts]),
        sparkline=_thinned([float(price.amount) for price in amounts]),
    )


def _trend(amounts: list[float]) -> Trend:
    """Compare the medians of both halves: one odd price makes no trend."""
    if len(amounts) < 4:
        return Trend.STEADY
    middle = len(amounts) // 2
    change = median(amounts[middle:]) / median(amounts[:middle]) - 1
    if abs(change) <= _STEADY:
        return Trend.STEADY
    return Trend.RISING if change > 0 else Trend.FALLING


def _thinned(amounts: list[float]) -> tuple[float, ...]:
    """At most ``_SPARKS`` points: the lowest of each stretch, so that no low is lost."""
    if len(amounts) <= _SPARKS:
        return tuple(amounts)
    edges = [round(index * len(amounts) / _SPARKS) for index in range(_SPARKS + 1)]
    return tuple(min(amounts[start:end]) for start, end in pairwise(edges))
