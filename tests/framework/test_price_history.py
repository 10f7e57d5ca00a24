"""The price history: the lowest in a window, the trend, the sparkline."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from framework.money import Money
from framework.price_history import Trend, summarise

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def history(*amounts: float, currency: str = "USD") -> list[tuple[datetime, Money]]:
    count = len(amounts)
    return [(NOW - timedelta(days=count - n), Money.of(amount, currency)) for n, amount in enumerate(amounts)]


def test_nothing_observed_or_nothing_recent_says_nothing() -> None:
    assert summarise([], NOW) is None
    assert summarise([(NOW - timedelta(days=91), Money.of(5))], NOW) is None


def test_the_last_price_is_compared_with_the_window() -> None:
    summary = summarise(history(30, 25, 40, 25), NOW)
    assert summary is not None
    assert (summary.last, summary.lowest, summary.highest) == (Money.of(25), Money.of(25), Money.of(40))
    assert summary.is_lowest
    assert summary.sparkline == (30.0, 25.0, 40.0, 25.0)


def test_order_of_the_observations_does_not_matter_and_foreign_currencies_are_left_out() -> None:
    mixed = [*reversed(history(30, 20)), *history(*[1.0] * 5, currency="EUR")[:1]]
    summary = summarise(mixed, NOW)
    assert summary is not None
    assert (summary.last, summary.count, summary.lowest) == (Money.of(20), 2, Money.of(20))


@pytest.mark.parametrize(
    ("amounts", "trend"),
    [
        ((10, 10, 20, 20), Trend.RISING),
        ((20, 20, 10, 10), Trend.FALLING),
        ((10, 10, 10.4, 10.4), Trend.STEADY),
        ((10, 10, 10, 10, 99, 10), Trend.STEADY),
        ((10, 20), Trend.STEADY),
    ],
)
def test_a_trend_needs_more_than_one_odd_price(amounts: tuple[float, ...], trend: Trend) -> None:
    summary = summarise(history(*amounts), NOW)
    assert summary is not None
    assert summary.trend is trend


def test_a_long_history_is_drawn_with_few_points_and_keeps_its_lows() -> None:
    amounts = [50.0] * 80
    amounts[37] = 12.0
    summary = summarise(history(*amounts), NOW)
    assert summary is not None
    assert len(summary.sparkline) == 24
    assert min(summary.sparkline) == 12.0
